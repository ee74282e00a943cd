package bot

import (
	"context"
	"log/slog"
	"sync"

	"github.com/slack-go/slack"
	"go.opentelemetry.io/otel/trace"

	"github.com/superduperai/sessionbot/bot/access"
	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
)

// arrival is what a request keeps of its envelope.
type arrival struct {
	ref  string
	span trace.SpanContext
}

// requester is the person who waits for an answer, and where they wait.
type requester struct {
	arrival
	user        string
	channel     string
	responseURL string
	thread      string // ts of the message whose thread is answered in, "" = none
	about       string // ts of the message whose thread they ask about, where the answer is elsewhere; "" = none
	public      bool   // others read the answer in that thread
	modal       *modal // shows the answer, nil = none
	home        bool   // their App Home shows the answer
	fromHome    bool   // they pressed a button of it
	trigger     string // opens a window for the answer, "" = none
	deciding    bool   // by a click that may change something
}

// origin is what a view keeps of where it was opened: the channel, and the thread that it
// is about, so that what is chosen there is about it as well; "" = none.
func (r requester) origin() string {
	if r.about == "" {
		return r.channel
	}
	return r.channel + "/" + r.about
}

func (r requester) actor() store.Actor { return store.Actor{ID: r.user} }

// responder answers requesters.
type responder struct {
	cfg       Config
	log       *slog.Logger
	api       *slack.Client
	outbox    *slackapi.Outbox
	readers   access.List // known once Slack has said which workspace is ours
	operators access.List // likewise
	answered  sync.Map    // users whose App Home shows an answer
}

// admitted reports whether the requester may make a call. Others are refused, and the
// audit trail records it if the call would have changed a session.
func (r *responder) admitted(ctx context.Context, to requester, call commands.Call) bool {
	err, why := r.readers.Admit(ctx, to.user), "requested by somebody who is not a reader"
	if err == nil && call.Command.Operators {
		err, why = r.operators.AdmitOperator(ctx, to.user), "requested by somebody who is not an operator"
	}
	if err == nil {
		return true
	}
	if call.Session != "" {
		r.cfg.Repairs.Decisions.RecordRefusal(ctx, audit.Entry{At: r.cfg.Now(), Who: to.actor(), Where: to.channel, Event: audit.Refused,
			Action: call.Command.Repairs, Session: call.Session, Detail: call.Command.Name + ": " + why})
	}
	r.refuse(ctx, to, err)
	return false
}

// refuse answers why a person may not, and whom to ask. If others read the answer it
// names no one, since that would notify them.
func (r *responder) refuse(ctx context.Context, to requester, err *access.Denial) {
	if err.Cause != nil {
		r.log.ErrorContext(ctx, "person not looked up, refused", "error", err.Cause, "advice", err.Cause.Advice())
	}
	r.cfg.Metrics.Answered("", string(commands.Refused), 0)
	if to.public {
		err = &access.Denial{Text: err.Text}
	}
	r.replyLine(ctx, to, err.Line())
}

// reply answers with one sentence, only for the requester.
func (r *responder) reply(ctx context.Context, to requester, sentence message.Notice) {
	r.replyLine(ctx, to, blockkit.L(blockkit.Plain(string(sentence))))
}

// replyRef is reply with the request's id, under which the log has more.
func (r *responder) replyRef(ctx context.Context, to requester, sentence message.Notice) {
	r.replyLine(ctx, to, blockkit.L(blockkit.Plain(string(sentence)), blockkit.Plain(" Ref "), blockkit.Code(to.ref), blockkit.Plain(".")))
}

func (r *responder) replyLine(ctx context.Context, to requester, line blockkit.Line) {
	r.deliver(ctx, to, slackapi.Message{Blocks: []slack.Block{blockkit.Paragraph(line)}})
}

// deliver sends a message to its requester: in their modal, in the thread of what they
// wrote, through response_url or directly, else as the bot. It outlives ctx.
func (r *responder) deliver(ctx context.Context, to requester, m slackapi.Message) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.cfg.Deadlines.Send)
	defer cancel()
	switch {
	case to.home:
		r.publishAnswer(ctx, to, m)
		return
	case to.modal != nil && r.fill(ctx, to, m), to.trigger != "" && r.openAnswer(ctx, to, m):
		return
	}
	send := func() error { return r.outbox.Respond(ctx, to.responseURL, m) }
	switch {
	case to.thread != "":
		send = func() error { _, err := r.outbox.Reply(ctx, to.channel, to.thread, m.Blocks); return err }
	case to.channel == "" && to.responseURL == "": // from a global shortcut or the home tab
		send = func() error { _, err := r.outbox.Reply(ctx, to.user, "", m.Blocks); return err }
	case to.responseURL == "": // from a view
		send = func() error { return r.outbox.PostEphemeral(ctx, to.channel, to.user, m.Blocks) }
	}
	err := send()
	if err == nil {
		return
	}
	fault := slackapi.FaultOf(err)
	r.log.WarnContext(ctx, "answer not delivered, answering as the bot", "error", err, "code", fault.Code)
	if to.channel == "" || to.user == "" {
		return
	}
	fallback := m.Blocks
	if m.Public {
		fallback = []slack.Block{blockkit.Paragraph(blockkit.L(
			blockkit.Plain(string(message.NoticeNotPosted)+" "), blockkit.Plain(fault.Advice())))}
	}
	if fault.Retryable() && slackapi.Sleep(ctx, r.cfg.Timings.OutageRetryDelay) != nil {
		return
	}
	if err = r.outbox.PostEphemeral(ctx, to.channel, to.user, fallback); err != nil && fault.Retryable() {
		err = send() // such as where the bot is no member
	}
	if err != nil {
		r.log.ErrorContext(ctx, "ephemeral fallback failed, request unanswered", "error", err, "advice", slackapi.FaultOf(err).Advice())
	}
}
