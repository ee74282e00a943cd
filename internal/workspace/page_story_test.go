package workspace

import (
	"context"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/superduperai/sessionbot/internal/browsertest"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
)

const formManifest = `
features:
  shortcuts: [{name: Look closer, type: message, callback_id: look, description: Looks at a message}]
  app_home: {home_tab_enabled: true}
oauth_config: {scopes: {bot: [commands, chat:write]}}
settings:
  event_subscriptions: {bot_events: [app_home_opened]}
  interactivity: {is_enabled: true}
  socket_mode_enabled: true
`

// TestPageUsesViews: in a browser a person uses a message's shortcut, fills the
// modal that a bot on the Go library opens, is told what is wrong, and submits.
func TestPageUsesViews(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{Manifest: []byte(formManifest)})
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
	sam := w.As("U0SUPPORT").In("C0SUPPORT")
	sam.Type("where is it")

	b := browsertest.Open(t)
	b.Do(chromedp.Navigate(s.PageURL()+"/?user=U0SUPPORT&channel=C0SUPPORT"), chromedp.WaitReady("#composer-text"))
	b.Do(chromedp.Focus(".message [data-shortcuts] .opener", chromedp.ByQuery), browsertest.Enter())
	b.Until(`document.activeElement.textContent.includes("Look closer")`)
	b.Do(browsertest.Enter(), chromedp.WaitVisible("#modal[open]", chromedp.ByQuery))
	b.Until(`document.activeElement.matches('[data-block="prompt"] input')`)

	// A required field first, then what the app finds wrong.
	save := func() {
		b.TabTo(`document.activeElement.textContent === "Send"`, false)
		b.Do(browsertest.Enter())
	}
	save()
	b.Until(`document.querySelector("#modal .wrong")?.innerText === "Please complete this required field."`)
	b.Do(chromedp.SendKeys(`[data-block="prompt"] input`, "fox", chromedp.ByQuery))
	b.Do(chromedp.Click(`[data-block="size"] .opener`, chromedp.ByQuery), chromedp.Click(`[data-block="size"] [data-value="l"]`, chromedp.ByQuery))
	b.Until(`document.querySelector('[data-block="size"] .opener').innerText === "Large"`)
	save()
	b.Until(`document.querySelector("#modal .wrong")?.innerText === "Too short"`)
	b.Until(`document.activeElement.value === "fox" && document.querySelector('[data-block="size"] .opener').innerText === "Large"`)
	b.Do(chromedp.KeyEvent(" in the snow"))
	save()
	b.Do(chromedp.WaitNotPresent("#modal[open]", chromedp.ByQuery))
	sam.ExpectMessage(wstest.Saying("fox in the snow, l"))

	// The home tab shows what is published as soon as it is.
	b.Do(chromedp.Navigate(s.PageURL()+"/?user=U0SUPPORT&channel=D0SUPPORT&tab=home"), chromedp.WaitVisible(".home .empty", chromedp.ByQuery))
	home := slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: []slack.Block{
		slack.NewHeaderBlock(slack.NewTextBlockObject(slack.PlainTextType, "At home", false, false)),
	}}}
	if _, err := api.PublishViewContext(t.Context(), slack.PublishViewContextRequest{UserID: "U0SUPPORT", View: home}); err != nil {
		t.Fatal(err)
	}
	b.Until(`document.querySelector(".home").innerText.includes("At home")`)
}
