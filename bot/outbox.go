package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/retryafter"
	"github.com/superduperai/sessionbot/store"
)

const (
	callFor     = 5 * time.Second  // one call of Slack
	longestWait = 10 * time.Second // that Slack may ask for before a second try that people wait for
	maxErrorLen = 1 << 10          // bytes read of a refusal
)

// asker is the person who waits for an answer, and where they wait.
type asker struct {
	ref         string
	user        string
	channel     string
	responseURL string
	deciding    bool // by a click that may change something
}

func (a asker) actor() store.Actor { return store.Actor{ID: a.user} }

// message is what goes out.
type message struct {
	blocks  []slack.Block
	public  bool // for the whole channel, not only for the asker
	replace bool // in the place of the message that was clicked
}

// outbox is the one place from which anything is posted.
type outbox struct {
	api   *slack.Client
	http  *http.Client
	hooks hooks
	log   *slog.Logger

	timings  Timings
	patience patience
}

// respond answers through response_url, which works where the bot is no member.
// What meets 429 or 5xx is tried once more; blocks that Slack refuses go out
// once more as text alone. The error is a *Fault or errForeignURL.
func (o *outbox) respond(ctx context.Context, to asker, m message) error {
	if err := o.hooks.check(to.responseURL); err != nil {
		return err
	}
	body := responseOf(m)
	err := o.deliver(ctx, to.responseURL, body)
	if err == nil {
		return nil
	}
	fault := FaultOf(err)
	switch {
	case fault.Retryable():
		if err := o.pause(ctx, fault); err != nil {
			return fault
		}
	case fault.ofShape():
		o.log.Error("Slack refused the blocks of an answer; it went out as text alone", "ref", to.ref, "error", fault)
		body.Blocks = nil
	default:
		return fault
	}
	return o.deliver(ctx, to.responseURL, body)
}

// whisper shows a message to the asker alone with the bot's own voice, where it
// is a member.
func (o *outbox) whisper(ctx context.Context, to asker, m message) error {
	return o.once(ctx, func() error {
		_, err := o.api.PostEphemeralContext(ctx, to.channel, to.user,
			slack.MsgOptionBlocks(m.blocks...), slack.MsgOptionText(blockkit.Fallback(m.blocks), false),
			slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl())
		return err
	})
}

// post shows a message to everybody in a channel, or to one person by their id,
// and returns where it stands. It goes on when ctx ends.
func (o *outbox) post(ctx context.Context, channel string, blocks []slack.Block, mark slack.SlackMetadata) (store.Message, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.patience.times(sendFor))
	defer cancel()
	var m store.Message
	err := o.once(ctx, func() (err error) {
		limited, done := context.WithTimeout(ctx, o.patience.times(callFor))
		defer done()
		m.Channel, m.TS, err = o.api.PostMessageContext(limited, channel, slack.MsgOptionBlocks(blocks...), slack.MsgOptionMetadata(mark),
			slack.MsgOptionText(blockkit.Fallback(blocks), false),
			slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl())
		return err
	})
	if err != nil {
		return store.Message{}, err
	}
	return m, nil
}

// once waits once for Slack's rate limit, at which nothing was posted. After any
// other fault a post is not repeated: it may stand there.
func (o *outbox) once(ctx context.Context, post func() error) error {
	err := post()
	if err == nil {
		return nil
	}
	fault := FaultOf(err)
	if fault.Status != http.StatusTooManyRequests || o.pause(ctx, fault) != nil {
		return fault
	}
	if err := post(); err != nil {
		return FaultOf(err)
	}
	return nil
}

// update puts other blocks into a message. It is tried again, twice, where Slack
// could not just then: an update says the same however often it comes.
func (o *outbox) update(ctx context.Context, m store.Message, blocks []slack.Block) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.patience.times(sendFor))
	defer cancel()
	change := func() error {
		_, _, _, err := o.api.UpdateMessageContext(ctx, m.Channel, m.TS,
			slack.MsgOptionBlocks(blocks...), slack.MsgOptionText(blockkit.Fallback(blocks), false))
		return err
	}
	err := change()
	if err == nil {
		return nil
	}
	for _, wait := range []time.Duration{0, o.timings.Outage} {
		fault := FaultOf(err)
		if !fault.Retryable() || pauseFor(ctx, wait) != nil || o.pause(ctx, fault) != nil {
			return fault
		}
		if err = change(); err == nil {
			return nil
		}
	}
	return FaultOf(err)
}

// response is what is posted to a response_url. Slack's library would encode the
// blocks by themselves, and then read and copy that once more.
type response struct {
	Text            string        `json:"text"`
	Blocks          []slack.Block `json:"blocks,omitempty"`
	Type            string        `json:"response_type"`
	ReplaceOriginal bool          `json:"replace_original"`
	UnfurlLinks     bool          `json:"unfurl_links"`
	UnfurlMedia     bool          `json:"unfurl_media"`
}

func responseOf(m message) response {
	body := response{Text: blockkit.Fallback(m.blocks), Blocks: m.blocks, Type: slack.ResponseTypeEphemeral, ReplaceOriginal: m.replace}
	if m.public {
		body.Type = slack.ResponseTypeInChannel
	}
	return body
}

// deliver posts to a response_url and reads what Slack made of it. A fault's
// text does not hold the address.
func (o *outbox) deliver(ctx context.Context, responseURL string, body response) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write a message: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, responseURL, bytes.NewReader(raw))
	if err != nil {
		return FaultOf(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := o.http.Do(req)
	if err != nil {
		return FaultOf(err)
	}
	defer func() { _ = res.Body.Close() }() // it was read as far as it matters
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxErrorLen))
	if err != nil && res.StatusCode == http.StatusOK {
		return nil // Slack took it; only its "ok" got lost
	}
	return readRefusal(res, answer)
}

// readRefusal reads an answer to a response_url: "ok", JSON with ok and error, or
// an error code as it is.
func readRefusal(res *http.Response, answer []byte) error {
	var told struct {
		OK    *bool  `json:"ok"`
		Error string `json:"error"`
	}
	isJSON := json.Unmarshal(answer, &told) == nil
	if res.StatusCode == http.StatusOK && (!isJSON || told.OK == nil || *told.OK) {
		return nil
	}
	code := told.Error
	if !isJSON {
		code = string(bytes.TrimSpace(answer))
	}
	return &Fault{
		Code: known(errorCode, code), Status: res.StatusCode, RetryAfter: retryafter.Read(res.Header, longestPause),
		err: slack.StatusCodeError{Code: res.StatusCode, Status: res.Status},
	}
}

// pause waits as long as Slack asks, and a moment at least. It gives up at once
// where that is longer than anybody waits for an answer.
func (o *outbox) pause(ctx context.Context, fault *Fault) error {
	wait := max(fault.RetryAfter, o.timings.Retry)
	if wait > longestWait {
		return fault
	}
	return pauseFor(ctx, wait)
}

func pauseFor(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
