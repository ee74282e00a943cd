package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/store"
)

// Everything that must not get out is marked. Tokens are to be seen nowhere,
// personal data in no log, metric, error or audit entry.
const (
	appMark       = "xapp-1-APPcanary7"
	botMark       = "xoxb-1-BOTcanary7"
	stripeCanary  = "rk_live_STRIPEcanary7"
	webhookCanary = "whsec_HOOKcanary7"
	superCanary   = "SUPERcanary7SUPERcanary7SUPERcanary7"
	redisCanary   = "REDIScanary7"
	promptCanary  = "A fox PROMPTcanary7"
	mailCanary    = "mail-canary7@example.com"
	nameCanary    = "NAMEcanary7"
	imageCanary   = "SU1BR0VjYW5hcnk3" // IMAGEcanary7

	leakID = "cs_live_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6leak"
)

var (
	tokens   = []string{"APPcanary7", "BOTcanary7", "STRIPEcanary7", "SUPERcanary7", "REDIScanary7", "HOOKcanary7"}
	personal = []string{"PROMPTcanary7", "mail-canary7", "mail%2Dcanary7", "NAMEcanary7", imageCanary, "IMAGEcanary7"}
)

// clean checks that none of the marks is in a text.
func clean(t testing.TB, where, text string, marks ...[]string) {
	t.Helper()
	for _, list := range marks {
		for _, mark := range list {
			if at := strings.Index(text, mark); at >= 0 {
				t.Errorf("%s holds %s: …%s…", where, mark, text[max(0, at-200):min(len(text), at+100)])
			}
		}
	}
}

// leakStage is a stage on which everything is marked.
func leakStage(t testing.TB) *stage {
	t.Helper()
	s := ownStage(t)
	if err := s.client.Do(t.Context(), "ACL", "SETUSER", "bot", "on", ">"+redisCanary, "~*", "&*", "+@all").Err(); err != nil {
		t.Fatal(err)
	}
	s.env["REDIS_URL"] = "redis://bot:" + redisCanary + "@" + s.redis.Addr()
	s.env["STRIPE_SECRET_KEY"], s.env["SUPERDUPERAI_TOKEN"], s.env["STRIPE_WEBHOOK_SECRET"] = stripeCanary, superCanary, webhookCanary
	s.env["OPERATORS"] = "S0OPS"
	s.markedSession()
	return s
}

// markedSession is one that was paid for and got no video.
func (s *stage) markedSession() {
	paid := time.Now().Add(-14 * time.Minute)
	at := paid.UTC().Format("2006-01-02T15:04:05.000Z")
	s.stripe.Put(demo.CheckoutSession{ID: leakID, Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "usd",
		Email: mailCanary, Created: paid, Event: store.EventDelivered})
	s.put("session:"+leakID, `{"prompt":"`+promptCanary+`","status":"pending","createdAt":"`+at+`","customerEmail":"`+mailCanary+
		`","customerName":"`+nameCanary+`","generationType":"text-to-video","imageFile":{"name":"`+nameCanary+`.png","content":"`+imageCanary+`"}}`)
	s.put("prompt:"+leakID, `{"prompt":"`+promptCanary+`","timestamp":"`+at+`"}`)
}

// lossID is a session whose prompt is lost.
const lossID = "cs_live_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6loss"

func (s *stage) markedLoss() {
	s.t.Helper()
	s.stripe.Put(demo.CheckoutSession{ID: lossID, Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "usd",
		Email: mailCanary, Prompt: promptCanary, Created: time.Now().Add(-14 * time.Minute), Event: store.EventDelivered})
}

// restoreLeaks restores a prompt in a terminal, as far as that is possible, and looks at
// what is logged and recorded.
func (s *stage) restoreLeaks(t testing.TB, what string) {
	t.Helper()
	s.markedLoss()
	for _, in := range []string{promptCanary, promptCanary + "\x00", strings.Repeat(promptCanary, 5000), ""} {
		p := runWith(t, strings.NewReader(in), false, s.env, "session", "restore", lossID, "--yes")
		p.exitCode()
		for line := range strings.Lines(p.log.String()) {
			if strings.HasPrefix(line, `{"time":`) {
				clean(t, what+": the log of restore", line, tokens, personal)
			}
		}
	}
	s.expectCleanRecords()
}

// inTerminal runs the binary to its end and returns what it says to people, and
// what it logs.
func inTerminal(t testing.TB, env map[string]string, args ...string) (said, logged string) {
	t.Helper()
	p := run(t, env, args...)
	p.exitCode()
	for line := range strings.Lines(p.log.String()) {
		if strings.HasPrefix(line, `{"time":`) {
			logged += line
		} else {
			said += line
		}
	}
	return said, logged
}

// nothingLeaks runs commands in a terminal and looks at all they say.
func (s *stage) nothingLeaks(t testing.TB, what string) {
	t.Helper()
	p := start(t, s.env, "session", "debug", leakID) // what libraries print reaches its output, too
	p.exitCode()
	clean(t, what+": what the process printed", p.log.String(), tokens)
	for _, args := range [][]string{
		{"session", "debug", leakID, "--json"}, {"session", "find", mailCanary, "--json"}, {"session", "history", leakID},
		{"redis", "stats", "--json"}, {"redis", "ping"},
	} {
		said, logged := inTerminal(t, s.env, args...)
		clean(t, what+": the log of "+strings.Join(args[:2], " "), logged, tokens, personal)
		clean(t, what+": the answer of "+strings.Join(args[:2], " "), said, tokens, []string{"PROMPTcanary7", "NAMEcanary7", imageCanary})
	}
}

// TestNothingLeaksFromServices: Stripe, SuperDuperAI and the site repeat in
// every way what they were sent.
func TestNothingLeaksFromServices(t *testing.T) {
	t.Parallel()
	s := leakStage(t)
	var facing atomic.Pointer[mirror]
	url := s.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { facing.Load().ServeHTTP(w, r) }))
	stripe := s.env["STRIPE_API_URL"]
	s.env["SUPERDUPERAI_URL"], s.env["SITE_URL"] = url, url
	s.put("webhook:"+leakID, `{"status":"processing","fileId":"6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0013","timestamp":"2020-01-01T00:00:00Z"}`)
	for _, now := range mirrors() {
		facing.Store(&now)
		s.env["STRIPE_API_URL"] = url
		for _, args := range [][]string{{"session", "debug", leakID, "--json"}, {"session", "find", mailCanary, "--json"}} {
			said, logged := inTerminal(t, s.env, args...)
			clean(t, now.name+": the log of "+args[1], logged, tokens, personal)
			clean(t, now.name+": the answer of "+args[1], said, tokens, []string{"PROMPTcanary7", "NAMEcanary7", imageCanary})
		}
	}
	s.env["STRIPE_API_URL"] = stripe
	for _, now := range mirrors() {
		facing.Store(&now)
		if err := s.client.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		s.markedSession()
		said, logged := inTerminal(t, s.env, "session", "generate", "--yes", leakID)
		if !strings.Contains(said, "Generate a video") {
			t.Errorf("%s: nothing was asked for: %s", now.name, said)
		}
		clean(t, now.name+": the log of generate", logged, tokens, personal)
		clean(t, now.name+": the answer of generate", said, tokens, []string{"NAMEcanary7", imageCanary, "mail-canary7"})
		s.expectCleanRecords()
	}
}

// expectCleanRecords looks at what the bot itself keeps.
func (s *stage) expectCleanRecords() {
	s.t.Helper()
	for key, value := range s.kept() {
		clean(s.t, key, value, tokens, []string{"NAMEcanary7", imageCanary})
		if !strings.HasPrefix(key, "sessionbot:share:") { // what somebody asked for in so many words
			clean(s.t, key, value, []string{"mail-canary7"})
		}
		if strings.Contains(key, "audit") || strings.Contains(key, "history") {
			clean(s.t, key, value, personal)
		}
	}
}

// kept are the bot's own keys and what they hold.
func (s *stage) kept() map[string]string {
	s.t.Helper()
	all := map[string]string{}
	ctx := s.t.Context()
	keys, err := s.client.Keys(ctx, "sessionbot:*").Result()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, key := range keys {
		switch kind := s.client.Type(ctx, key).Val(); kind {
		case "string":
			all[key] = s.client.Get(ctx, key).Val()
		case "hash":
			all[key] = fmt.Sprint(s.client.HGetAll(ctx, key).Val())
		case "list":
			all[key] = fmt.Sprint(s.client.LRange(ctx, key, 0, -1).Val())
		case "set":
			all[key] = fmt.Sprint(s.client.SMembers(ctx, key).Val())
		case "zset":
			all[key] = fmt.Sprint(s.client.ZRange(ctx, key, 0, -1).Val())
		case "stream":
			all[key] = fmt.Sprint(s.client.XRange(ctx, key, "-", "+").Val())
		case "none": // it was removed just now
		default:
			s.t.Errorf("%s is a %s, which this test does not read", key, kind)
		}
	}
	return all
}

// TestNothingLeaksFromRedis: it refuses, repeats, or is not a Redis at all.
func TestNothingLeaksFromRedis(t *testing.T) {
	t.Parallel()
	s := leakStage(t)
	s.env["STRIPE_API_URL"] = "http://127.0.0.1:1" // refused
	addr := s.redis.Addr()
	for name, url := range map[string]string{
		"a wrong password": "redis://bot:" + redisCanary + "wrong@" + addr, "an unknown user": "redis://NAMEcanary7:" + redisCanary + "@" + addr,
		"nobody there": "redis://bot:" + redisCanary + "@127.0.0.1:1", "TLS where there is none": "rediss://bot:" + redisCanary + "@" + addr,
		"no certificate that holds": "rediss://bot:" + redisCanary + "@" + strings.TrimPrefix(serveTLS(t), "https://"),
		"a web server":              "redis://bot:" + redisCanary + "@" + strings.TrimPrefix(s.env["SITE_URL"], "http://"),
		"a cluster that is none":    "redis://bot:" + redisCanary + "@" + addr + "?addr=" + addr,
		"a Sentinel that is none":   "redis://bot:" + redisCanary + "@" + addr + "?master_name=" + redisCanary,
		"no such option":            "redis://bot:" + redisCanary + "@" + addr + "?x=" + redisCanary,
		"no URL":                    "redis://bot:" + redisCanary + "%zz@" + addr,
	} {
		s.env["REDIS_URL"] = url
		s.nothingLeaks(t, name)
	}
	for name, answer := range redisMirrors() {
		s.env["REDIS_URL"] = "redis://bot:" + redisCanary + "@" + serveRedis(t, answer)
		s.nothingLeaks(t, "repeated "+name)
	}
	// What is written holds prompts: a real Redis that does not know the command
	// repeats its arguments.
	s.env["REDIS_URL"] = "redis://bot:" + redisCanary + "@" + addr
	for _, command := range []string{"evalsha", "eval", "mget", "hget", "xadd"} {
		if err := s.client.Do(t.Context(), "ACL", "SETUSER", "bot", "-"+command).Err(); err != nil {
			t.Fatal(err)
		}
		s.nothingLeaks(t, "forbidden "+command)
		_, logged := inTerminal(t, s.env, "session", "fix", "--yes", leakID)
		clean(t, "forbidden "+command+": the log of fix", logged, tokens, personal)
		s.restoreLeaks(t, "forbidden "+command)
	}
}
