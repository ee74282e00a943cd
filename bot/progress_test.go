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
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/repair"
)

// planStub is a ledger that records where plans are shown.
type planStub struct {
	bot.Plans
	noted []store.Message
}

func (r *planStub) SetMessage(_ context.Context, _ string, m store.Message) error {
	r.noted = append(r.noted, m)
	return nil
}

// pictureCommands shows a picture if there is one.
type pictureCommands struct{ scripted }

func (*pictureCommands) ProgressBlocks(p repair.Progress) []slack.Block {
	blocks := says("progress")
	if p.File.ThumbnailURL != "" {
		blocks = append(blocks, slack.NewImageBlock(p.File.ThumbnailURL, "picture", "", nil))
	}
	return blocks
}

// TestShowProgress: the end of a job is shown in its message and posted in the thread,
// once, else where it can be; a transient fault is left to the next try.
func TestShowProgress(t *testing.T) {
	t.Parallel()
	ended := repair.Job{ID: "J", Outcome: store.OutcomeDone, Approver: store.Actor{ID: "U0LEAD"}, Finished: time.UnixMilli(5000),
		Plan: repair.Plan{Message: store.Message{Channel: "C1", TS: "1.2"}}}
	running, unplaced, terminal := ended, ended, ended
	running.Outcome = ""
	paused := running
	paused.Finished, paused.Bulk = time.Time{}, &repair.Bulk{Items: make([]repair.Item, 2), Events: []repair.BulkEvent{{Event: audit.Paused, At: time.UnixMilli(7000)}}}
	unplaced.Plan.Message = store.Message{}
	terminal.Plan.Message, terminal.Approver = store.Message{}, store.Actor{ID: "root", Terminal: true}
	const refused, rightNow, ok = `{"ok":false,"error":"message_not_found"}`, `{"ok":false,"error":"internal_error"}`, `{"ok":true,"channel":"C1","ts":"1.2"}`
	const closed, shape, scope = `{"ok":false,"error":"is_archived"}`, `{"ok":false,"error":"invalid_blocks"}`, `{"ok":false,"error":"missing_scope"}`
	thread := func(end string) string {
		return `{"ok":true,"messages":[{"ts":"1.2"},{"ts":"1.3","metadata":{"event_type":"sessionbot_end","event_payload":{"end":"` + end + `"}}}]}`
	}
	const none, first, maybe = repair.ReplyNone, repair.ReplyFirst, repair.ReplyMaybe
	for _, c := range []struct {
		name    string
		job     repair.Job
		reply   repair.Reply
		alerts  string
		answers []string // one after the other; then ok
		calls   []string
		fails   bool
	}{
		{"in its message", ended, first, "C9", nil, []string{"update C1", "reply C1"}, false},
		{"once more, and it was not posted", ended, maybe, "C9", []string{ok, thread("J 4000")}, []string{"update C1", "look C1", "reply C1"}, false},
		{"once more, and it was posted", ended, maybe, "C9", []string{ok, thread("J 5000")}, []string{"update C1", "look C1"}, false},
		{"once more, and the thread cannot be read", ended, maybe, "C9", []string{ok, scope}, []string{"update C1", "look C1", "reply C1"}, false},
		{"once more, and Slack has a fault", ended, maybe, "C9", []string{ok, rightNow}, []string{"update C1", "look C1"}, true},
		{"the reply has a fault", ended, first, "C9", []string{ok, rightNow}, []string{"update C1", "reply C1"}, true},
		{"the reply is refused", ended, first, "C9", []string{ok, closed, closed}, []string{"update C1", "reply C1", "post C1", "post C9"}, false},
		{"only brought up to date", ended, none, "C9", nil, []string{"update C1"}, false},
		{"only brought up to date, and the message is gone", ended, none, "C9", []string{refused}, []string{"update C1"}, true},
		{"the message is gone", ended, first, "C9", []string{refused}, []string{"update C1", "post C1"}, false},
		{"the channel is gone", ended, first, "C9", []string{closed, closed}, []string{"update C1", "post C1", "post C9"}, false},
		{"so is the alert channel", ended, first, "C9", []string{closed, closed, closed}, []string{"update C1", "post C1", "post C9", "post U0LEAD"}, false},
		{"nobody is left", ended, first, "", []string{closed, closed, closed}, []string{"update C1", "post C1", "post U0LEAD"}, false},
		{"Slack has a fault", ended, first, "C9", []string{rightNow}, []string{"update C1"}, true},
		{"the picture is refused", ended, first, "C9", []string{shape}, []string{"update C1", "update C1 without picture", "reply C1"}, false},
		{"paused", paused, first, "C9", nil, []string{"update C1", "reply C1"}, false},
		{"paused, and it was posted", paused, maybe, "C9", []string{ok, thread("J 7000")}, []string{"update C1", "look C1"}, false},
		{"paused again", paused, maybe, "C9", []string{ok, thread("J 5000")}, []string{"update C1", "look C1", "reply C1"}, false},
		{"paused for a while", paused, none, "C9", nil, []string{"update C1"}, false},
		{"running, Slack has a fault", running, none, "C9", []string{rightNow}, []string{"update C1"}, true},
		{"running, the message is gone", running, none, "C9", []string{refused}, []string{"update C1"}, true},
		{"running, its place was never noted", func() repair.Job { j := running; j.Plan.Message = store.Message{}; return j }(), none, "C9", nil, nil, false},
		{"its place was never noted", unplaced, first, "C9", nil, []string{"post C9"}, false},
		{"nor is there an alert channel", unplaced, first, "", nil, []string{"post U0LEAD"}, false},
		{"a terminal that is gone", terminal, first, "C9", nil, []string{"post C9"}, false},
		{"a terminal that is gone, and no alert channel", terminal, first, "", nil, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var calls []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				call := map[string]string{"/api/chat.postMessage": "post", "/api/chat.update": "update", "/api/conversations.replies": "look"}[r.URL.Path]
				if r.FormValue("thread_ts") != "" {
					call = "reply"
				}
				call += " " + r.FormValue("channel")
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
			err = b.ShowProgress(t.Context(), repair.Progress{Job: c.job, Reply: c.reply, File: store.File{ThumbnailURL: "https://cdn.example.com/1.jpg"}})
			if !slices.Equal(calls, c.calls) || (err != nil) != c.fails {
				t.Errorf("called %q (%v), want %q", calls, err, c.calls)
			}
			last := slices.Concat([]string{""}, calls)[len(calls)]
			if posted := !c.fails && strings.HasPrefix(last, "post") && len(c.answers) < len(calls); (len(ledger.noted) == 1) != posted {
				t.Errorf("called %q, noted %v", calls, ledger.noted)
			}
		})
	}
}
