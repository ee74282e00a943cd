package rdb

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/testenv"
)

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	testenv.Must(t, err)
	a := &authority{&x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(time.Hour)}, key}
	raw, err := x509.CreateCertificate(rand.Reader, a.certificate, a.certificate, &key.PublicKey, key)
	testenv.Must(t, err)
	a.certificate, err = x509.ParseCertificate(raw)
	testenv.Must(t, err)
	return a
}

// node is the address of a server with a certificate for a host, valid from and until
// offsets from now. It does the handshake only.
func (a *authority) node(t *testing.T, listen, host string, from, until time.Duration) string {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: host},
		NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(until), KeyUsage: x509.KeyUsageDigitalSignature}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &a.key.PublicKey, a.key)
	testenv.Must(t, err)
	listener, err := tls.Listen("tcp", net.JoinHostPort(listen, "0"),
		&tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: a.key}}})
	testenv.Must(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(io.Discard, conn)
				_ = conn.Close()
			}()
		}
	}()
	return listener.Addr().String()
}

// TestCertificateOfEachNode: a node has to show a certificate of its own name,
// or of the host that the URL names; what is wrong with one is distinguished.
func TestCertificateOfEachNode(t *testing.T) {
	t.Parallel()
	ours, others := newAuthority(t), newAuthority(t)
	const seed, day = "127.0.0.1", 24 * time.Hour
	first := ours.node(t, seed, seed, -time.Hour, time.Hour)
	pool := x509.NewCertPool()
	pool.AddCert(ours.certificate)
	for _, c := range []struct {
		name, addr string
		want       error
	}{
		{"the one that is named", first, nil},
		{"its own name", ours.node(t, "127.0.0.2", "127.0.0.2", -time.Hour, time.Hour), nil},
		{"the URL's host", ours.node(t, "127.0.0.3", seed, -time.Hour, time.Hour), nil},
		{"another host", ours.node(t, "127.0.0.4", "127.0.0.9", -time.Hour, time.Hour), ErrWrongHost},
		{"a name for an address", ours.node(t, "127.0.0.5", "redis.example", -time.Hour, time.Hour), ErrWrongHost},
		{"expired", ours.node(t, "127.0.0.6", "127.0.0.6", -day, -time.Hour), ErrExpired},
		{"not valid yet", ours.node(t, "127.0.0.6", "127.0.0.6", day, 2*day), ErrExpired},
		{"expired, of the URL's host", ours.node(t, "127.0.0.7", seed, -day, -time.Hour), ErrExpired},
		{"an authority of nobody", others.node(t, "127.0.0.8", "127.0.0.8", -time.Hour, time.Hour), ErrUnknownCA},
		{"no TLS", Serve(t, func(conn net.Conn) { _, _ = io.WriteString(conn, "-ERR Protocol error\r\n") }), ErrNoTLS},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDialer(time.Minute, &tls.Config{RootCAs: pool, ServerName: seed, MinVersion: tls.VersionTLS12}, first)
			conn, err := d.dial(t.Context(), "tcp", c.addr)
			if got := Kind(Classify(err)); got != c.want || (err == nil) != (c.want == nil) { //nolint:errorlint // the very kind
				t.Errorf("%v, want %v", err, c.want)
			}
			if err == nil {
				testenv.Must(t, conn.Close())
			}
		})
	}
}

// TestNamedHostShowsItsOwnCertificate: for a host that the URL names no other
// one's certificate counts.
func TestNamedHostShowsItsOwnCertificate(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t)
	pool := x509.NewCertPool()
	pool.AddCert(ours.certificate)
	second := ours.node(t, "127.0.0.2", "127.0.0.1", -time.Hour, time.Hour)
	d := newDialer(time.Minute, &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}, "127.0.0.1:1", second)
	if _, err := d.dial(t.Context(), "tcp", second); Kind(Classify(err)) != ErrWrongHost { //nolint:errorlint // the very kind
		t.Errorf("got %v", err)
	}
}
