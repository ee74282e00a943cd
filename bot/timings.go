package bot

import (
	"time"

	"github.com/superduperai/sessionbot/bot/slackapi"
)

// Timings are the pauses of a Bot.
type Timings struct {
	Stagger  time.Duration // from the first hello to the second connection
	Settled  time.Duration // a connection that ends sooner is no reason to connect again at once
	Replace  time.Duration // the least age of a connection that Slack wants replaced, before its successor is opened
	Token    time.Duration // between two checks of the bot token
	Backoff  time.Duration // between two attempts to connect; doubles
	Announce time.Duration // between two announcements of this process
	Retry    time.Duration // the least before a second call of Slack's API
	Outage   time.Duration // that a short outage of Slack's is waited for
	Home     time.Duration // between two versions of somebody's App Home
}

// DefaultTimings returns those of production.
func DefaultTimings() Timings {
	return Timings{
		Stagger: time.Second, Settled: 5 * time.Second, Replace: time.Second, Token: time.Minute, Backoff: 200 * time.Millisecond,
		Announce: 30 * time.Second, Retry: time.Second, Outage: 4 * time.Second, Home: 3 * time.Second,
	}
}

// Deadlines are how long Slack and Redis may take. Those of stopping are
// constants: they were promised.
type Deadlines struct {
	Request   time.Duration // a request, until its answer is known
	Bulk      time.Duration // a request that looks at many sessions
	Notice    time.Duration // until a notice says why such a request takes long
	Send      time.Duration // an answer, with Slack's pauses
	Call      time.Duration // one call of Slack's API
	Lookup    time.Duration // in Slack's directory
	Share     time.Duration // that an answer waits for its Share button
	Connect   time.Duration // TCP and TLS, each
	Handshake time.Duration // of a WebSocket
	Hello     time.Duration // from the handshake to Slack's greeting
	Silence   time.Duration // between two frames: Slack sends a PING every ten seconds or so
	Write     time.Duration // of an ack or a PONG
}

// NewDeadlines returns production's times a factor, at least 1, for machines that
// are slow.
func NewDeadlines(factor int) Deadlines {
	times := time.Duration(max(factor, 1))
	second := times * time.Second
	return Deadlines{
		Request: 10 * second, Bulk: 60 * second, Notice: 2 * second, Send: 20 * second, Call: 5 * second, Lookup: 2 * second, Share: second / 5,
		Connect: times * slackapi.ConnectTimeout, Handshake: times * slackapi.HandshakeTimeout, Hello: 10 * second, Silence: 25 * second, Write: second,
	}
}
