package bot

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// An answer goes to Slack or nowhere: whatever address an envelope names, the bot dials
// no other host, and answers as the bot instead.
func TestAnswersGoToSlackAlone(t *testing.T) {
	t.Parallel()
	elsewhere := []string{
		"", "http://elsewhere.test/response", "https://elsewhere.test/", "http://127.0.0.1:6379/", "http://169.254.169.254/latest/",
		"http://slack.test:6379/response", "https://slack.test/response", "http://slack.test@elsewhere.test/response",
		"http://slack.test.elsewhere.test/response", "//elsewhere.test/response", "file:///etc/passwd", "http://[::1]/response",
		"http://slack.test\\@elsewhere.test/", "http://elsewhere.test#http://slack.test/response", "\x00", strings.Repeat("h", 10_000),
	}
	for _, c := range []struct {
		apiURL, own string
		dials       []string // whom it may dial for an answer
		foreign     []string
	}{
		{"http://slack.test/api/", "http://slack.test/response", nil, append(elsewhere, "https://hooks.slack.com/commands/x")},
		{"", "https://hooks.slack.com/commands/x", []string{"hooks.slack.com:443"},
			append(elsewhere, "http://slack.test/response", "http://hooks.slack.com/x", "https://hooks.slack.com.elsewhere.test/x")},
	} {
		t.Run("SLACK_API_URL "+c.apiURL, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(s *bubble) { s.apiURL = c.apiURL }, func(s *bubble) {
				line, _ := s.both()
				for i, url := range append(c.foreign, c.own) {
					line.typesFrom(t, fmt.Sprint("e", i), "x", url)
					answer := within(t, time.Minute, "answer", s.answers)
					if asBot := strings.HasPrefix(answer, "as the bot"); asBot != (url != c.own || c.dials != nil) {
						t.Errorf("%q was answered %s", url, answer)
					}
				}
				s.mu.Lock()
				defer s.mu.Unlock()
				others := slices.DeleteFunc(slices.Clone(s.dialled), func(addr string) bool { return addr == "slack.test:80" })
				if !slices.Equal(others, c.dials) {
					t.Errorf("it dialled %v, want %v", others, c.dials)
				}
				if strings.Contains(s.log.String(), "elsewhere.test") {
					t.Errorf("an address is in the log: %s", s.log)
				}
			})
		})
	}
}

// What Slack refuses for a while arrives in the end, and once.
func TestAnswersOutliveAnOutage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		lasts      time.Duration
		status     int
		retryAfter string
		member     bool // the bot may speak in the channel
		posts      int  // through response_url
	}{
		{"an error", time.Second, http.StatusInternalServerError, "", true, 2},
		{"a rate limit", time.Second, http.StatusTooManyRequests, "1", true, 2},
		// Then only response_url answers: it is tried again once the outage is over.
		{"an outage where the bot is no member", 3 * time.Second, http.StatusInternalServerError, "", false, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var first time.Time
			posts := 0
			inBubble(t, func(s *bubble) {
				s.posting = func(w http.ResponseWriter, own bool) bool {
					if first.IsZero() {
						first = time.Now()
					}
					if !own {
						posts++
					}
					switch {
					case time.Since(first) < c.lasts:
						if c.retryAfter != "" {
							w.Header().Set("Retry-After", c.retryAfter)
						}
						w.WriteHeader(c.status)
					case own && !c.member:
						_, _ = w.Write([]byte(`{"ok":false,"error":"not_in_channel"}`)) // the caller notices
					default:
						return false
					}
					return true
				}
			}, func(s *bubble) {
				line, _ := s.both()
				line.types(t, "e1", "x")
				if got := within(t, time.Minute, "answer", s.answers); !strings.Contains(got, "answer to x") || strings.Contains(got, "as the bot") {
					t.Errorf("answered %s", got)
				}
				time.Sleep(time.Minute)
				s.quiet()
				if posts != c.posts {
					t.Errorf("posted %d times, want %d", posts, c.posts)
				}
			})
		})
	}
}
