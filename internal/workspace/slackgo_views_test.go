package workspace

import (
	"context"
	"testing"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/superduperai/sessionbot/internal/workspace/wstest"
)

// formView is a modal of the Go library with a field and a menu.
func formView(callback string) slack.ModalViewRequest {
	plain := func(text string) *slack.TextBlockObject {
		return slack.NewTextBlockObject(slack.PlainTextType, text, false, false)
	}
	sizes := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, plain("Size"), "size",
		slack.NewOptionBlockObject("s", plain("Small"), nil), slack.NewOptionBlockObject("l", plain("Large"), nil))
	return slack.ModalViewRequest{
		Type: slack.VTModal, CallbackID: callback, Title: plain("A form"), Submit: plain("Send"), NotifyOnClose: true,
		Blocks: slack.Blocks{BlockSet: []slack.Block{
			slack.NewInputBlock("prompt", plain("Prompt"), nil, slack.NewPlainTextInputBlockElement(nil, "text")),
			slack.NewInputBlock("size", plain("Size"), nil, sizes),
		}},
	}
}

// viewsBot is a bot on the Go library that uses all of views.
func viewsBot(api *slack.Client) func(context.Context, *socketmode.Client, socketmode.Event) error {
	return func(ctx context.Context, client *socketmode.Client, e socketmode.Event) error {
		switch data := e.Data.(type) {
		case slack.SlashCommand:
			if err := client.AckCtx(ctx, e.Request.EnvelopeID, nil); err != nil {
				return err
			}
			_, err := api.OpenViewContext(ctx, data.TriggerID, formView("form"))
			return err
		case slack.InteractionCallback:
			switch data.Type {
			case slack.InteractionTypeViewSubmission:
				text := data.View.State.Values["prompt"]["text"].Value
				if len(text) < 5 {
					return client.AckCtx(ctx, e.Request.EnvelopeID, slack.NewErrorsViewSubmissionResponse(map[string]string{"prompt": "Too short"}))
				}
				_, _, err := api.PostMessageContext(ctx, "C0SUPPORT",
					slack.MsgOptionText(text+", "+data.View.State.Values["size"]["size"].SelectedOption.Value, false))
				if err != nil {
					return err
				}
				return client.AckCtx(ctx, e.Request.EnvelopeID, slack.NewClearViewSubmissionResponse())
			case slack.InteractionTypeViewClosed:
				_, _, err := api.PostMessageContext(ctx, "C0SUPPORT", slack.MsgOptionText("closed "+data.View.CallbackID, false))
				if err != nil {
					return err
				}
			case slack.InteractionTypeMessageAction:
				view := formView("from " + data.Message.Text)
				if _, err := api.OpenViewContext(ctx, data.TriggerID, view); err != nil {
					return err
				}
			}
		}
		if e.Request == nil || e.Request.EnvelopeID == "" {
			return nil
		}
		return client.AckCtx(ctx, e.Request.EnvelopeID, nil)
	}
}

// TestClientUsesViews has the Go library open, submit and close modals.
func TestClientUsesViews(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	w := wstest.New(t, s.URL(), s.ControlKey())
	api := slack.New(s.BotToken(), slack.OptionAppLevelToken(s.AppToken()), slack.OptionAPIURL(s.APIURL()))
	bot := newGoClient(s, newMemory(), nil)
	bot.Client = socketmode.New(api)
	serve := viewsBot(api)
	bot.run(t, func(ctx context.Context, e socketmode.Event) {
		if err := serve(ctx, bot.Client, e); err != nil && ctx.Err() == nil {
			t.Errorf("%s: %v", e.Type, err)
		}
	})
	w.AwaitConnections(1)
	lea := w.As("U0LEAD")
	support := lea.In("C0SUPPORT")

	support.Type("/form")
	form := lea.ExpectModal(func(v wstest.View) bool { return v.CallbackID == "form" && v.Shows("A form", "Prompt") })
	if _, err := lea.Submit(form); err == nil {
		t.Error("an empty form was submitted")
	}
	lea.Fill(form, "text", "fox")
	lea.Fill(form, "size", "l")
	if err := lea.TryFill(form, "size", "xl"); err == nil {
		t.Error("a size that is not offered was chosen")
	}
	if wrong, err := lea.Submit(form); err != nil || wrong["prompt"] != "Too short" {
		t.Errorf("errors %v, %v", wrong, err)
	}
	lea.Fill(form, "text", "a fox in the snow")
	if _, err := lea.Submit(form); err != nil {
		t.Error(err)
	}
	lea.ExpectNoModal()
	posted := support.ExpectMessage(wstest.Saying("a fox in the snow, l"))

	if err := support.Shortcut(posted, "look"); err != nil {
		t.Error(err)
	}
	again := lea.ExpectModal(func(v wstest.View) bool { return v.CallbackID == "from a fox in the snow, l" })
	lea.Close(again)
	support.ExpectMessage(wstest.Saying("closed from a fox in the snow, l"))
	w.ExpectNothingElse()

	// The home tab.
	home := slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewDividerBlock()}}}
	view, err := api.PublishViewContext(t.Context(), slack.PublishViewContextRequest{UserID: "U0LEAD", View: home})
	if err != nil || view.ID == "" {
		t.Fatalf("published %+v, %v", view, err)
	}
	stale := "1.x"
	if _, err := api.PublishViewContext(t.Context(), slack.PublishViewContextRequest{UserID: "U0LEAD", View: home, Hash: &stale}); err == nil || err.Error() != "hash_conflict" {
		t.Errorf("an old hash: %v", err)
	}
	if got := lea.ExpectHome(nil); got.ID != view.ID {
		t.Errorf("home %+v", got)
	}
}
