package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// answered tells how long the sessions that were typed waited for an answer that
// names them; those that none names yet are left out. What counts is when the
// answer reached the workspace: what that makes of it is no part of answering.
func (s *stage) answered(typed map[string]time.Time) []time.Duration {
	first := map[string]time.Duration{}
	for _, f := range s.Frames() {
		at := strings.Index(f.Body, "cs_live_")
		if f.Title != "response_url" || at < 0 {
			continue
		}
		session := f.Body[at:min(len(f.Body), at+len(id(0)))]
		begun, ok := typed[session]
		if _, again := first[session]; ok && !again && f.At.After(begun) {
			first[session] = f.At.Sub(begun)
		}
	}
	return slices.Collect(maps.Values(first))
}

// from is the sessions from a number on, nearly all of them completed.
func from(number int) func(n int) string {
	return func(n int) string { return id(number + n) }
}

// orphan is a session without a status.
func orphan(n int) string { return id(n/orphansOf100*100 + 100 - orphansOf100 + n%orphansOf100) }

// debugs asks for so many sessions at a rate, and returns how long their acks
// and answers took. No more than fifty: the workspace remembers only so much.
func (s *stage) debugs(ctx context.Context, session func(n int) string, n, perSecond int) (acks, took []time.Duration, err error) {
	acks, typed, err := s.types(session, n, perSecond)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	for {
		if took = s.answered(typed); len(took) == n {
			return acks, took, nil
		}
		select {
		case <-ctx.Done():
			return nil, nil, fmt.Errorf("%d of %d commands were answered", len(took), n)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// types asks for so many sessions at a rate, and returns how long the acks took
// and when each was typed.
func (s *stage) types(session func(n int) string, n, perSecond int) (acks []time.Duration, typed map[string]time.Time, err error) {
	typed = map[string]time.Time{}
	var typing sync.WaitGroup
	var mu sync.Mutex
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for i := range n {
		<-tick.C
		session := session(i)
		typed[session] = time.Now()
		typing.Go(func() {
			begun := time.Now()
			_, e := s.Command("U0SUPPORT", "C0SUPPORT", "/session", "debug "+session)
			mu.Lock()
			defer mu.Unlock()
			acks, err = append(acks, time.Since(begun)), errors.Join(err, e)
		})
	}
	typing.Wait()
	return acks, typed, err
}
