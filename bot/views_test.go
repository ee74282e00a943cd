package bot_test

import (
	"context"
	"errors"
	"testing"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
)

// TestViewThatCannotLieAbove replaces the view whose button was pressed.
func TestViewThatCannotLieAbove(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.Refuse("views.push", "push_limit_reached")
	s.commands.action = func(_ context.Context, _, value string, _ commands.Request) commands.Answer {
		return aboutSession("debug of " + value)
	}
	sam, place := s.As("U0SUPPORT"), s.As("U0SUPPORT").In("C0SUPPORT")
	m := write(t, s, place, "U0SUPPORT", "C0SUPPORT", "", "cs_live_b2 cs_live_c3")
	if err := place.Shortcut(m, "session_from_message"); err != nil {
		t.Fatal(err)
	}
	choice := sam.ExpectModal(showing("cs_live_b2"))
	sam.Press(choice, "session.debug")
	if v := sam.ExpectModal(showing("debug of cs_live_b2")); v.ID != choice.ID {
		t.Errorf("got another modal")
	}
	s.ExpectNothingElse()
}

// TestFailedRefreshInAView can be repeated there.
func TestFailedRefreshInAView(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.commands.run = func(context.Context, commands.Request) commands.Answer { return aboutSession("Orphaned") }
	s.commands.action = func(context.Context, string, string, commands.Request) commands.Answer {
		return commands.Answer{Outcome: commands.Failed, Blocks: says("Redis is away"), Err: errors.New("no redis")}
	}
	sam, place := s.As("U0SUPPORT"), s.As("U0SUPPORT").In("C0SUPPORT")
	m := write(t, s, place, "U0SUPPORT", "C0SUPPORT", "", session)
	if err := place.Shortcut(m, "session_from_message"); err != nil {
		t.Fatal(err)
	}
	sam.Press(sam.ExpectModal(showing("Orphaned")), "session.debug")
	failed := sam.ExpectModal(showing("Redis is away", "Refresh"))
	s.commands.action = func(context.Context, string, string, commands.Request) commands.Answer {
		return aboutSession("Completed")
	}
	sam.Press(failed, "session.debug")
	if v := sam.ExpectModal(showing("Completed")); v.ID != failed.ID {
		t.Errorf("got another modal")
	}
	s.ExpectNothingElse()
}

// TestViewThatSlackRefuses is shown as text alone.
func TestViewThatSlackRefuses(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.commands.run = func(context.Context, commands.Request) commands.Answer {
		table, _ := blockkit.Table([]string{"Figure", "Value"}, [][]string{{"keys", "seven"}}, true)
		return commands.Answer{Outcome: commands.Done, Blocks: append(says("Orphaned"), table)}
	}
	sam, place := s.As("U0SUPPORT"), s.As("U0SUPPORT").In("C0SUPPORT")
	m := write(t, s, place, "U0SUPPORT", "C0SUPPORT", "", session)
	if err := place.Shortcut(m, "session_from_message"); err != nil {
		t.Fatal(err)
	}
	sam.ExpectModal(showing("Orphaned", "seven"))
	s.ExpectNothingElse()
}

// TestModalThatWasOpenedAllTheSame is filled, although Slack's answer got lost.
func TestModalThatWasOpenedAllTheSame(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.Fault("lose_answer", 0, "views.open")
	s.commands.run = func(context.Context, commands.Request) commands.Answer { return aboutSession("Orphaned") }
	sam, place := s.As("U0SUPPORT"), s.As("U0SUPPORT").In("C0SUPPORT")
	m := write(t, s, place, "U0SUPPORT", "C0SUPPORT", "", session)
	if err := place.Shortcut(m, "session_from_message"); err != nil {
		t.Fatal(err)
	}
	sam.ExpectModal(showing("Orphaned"))
	s.ExpectNothingElse()
}

// TestClosedModal: a person who closes a modal waits for no answer.
func TestClosedModal(t *testing.T) {
	t.Parallel()
	s := play(t)
	slow := make(chan struct{})
	s.commands.run = func(context.Context, commands.Request) commands.Answer {
		<-slow
		return aboutSession("Orphaned")
	}
	sam, place := s.As("U0SUPPORT"), s.As("U0SUPPORT").In("C0SUPPORT")
	m := write(t, s, place, "U0SUPPORT", "C0SUPPORT", "", session)
	if err := place.Shortcut(m, "session_from_message"); err != nil {
		t.Fatal(err)
	}
	sam.Close(sam.ExpectModal(showing("Looking it up")))
	close(slow)
	s.ExpectNothingElse()
}

// TestModalsOpenWhileEverythingIsBusy: opening a modal never waits for other work.
func TestModalsOpenWhileEverythingIsBusy(t *testing.T) {
	t.Parallel()
	s := play(t)
	busy := make(chan struct{})
	defer close(busy)
	s.commands.run = func(ctx context.Context, _ commands.Request) commands.Answer {
		select {
		case <-busy:
		case <-ctx.Done():
		}
		return commands.Answer{Outcome: commands.Failed}
	}
	lea := s.As("U0LEAD").In("C0SUPPORT")
	m := write(t, s, lea, "U0LEAD", "C0SUPPORT", "", session)
	for range 3 {
		for range 8 { // all workers of one person
			lea.Type("/session debug " + session)
		}
	}
	if err := lea.Shortcut(m, "session_from_message"); err != nil {
		t.Fatal(err)
	}
	s.As("U0LEAD").ExpectModal(showing("Looking it up"))
	s.stop()
}
