package workspace_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/superduperai/sessionbot/internal/workspace"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
)

// bot is a small app that a test gives its answers.
type bot struct {
	*slack.Client
	command func(slack.SlashCommand)
	click   func(slack.InteractionCallback)
}

// runBot connects the bot and acknowledges everything before it answers.
func runBot(t *testing.T, s *workspace.Server, b *bot) *bot {
	t.Helper()
	b.Client = slack.New(s.BotToken(), slack.OptionAppLevelToken(s.AppToken()), slack.OptionAPIURL(s.APIURL()))
	client := socketmode.New(b.Client)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}, 2)
	go func() {
		if err := client.RunContext(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("socket mode ended: %v", err)
		}
		done <- struct{}{}
	}()
	go func() {
		defer func() { done <- struct{}{} }()
		for {
			select {
			case e := <-client.Events:
				b.handle(ctx, t, client, e)
			case <-ctx.Done():
				return
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-done; <-done })
	return b
}

func (b *bot) handle(ctx context.Context, t *testing.T, client *socketmode.Client, e socketmode.Event) {
	if e.Request == nil || e.Request.EnvelopeID == "" {
		return
	}
	if err := client.AckCtx(ctx, e.Request.EnvelopeID, nil); err != nil {
		t.Errorf("ack: %v", err)
	}
	switch data := e.Data.(type) {
	case slack.SlashCommand:
		b.command(data)
	case slack.InteractionCallback:
		b.click(data)
	}
}

// start starts a workspace that ends with the test.
func start(t *testing.T, cfg workspace.Config) *workspace.Server {
	t.Helper()
	cfg.Addr = "127.0.0.1:0"
	cfg.AckWithin = 2 * time.Minute // the machine may be busy
	s, err := workspace.Start(cfg)
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

func respond(t *testing.T, url string, msg *slack.WebhookMessage) {
	t.Helper()
	if err := slack.PostWebhookCustomHTTPContext(t.Context(), url, http.DefaultClient, msg); err != nil {
		t.Error(err)
	}
}

func TestCommandAnswerShareUpdate(t *testing.T) {
	t.Parallel()
	s := start(t, workspace.Config{})
	share := slack.NewActionBlock("share", slack.NewButtonBlockElement("share.it", "42", slack.NewTextBlockObject("plain_text", "Share", false, false)))
	b := &bot{}
	b.command = func(c slack.SlashCommand) {
		respond(t, c.ResponseURL, &slack.WebhookMessage{
			Text: "you said " + c.Text, Blocks: &slack.Blocks{BlockSet: []slack.Block{
				slack.NewSectionBlock(slack.NewTextBlockObject("mrkdwn", "<@"+c.UserID+"> said *"+c.Text+"*", false, false), nil, nil), share,
			}},
		})
	}
	b.click = func(c slack.InteractionCallback) {
		if !c.Container.IsEphemeral || c.ActionCallback.BlockActions[0].Value != "42" {
			t.Errorf("click %+v", c)
		}
		if _, _, err := b.PostMessageContext(t.Context(), c.Channel.ID, slack.MsgOptionText("shared", false)); err != nil {
			t.Error(err)
		}
		respond(t, c.ResponseURL, &slack.WebhookMessage{Text: "it is shared", ReplaceOriginal: true})
	}
	runBot(t, s, b)

	w := wstest.New(t, s.URL(), s.ControlKey())
	w.AwaitConnections(1)
	sam := w.As("U0SUPPORT").In("C0SUPPORT")
	lea := w.As("U0LEAD").In("C0SUPPORT")
	sam.Type("/echo  hello")
	m := sam.ExpectMessage(wstest.Saying("<@U0SUPPORT> said *hello*"))
	if !m.Ephemeral || m.Text != "you said hello" {
		t.Errorf("got %+v", m)
	}
	if err := lea.TryClick(m, "share.it", ""); err == nil {
		t.Error("a click on somebody else's ephemeral message went through")
	}
	if err := sam.TryClick(m, "no.such", ""); err == nil {
		t.Error("a click on a button that is not there went through")
	}
	sam.Click(m, "share.it")
	lea.ExpectMessage(wstest.Saying("shared"))
	if m = sam.ExpectUpdate(m); m.Text != "it is shared" || string(m.Blocks) != "[]" {
		t.Errorf("after the update: %s", m)
	}
	w.ExpectNothingElse()
}
