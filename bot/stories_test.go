package bot_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/requestid"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
)

func TestCommandIsAnsweredToTheRequesterAlone(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.commands.run = func(ctx context.Context, req commands.Request) commands.Answer {
		if req.Command != "/session" || req.Text != "debug "+session || req.User != "U0SUPPORT" || requestid.FromContext(ctx) == "" || req.Terminal {
			t.Errorf("asked %+v", req)
		}
		return aboutSession("Orphaned & <!channel>")
	}
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	sam.Type("/session debug " + session)
	m := sam.ExpectMessage(wstest.Saying("Orphaned", "Refresh", "Share"))
	if !m.Ephemeral || m.Text != "Orphaned &amp; &lt;!channel&gt;" {
		t.Errorf("got %s", m)
	}
	s.ExpectNothingElse()
	if log := s.log.String(); !strings.Contains(log, "session debug") || strings.Contains(log, session) {
		t.Errorf("log: %s", log)
	}
}

func TestRefreshReplacesTheAnswer(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.commands.run = func(context.Context, commands.Request) commands.Answer { return aboutSession("Waiting") }
	s.commands.action = func(_ context.Context, id, value string, _ commands.Request) commands.Answer {
		if id != "session.debug" || value != session {
			t.Errorf("ran %s %s", id, value)
		}
		return aboutSession("Completed")
	}
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	sam.Type("/session debug " + session)
	m := sam.ExpectMessage(nil)
	sam.Click(m, "session.debug")
	m = sam.ExpectUpdate(m, wstest.Saying("Completed"))

	s.commands.action = func(context.Context, string, string, commands.Request) commands.Answer {
		return commands.Answer{Name: "session debug", Outcome: commands.Failed, Blocks: says("Redis is away"), Err: errors.New("no redis")}
	}
	sam.Click(m, "session.debug")
	if failed := sam.ExpectMessage(wstest.Saying("Redis is away")); !failed.Ephemeral {
		t.Errorf("got %s", failed)
	}
	s.ExpectNothingElse() // the message keeps what was seen before
}

func TestShareRunsAgainAndPostsOnce(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.commands.run = func(context.Context, commands.Request) commands.Answer { return aboutSession("Waiting") }
	s.commands.action = func(_ context.Context, _, _ string, req commands.Request) commands.Answer {
		return aboutSession("Orphaned, as asked by " + req.User)
	}
	sam, lea := s.As("U0SUPPORT").In("C0SUPPORT"), s.As("U0LEAD").In("C0SUPPORT")
	sam.Type("/session debug " + session)
	m := sam.ExpectMessage(nil)
	sam.Click(m, "session.share")
	sam.Click(m, "session.share")
	posted := lea.ExpectMessage(wstest.Saying("shared by <@U0SUPPORT>", "as asked by U0SUPPORT", "Debug"))
	if posted.Ephemeral || strings.Contains(string(posted.Blocks), "session.share") {
		t.Errorf("got %s", posted)
	}
	sam.ExpectMessage(wstest.Saying("Already shared"))

	// Debug on a public message answers its clicker alone.
	lea.Click(posted, "session.debug")
	if own := lea.ExpectMessage(wstest.Saying("as asked by U0LEAD", "session.share")); !own.Ephemeral {
		t.Errorf("got %s", own)
	}
	s.ExpectNothingElse()
}

func TestShareOfAnAnswerAboutSeveralSessions(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.commands.run = func(ctx context.Context, req commands.Request) commands.Answer {
		return commands.Answer{Name: "session find", Outcome: commands.Done, Blocks: says("found: " + req.Text), Shareable: true}
	}
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	sam.Type("/session find ann@example.com")
	m := sam.ExpectMessage(nil)
	if strings.Contains(string(buttonsOf(t, m)), "ann@") {
		t.Errorf("the button is not opaque: %s", m)
	}
	sam.Click(m, "session.share")
	if posted := sam.ExpectMessage(wstest.Saying("found: find ann@example.com", "shared by")); posted.Ephemeral {
		t.Errorf("got %s", posted)
	}

	s.shares.mu.Lock()
	clear(s.shares.kept)
	clear(s.shares.claims)
	s.shares.mu.Unlock()
	sam.Click(m, "session.share")
	sam.ExpectMessage(wstest.Saying("older than 30 minutes"))
	s.ExpectNothingElse()
	if strings.Contains(s.log.String(), "ann@") {
		t.Errorf("an e-mail is in the log: %s", s.log)
	}
}

func TestAnswerWithoutShareWhereTheRequestIsNotSaved(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*shares){
		"refused": func(s *shares) { s.err = errors.New("redis is away") },
		"silent":  func(s *shares) { s.silent = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := play(t)
			spoil(s.shares)
			s.commands.run = func(context.Context, commands.Request) commands.Answer {
				return commands.Answer{Outcome: commands.Done, Blocks: says("figures"), Shareable: true}
			}
			sam := s.As("U0SUPPORT").In("C0SUPPORT")
			sam.Type("/redis stats")
			if m := sam.ExpectMessage(wstest.Saying("figures")); strings.Contains(string(m.Blocks), "session.share") {
				t.Errorf("got %s", m)
			}
		})
	}
}

func TestFailedShareIsReported(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.commands.run = func(context.Context, commands.Request) commands.Answer { return aboutSession("Orphaned") }
	s.commands.action = func(context.Context, string, string, commands.Request) commands.Answer {
		s.Refuse("chat.postMessage", "not_in_channel")
		s.Fault("rate_limit", 60, "response_url")
		return aboutSession("Orphaned")
	}
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	sam.Type("/session debug " + session)
	sam.Click(sam.ExpectMessage(nil), "session.share")
	if m := sam.ExpectMessage(wstest.Saying("could not be posted in the channel", "try again in a minute")); !m.Ephemeral {
		t.Errorf("got %s", m)
	}
	s.ExpectNothingElse()
}

func TestOnlyReadersMayAsk(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.commands.run = func(ctx context.Context, req commands.Request) commands.Answer {
		if req.User == "U0GUEST" {
			t.Error("a guest's request was run")
		}
		return aboutSession("Orphaned")
	}
	guest := s.As("U0GUEST").In("C0SUPPORT")
	guest.Type("/session debug " + session)
	if m := guest.ExpectMessage(wstest.Saying("Only full members")); !m.Ephemeral {
		t.Errorf("got %s", m)
	}
	s.ExpectNothingElse()
}

func TestReadersOfAGroup(t *testing.T) {
	t.Parallel()
	s := play(t, "S0OPS")
	s.commands.run = func(context.Context, commands.Request) commands.Answer { return aboutSession("Orphaned") }
	sam, guest := s.As("U0SUPPORT").In("C0SUPPORT"), s.As("U0GUEST").In("C0SUPPORT")
	sam.Type("/session debug " + session)
	sam.ExpectMessage(wstest.Saying("Orphaned"))
	guest.Type("/session debug " + session)
	guest.ExpectMessage(wstest.Saying("listed in READERS"))
	s.ExpectNothingElse()
}

func TestUnreadableGroupAdmitsNobody(t *testing.T) {
	t.Parallel()
	s := play(t, "S0OPS")
	s.Fault("server_error", 0, "usergroups.users.list")
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	sam.Type("/session debug " + session)
	sam.ExpectMessage(wstest.Saying("S0OPS", "could not be read", "nobody in it"))
	s.ExpectNothingElse()
}

func TestFailedLookupIsRefusedWithTheRemedy(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.Fault("rate_limit", 60, "users.info")
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	sam.Type("/session debug " + session)
	sam.ExpectMessage(wstest.Saying("could not identify you", "try again in a minute"))
	s.ExpectNothingElse()
}
