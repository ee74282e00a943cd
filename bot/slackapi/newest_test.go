package slackapi

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
)

// oldSlack refuses messages that contain certain words, and keeps those that it accepted.
type oldSlack struct {
	mu      sync.Mutex
	refuses []string
	calls   int
	taken   []string
}

func (o *oldSlack) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller notices
	}
	var hook struct{ Blocks json.RawMessage }
	said := ""
	if json.Unmarshal(body, &hook) == nil {
		said = string(hook.Blocks)
	} else if form, err := url.ParseQuery(string(body)); err == nil {
		said = form.Get("blocks")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls++
	for _, word := range o.refuses {
		if strings.Contains(said, word) {
			reply(200, `{"ok":false,"error":"invalid_blocks"}`)(w)
			return
		}
	}
	o.taken = append(o.taken, said)
	reply(200, `{"ok":true,"channel":"C1","ts":"1.2"}`)(w)
}

// next returns the calls and the accepted messages since the last call.
func (o *oldSlack) next() (calls int, taken string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	calls, taken = o.calls, strings.Join(o.taken, " ")
	o.calls, o.taken = 0, nil
	return calls, taken
}

// TestNewestBlocksRefused: every method delivers classic blocks; only the first message
// costs a second call, and one line in the log.
func TestNewestBlocksRefused(t *testing.T) {
	t.Parallel()
	details := []slack.Block{blockkit.Details("Details", blockkit.Paragraph(blockkit.PlainLine("all of it"))),
		slack.NewActionBlock("", blockkit.Button("confirm.approve", "Approve", "P1"))}
	for name, send := range map[string]func(o *Outbox, url string) error{
		"response_url": func(o *Outbox, url string) error { return o.Respond(t.Context(), url, Message{Blocks: details}) },
		"ephemeral":    func(o *Outbox, _ string) error { return o.PostEphemeral(t.Context(), "C1", "U1", details) },
		"reply": func(o *Outbox, _ string) error {
			_, err := o.Reply(t.Context(), "C1", "1.1", details)
			return err
		},
		"update": func(o *Outbox, _ string) error {
			return o.Update(t.Context(), store.Message{Channel: "C1", TS: "1.2"}, details)
		},
		"post": func(o *Outbox, _ string) error {
			m, err := o.Post(t.Context(), "C1", slack.SlackMetadata{}, details)
			if m.TS != "1.2" {
				t.Errorf("posted at %+v", m)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old := &oldSlack{refuses: []string{`"container"`}}
			o, url, log := outboxOn(t, old)
			for i, calls := range []int{2, 1, 1} {
				if err := send(o, url); err != nil {
					t.Fatal(err)
				}
				got, taken := old.next()
				if got != calls || !strings.Contains(taken, "all of it") || !strings.Contains(taken, "confirm.approve") || strings.Contains(taken, "container") {
					t.Errorf("message %d: %d calls, taken %s", i, got, taken)
				}
			}
			if n := strings.Count(log.String(), "refused by Slack"); n != 1 || !strings.Contains(log.String(), "kind=container") {
				t.Errorf("%d lines in the log:\n%s", n, log)
			}
		})
	}
}

// TestOnlyWhatIsRefusedIsLeftOut: other kinds are still tried, and a refusal for another
// reason does not count.
func TestOnlyWhatIsRefusedIsLeftOut(t *testing.T) {
	t.Parallel()
	tag := []slack.Block{blockkit.Paragraph(blockkit.L(blockkit.Tag("Lost", slack.RichTextTagColorRed)))}
	plan := []slack.Block{blockkit.Plan("three", blockkit.Task("1", "one", slack.TaskCardStatusError, nil))}
	bad := append(append([]slack.Block{}, tag...), blockkit.Quote("poison"))
	old := &oldSlack{refuses: []string{`"plan"`, "poison"}}
	o, url, log := outboxOn(t, old)
	for _, c := range []struct {
		name   string
		blocks []slack.Block
		calls  int
		taken  string // "" = nothing but the text
	}{
		{"refused for another reason", bad, 3, ""},
		{"a tag", tag, 1, `"tag"`},
		{"a plan", plan, 2, "one"},
		{"a plan again", plan, 1, "one"},
		{"a tag again", tag, 1, `"tag"`},
	} {
		if err := o.Respond(t.Context(), url, Message{Blocks: c.blocks}); err != nil {
			t.Fatal(err)
		}
		if calls, taken := old.next(); calls != c.calls || !strings.Contains(taken, c.taken) {
			t.Errorf("%s: %d calls, taken %s", c.name, calls, taken)
		}
	}
	if strings.Contains(log.String(), "kind=tag") {
		t.Errorf("the log: %s", log)
	}
}

// outboxOn is an outbox that calls a Slack, the address of a response_url, and its log.
func outboxOn(t *testing.T, slackAPI http.Handler) (*Outbox, string, *bytes.Buffer) {
	t.Helper()
	server := httptest.NewServer(slackAPI)
	t.Cleanup(server.Close)
	origin, err := OriginForAPI(server.URL + "/api/")
	testenv.Must(t, err)
	log := &bytes.Buffer{} // read when nothing is sent any more
	return &Outbox{API: slack.New("xoxb", slack.OptionAPIURL(server.URL+"/api/")), HTTP: NewHTTPClient(testenv.Patience, testenv.Patience), Origin: origin,
		Log: slog.New(slog.NewTextHandler(log, nil)), MinRetryDelay: time.Millisecond, OutageRetryDelay: time.Millisecond, Send: testenv.Patience, Call: testenv.Patience}, server.URL + "/response/secret", log
}
