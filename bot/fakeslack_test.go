package bot_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/superduperai/sessionbot/bot"
	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/commands"
)

// fakeSlack is a Slack that misbehaves.
type fakeSlack struct {
	*httptest.Server
	answers map[string]string // by method, in place of the usual ones
	calls   chan string       // methods, as they are called
	socket  func(*websocket.Conn)
	answer  chan []byte // what arrived at /response
	repairs bot.Repairs
	alerts  bot.Incidents
}

func newFakeSlack(t *testing.T) *fakeSlack {
	f := &fakeSlack{answers: map[string]string{}, calls: make(chan string, 100), answer: make(chan []byte, 100)}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", func(w http.ResponseWriter, r *http.Request) {
		method := r.PathValue("method")
		f.calls <- method
		answer := map[string]string{
			"auth.test":             `{"ok":true,"team_id":"T1","user_id":"U9"}`,
			"apps.connections.open": `{"ok":true,"url":"` + strings.Replace(f.URL, "http", "ws", 1) + `/socket"}`,
		}[method]
		if f.answers[method] != "" {
			answer = f.answers[method]
		}
		_, _ = io.WriteString(w, answer) // the caller notices what is missing
	})
	mux.HandleFunc("/socket", func(w http.ResponseWriter, r *http.Request) {
		up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }() // the other side may have gone first
		f.socket(conn)
	})
	mux.HandleFunc("/response", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		f.answer <- body
		_, _ = io.WriteString(w, "ok")
	})
	f.Server = httptest.NewServer(mux)
	t.Cleanup(f.Close)
	return f
}

// run starts a bot on the fake until the test ends or the bot does.
func (f *fakeSlack) run(t *testing.T, c bot.Commands) <-chan error {
	t.Helper()
	b, err := bot.New(bot.Config{
		Timings: quick, Deadlines: bot.NewDeadlines(patient),
		AppToken: "xapp-secret", BotToken: "xoxb-secret", APIURL: f.URL + "/api/", Readers: []string{"U1"},
		Processes: singleProcess{}, Commands: c, Shares: &shares{kept: map[string]string{}, claims: map[string]bool{}}, Viewers: &viewers{},
		Repairs: f.repairs, Incidents: f.alerts, Metrics: &metrics{outcomes: map[string]int{}, sockets: make(chan int, 1000)},
		Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended, done := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(done)
		ended <- b.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return ended
}

func TestPermanentFaultsEndRunWithTheRemedy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ method, answer, want string }{
		{"auth.test", `{"ok":false,"error":"invalid_auth"}`, "Slack rejected SLACK_BOT_TOKEN (invalid_auth). Check that the token is complete"},
		{"auth.test", `{"ok":false,"error":"account_inactive"}`, "reinstall it and use the new token"},
		{"auth.test", `{"ok":false,"error":"token_expired"}`, "SLACK_BOT_TOKEN (token_expired)"},
		{"auth.test", `{"ok":true,"team_id":"E1","enterprise_id":"E1","is_enterprise_install":true,"user_id":"U9"}`, "SLACK_BOT_TOKEN belongs to an org-wide installation (org_wide_install). The app is installed for the whole organization"},
		{"auth.test", `{"ok":true,"team_id":null,"enterprise_id":"E1","is_enterprise_install":"true","user_id":"U9"}`, "SLACK_BOT_TOKEN belongs to an org-wide installation"},
		{"auth.test", `{"ok":true,"team":"Acme","team_id":"E1","user_id":"U9"}`, "SLACK_BOT_TOKEN belongs to an org-wide installation"},
		{"apps.connections.open", `{"ok":false,"error":"invalid_auth"}`, "SLACK_APP_TOKEN (invalid_auth)"},
		{"apps.connections.open", `{"ok":false,"error":"not_allowed_token_type"}`, "xapp-"},
		{"apps.connections.open", `{"ok":false,"error":"missing_scope","needed":"connections:write","provided":"chat:write"}`, "app-level token with the scope connections:write"},
		{"apps.connections.open", `{"ok":false,"error":"token_expired"}`, "SLACK_APP_TOKEN (token_expired)"},
		{"apps.connections.open", `{"ok":false,"error":"link_disabled"}`, "Socket Mode is switched off"},
	} {
		t.Run(c.method+" "+c.answer, func(t *testing.T) {
			t.Parallel()
			slack := newFakeSlack(t)
			slack.answers[c.method] = c.answer
			err := await(t, slack.run(t, nil))
			var permanent *slackapi.PermanentError
			if !errors.As(err, &permanent) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Run: %v, want a permanent error that says %q", err, c.want)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("a token is in the error: %v", err)
			}
		})
	}
}

func TestTransientFaultsAreRetried(t *testing.T) {
	t.Parallel()
	slack := newFakeSlack(t)
	slack.answers["auth.test"] = `{"ok":false,"error":"internal_error"}`
	slack.run(t, nil)
	for range 3 {
		await(t, slack.calls)
	}
}

func TestUnreadableEnvelopesAreAckedAndAnswered(t *testing.T) {
	t.Parallel()
	slack := newFakeSlack(t)
	acks := make(chan string, 10)
	slack.socket = func(conn *websocket.Conn) {
		frames := []string{
			`{"type":"hello","num_connections":1}`,
			`{"type":"slash_commands","envelope_id":"e1","payload":{"command":7,"response_url":"` + slack.URL + `/response"}}`,
			`{"type":"interactive","envelope_id":"e2","payload":"text"}`,
			`{"type":"of tomorrow","envelope_id":"e3","payload":{}}`,
			`{"type":"interactive","envelope_id":"e4","payload":{"type":"view_submission"}}`,
			`{"type":"events_api","envelope_id":"e5","payload":{"type":"event_callback","event":{"type":"app_mention"}}}`,
			`[]`, `null`, `7`, `{"type":7,"envelope_id":{}}`,
			`{"type":"slash_commands","envelope_id":"e6","payload":{"user_id":"U1","command":"/session","text":"debug","response_url":"` + slack.URL + `/response"}}`,
		}
		for _, frame := range frames {
			if err := conn.WriteMessage(websocket.TextMessage, []byte(frame)); err != nil {
				t.Error(err)
			}
		}
		for {
			var ack struct {
				EnvelopeID string          `json:"envelope_id"`
				Payload    json.RawMessage `json:"payload"`
			}
			if conn.ReadJSON(&ack) != nil {
				return
			}
			if ack.Payload != nil {
				t.Errorf("the ack of %s is not empty: %s", ack.EnvelopeID, ack.Payload)
			}
			acks <- ack.EnvelopeID
		}
	}
	slack.run(t, &scripted{run: func(context.Context, commands.Request) commands.Answer { return aboutSession("Orphaned") }})
	for _, want := range []string{"e1", "e2", "e3", "e4", "e5", "e6"} {
		if got := await(t, acks); got != want {
			t.Errorf("acked %s, want %s", got, want)
		}
	}
	answers := string(await(t, slack.answer)) + string(await(t, slack.answer))
	if !strings.Contains(answers, "could not be read") || !strings.Contains(answers, "Orphaned") {
		t.Errorf("answered %s", answers)
	}
}
