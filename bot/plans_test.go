package bot

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store/repair"
)

// TestPlanGoesToTheAlertChannel if its own channel takes no messages of ours, but not after a
// transient fault, or if Slack refuses the app as a whole.
func TestPlanGoesToTheAlertChannel(t *testing.T) {
	t.Parallel()
	here, both := []string{"C1"}, []string{"C1", "C9"}
	for code, want := range map[string][]string{
		"": here, "not_in_channel": both, "channel_not_found": both, "is_archived": both, "is_inactive": both, "restricted_action": both,
		"restricted_action_read_only_channel": both, "restricted_action_thread_only_channel": both, "no_permission": both, "of_tomorrow": both,
		"method_not_supported_for_channel_type": both, "org_login_required": here, "invalid_arguments": here,
		"internal_error": here, "fatal_error": here, "token_revoked": here, "missing_scope": here, "invalid_blocks": here,
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			var tried []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				channel := r.FormValue("channel")
				if r.URL.Path == "/chat.getPermalink" {
					_, _ = io.WriteString(w, `{"ok":true,"permalink":"https://x.slack.com/archives/C9/p12"}`)
					return
				}
				tried = append(tried, channel)
				if channel == "C1" && code != "" {
					_, _ = fmt.Fprintf(w, `{"ok":false,"error":%q}`, code) // the caller notices
					return
				}
				_, _ = io.WriteString(w, `{"ok":true,"channel":"`+channel+`","ts":"1.2"}`)
			}))
			defer server.Close()
			api := slack.New("xoxb", slack.OptionAPIURL(server.URL+"/"))
			a := approvals{&responder{
				outbox: testOutbox(api),
				cfg:    Config{Repairs: Repairs{AlertChannel: "C9", Approvals: "all"}},
			}}
			m, pointer, err := a.postPlan(t.Context(), requester{channel: "C1"}, repair.Plan{}, hello.Blocks)
			if !slices.Equal(tried, want) {
				t.Errorf("tried %v, want %v", tried, want)
			}
			if shown := code == "" || len(want) == 2; shown != (err == nil) || shown && m.Channel != want[len(want)-1] || (pointer != nil) != (len(want) == 2) {
				t.Errorf("shown in %v, pointer %v: %v", m, pointer, err)
			}
		})
	}
}

// TestPlanWaitsOnceForTheRateLimit, at which nothing was posted, and for no other fault.
func TestPlanWaitsOnceForTheRateLimit(t *testing.T) {
	t.Parallel()
	limited, ok := reply(429, "", "Retry-After", "0.5"), reply(200, `{"ok":true,"channel":"C1","ts":"1.2"}`)
	for _, c := range []struct {
		name    string
		replies []func(http.ResponseWriter)
		shown   bool
	}{
		{"once", []func(http.ResponseWriter){limited, ok}, true},
		{"twice", []func(http.ResponseWriter){limited, limited}, false},
		{"for too long", []func(http.ResponseWriter){reply(429, "", "Retry-After", "86400")}, false},
		{"a stumble", []func(http.ResponseWriter){reply(500, "")}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				calls++
				c.replies[min(calls, len(c.replies))-1](w)
			}))
			defer server.Close()
			api := slack.New("xoxb", slack.OptionHTTPClient(slackapi.NewHTTPClient(testenv.Patience, testenv.Patience)), slack.OptionAPIURL(server.URL+"/"))
			o := testOutbox(api)
			m, err := o.Post(t.Context(), "C1", planMark("P1"), hello.Blocks)
			if (err == nil) != c.shown || (m.TS != "") != c.shown || calls != len(c.replies) {
				t.Errorf("%v after %d calls: %v", m, calls, err)
			}
		})
	}
}
