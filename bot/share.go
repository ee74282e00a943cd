package bot

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/commands"
)

// Shares keeps what Share buttons need to know; see store.Shares.
type Shares interface {
	// Save keeps a request under an opaque id.
	Save(ctx context.Context, id, request string, ttl time.Duration) error
	// Load returns "" where nothing is kept under the id any more.
	Load(ctx context.Context, id string) (request string, err error)
	// Claim reports whether the caller is the first with this id within the ttl.
	Claim(ctx context.Context, id string, ttl time.Duration) (bool, error)
	// Unclaim lets somebody else be the first.
	Unclaim(ctx context.Context, id string) error
}

const (
	shareWithin  = 200 * time.Millisecond // longest that an answer waits for its Share button
	shareFor     = 30 * time.Minute       // as long as Slack takes answers
	doubleWithin = 10 * time.Second       // in which a second click on Share is a double click

	// requestPrefix tells the id of a kept request from a session's.
	requestPrefix = "request:"
)

// shareValue is what a Share button carries: the session's id, or where the
// answer is about several the id under which the request is kept. An answer
// does not wait long for that, and rather goes out without the button.
func (b *Bot) shareValue(ctx context.Context, answer commands.Answer, req commands.Request) (string, bool) {
	if answer.Session != "" {
		return answer.Session, true
	}
	if req.Command == "" {
		return "", false
	}
	ctx, cancel := context.WithTimeout(ctx, b.patience.times(shareWithin))
	defer cancel()
	id := rand.Text()
	if err := b.shares.Save(ctx, id, req.Command+" "+req.Text, shareFor); err != nil {
		b.log.Warn("an answer went out without Share: its request could not be kept", "ref", req.Ref, "error", err)
		return "", false
	}
	return requestPrefix + id, true
}

// share asks again in the clicker's name and posts the answer in the channel.
func (b *Bot) share(ctx context.Context, to asker, c click) {
	if !b.firstClick(ctx, to, c) {
		b.tell(ctx, to, string(commands.AsideShared), "")
		return
	}
	p := placement{sharedBy: to.user, claim: shareClaim(to, c)}
	req := commands.Request{User: to.user, Ref: to.ref, Shared: true}
	id, kept := strings.CutPrefix(c.value, requestPrefix)
	if !kept {
		b.answer(ctx, to, p, b.commands.ParseAction(actionDebug, c.value, req).Run)
		return
	}
	request, err := b.load(ctx, id)
	switch {
	case err != nil:
		b.log.Error("a request to be shared could not be read", "ref", to.ref, "error", err)
		b.tell(ctx, to, string(commands.AsideShareUnknown), to.ref)
	case request == "":
		b.tell(ctx, to, string(commands.AsideShareOld), "")
	default:
		req.Command, req.Text, _ = strings.Cut(request, " ")
		b.answer(ctx, to, p, b.commands.Parse(req).Run)
	}
}

func (b *Bot) load(ctx context.Context, id string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return b.shares.Load(ctx, id)
}

func shareClaim(to asker, c click) string { return to.channel + ":" + c.message }

// unshare lets a click on Share that came to nothing be made again.
func (b *Bot) unshare(ctx context.Context, to asker, p placement) {
	ctx, cancel := context.WithTimeout(ctx, b.patience.times(shareWithin))
	defer cancel()
	if err := b.shares.Unclaim(ctx, p.claim); err != nil {
		b.log.Warn("the next click on Share may be taken for a double click", "ref", to.ref, "error", err)
	}
}

// firstClick tells a click from the second of a double click, which may reach
// another process. Where Redis cannot say, a message twice is the lesser evil.
func (b *Bot) firstClick(ctx context.Context, to asker, c click) bool {
	ctx, cancel := context.WithTimeout(ctx, b.patience.times(shareWithin))
	defer cancel()
	first, err := b.shares.Claim(ctx, shareClaim(to, c), doubleWithin)
	if err != nil {
		b.log.Warn("a double click on Share cannot be told", "ref", to.ref, "error", err)
		return true
	}
	return first
}
