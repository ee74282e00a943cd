package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
)

// TestNothingLeaksToSlack: messages, endpoints and records, both normally and with
// SuperDuperAI repeating what it was sent.
func TestNothingLeaksToSlack(t *testing.T) {
	t.Parallel()
	s := leakStage(t)
	s.env["HTTP_ADDR"], s.env["ALERT_CHANNEL"], s.env["SWEEP_INTERVAL"] = freeAddr(t), "C0ALERTS", "1s"
	s.startBot()
	support := s.workspace.As("U0SUPPORT").In("C0SUPPORT")
	for _, text := range []string{"/session debug " + leakID, "/session find " + mailCanary, "/session history " + leakID, "/redis stats",
		"/session list", "/redis prompts", "/redis memory", "/redis ping", "/session help", "/session history " + mailCanary, "/session " + promptCanary,
		"/session debug " + superCanary} {
		support.Type(text)
		support.ExpectMessage(func(m wstest.Message) bool { return m.Channel == "C0SUPPORT" })
	}
	for _, status := range []int{401, 402, 422, 500} {
		s.files.BreakFor("generate-video", demo.Fault{Status: status, Body: `{"detail":"` + superCanary + " " + promptCanary + `"}`})
		support.Type("/session generate " + leakID)
		plan := support.ExpectMessage(withText("Expires "))
		support.Click(plan, "confirm.approve")
		s.expectEnd(support, plan, withText("Failed: no video"))
	}
	s.markedLoss()
	support.Type("/session restore " + lossID + " " + promptCanary + "\x01") // control characters
	support.ExpectMessage(withText("Nothing was changed."))
	for _, press := range []string{"confirm.cancel", "confirm.approve"} {
		support.Type("/session restore " + lossID + " " + promptCanary)
		plan := support.ExpectMessage(withText("Restore the prompt of"))
		support.Click(plan, press)
		if press == "confirm.approve" {
			s.expectEnd(support, plan, withText("is stored."))
		} else {
			support.ExpectUpdate(plan, withText("Cancelled"))
		}
	}
	support.Type("/session debug " + leakID)
	support.Click(support.ExpectMessage(withText("Customer  "+mailCanary)), "session.share")
	support.ExpectMessage(withText("shared by"))
	named := false
	for _, m := range s.all() {
		clean(t, "a message", m.Text+string(m.Blocks), tokens, []string{"NAMEcanary7", imageCanary})
		asked := strings.Contains(m.Text, " of "+mailCanary) || strings.Contains(m.Text, "Customer  "+mailCanary)
		named = named || m.Ephemeral && asked
		if !m.Ephemeral || !asked { // only the requester sees it
			clean(t, "a message", m.Text+string(m.Blocks), []string{"mail-canary7"})
		}
	}
	if !named {
		t.Error("the customer's address was shown to no one")
	}
	for _, path := range []string{"/metrics", "/healthz", "/readyz", "/nothing"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.env["HTTP_ADDR"]+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		clean(t, path, fetched(req), tokens, personal, []string{leakID, "U0SUPPORT", "C0SUPPORT"})
	}
	s.expectCleanRecords()
	clean(t, "the log", s.bot.log.String(), tokens, personal, []string{s.env["SLACK_APP_TOKEN"], s.env["SLACK_BOT_TOKEN"], "/response/", "ticket"})
}

// all is everything that was shown.
func (s *stage) all() []wstest.Message {
	var all []wstest.Message
	s.drain(func(wstest.Message) {})
	for _, channel := range []string{"C0SUPPORT", "C0ALERTS"} {
		all = append(all, s.workspace.As("U0SUPPORT").In(channel).All()...)
	}
	return all
}

// TestNothingLeaksFromSlack: it refuses the tokens, repeats them in every way,
// or cannot be reached.
func TestNothingLeaksFromSlack(t *testing.T) {
	t.Parallel()
	s := leakStage(t)
	s.env["SLACK_APP_TOKEN"], s.env["SLACK_BOT_TOKEN"] = appMark, botMark
	workspace := s.env["SLACK_API_URL"]
	urls := map[string]string{
		"wrong tokens": workspace, "nobody there": "http://127.0.0.1:1/api/", "no certificate that holds": serveTLS(t) + "/api/",
	}
	try := func(name, url string) {
		s.env["SLACK_API_URL"] = url
		p := run(t, s.env, "run")
		p.refused()
		p.stop()
		clean(t, name+": the log", p.log.String(), tokens, personal)
	}
	for name, url := range urls {
		try(name, url)
		p := start(t, s.env, "run") // what libraries print reaches its output, too
		p.refused()
		clean(t, name+": what the process printed", p.log.String(), tokens, personal)
	}
	for _, now := range mirrors() {
		server := s.serve(now)
		try(now.name, server+"/api/")
		// The bot token is fine, and the app token is repeated.
		try(now.name+", for a connection", s.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "auth.test") {
				_, _ = w.Write([]byte(`{"ok":true,"team_id":"T1","user_id":"U1"}`))
				return
			}
			now.ServeHTTP(w, r)
		}))+"/api/")
	}
}

// refused lets it run until it says that it waits for Slack, or ends.
func (p *process) refused() {
	p.t.Helper()
	await(p.t, func() string {
		select {
		case <-p.done:
			return "connection to Slack failed"
		default:
			return p.log.String()
		}
	}, "connection to Slack failed")
}
