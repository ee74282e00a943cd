package main

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/superduperai/sessionbot/internal/blockkit"
)

const (
	inPlaceInterval = 100 * time.Millisecond
	lineInterval    = 5 * time.Second
)

// meter shows the progress of something that takes long: on a terminal in one
// place, else as a line every few seconds.
type meter struct {
	out     io.Writer
	screen  blockkit.Screen
	inPlace bool

	mu    sync.Mutex
	last  time.Time
	shown bool
}

func newMeter(out io.Writer) *meter {
	screen, terminal := screenOf(out)
	return &meter{out: out, inPlace: terminal, screen: screen, last: time.Now()}
}

// counted shows how many of all keys have been scanned.
func (m *meter) counted(scanned, all int64) {
	if all > 0 {
		m.update(fmt.Sprintf("Counting: %d of %d keys, %d%%", scanned, all, min(100, 100*scanned/all)))
	}
}

// update shows text, unless it was called a moment ago.
func (m *meter) update(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	interval := lineInterval
	if m.inPlace {
		interval = inPlaceInterval
	}
	if time.Since(m.last) < interval {
		return
	}
	m.last = time.Now()
	if !m.inPlace {
		_, _ = fmt.Fprintln(m.out, text) // progress may get lost
		return
	}
	m.shown = true
	_, _ = fmt.Fprint(m.out, "\r\x1b[K", blockkit.Cut(text, max(m.screen.Width-1, 1))) // likewise
}

// clock shows every second the state that was set last and the time since the
// start, until stop is called.
func (m *meter) clock() (set func(state string), stop func()) {
	started, done := time.Now(), make(chan struct{})
	var state atomic.Value
	state.Store("Starting")
	show := func() { m.update(fmt.Sprintf("%s · %s", state.Load(), time.Since(started).Round(time.Second))) }
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				show()
			case <-done:
				return
			}
		}
	})
	set = func(text string) { state.Store(text); show() }
	return set, sync.OnceFunc(func() { close(done); running.Wait() })
}

// clear makes room for what is printed next.
func (m *meter) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.shown {
		_, _ = fmt.Fprint(m.out, "\r\x1b[K") // likewise
		m.shown = false
	}
}
