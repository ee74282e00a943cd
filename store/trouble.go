package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// What Redis does instead of what it was asked for.
var (
	// ErrSilent: it gave no answer. It is away, frozen or too slow.
	ErrSilent = errors.New("Redis did not answer")
	// ErrRefused: it does not let us in, or not do this; the three below say why.
	ErrRefused       = errors.New("Redis refused the bot")
	ErrNoPassword    = fmt.Errorf("%w: it wants a password", ErrRefused)
	ErrWrongPassword = fmt.Errorf("%w: user or password is wrong", ErrRefused)
	ErrNoPermission  = fmt.Errorf("%w: its ACL lacks a permission", ErrRefused)
	// ErrCertificate: nobody we trust vouches for it.
	ErrCertificate = errors.New("the certificate of Redis is not trusted")
	// ErrStarting: it is there, but cannot serve yet. It loads its data, its
	// master is away or its cluster is not whole.
	ErrStarting = errors.New("Redis cannot serve just now")
	// ErrReadOnly: it is a replica, and takes no writes.
	ErrReadOnly = errors.New("Redis is a read-only replica")
	// ErrFull: it has no memory left, and takes no writes.
	ErrFull = errors.New("Redis is full")
	// ErrUnsaved: it takes no writes because it could not keep them.
	ErrUnsaved = errors.New("Redis cannot keep what is written")
)

// Classify names the trouble: an error of the network, or a time-out, is
// ErrSilent. What else Redis itself answered stays as it is, but for what it
// repeats of the question, and so does the caller's own change of mind.
func Classify(err error) error {
	if err == nil || Trouble(err) != nil { // or named already
		return err
	}
	kind, err := troubleOf(err), unrepeated(err)
	if kind != nil {
		return fmt.Errorf("%w: %w", kind, err)
	}
	return err
}

// Trouble is the kind of trouble with Redis that an error of this package is
// about, one of the above; nil = none.
func Trouble(err error) error {
	for _, kind := range []error{ErrSilent, ErrNoPassword, ErrWrongPassword, ErrNoPermission, ErrRefused, ErrCertificate,
		ErrStarting, ErrReadOnly, ErrFull, ErrUnsaved} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return nil
}

// troubles are the first words of what Redis answers, and what they mean.
var troubles = map[string]error{
	"NOAUTH": ErrNoPassword, "WRONGPASS": ErrWrongPassword, "NOPERM": ErrNoPermission,
	"LOADING": ErrStarting, "MASTERDOWN": ErrStarting, "CLUSTERDOWN": ErrStarting, "TRYAGAIN": ErrStarting, "BUSY": ErrStarting,
	"READONLY": ErrReadOnly, "OOM": ErrFull, "NOREPLICAS": ErrUnsaved, "MISCONF": ErrUnsaved,
}

// deniedInScript is how NOPERM begins where a script is not allowed a command.
const deniedInScript = "ERR The user executing the script can't"

// troubleOf tells the kind from what the library returned, nil = none of them.
func troubleOf(err error) error {
	var untrusted *tls.CertificateVerificationError
	var answered redis.Error
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return nil
	case errors.As(err, &untrusted):
		return ErrCertificate
	case !errors.As(err, &answered):
		return ErrSilent
	}
	text := answered.Error()
	if _, cause, found := strings.Cut(text, "because of: "); found { // EXECABORT
		text = cause
	}
	if strings.HasPrefix(text, deniedInScript) {
		return ErrNoPermission
	}
	word, _, _ := strings.Cut(text, " ")
	return troubles[word]
}

// refused is the error of the command because of which Redis discarded a whole
// transaction, which by itself says only that it did.
func refused(cmds []redis.Cmder, err error) error {
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
