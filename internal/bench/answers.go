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

// debugs asks for so many sessions at a rate, and returns how long the acks and
// the answers took.
func (s *stage) debugs(ctx context.Context, session func(n int) string, n, perSecond int) (acks, took []time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(n/perSecond)*time.Second+15*time.Second)
	defer cancel()
	typed := map[string]time.Time{}
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
	for took = s.answered(typed); len(took) < n && ctx.Err() == nil; took = s.answered(typed) {
		time.Sleep(10 * time.Millisecond)
	}
	if len(took) < n && err == nil && perSecond <= 50 {
		err = fmt.Errorf("%d of %d commands were answered", len(took), n)
	}
	return acks, took, err
}
