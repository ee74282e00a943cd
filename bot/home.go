package bot

import (
	"context"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"

	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/bot/wire"
	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
)

// homeOpened is the part of an app_home_opened event that is used.
type homeOpened struct {
	app, user string
	home      bool // it is the Home tab
}

// readHomeOpened reads an event, and reports whether it is such a one.
func readHomeOpened(payload jsontext.Value) (homeOpened, bool) {
	outer, err := wire.Decode[struct {
		AppID string `json:"api_app_id"`
		Event wire.Lenient[struct {
			Kind string `json:"type"`
			User string `json:"user"`
			Tab  string `json:"tab"`
		}] `json:"event"`
	}](payload)
	e := outer.Event.Value
	return homeOpened{app: outer.AppID, user: e.User, home: e.Tab == string(slack.VTHomeTab)}, err == nil && e.Kind == string(slackevents.AppHomeOpened)
}

// handleHomeOpened queues the App Home of the user who opened it.
func (b *Bot) handleHomeOpened(in arrival, opened homeOpened) {
	if !opened.home || opened.user == "" {
		return
	}
	to := requester{arrival: in, user: opened.user, home: true}
	b.enqueue(to, func(ctx context.Context) { b.homes.open(ctx, to) })
}

// search answers about what was typed into the App Home's field.
func (b *Bot) search(to requester, i interaction) {
	to.modal = b.openModal(to, i.trigger, i.overlaid(), loadingView())
	typed := i.click.value
	switch {
	case len(typed) > maxText:
		b.serve(to, func(ctx context.Context) { b.reply(ctx, to, message.NoticeTooLong) })
	case len(commands.Subjects(typed)) == 0:
		b.serve(to, func(ctx context.Context) { b.reply(ctx, to, commands.NothingToFind) })
	default:
		b.answerAbout(to, func() []commands.Subject { return commands.Subjects(typed) })
	}
}

// publishHome publishes an App Home, as text alone where Slack refuses the blocks, and
// returns the hash of the version. Slack shows charts there, and no plans. The error is a
// *slackapi.Fault.
func (r *responder) publishHome(ctx context.Context, user string, blocks []slack.Block, hash string) (published string, err error) {
	blocks, _ = blockkit.Degrade(blocks, func(kind blockkit.Kind) bool { return kind != blockkit.KindChart })
	request := slack.PublishViewContextRequest{UserID: user, View: slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: blocks}}}
	if hash != "" {
		request.Hash = &hash
	}
	publish := func() error {
		answer, err := r.api.PublishViewContext(ctx, request)
		if err == nil {
			published = answer.Hash
		}
		return err
	}
	err = r.outbox.Retry(ctx, (*slackapi.Fault).Retryable, []time.Duration{0}, func() error {
		err := publish()
		if err != nil && refusesView(slackapi.FaultOf(err)) {
			r.log.ErrorContext(ctx, "view refused by Slack, shown as text alone", "error", slackapi.FaultOf(err))
			request.View.Blocks.BlockSet = textAlone(blocks)
			err = publish()
		}
		return err
	})
	return published, err
}

// publishAnswer shows an answer in place of a person's App Home, until the App Home is
// published again.
func (r *responder) publishAnswer(ctx context.Context, to requester, m slackapi.Message) {
	defer r.answered.Store(to.user, true)
	if _, err := r.publishHome(ctx, to.user, m.Blocks, ""); err != nil {
		r.log.ErrorContext(ctx, "App Home not published", "error", slackapi.FaultOf(err), "advice", slackapi.FaultOf(err).Advice())
	}
}

// openAnswer opens a window with an answer, and reports whether it did.
func (r *responder) openAnswer(ctx context.Context, to requester, m slackapi.Message) bool {
	_, err := r.api.OpenViewContext(ctx, to.trigger, viewOf(titleNotice, m.Blocks))
	if err != nil {
		r.log.InfoContext(ctx, "view not opened, answering elsewhere", "error", slackapi.FaultOf(err))
	}
	return err == nil
}
