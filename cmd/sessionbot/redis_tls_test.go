package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
)

// startTLS runs a Redis that listens with TLS, too, and returns the URL of that
// port. Its certificate is its own CA; its file is returned.
func startTLS(t testing.TB, edits ...func(*x509.Certificate)) (server *redistest.Server, url, caFile string) {
	t.Helper()
	caFile, keyFile := selfSigned(t, edits...)
	port := strconv.Itoa(testenv.FreePort(t))
	server = redistest.Start(t, "--tls-port", port,
		"--tls-cert-file", caFile, "--tls-key-file", keyFile, "--tls-ca-cert-file", caFile, "--tls-auth-clients", "no")
	return server, "rediss://127.0.0.1:" + port, caFile
}

// selfSigned writes a certificate, by default for 127.0.0.1, and its key.
func selfSigned(t testing.TB, edits ...func(*x509.Certificate)) (certificateFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	testenv.Must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	for _, edit := range edits {
		edit(template)
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	testenv.Must(t, err)
	privateKey, err := x509.MarshalPKCS8PrivateKey(key)
	testenv.Must(t, err)
	dir := t.TempDir()
	certificateFile, keyFile = filepath.Join(dir, "ca.crt"), filepath.Join(dir, "server.key")
	for file, block := range map[string]*pem.Block{certificateFile: {Type: "CERTIFICATE", Bytes: certificate}, keyFile: {Type: "PRIVATE KEY", Bytes: privateKey}} {
		testenv.Must(t, os.WriteFile(file, pem.EncodeToMemory(block), 0o600))
	}
	return certificateFile, keyFile
}
