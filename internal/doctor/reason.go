package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"unicode"
)

// reason says in a clause why a server did not answer. It never quotes the address
// that was requested.
func reason(err error) string {
	var dns *net.DNSError
	var late net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &late) && late.Timeout():
		return "there was no answer in time"
	case errors.As(err, &dns):
		return "there is no host of that name"
	case certificate(err) != "":
		return certificate(err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nobody listens there"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return "the connection was cut"
	}
	return "there was no answer"
}

// certificate says in a clause what is wrong with a server's certificate or use of
// TLS; "" = nothing.
func certificate(err error) string {
	var host x509.HostnameError
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &host):
		return "its certificate is for another host than " + host.Host
	case errors.As(err, &unknown):
		return "its certificate is signed by nobody whom this machine trusts"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate has expired"
	case errors.As(err, &invalid):
		return "its certificate does not hold"
	case errors.As(err, &record):
		return "no TLS is spoken there"
	}
	return ""
}

// certificateRemedy returns the remedy, which is wrongHost for another host's
// certificate.
func certificateRemedy(err error, wrongHost string) string {
	var host x509.HostnameError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &host):
		return wrongHost
	case errors.As(err, &unknown):
		return "install this machine's list of authorities (ca-certificates), or have a proxy's own added to it"
	}
	return "have its owner renew it, and see that this machine's clock is right"
}

// mask shows the kind of a secret, and its last four letters if it is long enough.
func mask(secret string) string {
	kind := ""
	for _, prefix := range []string{"xapp-", "xoxb-", "rk_live_", "rk_test_", "sk_live_", "sk_test_", "rk_", "sk_"} {
		if strings.HasPrefix(secret, prefix) {
			kind = prefix
			break
		}
	}
	if len(secret) < len(kind)+12 {
		return kind + "…"
	}
	return kind + "…" + secret[len(secret)-4:]
}

// clean makes foreign text safe for a line of a terminal.
func clean(text string) string {
	const limit = 600 // runes
	var b strings.Builder
	n := 0
	for _, r := range strings.ToValidUTF8(text, "\uFFFD") {
		if n++; n > limit {
			b.WriteRune('…')
			break
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}
