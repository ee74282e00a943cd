// Package quiet puts what went wrong with a connection into words that repeat
// nothing of what was sent or answered: the libraries quote what they cannot
// read, and that may hold a token or a customer's data.
package quiet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
)

// errUnread stands for whatever is not known to quote nothing.
var errUnread = errors.New("the answer is not what was to be expected, or there was none")

// Error returns the part of err that is known to quote nothing. Where there is
// none it returns an error of its own.
func Error(err error) error {
	if err == nil {
		return nil
	}
	for _, known := range []error{context.DeadlineExceeded, os.ErrDeadlineExceeded, context.Canceled, io.ErrUnexpectedEOF, io.EOF, net.ErrClosed} {
		if errors.Is(err, known) {
			return known
		}
	}
	for _, find := range []func(error) error{
		as[*net.OpError], as[*net.DNSError], as[*tls.CertificateVerificationError], as[tls.RecordHeaderError], as[tls.AlertError],
		as[x509.UnknownAuthorityError], as[x509.HostnameError], as[x509.CertificateInvalidError],
	} {
		if known := find(err); known != nil {
			return known
		}
	}
	return errUnread
}

func as[T error](err error) error {
	var known T
	if errors.As(err, &known) {
		return known
	}
	return nil
}
