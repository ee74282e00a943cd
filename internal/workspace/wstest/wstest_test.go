package wstest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/internal/workspace"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
)

// recorder is a test whose failures are looked at instead of reported.
type recorder struct {
	testing.TB
	cleanup []func()
	errors  []string
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanup = append(r.cleanup, f) }
func (r *recorder) Failed() bool     { return len(r.errors) > 0 }
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

// end ends the recorded test and returns its failures.
func (r *recorder) end() string {
	for _, f := range r.cleanup {
		f()
	}
	return strings.Join(r.errors, "\n")
}

func start(t *testing.T) *workspace.Server {
	t.Helper()
	s, err := workspace.Start(workspace.Config{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func write(t *testing.T, s *workspace.Server, text string) {
	t.Helper()
	if _, err := s.Write("U0LEAD", "C0ALERTS", "", text); err != nil {
		t.Fatal(err)
	}
}

func TestUnexpectedNewsFailTheTest(t *testing.T) {
	t.Parallel()
	s := start(t)
	write(t, s, "there before the test")
	for _, c := range []struct {
		name string
		do   func(w *wstest.Workspace)
		want string
	}{
		{"nothing", func(*wstest.Workspace) {}, ""},
		{"a message at the end", func(*wstest.Workspace) { write(t, s, "surprise") }, `unexpected message: U0LEAD in C0ALERTS: "surprise"`},
		{"a message at a check", func(w *wstest.Workspace) { write(t, s, "surprise"); w.ExpectNothingElse() }, `unexpected message: U0LEAD in C0ALERTS: "surprise"`},
		{"a message that is expected", func(w *wstest.Workspace) {
			write(t, s, "news")
			w.As("U0SUPPORT").In("C0ALERTS").ExpectMessage(wstest.Saying("news"))
			w.ExpectNothingElse()
		}, ""},
		{"what the test types", func(w *wstest.Workspace) { w.As("U0SUPPORT").In("C0ALERTS").Type("hello") }, ""},
		{"an error that Slackbot shows", func(w *wstest.Workspace) {
			sam := w.As("U0SUPPORT").In("C0ALERTS")
			if err := sam.TryType("/x"); err == nil || err.Error() != "dispatch_failed" {
				t.Errorf("typing: %v", err)
			}
			if m := sam.ExpectMessage(nil); m.User != "USLACKBOT" || !m.Ephemeral || m.VisibleTo != "U0SUPPORT" {
				t.Errorf("Slackbot's message: %+v", m)
			}
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &recorder{TB: t}
			c.do(wstest.New(r, s.URL(), s.ControlKey()))
			if got := r.end(); !strings.HasPrefix(got, c.want) || (c.want == "" && got != "") {
				t.Errorf("failures %q, want %q", got, c.want)
			}
		})
	}
}

func TestAwaitConnections(t *testing.T) {
	t.Parallel()
	s := start(t)
	w := wstest.New(t, s.URL(), s.ControlKey())
	w.AwaitConnections(0)
	w.AwaitNoConnection()
}
