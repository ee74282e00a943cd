// Package redact strips connection errors of what was sent or answered: the
// libraries quote what they cannot parse, and that may hold a token or a
// customer's data.
package redact

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
)

// errRedacted replaces every error that may quote something.
var errRedacted = errors.New("the answer is not what was to be expected, or there was none")

// Error returns the part of err that is known to quote nothing, or an error of
// its own where there is none. It returns nil if err is nil.
func Error(err error) error {
	if err == nil {
		return nil
	}
	for _, safe := range []error{context.DeadlineExceeded, os.ErrDeadlineExceeded, context.Canceled, io.ErrUnexpectedEOF, io.EOF, net.ErrClosed} {
		if errors.Is(err, safe) {
			return safe
		}
	}
	for _, find := range []func(error) error{
		as[*net.OpError], as[*net.DNSError], as[*tls.CertificateVerificationError], as[tls.RecordHeaderError], as[tls.AlertError],
		as[x509.UnknownAuthorityError], as[x509.HostnameError], as[x509.CertificateInvalidError],
	} {
		if safe := find(err); safe != nil {
			return safe
		}
	}
	return errRedacted
}

func as[T error](err error) error {
	if target, ok := errors.AsType[T](err); ok {
		return target
	}
	return nil
}
