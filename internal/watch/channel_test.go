package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/superduperai/sessionbot/store"
)

// channel is where the watch tells: it keeps the messages that are there.
type channel struct {
	news chan string // reason and number of open sessions

	mu       sync.Mutex
	messages map[string]store.Message // by mark
	lines    []string                 // marks of those in threads
	calls    int
	away     error   // what every call meets
	fail     []error // of the next calls
	lost     int     // posts that arrive without an answer
	finds    bool
	mute     bool   // it takes no lines in threads
	posted   func() // nil = nothing happens after a post
	said     func() // nil = nothing happens after a line in a thread
}

func (c *channel) next() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	if c.away != nil || len(c.fail) == 0 {
		return c.away
	}
	err := c.fail[0]
	c.fail = c.fail[1:]
	return err
}

func (c *channel) Post(_ context.Context, i store.Incident, d Decision, mark string) (store.Message, error) {
	if err := c.next(); err != nil {
		return store.Message{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	m := store.Message{Channel: "C1", TS: fmt.Sprint(len(c.messages) + 1)}
	if c.messages == nil {
		c.messages = map[string]store.Message{}
	}
	c.messages[mark] = m
	c.news <- fmt.Sprint(d.Reason, " ", len(i.Open()))
	if c.posted != nil {
		c.posted()
	}
	if c.lost > 0 {
		c.lost--
		return store.Message{}, &Refusal{Unclear: true, Err: context.DeadlineExceeded}
	}
	return m, nil
}

func (c *channel) Update(_ context.Context, i store.Incident) error {
	if err := c.next(); err != nil {
		return err
	}
	c.news <- fmt.Sprint("update ", len(i.Open()))
	return nil
}

func (c *channel) Reply(_ context.Context, i store.Incident, d Decision, mark string) error {
	err := c.next()
	if c.mute {
		err = &Refusal{Stuck: true, Err: errors.New("restricted_action_thread_locked")}
	}
	var refusal *Refusal
	if err != nil && (!errors.As(err, &refusal) || !refusal.Unclear) {
		return err
	}
	c.mu.Lock()
	c.lines = append(c.lines, mark)
	c.mu.Unlock()
	c.news <- fmt.Sprint("reply ", d.Reason, " ", len(i.Open()))
	if c.said != nil {
		c.said()
	}
	return err
}

func (c *channel) Find(_ context.Context, i store.Incident) (store.Message, bool, error) {
	if err := c.next(); err != nil {
		return store.Message{}, false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.finds {
		return store.Message{}, false, ErrHistoryForbidden
	}
	if i.Place.TS != "" {
		return i.Place, slices.Contains(c.lines, i.Posting), nil
	}
	m, ok := c.messages[i.Posting]
	return m, ok, nil
}

func (c *channel) posts() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.messages)
}
