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

// redisTexts say why Redis did not do what was requested, with the remedy.
var redisTexts = map[error]string{
	rdb.ErrNoPassword:      "Redis requires a password. Write user and password into REDIS_URL (redis://user:password@host) and restart the bot.",
	rdb.ErrWrongPassword:   "Redis rejected the bot's user or password. Check both in REDIS_URL.",
	rdb.ErrNoPermission:    "Redis does not allow the bot to do this. Give its user all permissions listed in docs/security.md.",
	rdb.ErrRefused:         "Redis rejected the bot. Check the user, password and ACL of REDIS_URL.",
	rdb.ErrNoCommand:       "Redis lacks a command the bot needs, as some managed services do. Have it enabled: sessionbot doctor on the bot's host lists what is missing.",
	rdb.ErrCertificate:     "The certificate of Redis is not valid, so nothing was sent. Have it replaced.",
	rdb.ErrUnknownCA:       "The certificate of Redis is not trusted, so nothing was sent. Set SSL_CERT_FILE to the file with its CA and restart the bot.",
	rdb.ErrWrongHost:       "The certificate of Redis is for another host, so nothing was sent. Use a host name in REDIS_URL that the certificate covers.",
	rdb.ErrExpired:         "The certificate of Redis has expired or is not valid yet, so nothing was sent. Have it renewed, and check this machine's clock.",
	rdb.ErrNoTLS:           "Redis does not use TLS on that port. Use its TLS port in REDIS_URL, or redis:// on a private network.",
	rdb.ErrTooManyClients:  "Redis accepts no more connections. Raise maxclients, or disconnect clients that are not needed.",
	rdb.ErrNoDatabase:      "Redis has no database with the number in REDIS_URL. Use another number, or none.",
	rdb.ErrClusterDatabase: "A Redis cluster has no numbered databases. Remove the number from REDIS_URL.",
	rdb.ErrNoMaster:        "The Sentinels know no master of that name. Set master_name in REDIS_URL to the name in the Sentinels' configuration.",
	rdb.ErrNoSentinel:      "REDIS_URL has a master_name, but no Sentinel answers there. Use the Sentinels' addresses (usually port 26379), or remove master_name.",
	rdb.ErrSentinel:        "A Sentinel answers at REDIS_URL. Add ?master_name=<name>, or use the address of Redis itself.",
	rdb.ErrAnnounced:       "Redis' cluster or Sentinel announces an address that does not answer from here. Check that the node is up, and that cluster-announce-ip or -hostname (sentinel announce-ip, replica-announce-ip) can be reached from the bot.",
	rdb.ErrProtocol:        "What answers at REDIS_URL is not Redis, so the connection was closed. Check host and port.",
	rdb.ErrStarting:        "Redis is not ready: it is loading its data, or another node is taking over. Try again in a minute; if it keeps failing, check Redis's log.",
	rdb.ErrReadOnly:        "Redis accepts no writes: it is a read-only replica. Try again in a minute; if it keeps failing, point REDIS_URL at the master.",
	rdb.ErrFull:            "Redis is full and accepts no writes. Give it more memory (maxmemory).",
	rdb.ErrNotPersisted:    "Redis accepts no writes, because it cannot save them. Check its disk, its replicas and its log.",
}

// RedisErrorText says why Redis did not do what was requested, and what to do.
func RedisErrorText(err error) string {
	kind := rdb.Kind(err)
	if command := rdb.Command(err); command != "" {
		return commandText(kind, command)
	}
	if kind == rdb.ErrNoAnswer { //nolint:errorlint // the very kind is returned, and not wrapped
		silent := "Redis did not answer"
		if since := breaker.OpenSince(err); !since.IsZero() {
			silent = "Redis has not answered since " + since.UTC().Format("15:04 UTC")
		}
		return silent + ". Try again in a minute; if it still does not answer, check that Redis is up and that REDIS_URL is right (sessionbot doctor, on the bot's host, checks it)."
	}
	return cmp.Or(redisTexts[kind], "Redis answered with an internal error. Try again in a minute; if it keeps failing, check Redis's log.")
}

func commandText(kind error, command string) string {
	if strings.HasPrefix(command, "EVAL") {
		command += " (or a command that its script calls)"
	}
	if errors.Is(kind, rdb.ErrNoCommand) {
		return "Redis lacks " + command + ", because of a managed service or rename-command. Have it enabled: sessionbot doctor on the bot's host lists all that is missing."
	}
	return "Redis does not allow the bot to run " + command + ". Give its user all permissions listed in docs/security.md: sessionbot doctor on the bot's host lists what is missing."
}

// ClickFailedText explains a click that failed because of Redis: only without an answer is
// it unknown whether it counted.
func ClickFailedText(err error) string {
	if rdb.Kind(err) == nil || errors.Is(err, rdb.ErrNoAnswer) {
		return "Redis did not answer, so it is unknown whether your press counted. Check the message in a minute, and press again if nothing has happened."
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
	store.StripeWrongMode:   "one of session and Stripe key is live, the other test",
	store.StripeKeyRefused:  "Stripe rejected the key (STRIPE_SECRET_KEY)",
	store.StripeForbidden:   "the Stripe key has no permission to read Checkout Sessions, payments or events",
	store.StripeRateLimited: "Stripe's rate limit was reached",
	store.StripeNoAnswer:    "Stripe did not answer",
}

// UnverifiedText says why payments could not be verified.
func UnverifiedText(why store.Unverified, since time.Time) string {
	return cmp.Or(unverifiedTexts[why], "Stripe answered with an internal error") + sinceText(since)
}

// unverifiedText is UnverifiedText for one payment, whose session tells which of the two
// modes the key is of.
func unverifiedText(p store.Payment) string {
	switch {
	case p.Why != store.StripeWrongMode:
		return UnverifiedText(p.Why, p.Since)
	case isTest(p):
		return "the session is from test mode, the bot's Stripe key is live"
	}
	return "the session is live, the bot's Stripe key is a test key"
}

// isTest reports whether a payment is without real money.
func isTest(p store.Payment) bool { return strings.HasPrefix(p.SessionID, "cs_test_") }

var fileErrorTexts = map[superduper.Kind]string{
	superduper.NoToken:      "no token is configured (SUPERDUPERAI_TOKEN)",
	superduper.Unauthorised: "SuperDuperAI rejected the token (SUPERDUPERAI_TOKEN)",
	superduper.Forbidden:    "SuperDuperAI rejected the token (SUPERDUPERAI_TOKEN)",
	superduper.NotFound:     "SuperDuperAI does not know this file (yet)",
	superduper.RateLimited:  "SuperDuperAI's rate limit was reached",
	superduper.Certificate:  "the certificate does not match the host name: set SUPERDUPERAI_URL to https://dev-editor.superduperai.co",
	superduper.Malformed:    "SuperDuperAI's answer could not be read",
}

var siteErrorTexts = map[superduper.Kind]string{
	superduper.Malformed:   "the site's answer could not be read",
	superduper.Certificate: "the site's certificate does not match its host name (SITE_URL)",
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
