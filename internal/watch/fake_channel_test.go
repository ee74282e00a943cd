package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/incident"
)

// fakeChannel is an alert channel that keeps its messages.
type fakeChannel struct {
	news chan string // reason and number of open sessions

	mu            sync.Mutex
	messages      map[string]store.Message // by mark
	lines         []string                 // marks of those in threads
	calls         int
	down          error   // what every call meets
	failures      []error // of the next calls
	lostAnswers   int     // posts that arrive without an answer
	readable      bool
	threadsLocked bool   // it takes no lines in threads
	onPost        func() // nil = nothing happens after a post
	onReply       func() // nil = nothing happens after a line in a thread
}

func (c *fakeChannel) next() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	if c.down != nil || len(c.failures) == 0 {
		return c.down
	}
	err := c.failures[0]
	c.failures = c.failures[1:]
	return err
}

func (c *fakeChannel) Post(_ context.Context, i incident.Incident, d Decision, mark string) (store.Message, error) {
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
	if c.onPost != nil {
		c.onPost()
	}
	if c.lostAnswers > 0 {
		c.lostAnswers--
		return store.Message{}, &DeliveryError{Unclear: true, Err: context.DeadlineExceeded}
	}
	return m, nil
}

func (c *fakeChannel) Update(_ context.Context, i incident.Incident) error {
	if err := c.next(); err != nil {
		return err
	}
	c.news <- fmt.Sprint("update ", len(i.Open()))
	return nil
}

func (c *fakeChannel) Reply(_ context.Context, i incident.Incident, d Decision, mark string) error {
	err := c.next()
	if c.threadsLocked {
		err = &DeliveryError{NotEditable: true, Err: errors.New("restricted_action_thread_locked")}
	}
	var failure *DeliveryError
	if err != nil && (!errors.As(err, &failure) || !failure.Unclear) {
		return err
	}
	c.mu.Lock()
	c.lines = append(c.lines, mark)
	c.mu.Unlock()
	c.news <- fmt.Sprint("reply ", d.Reason, " ", len(i.Open()))
	if c.onReply != nil {
		c.onReply()
	}
	return err
}

func (c *fakeChannel) Find(_ context.Context, i incident.Incident) (store.Message, bool, error) {
	if err := c.next(); err != nil {
		return store.Message{}, false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.readable {
		return store.Message{}, false, ErrHistoryForbidden
	}
	if i.SlackMessage.TS != "" {
		return i.SlackMessage, slices.Contains(c.lines, i.Posting), nil
	}
	m, ok := c.messages[i.Posting]
	return m, ok, nil
}

func (c *fakeChannel) posts() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.messages)
}
