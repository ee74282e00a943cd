package bot

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
)

// memoryViewers are viewers in memory.
type memoryViewers struct {
	mu    sync.Mutex
	shown map[string]string
}

func (v *memoryViewers) Opened(_ context.Context, user string, _ time.Time) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.shown == nil {
		v.shown = map[string]string{}
	}
	v.shown[user] = cmp.Or(v.shown[user], "")
	return nil
}

func (v *memoryViewers) Recent(context.Context, time.Time) (map[string]string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return maps.Clone(v.shown), nil
}

func (v *memoryViewers) SetShown(_ context.Context, user, shown string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.shown[user] = shown
	return nil
}

func (v *memoryViewers) Forget(_ context.Context, user string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.shown, user)
	return nil
}

// memoryClaims are claims in memory.
type memoryClaims struct {
	Shares
	mu    sync.Mutex
	until map[string]time.Time
}

func (c *memoryClaims) Claim(_ context.Context, id string, ttl time.Duration) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Now().Before(c.until[id]) {
		return false, nil
	}
	if c.until == nil {
		c.until = map[string]time.Time{}
	}
	c.until[id] = time.Now().Add(ttl)
	return true, nil
}

// homeCall is a call of views.publish.
type homeCall struct {
	at     time.Time
	user   string
	hash   string // of the version that it replaces
	blocks string
}

func (s *bubble) publish(w http.ResponseWriter, r *http.Request) {
	var call struct {
		UserID string `json:"user_id"`
		Hash   string
		View   struct{ Blocks json.RawMessage }
	}
	if err := json.NewDecoder(r.Body).Decode(&call); err != nil {
		s.t.Error(err)
	}
	s.mu.Lock()
	s.publishes++
	n := s.publishes
	s.mu.Unlock()
	status, body := s.publishing(n)
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "30")
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, cmp.Or(body, fmt.Sprintf(`{"ok":true,"view":{"hash":"h%d"}}`, n))) // the caller notices
	s.published <- homeCall{time.Now(), call.UserID, call.Hash, string(call.View.Blocks)}
}

// changingHome shows the latest repair.
type changingHome struct {
	plain
	mu sync.Mutex
	n  int
}

func (c *changingHome) Home(context.Context, commands.Home) (commands.Home, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return commands.Home{Repairs: []audit.Entry{{At: time.Unix(946684800, 0), Event: audit.Ended, Action: store.ActionFix, Detail: fmt.Sprintf("state %d.", c.n)}}}, nil
}

func (c *changingHome) change() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
}

// opensHome opens U1's App Home over a connection.
func (l *line) opensHome(t *testing.T, envelope string) {
	t.Helper()
	l.send(t, `{"type":"events_api","envelope_id":"`+envelope+`","payload":{"type":"event_callback","event_id":"Ev`+envelope+`",
		"event":{"type":"app_home_opened","user":"U1","channel":"D1","tab":"home"}}}`)
}

func homeBubble(t *testing.T, publishing func(n int) (int, string), story func(*bubble, *line, *changingHome)) {
	t.Helper()
	home := &changingHome{}
	inBubble(t, func(s *bubble) {
		s.commands = home
		if publishing != nil {
			s.publishing = publishing
		}
	}, func(s *bubble) {
		l, _ := s.both()
		story(s, l, home)
	})
}

// TestHomeIsPublishedAtMostEveryFewSeconds: it is shown at once when it is opened, then as
// it changes, each version over the one before, and not while nothing does.
func TestHomeIsPublishedAtMostEveryFewSeconds(t *testing.T) {
	t.Parallel()
	homeBubble(t, nil, func(s *bubble, l *line, home *changingHome) {
		l.opensHome(t, "e1")
		last := within(t, time.Second, "App Home", s.published)
		if last.user != "U1" || last.hash != "" || !strings.Contains(last.blocks, "state 0.") {
			t.Errorf("published %+v", last)
		}
		for range 600 { // a minute
			home.change()
			l.opensHome(t, fmt.Sprint("again", time.Now().UnixNano()))
			time.Sleep(timings.Home / 30)
		}
		time.Sleep(2 * timings.Home)
		synctest.Wait()
		n := len(s.published)
		if n < 15 || n > 22 {
			t.Errorf("published %d times in a minute", n)
		}
		for range n {
			next := <-s.published
			if pause := next.at.Sub(last.at); pause < timings.Home {
				t.Errorf("published again after %v", pause)
			}
			last = next
		}
		if !strings.Contains(last.blocks, "state 600.") {
			t.Errorf("at last it shows %s", last.blocks)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := len(s.published); n > 0 {
			t.Errorf("published %d times although nothing changed: %+v", n, <-s.published)
		}
	})
}

// TestHomeThatSlackRefuses: a rate limit is waited for, another version is replaced, and
// without a Home tab nothing is published until it is opened again.
func TestHomeThatSlackRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		status  int
		body    string
		after   time.Duration // in which it is published again
		overAny bool          // whatever version Slack has
		left    bool          // it is not published again
	}{
		{name: "too often", status: http.StatusTooManyRequests, after: 40 * time.Second},
		{name: "a stumble", status: http.StatusInternalServerError, after: 20 * time.Second},
		{name: "another version", status: http.StatusOK, body: `{"ok":false,"error":"hash_conflict"}`, after: 10 * time.Second, overAny: true},
		{name: "no Home tab", status: http.StatusOK, body: `{"ok":false,"error":"not_enabled"}`, left: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			refused := 1 // calls after the first one
			if c.body == "" {
				refused = 2
			}
			homeBubble(t, func(n int) (int, string) {
				if n > 1 && n <= 1+refused {
					return c.status, c.body
				}
				return http.StatusOK, ""
			}, func(s *bubble, l *line, home *changingHome) {
				l.opensHome(t, "e1")
				within(t, time.Second, "App Home", s.published)
				home.change()
				for range refused {
					if call := within(t, time.Minute, "refused App Home", s.published); call.hash != "h1" {
						t.Errorf("published over %q", call.hash)
					}
				}
				if c.left {
					time.Sleep(time.Hour)
					synctest.Wait()
					if len(s.published) > 0 || !strings.Contains(s.log.String(), "paste manifest.yml again") {
						t.Errorf("published again; the log: %s", s.log)
					}
					l.opensHome(t, "e2")
					c.after, c.overAny = time.Second, true
				}
				call := within(t, c.after, "App Home", s.published)
				if !strings.Contains(call.blocks, "state 1.") || (call.hash == "") != c.overAny {
					t.Errorf("published over %q: %s", call.hash, call.blocks)
				}
			})
		})
	}
}
