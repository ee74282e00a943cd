package doctor

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/payments"
	"github.com/superduperai/sessionbot/store/probe"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/superduper"
)

// TestJudge covers what no test can bring about for real.
func TestJudge(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	scopes := []string{"commands", "chat:write", "usergroups:read"}
	shared := &slack.Channel{IsMember: true}
	shared.Name, shared.IsExtShared = "alerts", true
	const collector = "https://collector.example:4318/v1/traces"
	outside := &slack.Channel{}
	outside.Name, outside.IsPrivate = "leads", true
	for _, c := range []struct {
		name  string
		got   Result
		level Level
		says  string
	}{
		{"Slack names no scopes", judgeScopes(nil, scopes, false), Warning, "did not say"},
		{"groups are not named, and cannot be read", judgeScopes(scopes[:2], scopes, false), OK, "2 scopes"},
		{"groups are named, and cannot be read", judgeScopes(scopes[:2], scopes, true), Failed, "usergroups:read"},
		{"a channel that others share", judgeChannel(shared, nil), Warning, "another workspace"},
		{"a private channel", judgeChannel(outside, []string{"channels:join"}), Failed, "private"},
		{"Redis' clock runs late", judgeClock("Redis'", -30*time.Second, redisDrift), Warning, "by 30 s"},
		{"Redis' clock is far off", judgeClock("Redis'", 3*time.Minute, redisDrift), Failed, "by 180 s"},
		{"Stripe's clock, within the accuracy of a slow answer", judgeClock("Stripe's", -time.Minute, signedDrift), OK, "in step"},
		{"Stripe's clock runs late", judgeClock("Stripe's", -61*time.Second, signedDrift), Warning, "by 61 s"},
		{"a signature holds for so long", judgeClock("Stripe's", 5*time.Minute, signedDrift), Warning, "by 300 s"},
		{"and no longer", judgeClock("Stripe's", -301*time.Second, signedDrift), Failed, "by 301 s"},
		{"Redis on this machine", judgeTLS("redis://:secret@127.0.0.1:6379"), OK, "this machine"},
		{"Redis over the network", judgeTLS("redis://:secret@cache.example:6379"), Warning, "cache.example"},
		{"Redis over the network, encrypted", judgeTLS("rediss://:secret@cache.example:6379"), OK, "encrypted"},
		{"one node of a cluster elsewhere", judgeTLS("redis://127.0.0.1:1?addr=10.0.0.7:2"), Warning, "10.0.0.7"},
		{"keys were thrown away", judgeEviction(rdb.Server{MaxMemoryPolicy: "allkeys-lru", EvictedKeys: 3}, probe.ForProduct), Warning, "3 keys"},
		{"records may be thrown away", judgeEviction(rdb.Server{MaxMemoryPolicy: "volatile-ttl", MaxMemoryBytes: 1}, probe.ForState), Warning, "plans"},
		{"no limit of memory", judgeEviction(rdb.Server{MaxMemoryPolicy: "allkeys-lru"}, probe.ForProduct), OK, "without a memory limit"},
		{"a policy that is not reported", judgeEviction(rdb.Server{}, probe.ForProduct), Warning, "is unknown"},
		{"a replica", judgeReplicas(rdb.Replication{Connected: 1, Reported: true, Needed: true}), OK, "1 replica connected"},
		{"a replica that left", judgeReplicas(rdb.Replication{Reported: true, Needed: true}), Failed, "generations wait"},
		{"perhaps a replica", judgeReplicas(rdb.Replication{Needed: true}), Warning, "unknown"},
		{"replicas not reported", judgeReplicas(rdb.Replication{}), Warning, "unknown"},
		{"no replica", judgeReplicas(rdb.Replication{Reported: true}), Warning, "sent twice"},
		{"keys, but no session", judgeSample(sample{Keys: 900}), Warning, "none among 900 keys"},
		{"a key of no known mode", judgeKey("rk_MARKEDsecretMARKEDsecret"), Warning, "unknown mode"},
		{"traces that a collector takes", judgeTraces(collector, 0, nil), OK, "exported to " + collector},
		{"a collector that wants another token", judgeTraces(collector, 401, nil), Warning, "HTTP 401"},
		{"no collector at that path", judgeTraces(collector, 404, nil), Warning, "HTTP 404"},
		{"no collector", judgeTraces(collector, 0, io.EOF), Warning, "the connection was closed"},
		{"no session to compare", judgeMode(payments.Live, sample{}), OK, "no session"},
		{"a model on no first page", judgeModels([]string{"a"}, []string{"b"}, false), Warning, "first page"},
		{"no file to ask for", judgeFiles(0, superHost), OK, "no session"},
		{"no file is known", judgeFiles(3, superHost), Failed, "checked 3"},
		{"a certificate that ends soon", judgeExpiry(now.Add(50*time.Hour), now), Warning, "2 days"},
		{"no webhook there", judgeWebhook(&superduper.Error{Kind: superduper.NotFound, Status: 404}), Warning, "no such page"},
		{"a webhook that redirects", judgeWebhook(&superduper.Error{Kind: superduper.Malformed, Status: 308}), Warning, "does not follow"},
		{"a protected webhook", judgeWebhook(&superduper.Error{Kind: superduper.Unauthorised, Status: 401}), Warning, "firewall"},
		{"a webhook out of reach", judgeWebhook(&superduper.Error{Kind: superduper.Unavailable}), Warning, "cannot be used"},
		{"a webhook that fails", judgeWebhook(&superduper.Error{Kind: superduper.Unavailable, Status: 503}), Warning, "HTTP 503"},
		{"a webhook that takes no GET", judgeWebhook(&superduper.Error{Kind: superduper.Rejected, Status: 405}), OK, "405"},
		{"a webhook that takes one", judgeWebhook(nil), OK, "answers"},
		{"plain http", judgeExpiry(time.Time{}, now), OK, "unencrypted"},
	} {
		if c.got.Level != c.level || !strings.Contains(c.got.Seen, c.says) || (c.got.Level == OK) != (c.got.Remedy == "") {
			t.Errorf("%s: %+v; want %s and %q", c.name, c.got, c.level, c.says)
		}
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	for secret, want := range map[string]string{
		"":                            "…",
		"short":                       "…",
		"xoxb-12":                     "xoxb-…",
		"xoxb-1234567890-ABCD":        "xoxb-…ABCD",
		"rk_live_1234567890ABCD":      "rk_live_…ABCD",
		"1234567890123456789012345ab": "…45ab",
	} {
		if got := mask(secret); got != want {
			t.Errorf("mask(%q) = %q, want %q", secret, got, want)
		}
	}
}

// TestClean: names from Slack are printed to a terminal.
func TestClean(t *testing.T) {
	t.Parallel()
	got := clean("a\x1b[2Jb\nc\u202ed" + strings.Repeat("x", 5000))
	if strings.ContainsAny(got, "\x1b\n\u202e") || len([]rune(got)) > 601 {
		t.Errorf("%q", got)
	}
}
