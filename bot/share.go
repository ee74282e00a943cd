package bot

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
)

// Shares saves the requests behind Share buttons; see presence.SharedRequests.
type Shares interface {
	// Save saves a request under an opaque id.
	Save(ctx context.Context, id, request string, ttl time.Duration) error
	// Load returns "" where nothing is saved under the id any more.
	Load(ctx context.Context, id string) (request string, err error)
	// Claim reports whether the caller is the first with this id within the ttl.
	Claim(ctx context.Context, id string, ttl time.Duration) (bool, error)
	// Unclaim releases the claim.
	Unclaim(ctx context.Context, id string) error
}

const (
	shareTTL      = 30 * time.Minute // as long as Slack takes answers
	shareClaimTTL = 10 * time.Second // within which a second click on Share is the same

	// requestPrefix distinguishes the id of a saved request from a session's.
	requestPrefix = "request:"
)

// shareValue is the value of a Share button: the session's id, or for an answer
// about several the id of the saved request; "" = no button. An answer is sent
// without the button rather than late.
func (a answers) shareValue(ctx context.Context, answer commands.Answer, req commands.Request) string {
	if answer.Session != "" || req.Command == "" {
		return answer.Session
	}
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Deadlines.Share)
	defer cancel()
	id := rand.Text()
	if err := a.cfg.Shares.Save(ctx, id, req.Command+" "+req.Text, shareTTL); err != nil {
		a.log.WarnContext(ctx, "request not saved, answered without Share", "error", err)
		return ""
	}
	return requestPrefix + id
}

// share runs the request again in the clicker's name and posts the answer in the
// channel.
func (a answers) share(ctx context.Context, to requester, c click) {
	p := placement{sharedBy: to.user, claim: to.channel + ":" + c.message}
	if !a.claimShare(ctx, p) {
		a.reply(ctx, to, message.NoticeShared)
		return
	}
	req := commands.Request{User: to.user, Shared: true}
	id, saved := strings.CutPrefix(c.value, requestPrefix)
	if !saved {
		a.answer(ctx, to, p, a.cfg.Commands.ParseAction(buttonDebug, c.value, req).Run)
		return
	}
	loading, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := a.cfg.Shares.Load(loading, id)
	switch {
	case err != nil:
		a.log.ErrorContext(ctx, "request to be shared not loaded", "error", err)
		a.replyRef(ctx, to, message.NoticeShareUnknown)
	case request == "":
		a.reply(ctx, to, message.NoticeShareOld)
	default:
		req.Command, req.Text, _ = strings.Cut(request, " ")
		a.answer(ctx, to, p, a.cfg.Commands.Parse(req).Run)
	}
}

// postShared posts an answer that was shared in the channel, whose thread is followed.
// If the bot is not a member it is posted through response_url, which does not return
// the message's address.
func (a answers) postShared(ctx context.Context, to requester, p placement, answer commands.Answer) {
	m := a.compose(ctx, to, answer, p)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.cfg.Deadlines.Send)
	defer cancel()
	posted, err := a.outbox.Reply(ctx, to.channel, "", m.Blocks)
	switch {
	case err == nil:
		a.follow(ctx, to, answer, posted)
		if to.responseURL == "" {
			a.replyLine(ctx, to, blockkit.L(blockkit.Plain(string(message.NoticeSharedIn)+" "), blockkit.Channel(to.channel), blockkit.Plain(".")))
		}
	case to.responseURL != "":
		a.log.InfoContext(ctx, "share not posted as the bot, its thread is not followed", "error", err)
		a.deliver(ctx, to, m)
	default:
		a.unclaimShare(ctx, p)
		fault := slackapi.FaultOf(err)
		a.log.WarnContext(ctx, "answer not shared", "error", fault, "advice", fault.Advice())
		a.replyLine(ctx, to, blockkit.L(blockkit.Plain(string(message.NoticeNotPosted)+" "), blockkit.Plain(fault.Advice())))
	}
}

// claimShare reports whether a click is not the second of a double click, which
// may reach another process. If Redis fails, a duplicate message is preferred.
func (a answers) claimShare(ctx context.Context, p placement) bool {
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Deadlines.Share)
	defer cancel()
	first, err := a.cfg.Shares.Claim(ctx, p.claim, shareClaimTTL)
	if err != nil {
		a.log.WarnContext(ctx, "share not claimed, a double click may post twice", "error", err)
	}
	return first || err != nil
}

// unclaimShare lets a failed share be retried.
func (a answers) unclaimShare(ctx context.Context, p placement) {
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Deadlines.Share)
	defer cancel()
	if err := a.cfg.Shares.Unclaim(ctx, p.claim); err != nil {
		a.log.WarnContext(ctx, "share not unclaimed, the next click may count as a double click", "error", err)
	}
}
