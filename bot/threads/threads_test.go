package threads_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/bot/threads"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/internal/watch"
	"github.com/superduperai/sessionbot/internal/workspace"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/follow"
	"github.com/superduperai/sessionbot/store/rdb"
)

const session = "cs_live_a1"

// trail keeps what was recorded.
type trail struct {
	entries []audit.Entry
	err     error
}

func (t *trail) RecordOnce(_ context.Context, e audit.Entry) error {
	if t.err == nil {
		t.entries = append(t.entries, e)
	}
	return t.err
}

// stage is a workspace with a question in its channel.
type stage struct {
	*wstest.Workspace
	threads *threads.Threads
	trail   *trail
	asked   follow.Thread
}

func play(t *testing.T) *stage {
	t.Helper()
	server, err := workspace.Start(workspace.Config{Addr: "127.0.0.1:0"})
	testenv.Must(t, err)
	t.Cleanup(func() { _ = server.Close() })
	r, err := rdb.Open(t.Context(), "redis://"+miniredis.RunT(t).Addr())
	testenv.Must(t, err)
	t.Cleanup(func() { _ = r.Close() })
	s := &stage{Workspace: wstest.New(t, server.URL(), server.ControlKey()), trail: &trail{}}
	s.threads = &threads.Threads{Store: follow.NewStore(r), Trail: s.trail, SiteURL: "https://site.example", Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Outbox: &slackapi.Outbox{API: slack.New(server.BotToken(), slack.OptionAPIURL(server.APIURL())), HTTP: http.DefaultClient, Log: slog.New(slog.DiscardHandler),
			MinRetryDelay: time.Millisecond, OutageRetryDelay: time.Millisecond, Send: testenv.Patience, Call: testenv.Patience}}
	ts, err := server.Write("U0SUPPORT", "C0SUPPORT", "", "Where is it?")
	testenv.Must(t, err)
	s.As("U0SUPPORT").In("C0SUPPORT").ExpectMessage(wstest.Saying("Where is it?"))
	s.asked = follow.Thread{Message: store.Message{Channel: "C0SUPPORT", TS: ts}, By: "U0SUPPORT", At: time.Now(),
		Answer: &follow.Answer{End: follow.Refunded, Mark: "m1", Claimed: time.Now()}}
	return s
}

// TestAnswerIsFound by its mark, in its thread and nowhere else.
func TestAnswerIsFound(t *testing.T) {
	t.Parallel()
	s := play(t)
	if m, found, err := s.threads.FindAnswer(t.Context(), s.asked); found || err != nil {
		t.Errorf("before it is posted: %+v, %v, %v", m, found, err)
	}
	posted, permalink, err := s.threads.Answer(t.Context(), session, s.asked)
	if err != nil || permalink == "" {
		t.Fatalf("%q, %v", permalink, err)
	}
	m := s.As("U0SUPPORT").In("C0SUPPORT").ExpectMessage(wstest.Saying("Refunded in full: ", "Your payment was refunded in full", "customer.informed"))
	if m.ThreadTS != s.asked.Message.TS || m.TS != posted.TS {
		t.Errorf("posted is %s, in the thread %s", m, m.ThreadTS)
	}
	if found, ok, err := s.threads.FindAnswer(t.Context(), s.asked); found != posted || !ok || err != nil {
		t.Errorf("found %+v, %v, %v", found, ok, err)
	}
	other := s.asked
	other.Answer = &follow.Answer{Mark: "m2", Claimed: time.Now()}
	if m, found, err := s.threads.FindAnswer(t.Context(), other); found || err != nil {
		t.Errorf("another answer: %+v, %v, %v", m, found, err)
	}
	s.Refuse("conversations.replies", "missing_scope")
	if _, _, err := s.threads.FindAnswer(t.Context(), s.asked); !errors.Is(err, watch.ErrHistoryForbidden) {
		t.Errorf("where the thread may not be read: %v", err)
	}
	s.Fault("clear", 0, "")
	s.Fault("rate_limit", 60, "conversations.replies")
	var failure *watch.DeliveryError
	if _, _, err := s.threads.FindAnswer(t.Context(), s.asked); !errors.As(err, &failure) || !failure.Unclear {
		t.Errorf("where Slack is busy: %v", err)
	}
}

// TestThreadThatTakesNoAnswer: the answer goes to the person who asked, and if that fails as
// well to no one.
func TestThreadThatTakesNoAnswer(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.asked.Message = store.Message{Channel: "C0NOWHERE", TS: "1.5"}
	if m, _, err := s.threads.Answer(t.Context(), session, s.asked); err != nil || m.TS == "" {
		t.Fatalf("%+v, %v", m, err)
	}
	s.As("U0SUPPORT").In("D0SUPPORT").ExpectMessage(wstest.Saying("Refunded in full: "))
	s.Refuse("chat.postMessage", "channel_not_found")
	var failure *watch.DeliveryError
	if _, _, err := s.threads.Answer(t.Context(), session, s.asked); !errors.As(err, &failure) || !failure.MessageGone || failure.Unclear {
		t.Errorf("where nobody can be answered: %v", err)
	}
}

// TestInform: a tick is on record before it is shown; one that could not be recorded is
// recorded by the next press.
func TestInform(t *testing.T) {
	t.Parallel()
	s := play(t)
	lea, sam := store.Actor{ID: "U0LEAD"}, store.Actor{ID: "U0SUPPORT"}
	if _, _, err := s.threads.Inform(t.Context(), session, lea, "C0SUPPORT"); !errors.Is(err, follow.ErrUnknown) {
		t.Errorf("of a session that nobody asked about: %v", err)
	}
	posted, _, err := s.threads.Answer(t.Context(), session, s.asked)
	testenv.Must(t, err)
	here := s.As("U0SUPPORT").In("C0SUPPORT")
	m := here.ExpectMessage(wstest.Saying("customer.informed"))
	s.asked.Answer.Message, s.asked.Answer.Posted = posted, time.Now()
	testenv.Must(t, s.threads.Follow(t.Context(), session, s.asked))

	s.trail.err = errors.New("away")
	if _, first, err := s.threads.Inform(t.Context(), session, lea, "C0SUPPORT"); first || err == nil {
		t.Errorf("not recorded: %v, %v", first, err)
	}
	s.ExpectNothingElse()
	s.trail.err = nil
	by, first, err := s.threads.Inform(t.Context(), session, sam, "C0SUPPORT")
	if first || err != nil || by.By != "U0LEAD" || by.End != follow.Refunded {
		t.Errorf("pressed again: %+v, %v, %v", by, first, err)
	}
	if m = here.ExpectUpdate(m, wstest.Saying("Customer informed by", "U0LEAD")); strings.Contains(string(m.Blocks), "customer.informed") {
		t.Errorf("it is offered still: %s", m)
	}
	if len(s.trail.entries) != 1 || s.trail.entries[0].Event != audit.Informed || s.trail.entries[0].Who != lea || !s.trail.entries[0].At.Equal(by.At) {
		t.Errorf("on record: %+v", s.trail.entries)
	}
}

// TestInformThatIsNotShown: who pressed has to be answered where Slack takes no update.
func TestInformThatIsNotShown(t *testing.T) {
	t.Parallel()
	s := play(t)
	posted, _, err := s.threads.Answer(t.Context(), session, s.asked)
	testenv.Must(t, err)
	s.As("U0SUPPORT").In("C0SUPPORT").ExpectMessage(wstest.Saying("customer.informed"))
	s.asked.Answer.Message, s.asked.Answer.Posted = posted, time.Now()
	testenv.Must(t, s.threads.Follow(t.Context(), session, s.asked))
	s.Refuse("chat.update", "edit_window_closed")
	by, shown, err := s.threads.Inform(t.Context(), session, store.Actor{ID: "U0LEAD"}, "C0SUPPORT")
	if shown || err != nil || by.By != "U0LEAD" {
		t.Errorf("%+v, shown: %v, %v", by, shown, err)
	}
}
