package main

import (
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
)

var brokenTLS = []breakage{
	{"TLS is requested from a Redis without TLS", 1, func(c *doctorStage) { c.env["REDIS_URL"] = strings.Replace(c.env["REDIS_URL"], "redis:", "rediss:", 1) }},
	{"the certificate of Redis is not trusted", 1, func(c *doctorStage) { _, c.env["REDIS_URL"], _ = startTLS(c.t) }},
	{"the certificate of Redis has expired", 1, func(c *doctorStage) {
		c.redisWithTLS(func(x *x509.Certificate) {
			x.NotBefore, x.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-time.Hour)
		})
	}},
	{"the certificate of Redis holds from tomorrow", 1, func(c *doctorStage) {
		c.redisWithTLS(func(x *x509.Certificate) {
			x.NotBefore, x.NotAfter = time.Now().Add(24*time.Hour), time.Now().Add(48*time.Hour)
		})
	}},
	{"the certificate of Redis is for another host", 1, func(c *doctorStage) {
		c.redisWithTLS(func(x *x509.Certificate) { x.IPAddresses, x.DNSNames = nil, []string{"redis.example"} })
	}},
	{"anybody's certificate would do", 2, func(c *doctorStage) {
		c.env["REDIS_URL"] = strings.Replace(c.env["REDIS_URL"], "redis:", "rediss:", 1) + "?skip_verify=true"
	}},
	{"each node of a cluster has a certificate of its own", 0, func(c *doctorStage) { c.clusterWithTLS("127.0.0.4") }},
	{"one node of a cluster has another's certificate", 1, func(c *doctorStage) { c.clusterWithTLS("127.0.0.3") }},
}

// trust has the bot trust these certificates as well.
func (c *doctorStage) trust(files ...string) {
	var all []byte
	for _, file := range append(files, c.env["SSL_CERT_FILE"]) {
		pem, err := os.ReadFile(file)
		testenv.Must(c.t, err)
		all = append(all, pem...)
	}
	c.env["SSL_CERT_FILE"] = c.file(string(all))
}

// redisWithTLS has the bot use a Redis with a certificate of an authority that it
// trusts.
func (c *doctorStage) redisWithTLS(edit func(*x509.Certificate)) {
	_, url, caFile := startTLS(c.t, edit)
	c.env["REDIS_URL"] = url
	c.trust(caFile)
}

// clusterWithTLS has the bot use a cluster in which each node has an address and a
// certificate of its own, but for the last: its certificate is for that address.
func (c *doctorStage) clusterWithTLS(last string) {
	cluster := redistest.StartCluster(c.t)
	c.client = cluster.Client()
	c.seed(func(id string) bool { return strings.HasPrefix(id, "cs_live_") })
	var announced []string
	var port int // of the first
	for n, node := range slices.Backward(cluster.Nodes) {
		addr := fmt.Sprint("127.0.0.", n+2)
		named := addr
		if n == len(cluster.Nodes)-1 {
			named = last
		}
		certificate, key := selfSigned(c.t, func(x *x509.Certificate) { x.IPAddresses = []net.IP{net.ParseIP(named)} })
		c.trust(certificate)
		c.admit(node, slices.Concat(aclRules(c.t, aclProduct), aclRules(c.t, aclState), aclRules(c.t, aclCluster))...)
		port = testenv.FreePort(c.t)
		announced = append(announced, fmt.Sprintf("[%s %d ", addr, port))
		for _, set := range [][]any{
			{"bind", "127.0.0.1 " + addr},
			{"tls-cert-file", certificate, "tls-key-file", key, "tls-ca-cert-file", certificate, "tls-auth-clients", "no"},
			{"tls-port", port},
			// Clients are sent to the port with TLS, the other nodes are not: an address
			// may stand where a host name is announced.
			{"cluster-announce-port", port, "cluster-announce-hostname", addr, "cluster-preferred-endpoint-type", "hostname"},
		} {
			testenv.Must(c.t, node.Client().Do(c.t.Context(), append([]any{"CONFIG", "SET"}, set...)...).Err())
		}
	}
	for _, node := range cluster.Nodes {
		testenv.Until(c.t, "the nodes know each other's names and ports", func() bool {
			slots, err := node.Client().Do(c.t.Context(), "CLUSTER", "SLOTS").Slice()
			unknown := func(addr string) bool { return !strings.Contains(fmt.Sprint(slots), addr) }
			return err == nil && !slices.ContainsFunc(announced, unknown)
		})
	}
	c.env["REDIS_URL"] = fmt.Sprintf("rediss://sessionbot:%s@127.0.0.2:%d", redisMark, port)
}
