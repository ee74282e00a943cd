package bot

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/testenv"
)

var hello = slackapi.Message{Blocks: []slack.Block{blockkit.Paragraph(blockkit.L(blockkit.Plain("hello")))}}

// testOutbox returns an outbox that calls Slack through api.
func testOutbox(api *slack.Client) *slackapi.Outbox {
	return newOutbox(Config{Log: slog.New(slog.DiscardHandler), Timings: testenv.Shorten(timings), Deadlines: NewDeadlines(24)}, api, nil, slackapi.Origin{})
}

// received are the texts that were posted.
type received struct {
	mu    sync.Mutex
	texts []string
}

func (r *received) add(text string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.texts = append(r.texts, text)
	return len(r.texts)
}

func (r *received) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.texts)
}

// hookServer answers each post with the next reply. It returns an outbox, and where that
// may post to.
func hookServer(t *testing.T, replies ...func(http.ResponseWriter)) (*slackapi.Outbox, string, *received) {
	t.Helper()
	arrived := &received{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var p struct{ Text string }
		if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
			t.Error(err)
		}
		if n := arrived.add(p.Text); n <= len(replies) {
			replies[n-1](w)
		}
	}))
	t.Cleanup(server.Close)
	o := testOutbox(nil)
	origin, err := slackapi.OriginForAPI(server.URL + "/api/")
	testenv.Must(t, err)
	o.HTTP, o.Origin = server.Client(), origin
	return o, server.URL + "/response/secret", arrived
}

func reply(status int, body string, header ...string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body) // the caller notices what is missing
	}
}
