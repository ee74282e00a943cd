package rdb

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/redis/go-redis/v9"
)

// What Redis does instead of what it was asked for.
var (
	// ErrSilent: it gave no answer. It is away, frozen or too slow.
	ErrNoAnswer = errors.New("Redis did not answer")
	// ErrAnnounced: a cluster or a Sentinel names an address at which nobody was
	// ever reached from here.
	ErrAnnounced = fmt.Errorf("%w at an address that its cluster or Sentinel announces", ErrNoAnswer)
	// ErrGarbled: what answers does not keep to Redis' protocol.
	ErrProtocol = fmt.Errorf("%w in its protocol", ErrNoAnswer)
	// ErrRefused: it does not let us in, or not do this; the four below say why.
	ErrRefused       = errors.New("Redis refused the bot")
	ErrNoPassword    = fmt.Errorf("%w: it wants a password", ErrRefused)
	ErrWrongPassword = fmt.Errorf("%w: user or password is wrong", ErrRefused)
	ErrNoPermission  = fmt.Errorf("%w: its ACL lacks a permission", ErrRefused)
	ErrNoCommand     = fmt.Errorf("%w: it does not have the command", ErrRefused)
	// ErrCertificate: it cannot be trusted to be who it says; the three below say why.
	ErrCertificate = errors.New("the certificate of Redis is not trusted")
	ErrUnknownCA   = fmt.Errorf("%w: its authority is not known", ErrCertificate)
	ErrWrongHost   = fmt.Errorf("%w: it is for another host", ErrCertificate)
	ErrExpired     = fmt.Errorf("%w: it has expired or does not hold yet", ErrCertificate)
	// ErrNoTLS: it does not encrypt.
	ErrNoTLS = errors.New("Redis speaks no TLS")
	// ErrCrowded: it takes no more connections.
	ErrTooManyClients = errors.New("Redis has as many clients as it takes")
	// ErrNoDatabase: it has no database of the number in the URL.
	ErrNoDatabase = errors.New("Redis has no database of that number")
	// ErrNoMaster: the Sentinels know no master of the name in the URL.
	ErrNoMaster = errors.New("the Sentinels know no master of that name")
	// ErrNoSentinel: the URL has a master_name, and no Sentinel answers.
	ErrNoSentinel = errors.New("what answers is no Sentinel")
	// ErrSentinel: a Sentinel answers, and the URL has no master_name.
	ErrSentinel = errors.New("what answers is a Sentinel")
	// ErrStarting: it is there, but cannot serve yet. It loads its data, its
	// master is away or its cluster is not whole.
	ErrStarting = errors.New("Redis cannot serve just now")
	// ErrReadOnly: it is a replica, and takes no writes.
	ErrReadOnly = errors.New("Redis is a read-only replica")
	// ErrFull: it has no memory left, and takes no writes.
	ErrFull = errors.New("Redis is full")
	// ErrUnsaved: it takes no writes because it could not keep them.
	ErrNotPersisted = errors.New("Redis cannot keep what is written")
)

// ErrNotAllowed means that our user may not do this much of what would be good
// to have.
var ErrNotAllowed = errors.New("not allowed to this user")

// kinds are all of them, what is more particular first.
var kinds = []error{
	ErrAnnounced, ErrProtocol, ErrNoAnswer, ErrNoPassword, ErrWrongPassword, ErrNoPermission, ErrNoCommand, ErrRefused,
	ErrUnknownCA, ErrWrongHost, ErrExpired, ErrCertificate, ErrNoTLS, ErrTooManyClients, ErrNoDatabase, ErrClusterDatabase,
	ErrNoMaster, ErrNoSentinel, ErrSentinel, ErrStarting, ErrReadOnly, ErrFull, ErrNotPersisted,
}

// Classify names the trouble: an error of the network, or a time-out, is
// ErrSilent. What else Redis itself answered stays as it is, but for what it
// repeats of the question, and so does the caller's own change of mind.
func Classify(err error) error {
	if err == nil || Trouble(err) != nil { // or named already
		return err
	}
	kind, name, err := kindOf(err), Command(err), redactReply(err)
	switch {
	case kind == nil:
		return err
	case name != "":
		return fmt.Errorf("%w: %s: %w", kind, name, &commandError{name: name, error: err})
	}
	return fmt.Errorf("%w: %w", kind, err)
}

// Trouble is the kind of trouble with Redis that an error of this package is
// about, one of the above or ErrClusterDatabase; nil = none.
func Trouble(err error) error {
	for _, kind := range kinds {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return nil
}

// Permanent tells whether trying again cannot help until somebody changes the
// server or the user's rights.
func Permanent(err error) bool {
	return errors.Is(err, ErrNoCommand) || errors.Is(err, ErrNoPermission)
}

// troubles are the first words of what Redis answers, and what they mean.
var troubles = map[string]error{
	"NOAUTH": ErrNoPassword, "WRONGPASS": ErrWrongPassword, "NOPERM": ErrNoPermission, "DENIED": ErrRefused,
	"LOADING": ErrStarting, "MASTERDOWN": ErrStarting, "CLUSTERDOWN": ErrStarting, "TRYAGAIN": ErrStarting, "BUSY": ErrStarting,
	"READONLY": ErrReadOnly, "OOM": ErrFull, "NOREPLICAS": ErrNotPersisted, "MISCONF": ErrNotPersisted,
}

var (
	crowded = regexp.MustCompile(`(?i)^ERR max(imum)? (number of )?(clients|connections)`)
	// selecting is what comes of SELECT, with which the library greets a server
	// whatever is asked afterwards.
	selecting = regexp.MustCompile(`(?i)\bDB index|\bcommand\W{0,3}select\b|\bselect\W{0,2} (command|is not)`)
)

// patterns are what Redis, and what managed services put in its place, say under
// the one word ERR. The first that fits counts.
var patterns = []struct {
	text *regexp.Regexp
	kind error
}{
	{crowded, ErrTooManyClients},
	{selecting, ErrNoDatabase},
	{regexp.MustCompile(`(?i)invalid (username-)?password|AUTH failed|(called without any|no) password`), ErrWrongPassword},
	{regexp.MustCompile(`(?i)user executing the script can't|(no|without|insufficient|lacks?) permission|(permission|access) denied|not (permitted|authori[sz]ed)|^ERR forbidden`), ErrNoPermission},
	{regexp.MustCompile(`(?i)unknown (or \w+ )?(redis |sub)?command|unsupported|unimplemented|not (been )?(support|implement)|` +
		`not (allow|available|enabled)|(disabled|forbidden|blocked|invalid|illegal) (redis )?command|command\b.*\b(disabled|forbidden|blocked|prohibited|restricted|unavailable|not found|cannot be used)`), ErrNoCommand},
}

// noSentinel is how the library begins what went wrong with all Sentinels.
const noSentinel = "redis: all sentinels"

// kindOf tells the kind from what the library returned, nil = none of them.
func kindOf(err error) error {
	var answered redis.Error
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return nil
	case errors.As(err, &answered):
		return answerKind(err, answered.Error())
	}
	return wireKind(err)
}

// answerKind is the kind of trouble of what Redis answered.
func answerKind(err error, text string) error {
	sentinels := strings.Contains(err.Error(), noSentinel)
	if sentinels && errors.Is(err, redis.Nil) {
		return ErrNoMaster
	}
	if _, cause, found := strings.Cut(text, "because of: "); found { // EXECABORT
		text = cause
	}
	word, _, _ := strings.Cut(text, " ")
	kind := troubles[word]
	if word == "ERR" {
		for _, shape := range patterns {
			if kind == nil && shape.text.MatchString(text) {
				kind = shape.kind
			}
		}
	}
	switch {
	case sentinels && errors.Is(kind, ErrNoCommand):
		return ErrNoSentinel
	case Permanent(kind) && selecting.MatchString(text):
		return ErrNoDatabase
	}
	return kind
}

// wireKind is the kind of trouble where no answer came.
func wireKind(err error) error {
	var untrusted *tls.CertificateVerificationError
	var host x509.HostnameError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	if found := Trouble(err); found != nil { // our own connections say so
		return found
	}
	switch {
	case errors.As(err, &host):
		return ErrWrongHost
	case errors.As(err, &authority):
		return ErrUnknownCA
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return ErrExpired
	case errors.As(err, &untrusted), errors.As(err, &invalid):
		return ErrCertificate
	case errors.As(err, &record):
		return ErrNoTLS
	}
	return ErrNoAnswer
}

// ExecError is the error of the command because of which Redis discarded a whole
// transaction, which by itself says only that it did.
func ExecError(cmds []redis.Cmder, err error) error {
	if !redis.IsExecAbortError(err) {
		return err
	}
	for _, cmd := range cmds {
		if cause := cmd.Err(); cause != nil && !redis.IsExecAbortError(cause) {
			return cause
		}
	}
	return err
}
