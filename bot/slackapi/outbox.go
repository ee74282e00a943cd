// Package slackapi calls Slack: through one HTTP client, within Slack's rate limits, and
// with advice for each of its errors.
package slackapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/retryafter"
	"github.com/superduperai/sessionbot/store"
)

const (
	// maxWait bounds the wait before a retry, since a person waits for most messages. It
	// also cuts off the results of repairs and of pauses, which their runner sends again.
	maxWait    = 10 * time.Second
	maxRefusal = 1 << 10 // bytes read of a refusal
)

// Message is a message to be sent.
type Message struct {
	Blocks  []slack.Block
	Public  bool // visible to the whole channel, not to the requester alone
	Replace bool // replaces the message that was clicked
}

// Outbox sends all messages but alerts.
type Outbox struct {
	API    *slack.Client
	HTTP   *http.Client
	Origin Origin // of response_url
	Log    *slog.Logger

	MinRetryDelay    time.Duration // before a retry, at least
	OutageRetryDelay time.Duration // before the last retry, for short outages of Slack
	Send             time.Duration // a message may take, with Slack's pauses
	Call             time.Duration // one call may take

	refused refusedKinds
}

// contentOf is the content of a message, with the fallback text for notifications.
func contentOf(blocks []slack.Block) slack.MsgOption {
	return slack.MsgOptionCompose(slack.MsgOptionBlocks(blocks...), slack.MsgOptionText(blockkit.Fallback(blocks), false))
}

// NoUnfurl keeps Slack from showing what links lead to.
var NoUnfurl = slack.MsgOptionCompose(slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl())

// Respond answers through response_url, which works where the bot is no member.
// It retries 429 and 5xx once, and sends text alone if Slack refuses the blocks.
// The error is a *Fault or errForeignURL.
func (o *Outbox) Respond(ctx context.Context, responseURL string, m Message) error {
	if err := o.Origin.check(responseURL); err != nil {
		return err
	}
	unfurl := false
	body := slack.WebhookMessage{Text: blockkit.Fallback(m.Blocks), ResponseType: slack.ResponseTypeEphemeral,
		ReplaceOriginal: m.Replace, UnfurlLinks: &unfurl, UnfurlMedia: &unfurl}
	if m.Public {
		body.ResponseType = slack.ResponseTypeInChannel
	}
	return o.sendOrText(ctx, m.Blocks, func(blocks []slack.Block) error {
		body.Blocks = nil
		if blocks != nil {
			body.Blocks = &slack.Blocks{BlockSet: blocks}
		}
		return o.Retry(ctx, (*Fault).Retryable, []time.Duration{0}, func() error { return o.postWebhook(ctx, responseURL, body) })
	})
}

// PostEphemeral shows a message to the requester alone as the bot, where it is a
// member.
func (o *Outbox) PostEphemeral(ctx context.Context, channel, user string, blocks []slack.Block) error {
	return o.send(ctx, blocks, func(blocks []slack.Block) error {
		return o.Retry(ctx, (*Fault).rateLimited, []time.Duration{0}, func() error {
			_, err := o.API.PostEphemeralContext(ctx, channel, user, contentOf(blocks), NoUnfurl)
			return err
		})
	})
}

// Reply answers in a thread, "" = none, of a channel or of the person whose id it is
// given, and returns where. An answer that comes twice is preferred to none, and one
// without blocks likewise.
func (o *Outbox) Reply(ctx context.Context, channel, thread string, blocks []slack.Block) (m store.Message, err error) {
	place, text := slack.MsgOptionCompose(), slack.MsgOptionText(blockkit.Fallback(blocks), false)
	if thread != "" {
		place = slack.MsgOptionTS(thread)
	}
	err = o.sendOrText(ctx, blocks, func(blocks []slack.Block) error {
		content := text
		if blocks != nil {
			content = contentOf(blocks)
		}
		return o.Retry(ctx, (*Fault).Retryable, []time.Duration{0}, func() (err error) {
			m.Channel, m.TS, err = o.API.PostMessageContext(ctx, channel, content, NoUnfurl, place)
			return err
		})
	})
	return m, err
}

// Post posts a message in a channel, or to the person whose id it is given, and
// returns where. By its mark it can be found again. It outlives ctx. Only a rate limit
// is retried: after any other fault the message may have been posted.
func (o *Outbox) Post(ctx context.Context, channel string, mark slack.SlackMetadata, blocks []slack.Block, options ...slack.MsgOption) (store.Message, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Send)
	defer cancel()
	options = append(options, slack.MsgOptionMetadata(mark), NoUnfurl)
	var m store.Message
	err := o.send(ctx, blocks, func(blocks []slack.Block) error {
		return o.Retry(ctx, (*Fault).rateLimited, []time.Duration{0}, func() (err error) {
			m.Channel, m.TS, err = o.API.PostMessageContext(ctx, channel, append(slices.Clip(options), contentOf(blocks))...)
			return err
		})
	})
	return m, err
}

// Permalink returns the address of a message, "" if Slack does not return it.
func (o *Outbox) Permalink(ctx context.Context, m store.Message) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Call)
	defer cancel()
	url, err := o.API.GetPermalinkContext(ctx, &slack.PermalinkParameters{Channel: m.Channel, Ts: m.TS})
	if err != nil {
		o.Log.WarnContext(ctx, "message without a link", "error", FaultOf(err))
	}
	return url
}

// Find finds the message with this mark, posted after a time, in the thread of a message.
func (o *Outbox) Find(ctx context.Context, m store.Message, mark slack.SlackMetadata, after time.Time) (store.Message, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, o.Send)
	defer cancel()
	replies, _, _, err := o.API.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
		ChannelID: m.Channel, Timestamp: m.TS, Oldest: strconv.FormatInt(after.Unix(), 10), Limit: 200, IncludeAllMetadata: true})
	n := slices.IndexFunc(replies, func(r slack.Message) bool {
		return r.Metadata.EventType == mark.EventType && maps.Equal(r.Metadata.EventPayload, mark.EventPayload)
	})
	if n < 0 {
		return store.Message{}, false, err
	}
	return store.Message{Channel: m.Channel, TS: replies[n].Timestamp}, true, err
}

// Update replaces the blocks of a message. An update is idempotent, so it is
// retried twice.
func (o *Outbox) Update(ctx context.Context, m store.Message, blocks []slack.Block) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Send)
	defer cancel()
	return o.send(ctx, blocks, func(blocks []slack.Block) error {
		return o.Retry(ctx, (*Fault).Retryable, []time.Duration{0, o.OutageRetryDelay}, func() error {
			_, _, _, err := o.API.UpdateMessageContext(ctx, m.Channel, m.TS, contentOf(blocks))
			return err
		})
	})
}

// Retry calls Slack once, and again after each of the pauses while it answers a
// fault that may be retried. The error is a *Fault.
func (o *Outbox) Retry(ctx context.Context, retryable func(*Fault) bool, pauses []time.Duration, call func() error) error {
	for i := 0; ; i++ {
		err := call()
		if err == nil {
			return nil
		}
		fault := FaultOf(err)
		if i == len(pauses) || !retryable(fault) || Sleep(ctx, pauses[i]) != nil || o.wait(ctx, fault) != nil {
			return fault
		}
	}
}

// postWebhook posts to a response_url and reads what Slack made of it. A fault's
// text does not hold the address.
func (o *Outbox) postWebhook(ctx context.Context, responseURL string, body slack.WebhookMessage) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode a message: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, responseURL, bytes.NewReader(raw))
	if err != nil {
		return FaultOf(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := o.HTTP.Do(req)
	if err != nil {
		return FaultOf(err)
	}
	defer func() { _ = res.Body.Close() }() // it was read as far as it matters
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxRefusal))
	if err != nil && res.StatusCode == http.StatusOK {
		return nil // delivered; only Slack's "ok" got lost
	}
	return readRefusal(res, answer)
}

// readRefusal reads the answer of a response_url: "ok", JSON with ok and error, or
// a bare error code.
func readRefusal(res *http.Response, answer []byte) error {
	var parsed struct {
		OK    *bool  `json:"ok"`
		Error string `json:"error"`
	}
	isJSON := json.Unmarshal(answer, &parsed) == nil
	if res.StatusCode == http.StatusOK && (!isJSON || parsed.OK == nil || *parsed.OK) {
		return nil
	}
	code := parsed.Error
	if !isJSON {
		code = string(bytes.TrimSpace(answer))
	}
	return &Fault{
		Code: codePattern.FindString(code), Status: res.StatusCode, RetryAfter: retryafter.Read(res.Header, maxRetryAfter),
		err: slack.StatusCodeError{Code: res.StatusCode, Status: res.Status},
	}
}

// wait waits for Slack's Retry-After, at least MinRetryDelay. It fails at once if
// that exceeds maxWait.
func (o *Outbox) wait(ctx context.Context, fault *Fault) error {
	wait := max(fault.RetryAfter, o.MinRetryDelay)
	if wait > maxWait {
		return fault
	}
	return Sleep(ctx, wait)
}

// Sleep waits, or returns the error of ctx as soon as that ends.
func Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
