package bot

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/commands"
)

// uncounted counts nothing.
type uncounted struct{ Metrics }

func (uncounted) Answered(string, string, time.Duration) {}

// TestNoticeBeforeTheAnswer: a notice says why a request takes long, and never after the
// answer, even if Slack is slow to take the notice.
func TestNoticeBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}), make(chan struct{})
	var taken atomic.Bool
	slow := func(http.ResponseWriter) {
		close(arrived)
		<-release
		taken.Store(true)
	}
	o, url, posts := hookServer(t, slow, func(http.ResponseWriter) {
		if !taken.Load() {
			t.Error("the answer overtook the notice")
		}
	})
	r := &responder{outbox: o, log: slog.New(slog.DiscardHandler), cfg: Config{Now: time.Now, Metrics: uncounted{}, Deadlines: NewDeadlines(24)}}
	r.cfg.Deadlines.Notice = time.Millisecond
	a, to := answers{responder: r}, requester{responseURL: url}
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.answer(t.Context(), to, placement{long: true}, func(context.Context) commands.Answer {
			<-arrived
			time.AfterFunc(50*time.Millisecond, func() { close(release) }) // time for an answer that does not wait to overtake it
			return commands.Answer{Outcome: commands.Done, Blocks: hello.Blocks}
		})
	}()
	<-done
	if texts := posts.all(); len(texts) != 2 || !strings.HasPrefix(texts[0], "Checking each session first") || texts[1] != "hello" {
		t.Errorf("%q", texts)
	}
}
