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

	"github.com/superduperai/sessionbot/internal/blockkit"
)

// reason says in a clause why a server did not answer. It never quotes the address
// that was requested.
func reason(err error) string {
	var dns *net.DNSError
	var late net.Error
	badCertificate, _ := certificate(err)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &late) && late.Timeout():
		return "it did not answer in time"
	case errors.As(err, &dns):
		return "there is no host with that name"
	case badCertificate != "":
		return badCertificate
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing is listening there"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return "the connection was closed"
	}
	return "it did not answer"
}

// certificate says in a clause what is wrong with a server's certificate or use of
// TLS, and what to do; "" = nothing. The remedy for another host's certificate,
// which depends on the variable, is left to the caller.
func certificate(err error) (seen, remedy string) {
	const renew = "have its owner renew it, and check this machine's clock"
	if host, ok := errors.AsType[x509.HostnameError](err); ok {
		return "its certificate is for another host than " + host.Host, ""
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "its certificate is signed by an authority this machine does not trust",
			"install this machine's list of authorities (ca-certificates), or add the proxy's own"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if invalid.Reason == x509.Expired {
			return "its certificate has expired", renew
		}
		return "its certificate is not valid", renew
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "it does not use TLS", renew
	}
	return "", renew
}

// mask shows the kind of a secret, and its last four letters if it is long enough.
func mask(secret string) string {
	kind := ""
	for _, prefix := range []string{"xapp-", "xoxb-", "rk_live_", "rk_test_", "sk_live_", "sk_test_", "rk_", "sk_", "whsec_"} {
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
func clean(text string) string { return blockkit.Cut(blockkit.OneLine(text), 600) }
