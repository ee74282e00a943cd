package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// answered tells how long the sessions that were typed waited for a message that
// names them, since a revision; those that none names yet are left out. A
// message's ts is when the workspace took it: to read it is no part of answering.
func (s *stage) answered(typed map[string]time.Time, after int64) []time.Duration {
	first := map[string]time.Duration{}
	messages, _ := s.Messages("C0SUPPORT", "U0SUPPORT")
	for _, m := range messages {
		at := strings.Index(m.Text, "cs_live_")
		if m.Revision <= after || at < 0 {
			continue
		}
		session := m.Text[at:min(len(m.Text), at+len(id(0)))]
		begun, ok := typed[session]
		if _, again := first[session]; ok && !again {
			first[session] = taken(m.TS).Sub(begun)
		}
	}
	return slices.Collect(maps.Values(first))
}

// taken is the time of a ts.
func taken(ts string) time.Time {
	micros, _ := strconv.ParseInt(strings.Replace(ts, ".", "", 1), 10, 64) // the workspace made it
	return time.UnixMicro(micros)
}

// debugs types commands at a rate, and returns how long the acks and the answers
// took.
func (s *stage) debugs(ctx context.Context, from, n, perSecond int) (acks, took []time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(n/perSecond)*time.Second+15*time.Second)
	defer cancel()
	_, before := s.Messages("C0SUPPORT", "U0SUPPORT")
	typed := map[string]time.Time{}
	var typing sync.WaitGroup
	var mu sync.Mutex
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for i := range n {
		<-tick.C
		session := id(from + i)
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
	for took = s.answered(typed, before); len(took) < n && ctx.Err() == nil; took = s.answered(typed, before) {
		time.Sleep(10 * time.Millisecond)
	}
	if len(took) < n && err == nil && perSecond <= 50 {
		err = fmt.Errorf("%d of %d commands were answered", len(took), n)
	}
	return acks, took, err
}
