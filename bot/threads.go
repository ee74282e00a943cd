package bot

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/bot/wire"
	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/follow"
)

// Threads follow the threads in which people asked about a session; see threads.Threads.
type Threads interface {
	Follow(ctx context.Context, session string, t follow.Thread) error
	Inform(ctx context.Context, session string, by store.Actor, where string) (follow.Informed, bool, error)
}

// threadOf is the thread of the message that a shortcut is used on.
func threadOf(i interaction) string {
	m, _ := wire.Decode[struct {
		TS     wire.Timestamp `json:"ts"`
		Thread wire.Timestamp `json:"thread_ts"`
	}](jsontext.Value(i.message)) // empty where it is no object
	return string(cmp.Or(m.Thread, m.TS))
}

// aboutPrefix begins the block_id of a row that is about a thread: its number and the
// thread's ts follow.
const aboutPrefix = "about."

// markAbout lets the buttons of rows keep the thread that their message is about, as a
// modal keeps it in its origin.
func markAbout(blocks []slack.Block, thread string) {
	for n, block := range blocks {
		if row, ok := block.(*slack.SectionBlock); ok && row.Accessory != nil {
			row.BlockID = aboutPrefix + strconv.Itoa(n) + "." + thread
		}
	}
}

// aboutOf returns the thread that markAbout kept in a block_id, "" = none.
func aboutOf(block string) string {
	numbered, ours := strings.CutPrefix(block, aboutPrefix)
	_, thread, _ := strings.Cut(numbered, ".")
	if !ours {
		return ""
	}
	return thread
}

// follow records a thread, to be answered again when the session of its answer has ended.
// If it fails, people have to ask again.
func (a answers) follow(ctx context.Context, to requester, answer commands.Answer, thread store.Message) {
	if a.cfg.Threads == nil || answer.Follow == nil || thread.TS == "" {
		return
	}
	asked := *answer.Follow
	asked.Message, asked.By = thread, to.user
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	if err := a.cfg.Threads.Follow(ctx, answer.Session, asked); err != nil {
		a.log.WarnContext(ctx, "thread not followed", "error", err)
	}
}

// inform records that the customer of a session was informed, and shows it in the
// message. The click is answered if it changed nothing, or if a message was not updated.
func (a answers) inform(ctx context.Context, to requester, c click) {
	by, shown, err := follow.Informed{}, false, follow.ErrUnknown
	if a.cfg.Threads != nil && store.IsSessionID(c.value) {
		by, shown, err = a.cfg.Threads.Inform(ctx, c.value, to.actor(), to.channel)
	}
	switch {
	case errors.Is(err, follow.ErrUnknown):
		a.reply(ctx, to, message.NoticeInformedGone)
	case err != nil:
		a.log.ErrorContext(ctx, "customer informed, not recorded", "error", err)
		a.replyRef(ctx, to, message.Notice(message.ClickFailedText(err)))
	case !shown:
		a.replyLine(ctx, to, message.InformedReply(by, a.cfg.Now()))
	}
}
