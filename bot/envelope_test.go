package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/bot/access"
	"github.com/superduperai/sessionbot/bot/socketmode"
	"github.com/superduperai/sessionbot/bot/wire"
)

func TestUnreadableEnvelopes(t *testing.T) {
	t.Parallel()
	for frame, want := range map[string][2]string{
		`{"envelope_id":"e1","payload":{"response_url":"u","command":7}}`: {"e1", "u"},
		`{"envelope_id":"e1","payload":"text"}`:                           {"e1", ""},
		`{"envelope_id":7,"payload":{"response_url":7}}`:                  {"", ""},
		`{"envelope_id":"e1","type":["x"]}`:                               {"e1", ""},
		`[1]`:                                                             {"", ""}, `null`: {"", ""}, `{"envelope_id":"e1"`: {"", ""},
	} {
		if id, responseURL := salvage(frame); id != want[0] || responseURL != want[1] {
			t.Errorf("%s: %q %q", frame, id, responseURL)
		}
	}
}

func salvage(frame string) (id, responseURL string) {
	basics, _ := wire.Decode[partialEnvelope]([]byte(frame))
	return basics.ID.Value, basics.Payload.Value.ResponseURL.Value
}

// FuzzFrame: whatever a connection receives, an envelope with an id is acked, nothing
// panics and the connection stays open.
func FuzzFrame(f *testing.F) {
	for _, seed := range []string{
		`{"type":"of tomorrow","envelope_id":"e"}`,
		`{"type":"slash_commands","envelope_id":"e","payload":{"user_id":"U1","command":"/session","text":"debug x","response_url":"http://slack.test/r"}}`,
		`{"type":"interactive","envelope_id":"e","payload":{"type":"block_actions","user":{"id":"U1"},"container":{"message_ts":"1.2","is_ephemeral":true},"message":{"blocks":[{"type":"section","text":{"type":"mrkdwn","text":"x"}}]},"actions":[{"action_id":"session.debug","value":"v","type":"button"}]}}`,
		`{"type":"interactive","envelope_id":"e","payload":{"type":"view_submission","view":{"state":{"values":{"a":{"b":{"type":"x"}}}}}}}`,
		`{"type":"interactive","envelope_id":"e","payload":{"type":"view_submission","user":{"id":"U1"},"view":{"id":"V1","type":"modal","callback_id":"session_find","state":{"values":{"session_find.query":{"session_find.query":{"value":"cs_live_a1"}}}}}}}`,
		`{"type":"interactive","envelope_id":"e","payload":{"type":"message_action","user":{"id":"U1"},"callback_id":"session_from_message","trigger_id":"t","message":{"text":"cs_live_a1","blocks":[{"x":[1,"pi_3NqXaB2eZvKYlo2C"]}]}}}`,
		`{"type":"events_api","envelope_id":"e","payload":{"event_id":"Ev2","event":{"type":"message","channel_type":"im","channel":"D1","user":"U1","text":"debug","ts":"1.2"}}}`,
		`{"envelope_id":7,"payload":"x"}`, `[]`, `null`, `{`, "",
		`{"type":"slash_commands","envelope_id":"e","payload":{"user_id":["U1"],"response_url":"http://slack.test/r"}}`,
		`{"type":"events_api","envelope_id":"e","payload":{"event_id":"Ev1","event":{"type":"app_mention"}},"retry_attempt":1}`,
	} {
		f.Add([]byte(seed))
	}
	b, panics := fuzzed(f)
	f.Fuzz(func(t *testing.T, frame []byte) {
		e, _ := wire.Decode[socketmode.Envelope](frame) // empty where it cannot be read
		var from acks
		if err := b.handleEnvelope(&from, frame, e); err != nil {
			t.Errorf("%q ended the connection: %v", frame, err)
		}
		id, responseURL := salvage(string(frame))
		if id+responseURL != "" && !json.Valid(frame) {
			t.Errorf("%q: found %q and %q in what is not JSON", frame, id, responseURL)
		}
		if !slices.Equal(from, acks{id}) {
			t.Errorf("%q was not acked: %q", frame, from)
		}
		if panics.Load() {
			t.Errorf("%q made something panic", frame)
		}
	})
}

// acks is a connection that remembers which envelopes were acked.
type acks []string

func (a *acks) Ack(_, envelopeID string, _ any) error {
	*a = append(*a, envelopeID)
	return nil
}

func (*acks) OfAnotherApp(string, string) bool { return false }

// fuzzed is a bot without a Slack, and whether a panic was logged.
func fuzzed(f *testing.F) (*Bot, *atomic.Bool) {
	panics := &atomic.Bool{}
	b, err := New(Config{Timings: timings, Deadlines: deadlines, APIURL: "http://slack.test/api/", Readers: []string{"U1"}, Commands: plain{}, Processes: oneProcess{},
		Metrics: &gauge{}, Now: time.Now, Log: slog.New(slog.NewTextHandler(writer(func(p []byte) {
			if bytes.Contains(p, []byte("panic")) {
				panics.Store(true)
			}
		}), nil))})
	if err != nil {
		f.Fatal(err)
	}
	nobody := &http.Client{Transport: http.NewFileTransport(http.Dir(f.TempDir()))} // no Slack, and no network
	b.api = slack.New("xoxb-secret", slack.OptionHTTPClient(nobody))
	b.outbox.API, b.outbox.HTTP = b.api, nobody
	b.readers = access.List{Variable: "READERS", Listed: b.cfg.Readers, Directory: access.NewDirectory(b.api, "T1", b.cfg.Now, 1)}
	b.operators = access.List{Variable: "OPERATORS"}
	b.queue, b.busy = newQueue(f.Context(), sharedLimits(2, queueSize)), newQueue(f.Context(), sharedLimits(1, busyQueueSize))
	b.cfg.Viewers = &memoryViewers{}
	b.views, b.cfg.Shares = newQueue(f.Context(), sharedLimits(1, viewQueueSize)), unclaimed{}
	return b, panics
}

// unclaimed grants every claim.
type unclaimed struct{ Shares }

func (unclaimed) Claim(context.Context, string, time.Duration) (bool, error) { return true, nil }

type writer func(p []byte)

func (w writer) Write(p []byte) (int, error) {
	w(p)
	return len(p), nil
}
