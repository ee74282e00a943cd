package bot

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/bot/access"
	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/panics"
	"github.com/superduperai/sessionbot/store/repair"
)

// Viewers are the people who opened their App Home lately, and what each was shown last;
// see presence.Viewers.
type Viewers interface {
	Opened(ctx context.Context, user string, now time.Time) error
	Recent(ctx context.Context, now time.Time) (shown map[string]string, err error)
	SetShown(ctx context.Context, user, shown string) error
	Forget(ctx context.Context, user string) error
}

// homes publishes the App Homes. Every process of the bot keeps those current that were
// opened lately: the first that sees a change publishes it.
type homes struct {
	*responder
	last atomic.Pointer[commands.Home] // as it was loaded last
}

// run publishes what changes, until ctx ends.
func (h *homes) run(ctx context.Context) {
	pause := h.cfg.Timings.Home
	for slackapi.Sleep(ctx, pause) == nil {
		err := panics.Catch(func() error { pause = max(h.pass(ctx), h.cfg.Timings.Home); return nil })
		if panicked, ok := errors.AsType[*panics.Error](err); ok {
			h.log.ErrorContext(ctx, "update of App Homes panicked", "panic", panicked.Message, "stack", panicked.Stack)
		}
	}
}

// pass publishes what has changed for those who opened their App Home lately, and returns
// how long to wait at least before the next pass.
func (h *homes) pass(ctx context.Context) time.Duration {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.Deadlines.Bulk)
	defer cancel()
	recent, err := h.cfg.Viewers.Recent(ctx, h.cfg.Now())
	if err != nil || len(recent) == 0 {
		return 0 // without Redis nothing is known that could be shown
	}
	home, err := h.load(ctx)
	if err != nil {
		h.log.DebugContext(ctx, "App Homes not updated", "error", err)
		return 0
	}
	for user, shown := range recent {
		err := h.update(ctx, user, home, shown)
		if err == nil {
			continue
		}
		fault := slackapi.FaultOf(err)
		h.log.WarnContext(ctx, "App Home not updated", "error", fault, "advice", fault.Advice())
		if fault.Temporary() {
			return max(fault.RetryAfter, h.cfg.Timings.OutageRetryDelay)
		}
		if err := h.cfg.Viewers.Forget(ctx, user); err != nil {
			h.log.DebugContext(ctx, "viewer not forgotten", "error", err)
		}
	}
	return 0
}

// update publishes a person's App Home if it has changed. While Slack cannot be asked who
// they are it is not updated.
func (h *homes) update(ctx context.Context, user string, home commands.Home, shown string) error {
	refused := h.admit(ctx, user)
	if refused != nil && refused.Cause != nil {
		return nil
	}
	if _, answered := h.answered.Load(user); answered {
		shown = ""
	}
	digest, hash, _ := strings.Cut(shown, " ")
	view := h.viewOf(ctx, user, home)
	if refused != nil {
		view = func(time.Time) []slack.Block { return blockkit.Message(refused.Line()) }
	}
	if view.digest() == digest || !h.claim(ctx, user) {
		return nil
	}
	return h.publish(ctx, user, view, hash)
}

// open shows a person their App Home, and keeps it current. People who
// are not readers see whom to ask.
func (h *homes) open(ctx context.Context, to requester) {
	if refused := h.admit(ctx, to.user); refused != nil {
		h.refuse(ctx, to, refused)
		return
	}
	home, err := h.load(ctx)
	if err != nil {
		h.log.ErrorContext(ctx, "App Home not loaded", "error", err)
		h.replyRef(ctx, to, message.Notice(message.RedisErrorText(err)+" Open this tab again in a moment."))
		return
	}
	if err := h.cfg.Viewers.Opened(ctx, to.user, h.cfg.Now()); err != nil {
		h.log.WarnContext(ctx, "viewer not recorded, their App Home is not kept current", "error", err)
	}
	if !h.claim(ctx, to.user) {
		return // it was published a moment ago
	}
	if err := h.publish(ctx, to.user, h.viewOf(ctx, to.user, home), ""); err != nil {
		h.log.ErrorContext(ctx, "App Home not published", "error", slackapi.FaultOf(err), "advice", slackapi.FaultOf(err).Advice())
	}
}

// refresh updates the App Home of a reader who pressed one of its buttons. If that fails, or
// is too soon, the next pass does it.
func (h *homes) refresh(ctx context.Context, user string) {
	if h.admit(ctx, user) != nil {
		return
	}
	err := h.cfg.Viewers.Opened(ctx, user, h.cfg.Now())
	var recent map[string]string
	if err == nil {
		recent, err = h.cfg.Viewers.Recent(ctx, h.cfg.Now())
	}
	var home commands.Home
	if err == nil {
		home, err = h.load(ctx)
	}
	if err == nil {
		err = h.update(ctx, user, home, recent[user])
	}
	if err != nil {
		h.log.DebugContext(ctx, "App Home left to the next pass", "error", err)
	}
}

// load returns what the App Home shows now.
func (h *homes) load(ctx context.Context) (commands.Home, error) {
	last := h.last.Load()
	home, err := h.cfg.Commands.Home(ctx, *cmp.Or(last, &commands.Home{}))
	if err == nil {
		h.last.Store(&home)
	}
	return home, err
}

// admit is that of the readers, and names the operators, whom others may ask.
func (h *homes) admit(ctx context.Context, user string) *access.Denial {
	refused := h.readers.Admit(ctx, user)
	if refused != nil && refused.Cause == nil {
		refused.Ask = h.cfg.Repairs.Operators
	}
	return refused
}

// homeView is what the App Home of one person shows at a time.
type homeView func(now time.Time) []slack.Block

// viewOf is the App Home of a reader.
func (h *homes) viewOf(ctx context.Context, user string, home commands.Home) homeView {
	plans := slices.DeleteFunc(slices.Clone(home.Plans), func(p repair.PlanRecord) bool { return !h.mayApprove(ctx, user, p) })
	return func(now time.Time) []slack.Block { return home.Blocks(user, plans, now) }
}

// mayApprove reports whether a person may approve a plan. One in a direct message is its
// requester's alone.
func (h *homes) mayApprove(ctx context.Context, user string, p repair.PlanRecord) bool {
	if isDirectChannel(p.Message.Channel) && p.Requester.ID != user {
		return false
	}
	refused, _ := approvals{h.responder}.mayDecide(ctx, requester{user: user}, p, message.ActionApprove)
	return refused == nil
}

// digest identifies the state that the view shows; the time does not count as a change.
func (v homeView) digest() string {
	raw, _ := json.Marshal(v(time.Unix(0, 0))) // blocks are made of texts and numbers
	sum := sha256.Sum256(raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// claim reports whether a person's App Home may be published now: each at most once every
// few seconds, by whichever process. If Redis fails it may be published twice.
func (h *homes) claim(ctx context.Context, user string) bool {
	first, err := h.cfg.Shares.Claim(ctx, "home:"+user, h.cfg.Timings.Home)
	return first || err != nil
}

// publish publishes an App Home over the version with that hash, "" = over any, and
// records it. Where Slack has another version, the next pass publishes.
func (h *homes) publish(ctx context.Context, user string, view homeView, hash string) error {
	_, answered := h.answered.LoadAndDelete(user) // first: an answer that is shown meanwhile sets it again
	published, err := h.publishHome(ctx, user, view(h.cfg.Now()), hash)
	shown := view.digest() + " " + published
	if err != nil {
		if answered {
			h.answered.Store(user, true)
		}
		if slackapi.FaultOf(err).Code != "hash_conflict" {
			return err
		}
		shown = ""
	}
	if err := h.cfg.Viewers.SetShown(ctx, user, shown); err != nil {
		h.log.DebugContext(ctx, "version of an App Home not recorded", "error", err)
	}
	return nil
}
