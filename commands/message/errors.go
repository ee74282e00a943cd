package message

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/internal/breaker"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/superduper"
)

// redisTexts say why Redis did not do what it was asked for, and what helps.
var redisTexts = map[error]string{
	rdb.ErrNoPassword:      "Redis wants a password: the engineer on call has to write user and password into REDIS_URL (redis://user:password@host).",
	rdb.ErrWrongPassword:   "Redis refused the bot's user or password: the engineer on call has to check both in REDIS_URL.",
	rdb.ErrNoPermission:    "Redis does not allow the bot to do this: the engineer on call has to give its user all permissions that docs/security.md lists.",
	rdb.ErrRefused:         "Redis refused the bot: the engineer on call has to check user, password and ACL of REDIS_URL.",
	rdb.ErrNoCommand:       "Redis does not have a command that the bot needs, as with some managed services: the engineer on call has to have it enabled; sessionbot doctor names each.",
	rdb.ErrCertificate:     "The certificate of Redis does not hold, so nothing was sent there: the engineer on call has to have Redis' owner replace it.",
	rdb.ErrUnknownCA:       "The certificate of Redis is not trusted, so nothing was sent there: the engineer on call has to name the file with its CA in SSL_CERT_FILE and start the bot again.",
	rdb.ErrWrongHost:       "The certificate of Redis is for another host, so nothing was sent there: the engineer on call has to write a host into REDIS_URL that the certificate names.",
	rdb.ErrExpired:         "The certificate of Redis has expired or does not hold yet, so nothing was sent there: the engineer on call has to have it renewed, and to look whether this machine's clock is right.",
	rdb.ErrNoTLS:           "Redis speaks no TLS at that port: the engineer on call has to write its TLS port into REDIS_URL, or redis:// where the network is one's own.",
	rdb.ErrTooManyClients:  "Redis takes no more connections: the engineer on call has to raise its maxclients, or to end clients that nobody needs.",
	rdb.ErrNoDatabase:      "Redis has no database of the number in REDIS_URL: the engineer on call has to write another one, or none.",
	rdb.ErrClusterDatabase: "A Redis cluster has no numbered databases: the engineer on call has to take the number out of REDIS_URL.",
	rdb.ErrNoMaster:        "The Sentinels know no master of that name: the engineer on call has to write the name into master_name of REDIS_URL that the Sentinels' configuration has.",
	rdb.ErrNoSentinel:      "REDIS_URL has a master_name, but no Sentinel answers there: the engineer on call has to write the Sentinels' addresses (mostly port 26379), or to take master_name out.",
	rdb.ErrSentinel:        "A Sentinel answers at REDIS_URL: the engineer on call has to add ?master_name=<name>, or to write the address of Redis itself.",
	rdb.ErrAnnounced:       "Redis' cluster or Sentinel announces an address that does not answer from here: the engineer on call has to see that the node runs, and that cluster-announce-ip or -hostname (sentinel announce-ip, replica-announce-ip) can be reached from the bot.",
	rdb.ErrProtocol:        "What answers at REDIS_URL does not speak Redis' protocol, so the connection was given up: the engineer on call has to check host and port.",
	rdb.ErrStarting:        "Redis cannot serve just now: it is loading its data, or another node is taking over. Try again in a minute; if it stays so, tell the engineer on call.",
	rdb.ErrReadOnly:        "Redis takes no writes, because it is a read-only replica. Try again in a minute; if it stays so, the engineer on call has to point REDIS_URL at the master.",
	rdb.ErrFull:            "Redis is full and takes no writes: the engineer on call has to give it more memory (maxmemory).",
	rdb.ErrNotPersisted:    "Redis takes no writes, because it cannot keep them: the engineer on call has to look at its disk, its replicas and its log.",
}

// RedisErrorText says why Redis did not do what it was asked for, and what to do.
func RedisErrorText(err error) string {
	kind := rdb.Trouble(err)
	if command := rdb.Command(err); command != "" {
		return commandText(kind, command)
	}
	if kind == rdb.ErrNoAnswer { //nolint:errorlint // the very kind is returned, and not wrapped
		silent := "Redis did not answer"
		if since := breaker.OpenSince(err); !since.IsZero() {
			silent = "Redis has not answered since " + since.UTC().Format("15:04 UTC")
		}
		return silent + ". Try again in a minute; if it stays silent, tell the engineer on call."
	}
	return cmp.Or(redisTexts[kind], "Redis answered with a fault of its own: tell the engineer on call.")
}

func commandText(kind error, command string) string {
	if strings.HasPrefix(command, "EVAL") {
		command += " (or a command that its script calls)"
	}
	if errors.Is(kind, rdb.ErrNoCommand) {
		return "Redis does not have " + command + ", as with some managed services or rename-command: the engineer on call has to have it enabled; sessionbot doctor names all that is missing."
	}
	return "Redis does not allow the bot " + command + ": the engineer on call has to give its user all permissions that docs/security.md lists; sessionbot doctor names what is missing."
}

// ClickFailedText says what became of a click that Redis did not take: whether
// it counted is not known only where no answer came.
func ClickFailedText(err error) string {
	if rdb.Trouble(err) == nil || errors.Is(err, rdb.ErrNoAnswer) {
		return "Redis did not answer, so it is not known whether your click counted. Look at the message in a minute; press again if nothing has happened."
	}
	return RedisErrorText(err) + " Nothing was done."
}

func sinceText(since time.Time) string {
	if since.IsZero() {
		return ""
	}
	return " (since " + since.UTC().Format("15:04 UTC") + ")"
}

var unverifiedTexts = map[store.Unverified]string{
	store.NoStripeKey:       "no Stripe key is configured (STRIPE_SECRET_KEY)",
	store.StripeWrongMode:   "the Stripe key is of the other mode (live or test) than the session",
	store.StripeKeyRefused:  "Stripe refused the key (STRIPE_SECRET_KEY)",
	store.StripeForbidden:   "the Stripe key may not read Checkout Sessions, payments or events",
	store.StripeRateLimited: "Stripe asked us to slow down; try again in a minute",
	store.StripeNoAnswer:    "Stripe did not answer",
}

// UnverifiedText says why a payment could not be verified, and the remedy.
func UnverifiedText(why store.Unverified, since time.Time) string {
	return cmp.Or(unverifiedTexts[why], "Stripe answered with a fault of its own; try again in a minute") + sinceText(since)
}

var fileErrorTexts = map[superduper.Kind]string{
	superduper.NoToken:      "no token is configured (SUPERDUPERAI_TOKEN)",
	superduper.Unauthorised: "SuperDuperAI refused the token (SUPERDUPERAI_TOKEN)",
	superduper.Forbidden:    "SuperDuperAI refused the token (SUPERDUPERAI_TOKEN)",
	superduper.NotFound:     "SuperDuperAI does not know it (yet)",
	superduper.RateLimited:  "SuperDuperAI asked us to slow down",
	superduper.Certificate:  "the certificate does not fit the host: use https://dev-editor.superduperai.co (SUPERDUPERAI_URL)",
	superduper.Malformed:    "SuperDuperAI's answer could not be read",
}

var siteErrorTexts = map[superduper.Kind]string{
	superduper.Malformed:   "the site's answer could not be read",
	superduper.Certificate: "the site's certificate does not fit its host (SITE_URL)",
}

// FileErrorText says why a file could not be seen.
func FileErrorText(err error) string { return serviceErrorText("SuperDuperAI", fileErrorTexts, err) }

// siteErrorText says why the site's answer is not known.
func siteErrorText(err error) string { return serviceErrorText("the site", siteErrorTexts, err) }

func serviceErrorText(service string, texts map[superduper.Kind]string, err error) string {
	text := service + " did not answer"
	if api, ok := errors.AsType[*superduper.Error](err); ok {
		switch known := texts[api.Kind]; {
		case known != "":
			text = known
		case api.Status != 0:
			text = fmt.Sprintf("%s answered HTTP %d", service, api.Status)
		}
	}
	return text + sinceText(breaker.OpenSince(err))
}
