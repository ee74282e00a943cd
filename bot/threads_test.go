package bot_test

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/follow"
)

// fakeThreads record what is followed.
type fakeThreads struct {
	mu       sync.Mutex
	followed []follow.Thread
	informed *follow.Informed
	err      error
}

func (f *fakeThreads) Follow(_ context.Context, id string, t follow.Thread) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if id == session {
		f.followed = append(f.followed, t)
	}
	return f.err
}

func (f *fakeThreads) Inform(_ context.Context, _ string, by store.Actor, _ string) (follow.Informed, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return follow.Informed{}, false, f.err
	}
	if f.informed != nil {
		return *f.informed, false, nil
	}
	f.informed = &follow.Informed{By: by.ID, At: time.Now()}
	return *f.informed, true, nil
}

// expectFollowed expects these threads to be followed, and no others.
func (f *fakeThreads) expectFollowed(t *testing.T, want ...store.Message) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.followed) != len(want) {
		t.Fatalf("followed are %+v, want %+v", f.followed, want)
	}
	for n, thread := range f.followed {
		if thread.Message != want[n] || thread.By != "U0SUPPORT" || thread.Before != follow.Handled {
			t.Errorf("followed is %+v, want %+v", thread, want[n])
		}
	}
}

// awaited is the answer about a session that has not ended.
func awaited(context.Context, commands.Request) commands.Answer {
	a := aboutSession("Orphaned")
	a.Follow = &follow.Thread{At: time.Now(), Before: follow.Handled}
	return a
}

func tick(id string) *slack.ButtonBlockElement {
	return blockkit.Button("customer.informed", "Tick", id)
}

// TestFollowedThreads are those of a mention and a direct message, of the message that a
// shortcut is used on, also where it names several sessions and one is chosen then, and of
// a shared answer.
func TestFollowedThreads(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.commands.run = awaited
	s.commands.action = func(ctx context.Context, _, _ string, req commands.Request) commands.Answer { return awaited(ctx, req) }
	sam := s.As("U0SUPPORT")
	here := sam.In("C0SUPPORT")
	asked := write(t, s, here, "U0SUPPORT", "C0SUPPORT", "", "<@U0BOT> "+session)
	here.ExpectMessage(wstest.Saying("Orphaned"))
	direct := write(t, s, sam.In("D0SUPPORT"), "U0SUPPORT", "D0SUPPORT", "", session)
	sam.In("D0SUPPORT").ExpectMessage(wstest.Saying("Orphaned"))
	mention, dm := store.Message{Channel: "C0SUPPORT", TS: asked.TS}, store.Message{Channel: "D0SUPPORT", TS: direct.TS}
	s.threads.expectFollowed(t, mention, dm)

	root := write(t, s, here, "U0SUPPORT", "C0SUPPORT", "", "A customer has no video")
	reply := write(t, s, here, "U0SUPPORT", "C0SUPPORT", root.TS, "It is "+session)
	several := write(t, s, here, "U0SUPPORT", "C0SUPPORT", root.TS, "Or is it "+session+" or cs_live_b2?")
	shortcut := func(m wstest.Message) {
		t.Helper()
		if err := here.Shortcut(m, "session_from_message"); err != nil {
			t.Fatal(err)
		}
	}
	shortcut(asked)
	sam.Close(sam.ExpectModal(showing("Orphaned")))
	shortcut(reply)
	sam.Close(sam.ExpectModal(showing("Orphaned")))
	inThread := store.Message{Channel: "C0SUPPORT", TS: root.TS}
	s.threads.expectFollowed(t, mention, dm, mention, inThread)
	shortcut(several)
	choice := sam.ExpectModal(showing("This names 2 sessions or customers"))
	s.threads.expectFollowed(t, mention, dm, mention, inThread) // nothing was chosen yet
	sam.Press(choice, "session.debug")
	sam.ExpectModal(showing("Orphaned"))
	s.threads.expectFollowed(t, mention, dm, mention, inThread, inThread)

	here.Type("/session debug " + session)
	own := here.ExpectMessage(wstest.Saying("session.share"))
	here.Click(own, "session.share")
	shared := here.ExpectMessage(wstest.Saying("shared by"))
	s.ExpectNothingElse()
	s.threads.expectFollowed(t, mention, dm, mention, inThread, inThread, store.Message{Channel: "C0SUPPORT", TS: shared.TS})
}

// TestFollowedThreadWithoutAModal: where none opens, what is chosen in the message that
// comes in its place is about the thread as well.
func TestFollowedThreadWithoutAModal(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.commands.action = func(ctx context.Context, _, _ string, req commands.Request) commands.Answer { return awaited(ctx, req) }
	s.Refuse("views.open", "expired_trigger_id")
	here := s.As("U0SUPPORT").In("C0SUPPORT")
	root := write(t, s, here, "U0SUPPORT", "C0SUPPORT", "", "A customer has no video")
	reply := write(t, s, here, "U0SUPPORT", "C0SUPPORT", root.TS, "Is it "+session+", cs_live_b2 or ann@example.com?")
	var want []store.Message
	for _, named := range []wstest.Message{reply, write(t, s, here, "U0SUPPORT", "C0SUPPORT", "", session+" or cs_live_b2?")} {
		if err := here.Shortcut(named, "session_from_message"); err != nil {
			t.Fatal(err)
		}
		choice := here.ExpectMessage(wstest.Saying("sessions or customers"))
		s.threads.expectFollowed(t, want...) // nothing was chosen yet
		here.ClickValue(choice, "session.debug", session)
		here.ExpectMessage(wstest.Saying("Orphaned"))
		want = append(want, store.Message{Channel: "C0SUPPORT", TS: cmp.Or(named.ThreadTS, named.TS)})
		s.threads.expectFollowed(t, want...)
	}
	s.ExpectNothingElse()
}

// TestShareWhereTheBotIsNoMember is posted all the same, and not followed: Slack does not
// say where it is.
func TestShareWhereTheBotIsNoMember(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.commands.run = awaited
	s.commands.action = func(ctx context.Context, _, _ string, req commands.Request) commands.Answer { return awaited(ctx, req) }
	s.Refuse("chat.postMessage", "not_in_channel")
	here := s.As("U0SUPPORT").In("C0SUPPORT")
	here.Type("/session debug " + session)
	here.Click(here.ExpectMessage(wstest.Saying("session.share")), "session.share")
	if m := here.ExpectMessage(wstest.Saying("shared by")); m.Ephemeral {
		t.Errorf("got %s", m)
	}
	s.ExpectNothingElse()
	s.threads.expectFollowed(t)
}

// TestCustomerInformed: every reader may tick it, once, and no one else.
func TestCustomerInformed(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.commands.run = func(_ context.Context, req commands.Request) commands.Answer {
		a := aboutSession("Ready")
		a.Actions = append(a.Actions, tick(req.Text))
		return a
	}
	sam, lea := s.As("U0SUPPORT").In("C0SUPPORT"), s.As("U0LEAD").In("C0SUPPORT")
	write(t, s, sam, "U0SUPPORT", "C0SUPPORT", "", "<@U0BOT> cs_live_")
	sam.Click(sam.ExpectMessage(wstest.Saying("Ready")), "customer.informed")
	sam.ExpectMessage(wstest.Saying("Nobody has asked about this session"))
	write(t, s, sam, "U0SUPPORT", "C0SUPPORT", "", "<@U0BOT> "+session)
	m := sam.ExpectMessage(wstest.Saying("Ready"))
	s.As("U0GUEST").In("C0SUPPORT").ClickValue(m, "customer.informed", session)
	s.As("U0GUEST").In("C0SUPPORT").ExpectMessage(wstest.Saying("Only full members"))
	sam.ClickValue(m, "customer.informed", session)
	s.ExpectNothingElse() // the message shows it
	lea.ClickValue(m, "customer.informed", session)
	lea.ExpectMessage(wstest.Saying("the customer was informed by", "U0SUPPORT"))
	for err, says := range map[error]string{follow.ErrUnknown: "Nobody has asked about this session", errors.New("away"): "Ref"} {
		s.threads.mu.Lock()
		s.threads.err = err
		s.threads.mu.Unlock()
		lea.ClickValue(m, "customer.informed", session)
		lea.ExpectMessage(wstest.Saying(says))
	}
}
