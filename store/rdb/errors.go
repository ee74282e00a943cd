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

// The kinds of error. An error that is a kind of another wraps it.
var (
	ErrNoAnswer = errors.New("Redis did not answer") // it is down, frozen or too slow
	// ErrAnnounced: no address was ever reached that a cluster or a Sentinel announces.
	ErrAnnounced = fmt.Errorf("%w at an address that its cluster or Sentinel announces", ErrNoAnswer)
	ErrProtocol  = fmt.Errorf("%w in its protocol", ErrNoAnswer)

	ErrRefused       = errors.New("Redis rejected the bot")
	ErrNoPassword    = fmt.Errorf("%w: it requires a password", ErrRefused)
	ErrWrongPassword = fmt.Errorf("%w: user or password is wrong", ErrRefused)
	ErrNoPermission  = fmt.Errorf("%w: its ACL lacks a permission", ErrRefused)
	ErrNoCommand     = fmt.Errorf("%w: it lacks the command", ErrRefused)

	ErrCertificate = errors.New("the certificate of Redis is not trusted")
	ErrUnknownCA   = fmt.Errorf("%w: its authority is not known", ErrCertificate)
	ErrWrongHost   = fmt.Errorf("%w: it is for another host", ErrCertificate)
	ErrExpired     = fmt.Errorf("%w: it has expired or is not valid yet", ErrCertificate)
	ErrNoTLS       = errors.New("Redis does not use TLS")

	ErrTooManyClients = errors.New("Redis accepts no more clients")
	ErrNoDatabase     = errors.New("Redis has no database with that number")
	// ErrClusterDatabase: the URL names a database number, and a cluster has but one.
	ErrClusterDatabase = errors.New("a Redis cluster has no numbered databases: remove the number from the URL")

	ErrNoMaster   = errors.New("the Sentinels know no master of that name")
	ErrNoSentinel = errors.New("what answers is not a Sentinel") // and the URL has a master_name
	ErrSentinel   = errors.New("what answers is a Sentinel")     // and the URL has no master_name

	ErrStarting     = errors.New("Redis is not ready") // it loads data, or its master or cluster is down
	ErrReadOnly     = errors.New("Redis is a read-only replica")
	ErrFull         = errors.New("Redis is full")
	ErrNotPersisted = errors.New("Redis cannot save what is written")
)

// ErrNotAllowed means that our user lacks a permission, or the server a command, that is
// not required. It is not one of the kinds: ErrNoPermission is the kind of any command that
// the ACL refuses.
var ErrNotAllowed = errors.New("not allowed to this user")

// kinds are all of them, the more specific first.
var kinds = []error{
	ErrAnnounced, ErrProtocol, ErrNoAnswer, ErrNoPassword, ErrWrongPassword, ErrNoPermission, ErrNoCommand, ErrRefused,
	ErrUnknownCA, ErrWrongHost, ErrExpired, ErrCertificate, ErrNoTLS, ErrTooManyClients, ErrNoDatabase, ErrClusterDatabase,
	ErrNoMaster, ErrNoSentinel, ErrSentinel, ErrStarting, ErrReadOnly, ErrFull, ErrNotPersisted,
}

// Classify wraps an error of the library in its kind: a network error or a time-out
// is ErrNoAnswer. An answer of no kind stays as it is, without what it repeats of the
// request, and so does a cancellation.
func Classify(err error) error {
	if err == nil || Kind(err) != nil { // or classified already
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

// Kind returns the kind of a classified error, nil if it has none.
func Kind(err error) error {
	for _, kind := range kinds {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return nil
}

// Permanent reports whether Redis refuses the command itself, for want of a permission or
// because it does not have it: a retry is useless until somebody changes the server or the
// user's permissions. Other refusals, such as of a password, are not meant: they concern
// the connection, and not this command.
func Permanent(err error) bool {
	return errors.Is(err, ErrNoCommand) || errors.Is(err, ErrNoPermission)
}

// kindByCode maps the error codes of Redis to kinds.
var kindByCode = map[string]error{
	"NOAUTH": ErrNoPassword, "WRONGPASS": ErrWrongPassword, "NOPERM": ErrNoPermission, "DENIED": ErrRefused,
	"LOADING": ErrStarting, "MASTERDOWN": ErrStarting, "CLUSTERDOWN": ErrStarting, "TRYAGAIN": ErrStarting, "BUSY": ErrStarting,
	"READONLY": ErrReadOnly, "OOM": ErrFull, "NOREPLICAS": ErrNotPersisted, "MISCONF": ErrNotPersisted,
}

var (
	tooManyClients = regexp.MustCompile(`(?i)^ERR max(imum)? (number of )?(clients|connections)`)
	// selectRefused matches errors of SELECT, which the library sends first on each
	// connection.
	selectRefused = regexp.MustCompile(`(?i)\bDB index|\bcommand\W{0,3}select\b|\bselect\W{0,2} (command|is not)`)
)

// patterns match the errors with the code ERR, of Redis and of managed services. The
// first match counts.
var patterns = []struct {
	text *regexp.Regexp
	kind error
}{
	{tooManyClients, ErrTooManyClients},
	{selectRefused, ErrNoDatabase},
	{regexp.MustCompile(`(?i)invalid (username-)?password|AUTH failed|(called without any|no) password`), ErrWrongPassword},
	{regexp.MustCompile(`(?i)user executing the script can't|(no|without|insufficient|lacks?) permission|(permission|access) denied|not (permitted|authori[sz]ed)|^ERR forbidden`), ErrNoPermission},
	{regexp.MustCompile(`(?i)unknown (or \w+ )?(redis |sub)?command|unsupported|unimplemented|not (been )?(support|implement)|` +
		`not (allow|available|enabled)|(disabled|forbidden|blocked|invalid|illegal) (redis )?command|command\b.*\b(disabled|forbidden|blocked|prohibited|restricted|unavailable|not found|cannot be used)`), ErrNoCommand},
}

// noSentinel is how the library begins its error when all Sentinels failed.
const noSentinel = "redis: all sentinels"

// kindOf returns the kind of an error of the library, nil if it has none.
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

// answerKind returns the kind of an error that Redis answered.
func answerKind(err error, text string) error {
	sentinels := strings.Contains(err.Error(), noSentinel)
	if sentinels && errors.Is(err, redis.Nil) {
		return ErrNoMaster
	}
	if _, cause, found := strings.Cut(text, "because of: "); found { // EXECABORT
		text = cause
	}
	word, _, _ := strings.Cut(text, " ")
	kind := kindByCode[word]
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
	case Permanent(kind) && selectRefused.MatchString(text):
		return ErrNoDatabase
	}
	return kind
}

// wireKind returns the kind of an error without an answer.
func wireKind(err error) error {
	var untrusted *tls.CertificateVerificationError
	var host x509.HostnameError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	if found := Kind(err); found != nil { // our own connections say so
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

// ExecError returns the error of the command because of which Redis discarded a
// transaction: EXEC's own does not say it.
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
