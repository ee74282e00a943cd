package bot

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
)

// TestPlanGoesToTheAlertChannel where its own takes no messages of ours, and
// nowhere else where Slack only stumbles, or refuses the app as a whole.
func TestPlanGoesToTheAlertChannel(t *testing.T) {
	t.Parallel()
	here, both := []string{"C1"}, []string{"C1", "C9"}
	for code, want := range map[string][]string{
		"": here, "not_in_channel": both, "channel_not_found": both, "is_archived": both, "is_inactive": both, "restricted_action": both,
		"restricted_action_read_only_channel": both, "restricted_action_thread_only_channel": both, "no_permission": both, "of_tomorrow": both,
		"internal_error": here, "fatal_error": here, "token_revoked": here, "missing_scope": here, "invalid_blocks": here,
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			var tried []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				channel := r.FormValue("channel")
				tried = append(tried, channel)
				if channel == "C1" && code != "" {
					_, _ = fmt.Fprintf(w, `{"ok":false,"error":%q}`, code) // the asker notices
					return
				}
				_, _ = io.WriteString(w, `{"ok":true,"channel":"`+channel+`","ts":"1.2"}`)
			}))
			defer server.Close()
			api := slack.New("xoxb", slack.OptionAPIURL(server.URL+"/"))
			b := &Bot{
				outbox:  &outbox{api: api, log: slog.New(slog.DiscardHandler), timings: testenv.Shorten(timings), patience: 24},
				repairs: Repairs{AlertChannel: "C9", Approvals: "all"},
			}
			m, pointer, err := b.postPlan(t.Context(), asker{channel: "C1"}, store.Plan{}, hello.blocks)
			if !slices.Equal(tried, want) {
				t.Errorf("tried %v, want %v", tried, want)
			}
			if shown := code == "" || len(want) == 2; shown != (err == nil) || shown && m.Channel != want[len(want)-1] || (pointer != nil) != (len(want) == 2) {
				t.Errorf("shown in %v, pointer %v: %v", m, pointer, err)
			}
		})
	}
}
