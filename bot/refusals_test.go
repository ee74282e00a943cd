package bot_test

import (
	"context"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
)

// TestEveryWayInIsRefused to people who may not ask, with a message where they asked.
func TestEveryWayInIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		user, direct, reader, says string
	}{
		"a guest":      {"U0GUEST", "D0GUEST", "*", "Only full members"},
		"a stranger":   {"U0PARTNER", "D0PARTNER", "*", "Only full members"},
		"a non-reader": {"U0SUPPORT", "D0SUPPORT", "U0LEAD", "listed in READERS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := play(t, c.reader)
			s.commands.run = func(context.Context, commands.Request) commands.Answer {
				t.Error("the request was run")
				return aboutSession("Orphaned")
			}
			s.commands.action = func(ctx context.Context, _, _ string, req commands.Request) commands.Answer {
				return s.commands.run(ctx, req)
			}
			r := refused{t: t, stage: s, user: c.user, says: c.says}
			r.writes("C0SUPPORT", "<@U0BOT> "+session)
			r.writes(c.direct, session)
			r.uses()
			r.presses()
			s.ExpectNothingElse()
		})
	}
}

// refused is a person who may not ask.
type refused struct {
	t          *testing.T
	stage      *stage
	user, says string
}

// writes to the bot: the thread says why not, and notifies no one.
func (r refused) writes(channel, text string) {
	r.t.Helper()
	place := r.stage.As(r.user).In(channel)
	asked := write(r.t, r.stage, place, r.user, channel, "", text)
	if m := place.ExpectMessage(wstest.Saying(r.says)); m.ThreadTS != asked.TS || strings.Contains(string(m.Blocks), "user_id") {
		r.t.Errorf("%s: got %s", channel, m)
	}
}

// uses a command, shortcuts and the menu of an alert: a window, or a message to them
// alone, says why not.
func (r refused) uses() {
	r.t.Helper()
	person, place := r.stage.As(r.user), r.stage.As(r.user).In("C0SUPPORT")
	place.Type("/session debug " + session)
	if m := place.ExpectMessage(wstest.Saying(r.says)); !m.Ephemeral {
		r.t.Errorf("others read %s", m)
	}
	named := write(r.t, r.stage, place, r.user, "C0SUPPORT", "", session)
	menu := r.stage.postMenu(r.t, "C0SUPPORT", "debug:"+session)
	restore := r.stage.postMenu(r.t, "C0SUPPORT", "restore:"+session)
	for what, use := range map[string]func() error{
		"message shortcut":   func() error { return place.Shortcut(named, commands.ShortcutDebug) },
		"global shortcut":    func() error { return person.Shortcut(commands.ShortcutFind) },
		"debug of an alert":  func() error { return place.TryChoose(menu, "session.menu", "debug:"+session) },
		"restore of a menu":  func() error { return place.TryChoose(restore, "session.menu", "restore:"+session) },
		"restore, a command": func() error { return place.TryType("/session restore " + session) },
	} {
		if err := use(); err != nil {
			r.t.Errorf("%s: %v", what, err)
		}
		person.Close(person.ExpectModal(showing(r.says)))
	}
}

// presses buttons of a window that was opened while the person could still ask.
func (r refused) presses() {
	r.t.Helper()
	person := r.stage.As(r.user)
	if err := person.Shortcut(commands.ShortcutFind); err != nil {
		r.t.Fatal(err)
	}
	open := person.ExpectModal(showing(r.says))
	var buttons []slack.BlockElement
	for _, action := range []string{"session.debug", "session.share", "session.restore", "session.generate"} {
		buttons = append(buttons, blockkit.Button(action, "Press", session))
	}
	api := slack.New(r.stage.server.BotToken(), slack.OptionAPIURL(r.stage.server.APIURL()))
	_, err := api.UpdateViewContext(r.t.Context(), slack.ModalViewRequest{
		Type: slack.VTModal, Title: slack.NewTextBlockObject(slack.PlainTextType, "Session", false, false), PrivateMetadata: "C0SUPPORT",
		Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewActionBlock("b", buttons...)}}}, "", "", open.ID)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, button := range buttons {
		person.Press(person.ExpectModal(showing("session.generate")), button.(*slack.ButtonBlockElement).ActionID)
		person.Close(person.ExpectModal(showing(r.says)))
	}
}
