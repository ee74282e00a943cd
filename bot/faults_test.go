package bot_test

import (
	"context"
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/requestid"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
)

func TestPanicIsAnsweredWithItsRef(t *testing.T) {
	t.Parallel()
	s := play(t)
	var ref string
	s.commands.run = func(ctx context.Context, _ commands.Request) commands.Answer {
		ref = requestid.FromContext(ctx)
		panic("a customer's prompt")
	}
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	sam.Type("/session debug " + session)
	m := sam.ExpectMessage(wstest.Saying("Something went wrong on our side; nothing was changed. Ref "))
	if !strings.Contains(m.Text, ref) {
		t.Errorf("%q does not name %s", m.Text, ref)
	}
	log := s.log.String()
	if !strings.Contains(log, "component=bot") || !strings.Contains(log, ref) || !strings.Contains(log, "TestPanicIsAnsweredWithItsRef") || strings.Contains(log, "a customer's prompt") {
		t.Errorf("log: %s", log)
	}
	s.commands.run = func(context.Context, commands.Request) commands.Answer { return aboutSession("Orphaned") }
	sam.Type("/session debug " + session)
	sam.ExpectMessage(wstest.Saying("Orphaned"))
	s.ExpectNothingElse()
}

func TestAnswerThatResponseURLRefusesComesFromTheBotItself(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.commands.run = func(context.Context, commands.Request) commands.Answer {
		s.Fault("server_error", 0, "response_url")
		return aboutSession("Orphaned")
	}
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	sam.Type("/session debug " + session)
	if m := sam.ExpectMessage(wstest.Saying("Orphaned")); !m.Ephemeral {
		t.Errorf("got %s", m)
	}
	s.ExpectNothingElse()
	if log := s.log.String(); !strings.Contains(log, "answer not delivered, answering as the bot") || strings.Contains(log, "/response/") {
		t.Errorf("log: %s", log)
	}
}

func TestDroppedSocketComesBack(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.commands.run = func(context.Context, commands.Request) commands.Answer { return aboutSession("Orphaned") }
	s.awaitSockets(t, 2)
	s.Fault("drop_connections", 0, "")
	s.awaitSockets(t, 0)
	s.awaitSockets(t, 1)
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	sam.Type("/session debug " + session)
	sam.ExpectMessage(wstest.Saying("Orphaned"))
	s.ExpectNothingElse()
	if !s.bot.Connected() {
		t.Error("it answers, but does not call itself connected")
	}
}

func TestStopAnswersWhatWasAcked(t *testing.T) {
	t.Parallel()
	s := play(t)
	running, goOn := make(chan struct{}), make(chan struct{})
	s.commands.run = func(context.Context, commands.Request) commands.Answer {
		close(running)
		<-goOn
		return aboutSession("Orphaned")
	}
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	sam.Type("/session debug " + session)
	<-running
	s.stop()
	s.AwaitNoConnection() // it goes first
	if err := sam.TryType("/session debug " + session); err == nil {
		t.Error("a command was taken after the stop")
	}
	sam.ExpectMessage(wstest.Saying("dispatch_failed"))
	close(goOn)
	sam.ExpectMessage(wstest.Saying("Orphaned"))
	if err := <-s.ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	s.ExpectNothingElse()
}
