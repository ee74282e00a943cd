package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// answers tells when each session was first named in a message.
type answers struct {
	mu    sync.Mutex
	typed map[string]time.Time
	took  []time.Duration
	done  chan struct{}
}

// listen follows the messages of the workspace until ctx ends.
func (s *stage) listen(ctx context.Context) *answers {
	a := &answers{typed: map[string]time.Time{}, done: make(chan struct{})}
	go func() {
		defer close(a.done)
		_, after := s.Messages("C0SUPPORT", "U0SUPPORT")
		for ctx.Err() == nil {
			url := fmt.Sprintf("%s/control/messages?channel=C0SUPPORT&user=U0SUPPORT&after=%d&wait=1000", s.URL(), after)
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
			if err != nil {
				return
			}
			req.Header.Set("X-Control-Key", "bench")
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				return
			}
			var news struct {
				Messages []struct{ Text string }
				Revision int64
			}
			err = json.NewDecoder(res.Body).Decode(&news)
			_ = res.Body.Close()
			if err != nil {
				return
			}
			after = news.Revision
			now := time.Now()
			a.mu.Lock()
			for _, m := range news.Messages {
				if at := strings.Index(m.Text, "cs_live_"); at >= 0 {
					id := m.Text[at:min(len(m.Text), at+len(id(0)))]
					if typed, ok := a.typed[id]; ok {
						a.took = append(a.took, now.Sub(typed))
						delete(a.typed, id)
					}
				}
			}
			a.mu.Unlock()
		}
	}()
	return a
}

// debugs types commands at a rate, and returns how long the acks and the answers
// took.
func (s *stage) debugs(ctx context.Context, from, n, perSecond int) (acks, took []time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(n/perSecond)*time.Second+15*time.Second)
	defer cancel()
	a := s.listen(ctx)
	var typing sync.WaitGroup
	var mu sync.Mutex
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for i := range n {
		<-tick.C
		session := id(from + i)
		a.mu.Lock()
		a.typed[session] = time.Now()
		a.mu.Unlock()
		typing.Go(func() {
			begun := time.Now()
			_, e := s.Command("U0SUPPORT", "C0SUPPORT", "/session", "debug "+session)
			mu.Lock()
			defer mu.Unlock()
			acks, err = append(acks, time.Since(begun)), errors.Join(err, e)
		})
	}
	typing.Wait()
	for ctx.Err() == nil {
		a.mu.Lock()
		answered := len(a.took)
		a.mu.Unlock()
		if answered == n {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	<-a.done
	if len(a.took) < n && err == nil && perSecond <= 50 {
		err = fmt.Errorf("%d of %d commands were answered", len(a.took), n)
	}
	return acks, a.took, err
}

func (a *answers) seen() []time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.took
}
