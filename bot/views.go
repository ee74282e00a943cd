package bot

import (
	"cmp"
	"context"
	"crypto/rand"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
)

const (
	titleAnswer = "Session"
	titleFind   = "Find a session"
	titleNotice = "Sessionbot"
)

// modal is a view that shows a requester's answer. It is opened while the answer is
// worked out, and known by an id of ours until Slack has said its own.
type modal struct {
	origin   string // where it was opened; see requester.origin
	external string
	opened   chan struct{} // closed when Slack has answered

	// Read them after opened.
	id  string          // Slack's, "" = not said
	err *slackapi.Fault // why it did not open, nil = it did
}

// closedChan is of modals that were open before.
var closedChan = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// openModal begins to open a view. Over is the modal that is open already: the view lies
// above it, or takes its place where Slack lets nothing lie above it; "" = none.
func (b *Bot) openModal(to requester, trigger, over string, first slack.ModalViewRequest) *modal {
	m := &modal{origin: to.origin(), external: rand.Text(), opened: make(chan struct{})}
	first.ExternalID, first.PrivateMetadata = m.external, m.origin
	open := b.jobFor(to, func(ctx context.Context) {
		defer close(m.opened)
		m.err = errNotOpened // where the call panics
		var opened *slack.ViewResponse
		var err error
		if over == "" {
			opened, err = b.api.OpenViewContext(ctx, trigger, first)
		} else {
			opened, err = b.api.PushViewContext(ctx, trigger, first)
		}
		if m.err = nil; err == nil {
			m.id = opened.ID
			return
		}
		m.err = slackapi.FaultOf(err)
		b.log.WarnContext(ctx, "view not opened", "error", m.err, "advice", m.err.Advice())
		if over != "" && !m.err.Unclear() {
			m.id, m.err = over, nil
		}
	})
	if !b.views.offer(open) {
		b.log.Warn("view not opened, too many wait", "ref", to.ref)
		m.id, m.err = over, errNotOpened
		close(m.opened)
	}
	return m
}

// errNotOpened is of a view that Slack was not even asked for.
var errNotOpened = &slackapi.Fault{Code: "expired_trigger_id"}

// isOpen waits until Slack has answered, and reports whether the view may be open.
func (m *modal) isOpen(ctx context.Context) bool {
	select {
	case <-m.opened:
		return m.id != "" || m.err == nil || m.err.Unclear()
	case <-ctx.Done():
		return false
	}
}

// shares reports whether an answer can be shared from here: a modal was opened in a
// channel, which others read.
func (m *modal) shares() bool {
	return m == nil || m.origin != "" && !isDirectChannel(m.origin)
}

// fill shows a message in the requester's modal, and reports whether it is there, or
// they closed the modal.
func (r *responder) fill(ctx context.Context, to requester, content slackapi.Message) bool {
	view := viewOf(titleAnswer, content.Blocks)
	view.PrivateMetadata = to.modal.origin
	return r.show(ctx, to.modal, view)
}

// show is fill for a view of any kind.
func (r *responder) show(ctx context.Context, m *modal, view slack.ModalViewRequest) bool {
	if !m.isOpen(ctx) {
		return false
	}
	err := r.updateView(ctx, m, view)
	switch {
	case err == nil:
		return true
	case slackapi.FaultOf(err).Code == "not_found" && m.err == nil:
		r.log.InfoContext(ctx, "view closed before its answer came")
		return true
	}
	r.log.WarnContext(ctx, "view not filled, answering elsewhere", "error", slackapi.FaultOf(err), "advice", slackapi.FaultOf(err).Advice())
	return false
}

// updateView puts other content into a modal, as text alone where Slack refuses the
// blocks. A view that Slack does not know yet may be on its way: the ack of a submission
// shows it.
func (r *responder) updateView(ctx context.Context, m *modal, view slack.ModalViewRequest) error {
	external := ""
	if m.id == "" {
		external = m.external
		view.ExternalID = external // else it could not be found again
	}
	retryable := func(f *slackapi.Fault) bool { return f.Retryable() || external != "" && f.Code == "not_found" }
	return r.outbox.Retry(ctx, retryable, []time.Duration{0, r.cfg.Timings.OutageRetryDelay}, func() error {
		_, err := r.api.UpdateViewContext(ctx, view, external, "", m.id)
		if err != nil && refusesView(slackapi.FaultOf(err)) {
			r.log.ErrorContext(ctx, "view refused by Slack, shown as text alone", "error", slackapi.FaultOf(err))
			view.Submit = nil // the fields are not shown
			view.Blocks = slack.Blocks{BlockSet: textAlone(view.Blocks.BlockSet)}
			_, err = r.api.UpdateViewContext(ctx, view, external, "", m.id)
		}
		return err
	})
}

const maxViewText = 3000 // characters

// textAlone is what blocks say, for Slack to show where it refuses them.
func textAlone(blocks []slack.Block) []slack.Block {
	return blockkit.Message(blockkit.PlainLine(blockkit.Cut(blockkit.Fallback(blocks), maxViewText)))
}

// refusesView reports whether Slack refuses what a view holds.
func refusesView(f *slackapi.Fault) bool {
	return f.RefusesBlocks() || f.Code == "invalid_arguments" || f.Code == "view_too_large"
}

// viewOf is a modal with a title and blocks: classic ones, since Slack shows hardly any
// of the newest in modals.
func viewOf(title string, blocks []slack.Block) slack.ModalViewRequest {
	blocks, _ = blockkit.Degrade(blocks, blockkit.AnyKind)
	return slack.ModalViewRequest{
		Type: slack.VTModal, Title: plainText(title), Close: plainText("Close"), Blocks: slack.Blocks{BlockSet: blocks},
	}
}

func plainText(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, text, false, false)
}

// loadingView stands where an answer will be.
func loadingView() slack.ModalViewRequest { return viewOf(titleAnswer, commands.LoadingBlocks()) }

// findView asks what to find.
func findView() slack.ModalViewRequest {
	view := viewOf(titleFind, commands.FindBlocks())
	view.Submit, view.CallbackID = plainText("Find"), commands.ShortcutFind
	return view
}

// modalForButton is where the answer to a button of a view goes: Refresh changes the view
// that it is in, and any other opens one.
func (b *Bot) modalForButton(to requester, i interaction) *modal {
	if i.view.kind == string(slack.VTModal) && i.click.button == buttonDebug && i.click.block == refreshBlock {
		return &modal{origin: i.view.origin, id: i.view.id, opened: closedChan}
	}
	return b.openModal(to, i.trigger, i.overlaid(), loadingView())
}

// overlaid is the modal that an interaction comes from, "" = none.
func (i interaction) overlaid() string {
	if i.view.kind == string(slack.VTModal) {
		return i.view.id
	}
	return ""
}

// submitted is the modal that the ack of a submission shows in place of the one that
// was submitted; see ackPayload.
func (i interaction) submitted() *modal {
	return &modal{origin: i.view.origin, external: submittedID(i), opened: closedChan}
}

// submittedID returns the id of ours of that modal. Each submission of a view has its own,
// so that an answer which overtakes the ack does not find what the previous ack showed.
func submittedID(i interaction) string { return cmp.Or(i.view.id, "view") + "." + i.view.hash }
