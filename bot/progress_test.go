package bot_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/bot"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// planStub is a ledger that counts how often an end may have been overwritten.
type planStub struct {
	bot.Plans
	again bool
	count int
	noted []store.Message
}

func (r *planStub) SetMessage(_ context.Context, _ string, m store.Message) error {
	r.noted = append(r.noted, m)
	return nil
}

func (r *planStub) RequeueNotification(context.Context, string) (bool, error) {
	r.count++
	return r.again, nil
}

// pictureCommands shows a picture where there is one.
type pictureCommands struct{ scripted }

func (*pictureCommands) ProgressBlocks(p repair.Progress) []slack.Block {
	blocks := says("progress")
	if p.File.ThumbnailURL != "" {
		blocks = append(blocks, slack.NewImageBlock(p.File.ThumbnailURL, "picture", "", nil))
	}
	return blocks
}

// TestShowProgress: the end of a job is posted where it can be, and a transient
// fault is left to the next try.
func TestShowProgress(t *testing.T) {
	t.Parallel()
	ended := repair.Job{ID: "J", Outcome: store.OutcomeDone, Approver: store.Actor{ID: "U0LEAD"},
		Plan: repair.Plan{Message: store.Message{Channel: "C1", TS: "1.2"}}}
	running, unplaced, terminal := ended, ended, ended
	running.Outcome = ""
	unplaced.Plan.Message = store.Message{}
	terminal.Plan.Message, terminal.Approver = store.Message{}, store.Actor{ID: "root", Terminal: true}
	const refused, rightNow, ok = `{"ok":false,"error":"message_not_found"}`, `{"ok":false,"error":"internal_error"}`, `{"ok":true,"channel":"C1","ts":"1.2"}`
	const closed, shape = `{"ok":false,"error":"is_archived"}`, `{"ok":false,"error":"invalid_blocks"}`
	for _, c := range []struct {
		name    string
		job     repair.Job
		alerts  string
		answers []string // one after the other; then ok
		calls   []string
		fails   bool
	}{
		{"in its message", ended, "C9", nil, []string{"update C1"}, false},
		{"the message is gone", ended, "C9", []string{refused}, []string{"update C1", "post C1"}, false},
		{"the channel is gone", ended, "C9", []string{closed, closed}, []string{"update C1", "post C1", "post C9"}, false},
		{"so is the alert channel", ended, "C9", []string{closed, closed, closed}, []string{"update C1", "post C1", "post C9", "post U0LEAD"}, false},
		{"nobody is left", ended, "", []string{closed, closed, closed}, []string{"update C1", "post C1", "post U0LEAD"}, false},
		{"Slack has a fault", ended, "C9", []string{rightNow}, []string{"update C1"}, true},
		{"the picture is refused", ended, "C9", []string{shape}, []string{"update C1", "update C1 without picture"}, false},
		{"running, Slack has a fault", running, "C9", []string{rightNow}, []string{"update C1"}, true},
		{"running, the message is gone", running, "C9", []string{refused}, []string{"update C1"}, true},
		{"its place was never noted", unplaced, "C9", nil, []string{"post C9"}, false},
		{"nor is there an alert channel", unplaced, "", nil, []string{"post U0LEAD"}, false},
		{"a terminal that is gone", terminal, "C9", nil, []string{"post C9"}, false},
		{"a terminal that is gone, and no alert channel", terminal, "", nil, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var calls []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				call := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/api/chat."), "postMessage")
				call = map[string]string{"": "post", "update": "update"}[call] + " " + r.FormValue("channel")
				if len(calls) > 0 && !strings.Contains(r.FormValue("blocks"), "image_url") && strings.Contains(calls[0], call) {
					call += " without picture"
				}
				calls = append(calls, call)
				answer := ok
				if n := len(calls); n <= len(c.answers) {
					answer = c.answers[n-1]
				}
				_, _ = io.WriteString(w, answer) // the caller notices what is missing
			}))
			t.Cleanup(server.Close)
			ledger := &planStub{}
			b, err := bot.New(bot.Config{Timings: quick, Deadlines: bot.NewDeadlines(patient), AppToken: "xapp-secret", BotToken: "xoxb-secret", APIURL: server.URL + "/api/",
				Commands: &pictureCommands{}, Repairs: bot.Repairs{Plans: ledger, AlertChannel: c.alerts, Wake: func() {}},
				Log: slog.New(slog.DiscardHandler), Metrics: &metrics{}, Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			err = b.ShowProgress(t.Context(), repair.Progress{Job: c.job, File: store.File{ThumbnailURL: "https://cdn.example.com/1.jpg"}})
			if !slices.Equal(calls, c.calls) || (err != nil) != c.fails {
				t.Errorf("called %q (%v), want %q", calls, err, c.calls)
			}
			last := slices.Concat([]string{""}, calls)[len(calls)]
			if posted := !c.fails && strings.HasPrefix(last, "post") && len(c.answers) < len(calls); (len(ledger.noted) == 1) != posted {
				t.Errorf("called %q, noted %v", calls, ledger.noted)
			}
			if want := map[bool]int{true: 1}[c.job.Outcome == ""]; ledger.count != want {
				t.Errorf("it was asked %d times whether the end was overwritten, want %d", ledger.count, want)
			}
		})
	}
}

// TestProgressEnsuresFinalState: progress that may have hidden the end has it shown again.
func TestProgressEnsuresFinalState(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"ok":true,"channel":"C1","ts":"1.2"}`) // the caller notices what is missing
	}))
	t.Cleanup(server.Close)
	woken := 0
	ledger := &planStub{again: true}
	b, err := bot.New(bot.Config{Timings: quick, Deadlines: bot.NewDeadlines(patient), AppToken: "xapp-secret", BotToken: "xoxb-secret", APIURL: server.URL + "/api/",
		Commands: &pictureCommands{}, Repairs: bot.Repairs{Plans: ledger, Wake: func() { woken++ }},
		Log: slog.New(slog.DiscardHandler), Metrics: &metrics{}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	job := repair.Job{ID: "J", Plan: repair.Plan{Message: store.Message{Channel: "C1", TS: "1.2"}}}
	if err := b.ShowProgress(t.Context(), repair.Progress{Job: job}); err != nil || ledger.count != 1 || woken != 1 {
		t.Errorf("%v, asked %d times, woken %d times", err, ledger.count, woken)
	}
}
