package socketmode

import (
	"time"

	"github.com/superduperai/sessionbot/bot/slackapi"
)

// Timings are the pauses of Connections.
type Timings struct {
	Stagger     time.Duration // from the first hello to the second connection
	StableAfter time.Duration // a connection that ends sooner is no reason to connect again at once
	Replace     time.Duration // the least age of a connection that Slack wants replaced, before its successor is opened
	Token       time.Duration // between two checks of the bot token
	Backoff     time.Duration // between two attempts to connect; doubles
	Announce    time.Duration // between two announcements of this process
}

// DefaultTimings returns those of production.
func DefaultTimings() Timings {
	return Timings{
		Stagger: time.Second, StableAfter: 5 * time.Second, Replace: time.Second, Token: time.Minute, Backoff: 200 * time.Millisecond, Announce: 30 * time.Second,
	}
}

// Deadlines are how long a connection may take.
type Deadlines struct {
	Handshake time.Duration // of a WebSocket
	Hello     time.Duration // from the handshake to Slack's greeting
	Silence   time.Duration // between two frames: Slack sends a PING every ten seconds or so
	Write     time.Duration // of an ack or a PONG
}

// NewDeadlines returns production's times a factor.
func NewDeadlines(factor time.Duration) Deadlines {
	return Deadlines{Handshake: factor * slackapi.HandshakeTimeout, Hello: factor * 10 * time.Second, Silence: factor * 25 * time.Second, Write: factor * time.Second}
}
