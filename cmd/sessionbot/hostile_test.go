package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

// hostileWords are malicious input: keys, protocols, links, formats, mentions.
var hostileWords = []string{
	"cs_live_*", "cs_live_a?b", "cs_live_a\nFLUSHALL", "cs_live_a\r\nDEL prompt:x\r\n", "*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$1\r\ny\r\n",
	"cs_live_a\x00b", "\x00", "sessionbot:{jobs}:pending", "cs_live_{jobs}", "prompt:cs_live_x:y", "{cs_live_a}", "../../v1/charges", "cs_live_a/../../refunds",
	"cs_live_a%2F..%2Frefunds", "cs_live_a?expand[]=customer", "\u202ecs_live_evil\u202c", "cs_live_\u0430b", "<!channel>", "<!here|x>",
	"<@U0LEAD>", "<!subteam^S0OPS>", "@everyone", "`x` *y* _z_ ~s~ ```\ncode```", "<https://elsewhere.test|cs_live_x>", "&lt;!channel&gt;", "$(reboot)", "'; DROP TABLE x; --",
	"{{.Token}}", "${STRIPE_SECRET_KEY}", "%s%n%d", `{"a":{"a":{"a":1}}}`, "👩‍👩‍👧‍👦", strings.Repeat("cs_live_", 2000), "cs_live_" + strings.Repeat("a", 10_000),
	strings.Repeat("\u0301", 5000), "--limit=999999999999999999999", "--limit -1",
}

// TestHostileWords: whatever is typed is answered to the requester alone, mentions no one,
// writes nothing and causes no other request.
func TestHostileWords(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.env["OPERATORS"] = "S0OPS"
	s.put("prompt:cs_live_x", `{"prompt":"A fox runs"}`)
	s.put("balance:u1", "7")
	s.stripe.Break(demo.Fault{Status: http.StatusNotFound, Body: `{"error":{"code":"resource_missing","type":"invalid_request_error"}}`})
	s.startBot()
	before := s.product()
	for _, words := range hostileWords {
		for _, command := range []string{"/session ", "/session debug ", "/session fix ", "/session generate ", "/session history ",
			"/session find ", "/session settle ", "/redis prompts "} {
			if strings.TrimSpace(words) == "" && command == "/session " {
				continue
			}
			s.ask(command + words)
		}
	}
	s.workspace.ExpectNothingElse()
	if after := s.product(); !maps.Equal(before, after) {
		t.Errorf("Redis held %v, and holds %v", before, after)
	}
	s.expectCleanLog("A fox runs", "elsewhere.test")
	if code := s.bot.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}
}

// product are the keys that are not the bot's own, and what they hold.
func (s *stage) product() map[string]string {
	s.t.Helper()
	all := map[string]string{}
	keys, err := s.client.(*redis.Client).Keys(s.t.Context(), "*").Result()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, key := range keys {
		if !strings.HasPrefix(key, "sessionbot:") {
			all[key] = s.client.Get(s.t.Context(), key).Val()
		}
	}
	return all
}

// TestHostileSessions: what Redis holds is shown literally and has no effect.
func TestHostileSessions(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.env["OPERATORS"] = "S0OPS"
	s.startBot()
	paid := time.Now().Add(-14 * time.Minute)
	const file = "6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0013"
	for name, text := range map[string]string{
		"mention": "<!channel> <@U0LEAD> <!subteam^S0OPS> @here", "format": "*b* _i_ `c` ```\n```x <https://elsewhere.test|paid $0>",
		"entity": "&lt;!channel&gt; &amp;", "rtl": "\u202e\u2066evil\u2069", "nul": "a\x00b\x1b[2J\x07", "long": strings.Repeat("A fox runs. ", 20_000),
		"marks": strings.Repeat("e\u0301\u0302", 4000), "blocks": `"}]}],"type":"actions","elements":[{"type":"button"}]`, "newlines": strings.Repeat("\n", 5000),
		"emoji": strings.Repeat("👩‍👩‍👧‍👦", 3000), "not UTF-8": "\xff\xfe\xfd",
	} {
		t.Run(name, func(t *testing.T) {
			id := "cs_live_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5" + strings.ReplaceAll(name, "-", "")
			id = strings.ReplaceAll(id, " ", "")
			s.t = t
			s.stripe.Put(demo.CheckoutSession{ID: id, Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "usd",
				Created: paid, Event: store.EventDelivered})
			created := paid.UTC().Format("2006-01-02T15:04:05.000Z")
			s.files.PutAnswer(file, json.RawMessage(`{"id":"`+file+`","tasks":[{"status":"error"}],"error":{"message":`+quoted(text)+`}}`))
			s.put("session:"+id, `{"prompt":`+quoted(text)+`,"status":"error","error":`+quoted(text)+`,"toolSlug":`+quoted(text)+`,"toolTitle":`+quoted(text)+
				`,"fileId":"`+file+`","modelName":`+quoted(text)+`,"style":`+quoted(text)+`,"createdAt":"`+created+`","timestamp":"`+created+`"}`)
			for _, command := range []string{"/session debug " + id, "/redis prompts --limit 50", "/redis stats", "/session history " + id} {
				s.ask(command)
			}
			support := s.workspace.As("U0SUPPORT").In("C0SUPPORT")
			support.Type("/session generate " + id)
			s.checkMessageBut(support.ExpectMessage(nil), "<@U0SUPPORT>")
		})
	}
	s.t = t
	s.workspace.ExpectNothingElse()
	s.expectCleanLog("A fox runs", "elsewhere.test", "U0LEAD")
}

// TestHostileKeys: keys under a session's prefix with another id are neither counted nor
// alerted.
func TestHostileKeys(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	delete(s.env, "STRIPE_SECRET_KEY")
	at := pastGrace().UTC().Format(time.RFC3339)
	for _, words := range append(hostileWords, "", "cs_live_a<!channel>", "cs_live_a:b", "cs_live_\n<@U0LEAD>") {
		s.put("prompt:"+words, `{"prompt":"A fox runs","timestamp":"`+at+`"}`)
		s.put("webhook:"+words, `{"status":"error","error":"<!channel>","timestamp":"`+at+`"}`)
		s.put("session:"+words+"x", `{"prompt":"A fox runs","createdAt":"`+at+`"}`)
	}
	before := s.product()
	s.startBot()
	for _, command := range []string{"/redis stats", "/redis prompts --limit 50", "/redis memory", "/session help"} {
		s.workspace.As("U0SUPPORT").In("C0SUPPORT").Type(command)
	}
	answers, alerts := 0, 0
	take := func(m wstest.Message) {
		switch m.Channel {
		case "C0ALERTS":
			alerts++
			s.checkMessageBut(m, "<@U0ONCALL>")
		default:
			answers++
			s.checkMessage(m)
			if strings.Contains(m.Text, "fox") {
				t.Errorf("shown as a session: %s", m.Text)
			}
		}
	}
	for answers < 4 {
		news := s.workspace.News(patience)
		if len(news) == 0 {
			t.Fatalf("%d answers", answers)
		}
		for _, m := range news {
			take(m)
		}
	}
	s.drain(take)
	if answers != 4 || alerts != 0 {
		t.Errorf("%d answers, %d alerts", answers, alerts)
	}
	if after := s.product(); !maps.Equal(before, after) {
		t.Errorf("Redis held %v, and holds %v", before, after)
	}
	s.expectCleanLog("A fox runs", "<!channel>", "elsewhere.test")
	if code := s.bot.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}
}

// TestBombs: values that are built to be expensive to read are cheap, and are distinguished
// from readable ones.
func TestBombs(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.env["OPERATORS"] = "S0OPS"
	s.startProcess()
	s.ask("/session debug " + repairID)
	before := peakOf(t, s.bot)
	var names strings.Builder
	for i := range 150_000 {
		fmt.Fprintf(&names, `"a%d":1,`, i)
	}
	for name, c := range map[string]struct{ value, says string }{
		"deep arrays":        {`{"prompt":"A fox","x":` + strings.Repeat("[", 1<<20) + strings.Repeat("]", 1<<20) + `}`, "Corrupt: "},
		"deep objects":       {strings.Repeat(`{"a":`, 1<<20), "Corrupt: "},
		"huge numbers":       {`{"prompt":"A fox","status":"error","n":` + strings.Repeat("9", 1<<20) + `,"m":1e` + strings.Repeat("9", 1<<20) + `,"duration":1e999999999}`, "Failed: "},
		"many names":         {`{` + names.String() + `"prompt":"A fox","status":"error"}`, "Failed: "},
		"one name of many":   {`{` + strings.Repeat(`"prompt":"A fox",`, 150_000) + `"status":"error"}`, "Failed: "},
		"a long name":        {`{"` + strings.Repeat("a", 8<<20) + `":1,"prompt":"A fox","status":"error"}`, "Failed: "},
		"a large picture":    {`{"prompt":"A fox","status":"error","imageFile":{"content":"` + strings.Repeat("QUJD", 2<<20) + `"}}`, "Failed: "},
		"escapes":            {`{"prompt":"` + strings.Repeat(`\u202e`, 1<<20) + `","status":"error","error":"` + strings.Repeat(`\ud800`, 1<<20) + `"}`, "Failed: "},
		"larger than read":   {strings.Repeat("x", 33<<20), "Corrupt: "},
		"a number for a day": {`{"prompt":"A fox","status":"error","timestamp":"` + strings.Repeat("9", 1<<20) + `"}`, "Failed: "},
	} {
		s.put("session:"+repairID, c.value)
		for _, command := range []string{"/session debug " + repairID, "/session history " + repairID, "/redis stats", "/redis prompts", "/session generate " + repairID} {
			support := s.workspace.As("U0SUPPORT").In("C0SUPPORT")
			support.Type(command)
			m := support.ExpectMessage(nil)
			s.checkMessageBut(m, "<@U0SUPPORT>")
			late := withText("Redis could not be read")(m) // in time, by a starved machine: said, too
			if strings.HasPrefix(command, "/session debug") && !strings.HasPrefix(m.Text, c.says) && !late {
				t.Errorf("%s: %.300s", name, m.Text)
			}
		}
	}
	after := peakOf(t, s.bot)
	t.Logf("%.0f MB before, %.0f MB at most", before, after)
	if after-before > 300 && !raced() { // which takes several times as much
		t.Error("the process grew by too much")
	}
	s.workspace.ExpectNothingElse()
	s.expectCleanLog("A fox", "QUJDQUJD")
}

// quoted is a JSON string of these bytes, be they text or not.
func quoted(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			b.WriteString(`\` + string(c))
		case c == '\n':
			b.WriteString(`\n`)
		case c < 0x20:
			b.WriteString(`\u00` + string("0123456789abcdef"[c>>4]) + string("0123456789abcdef"[c&15]))
		default:
			b.WriteByte(c)
		}
	}
	return b.String() + `"`
}

// checkMessageBut is checkMessage for a message that names one person on purpose.
func (s *stage) checkMessageBut(m wstest.Message, mention string) {
	s.t.Helper()
	m.Text = strings.ReplaceAll(m.Text, mention, "")
	m.Blocks = []byte(strings.ReplaceAll(string(m.Blocks), mention, ""))
	s.checkMessage(m)
}

// TestServicesMayAnswerAnything: rubbish from Stripe, SuperDuperAI or the
// site is distinguished from an answer, costs no time and is shown to no one.
func TestServicesMayAnswerAnything(t *testing.T) {
	t.Parallel()
	const id = "cs_live_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6any1"
	s := newStage(t)
	paid := time.Now().Add(-14 * time.Minute)
	s.stripe.Put(demo.CheckoutSession{ID: id, Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "usd",
		Created: paid, Event: store.EventDelivered})
	s.put("prompt:"+id, `{"prompt":"A fox runs","timestamp":"`+paid.UTC().Format("2006-01-02T15:04:05.000Z")+`"}`)
	s.put("webhook:"+id, `{"status":"processing","fileId":"6f1c0000-0000-4000-8000-000000000001","timestamp":"`+paid.UTC().Format("2006-01-02T15:04:05.000Z")+`"}`)
	s.startBot()
	s.ask("/session debug " + id) // connections are warm, as in a running bot
	bodies := map[string]string{
		"nothing": "", "null": "null", "an array": "[]", "a number": "7", "a text": `"<!channel>"`, "an empty object": "{}", "cut": `{"id":"`,
		"HTML": "<html><!channel><@U0LEAD>", "NUL": "\x00\x00", "not UTF-8": "\xff\xfe", "nulls": `{"id":null,"status":null,"url":null,"tasks":null,"payment_status":null,"error":null}`,
		"other types": `{"id":7,"status":{},"url":[],"tasks":"x","payment_status":1,"fileId":[[]],"error":{"message":["x"]}}`,
		"deep":        strings.Repeat("[", 100_000), "deep objects": strings.Repeat(`{"a":`, 100_000), "10 MB": `{"id":"` + strings.Repeat("x", 10<<20) + `"}`,
		"mentions": `{"status":"<!channel>","fileId":"<@U0LEAD>","error":{"message":"<!here>","code":"<!channel>"},"detail":"<!channel>"}`,
	}
	for name, neighbour := range map[string]interface {
		Break(demo.Fault)
		Heal()
	}{"Stripe": s.stripe, "SuperDuperAI": s.files, "the site": s.site} {
		for kind, body := range bodies {
			for _, status := range []int{200, 301, 404, 422, 500} {
				neighbour.Break(demo.Fault{Status: status, Body: body})
				m := s.ask("/session debug " + id)
				if !strings.HasPrefix(m.Text, "Processing: ") {
					t.Errorf("%s, HTTP %d, %s: %s", name, status, kind, m.Text)
				}
			}
		}
		neighbour.Heal()
	}
	s.workspace.ExpectNothingElse()
	s.expectCleanLog("A fox runs", "<!channel>", "U0LEAD", "xxxxxxxxxx")
}
