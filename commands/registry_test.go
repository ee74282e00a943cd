package commands_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/breaker"
	"github.com/superduperai/sessionbot/internal/requestid"
	"github.com/superduperai/sessionbot/internal/workspace/blockcheck"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/rdb"
)

const id = "cs_live_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z60001"

var noon = time.Date(2026, 3, 4, 12, 0, 31, 0, time.UTC)

func TestRequests(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		command, text string
		name          string
		outcome       commands.Outcome
		says          string
	}{
		{"/session", "debug " + id, "session debug", commands.Done, id},
		{"/session", "DEBUG `" + id + "`", "session debug", commands.Done, id},
		{"/session", "debug <https://site.example/en/session/" + id + "?from=mail|the page>", "session debug", commands.Done, id},
		{"/session", "debug", "session debug", commands.Usage, "Which session?"},
		{"/session", "debug nonsense", "session debug", commands.Usage, "/session debug <id>"},
		{"/session", "debug " + id + " " + strings.Replace(id, "1", "2", 1), "session debug", commands.Usage, "several ids"},
		{"/session", "debug " + id + " --limit 3", "session debug", commands.Usage, "--limit cannot be used here"},
		{"/session", "debgu " + id, "session debug", commands.Done, "Understood as /session debug"},
		{"/session", "debgu", "", commands.Usage, "Did you mean /session debug?"},
		{"/session", "de\u200bbug " + id, "session debug", commands.Done, id},
		{"/session", "de\u00adbug\u00a0" + id, "session debug", commands.Done, id},
		{"/session", "debug\u2028“" + id + "”\r\n", "session debug", commands.Done, id},
		{"/session", "help", "session help", commands.Done, "/session find <e-mail|pi_…>"},
		{"/session", "", "session help", commands.Done, "What /session can do"},
		{"/session", "`history` " + id, "session history", commands.Done, "No history"},
		{"/session", "“history” “" + id + "”", "session history", commands.Done, "No history"},
		{"/session", "*generate* _" + id + "_", "session generate", commands.Refused, "SUPERDUPERAI_TOKEN"},
		{"/session", "`history " + id + "`", "session history", commands.Done, "No history"},
		{"/session", "xyzzy", "", commands.Usage, "There is no /session xyzzy."},
		{"/session", id, "session debug", commands.Done, id},
		{"/session", "can you look at `" + id + "` please", "session debug", commands.Done, id},
		{"/session", "<https://site.example/en/session/" + id + "?a=1&amp;b=2|the page> of ann@example.com", "session debug", commands.Done, id},
		{"/session", "help me with " + id, "session debug", commands.Done, id},
		{"/session", "find " + id, "session debug", commands.Done, id},
		{"/session", "—" + id + "—", "session debug", commands.Done, id},
		{"/session", "cs_live_a1B2…0001", "session debug", commands.Usage, "No session is known with the short id cs_live_a1B2…0001."},
		{"/session", "is it " + id + " or " + strings.Replace(id, "1", "2", 1), "session debug", commands.Usage, "several ids"},
		{"/session", "generate the video of " + id + " now", "session generate", commands.Refused, "SUPERDUPERAI_TOKEN"},
		{"/session", "fix ann@example.com", "session fix", commands.Usage, "session id is missing"},
		{"/session", "ann@example.com", "session find", commands.Done, "of ann@example.com at Stripe"},
		{"/session", "x&amp;ann@example.com", "session find", commands.Done, "of x&ann@example.com at Stripe"},
		{"/session", "what of Ann &lt;<mailto:ann@example.com|ann@example.com>&gt;?", "session find", commands.Done, "of ann@example.com at Stripe"},
		{"/session", "debug pi_3NabcDEF12345678", "session find", commands.Done, "of pi_3NabcDEF12345678 at Stripe"},
		{"/session", "debug <https://dashboard.stripe.com/payments/pi_3NabcDEF12345678>", "session find", commands.Done, "of pi_3NabcDEF12345678"},
		{"/session", "debug “ann@example.com”", "session find", commands.Done, "of ann@example.com at Stripe"},
		{"/session", "ann@example.com or bob@example.com", "session find", commands.Usage, "several customers"},
		{"/session", "debug https://buy.stripe.com/abc123", "session debug", commands.Usage, "session id is missing"},
		{"/session", "generate " + id, "session generate", commands.Refused, "SUPERDUPERAI_TOKEN"},
		{"/session", "fix " + id, "session fix", commands.Refused, "Cannot mark as error"},
		{"/session", "history " + id, "session history", commands.Done, "No history"},
		{"/session", "settle " + id, "session settle", commands.Usage, "the id of the file"},
		{"/session", "settle " + id + " nonsense", "session settle", commands.Usage, "not the id of a file"},
		{"/session", "settle " + id + " 6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0013", "session settle", commands.Refused, "nothing to settle"},
		{"/session", "find ann@example.com", "session find", commands.Done, "No checkout session"},
		{"/session", "find ann", "session find", commands.Usage, "Whose sessions?"},
		{"/redis", "ping", "redis ping", commands.Done, "1.0 ms"},
		{"/redis", "ping twice", "redis ping", commands.Usage, "Unexpected: “"},
		{"/redis", "stats", "redis stats", commands.Done, "no sessions"},
		{"/redis", "prompts --limit 3", "redis prompts", commands.Done, "no prompts"},
		{"/redis", "prompts 3", "redis prompts", commands.Done, "no prompts"},
		{"/redis", "prompts ——limit 2", "redis prompts", commands.Done, "no prompts"},
		{"/redis", "prompts 0", "redis prompts", commands.Usage, "Unexpected: “"},
		{"/redis", "prompts 3 --limit 4", "redis prompts", commands.Usage, "Unexpected: “"},
		{"/redis", "prompts --limit 99999", "redis prompts", commands.Usage, "up to 10000"},
		{"/redis", "memory", "redis memory", commands.Done, "does not report its memory use"},
		{"/redis", "statz", "", commands.Usage, "Did you mean /redis stats?"},
		{"/redis", "help", "redis help", commands.Done, "/redis prompts [--limit N]"},
	} {
		t.Run(c.command+" "+c.text, func(t *testing.T) {
			answer := registry(&world{}).Parse(commands.Request{Command: c.command, Text: c.text}).Run(requestid.NewContext(t.Context(), "k3f9-2d"))
			text := blockkit.Text(answer.Blocks)
			if answer.Name != c.name || answer.Outcome != c.outcome || !strings.Contains(text, c.says) {
				t.Errorf("%q %s:\n%s\nwant %q %s saying %q", answer.Name, answer.Outcome, text, c.name, c.outcome, c.says)
			}
		})
	}
}

// TestSharedAnswersOmitTheAddress: only the requester sees it.
func TestSharedAnswersOmitTheAddress(t *testing.T) {
	t.Parallel()
	for _, found := range [][]store.Payment{nil, {{SessionID: id}}} {
		for _, text := range []string{"find ann@example.com", "ann@example.com", "please look at ann@example.com"} {
			req := commands.Request{Command: "/session", Text: text}
			private := registry(&world{found: found}).Parse(req).Run(t.Context())
			req.Shared = true
			shared := registry(&world{found: found}).Parse(req).Run(t.Context())
			if got := blockkit.Text(private.Blocks); !strings.Contains(got, "ann@example.com") {
				t.Errorf("%q: the requester's answer does not name the customer: %s", text, got)
			}
			if got := blockkit.Text(shared.Blocks); strings.Contains(got, "ann@") || !strings.Contains(got, "of this customer") {
				t.Errorf("%q: the shared answer is %s", text, got)
			}
		}
	}
}

// TestHistoryEntryIsOneLine: no data makes an entry of the audit trail look like
// several.
func TestHistoryEntryIsOneLine(t *testing.T) {
	t.Parallel()
	const forged = "x\n15:01 approved: generate, by ann\r\u2028\u0085y\x1b[1A"
	for _, e := range []audit.Entry{
		{At: noon, Who: store.Actor{ID: forged, Terminal: true}, Where: audit.Terminal, Event: audit.Refused, Detail: forged},
		{At: noon, Who: store.Actor{ID: "U1" + forged}, Where: "C1" + forged, Event: audit.Refused, Action: forged},
		{At: noon, Who: store.Actor{ID: "U1" + forged}, Where: "D1" + forged, Event: forged},
	} {
		answer := registry(&world{entries: []audit.Entry{e}}).Parse(commands.Request{Command: "/session", Text: "history " + id}).Run(t.Context())
		if text := blockkit.Text(answer.Blocks); strings.Count(text, "\n") != 1 || strings.ContainsAny(text, "\r\u2028\u0085\x1b") {
			t.Errorf("one entry reads %q", text)
		}
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		err     error
		command commands.Request
		says    string
	}{
		{"Redis silent", rdb.ErrNoAnswer, commands.Request{Command: "/redis", Text: "ping"}, "Redis did not answer"},
		{"Stripe silent", store.StripeNoAnswer, commands.Request{Command: "/session", Text: "find ann@example.com"}, "Stripe did not answer"},
		{"Redis refuses", rdb.ErrRefused, commands.Request{Command: "/redis", Text: "ping"}, "Check the user, password and ACL"},
		{"Redis away", &breaker.OpenError{Since: noon, Err: rdb.ErrNoAnswer}, commands.Request{Command: "/redis", Text: "ping"}, "Redis has not answered since 12:00 UTC."},
		{"Stripe away", &breaker.OpenError{Since: noon, Err: store.StripeNoAnswer}, commands.Request{Command: "/session", Text: "find ann@example.com"}, "Stripe did not answer (since 12:00 UTC)."},
		{"Redis wants a password", rdb.ErrNoPassword, commands.Request{Command: "/redis", Text: "stats"}, "user and password into REDIS_URL"},
		{"a wrong password", rdb.ErrWrongPassword, commands.Request{Command: "/redis", Text: "stats"}, "Check both in REDIS_URL"},
		{"no permission", rdb.ErrNoPermission, commands.Request{Command: "/redis", Text: "stats"}, "docs/security.md"},
		{"another's certificate", rdb.ErrUnknownCA, commands.Request{Command: "/redis", Text: "stats"}, "SSL_CERT_FILE"},
		{"a certificate of another host", rdb.ErrWrongHost, commands.Request{Command: "/redis", Text: "stats"}, "a host name in REDIS_URL that the certificate covers"},
		{"a certificate of the past", rdb.ErrExpired, commands.Request{Command: "/redis", Text: "stats"}, "Have it renewed"},
		{"a certificate that does not hold", rdb.ErrCertificate, commands.Request{Command: "/redis", Text: "stats"}, "replaced"},
		{"no TLS", rdb.ErrNoTLS, commands.Request{Command: "/redis", Text: "stats"}, "its TLS port"},
		{"a missing command", rdb.ErrNoCommand, commands.Request{Command: "/redis", Text: "stats"}, "sessionbot doctor on the bot's host lists what is missing"},
		{"no more clients", rdb.ErrTooManyClients, commands.Request{Command: "/redis", Text: "stats"}, "Raise maxclients"},
		{"no such database", rdb.ErrNoDatabase, commands.Request{Command: "/redis", Text: "stats"}, "Use another number, or none"},
		{"a cluster's database", rdb.ErrClusterDatabase, commands.Request{Command: "/redis", Text: "stats"}, "Remove the number"},
		{"no such master", rdb.ErrNoMaster, commands.Request{Command: "/redis", Text: "stats"}, "master_name in REDIS_URL"},
		{"no Sentinel", rdb.ErrNoSentinel, commands.Request{Command: "/redis", Text: "stats"}, "remove master_name"},
		{"a Sentinel", rdb.ErrSentinel, commands.Request{Command: "/redis", Text: "stats"}, "Add ?master_name=<name>"},
		{"an announced address", rdb.ErrAnnounced, commands.Request{Command: "/redis", Text: "stats"}, "cluster-announce-ip"},
		{"no Redis", rdb.ErrProtocol, commands.Request{Command: "/redis", Text: "stats"}, "is not Redis"},
		{"Redis loads", rdb.ErrStarting, commands.Request{Command: "/redis", Text: "stats"}, "Try again in a minute"},
		{"a replica", rdb.ErrReadOnly, commands.Request{Command: "/session", Text: "history " + id}, "point REDIS_URL at the master"},
		{"Redis full", rdb.ErrFull, commands.Request{Command: "/session", Text: "history " + id}, "more memory"},
		{"Redis cannot save", rdb.ErrNotPersisted, commands.Request{Command: "/session", Text: "history " + id}, "its disk"},
		{"too slow", context.DeadlineExceeded, commands.Request{Command: "/redis", Text: "stats"}, "took too long"},
		{"unforeseen", errors.New("secret cause"), commands.Request{Command: "/redis", Text: "memory"}, "Ref k3f9-2d"},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := registry(&world{err: c.err}).Parse(c.command).Run(requestid.NewContext(t.Context(), "k3f9-2d"))
			text := blockkit.Text(answer.Blocks)
			if answer.Outcome != commands.Failed || !errors.Is(answer.Err, c.err) || !strings.Contains(text, c.says) {
				t.Errorf("%s: %s\n%v", answer.Outcome, text, answer.Err)
			}
			if strings.Contains(text, "secret cause") {
				t.Error("the cause is for the log, not for people")
			}
		})
	}
}

func TestActions(t *testing.T) {
	t.Parallel()
	r := registry(&world{})
	answer := r.ParseAction("session.debug", id, commands.Request{}).Run(t.Context())
	if answer.Name != "session debug" || answer.Session != id {
		t.Errorf("%q about %q", answer.Name, answer.Session)
	}
	for _, forged := range [][2]string{{"session.debug", "rm -rf /"}, {"session.nothing", id}, {"", id}} {
		answer := r.ParseAction(forged[0], forged[1], commands.Request{}).Run(t.Context())
		if answer.Outcome == commands.Done || len(answer.Blocks) == 0 {
			t.Errorf("%q: %s with %d blocks", forged, answer.Outcome, len(answer.Blocks))
		}
	}
}

// FuzzRequest: every request gets an answer within Slack's limits.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{"<!channel> <@U0LEAD>", "debug cs_live_*\r\nDEL x", "settle " + id + " ../../x", "generate `" + id + "` " + id, "stats --limit 1", "find <mailto:a@b.co|a@b.co>", "debug " + id, "prompts —limit=3", "fix _cs_live_a1B2…0001_", "generate cs_live_a...", "\x00\u202e", strings.Repeat("x", 5000)} {
		f.Add(seed)
	}
	r := registry(&world{matching: []string{id, strings.Replace(id, "c3D4", "zzzz", 1), "cs_live_a1"}})
	f.Fuzz(func(t *testing.T, text string) {
		for _, command := range []string{"/session", "/redis"} {
			answer := r.Parse(commands.Request{Command: command, Text: text}).Run(t.Context())
			if answer.Outcome == "" || blockkit.Text(answer.Blocks) == "" {
				t.Errorf("%s %q got no answer", command, text)
			}
			if n := len(blockkit.Text(answer.Blocks)); n > 6000 {
				t.Errorf("%s with %d bytes got %d bytes", command, len(text), n)
			}
			raw, err := json.Marshal(answer.Blocks)
			if err != nil {
				t.Fatal(err)
			}
			if violations := blockcheck.Check(raw); len(violations) > 0 {
				t.Errorf("%s %q: Slack would refuse the answer: %v", command, text, violations)
			}
			if fallback := blockkit.Fallback(answer.Blocks); strings.Contains(fallback, "<!") || strings.Contains(fallback, "<@") {
				t.Errorf("%s %q mentions somebody: %s", command, text, fallback)
			}
		}
	})
}

// TestMisused: what is wrong with a request itself is known without any dependency.
func TestMisused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"session": false, "session help": false, "session help me": true, "session frobnicate": true, "session debug": true, "session fix --frob": true,
		"session debug " + id: false, "session generate " + id + " " + strings.Replace(id, "c3D4", "zzzz", 1): true, "session debug cs_live_a1B2…0001": false, "session list stalled": false, "session list asleep": true,
		"session settle": true, "redis stats": false, "redis stats now": true, "redis prompts —limit 3": false, "redis prompts --limit 0": true,
	} {
		group, rest, _ := strings.Cut(text, " ")
		call := commands.New(commands.Deps{}).Parse(commands.Request{Command: "/" + group, Text: rest})
		if call.Misused != want {
			t.Errorf("%s: misused %t", text, call.Misused)
		}
		if want && call.Run(t.Context()).Outcome != commands.Usage {
			t.Errorf("%s: not answered with the usage", text)
		}
	}
}
