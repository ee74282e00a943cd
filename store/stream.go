package store

import (
	"context"
	"io"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"
)

// stream reads an answer of Redis while it comes in, value after value, and
// makes nothing of it that would be thrown away again: a sweep sees millions.
type stream struct {
	value  func(raw []byte, exists bool) // raw is valid until it returns
	number func(n int)                   // nil = nobody asks

	began bool // something has come
	size  int  // of the value that comes next
	raw   []byte
	fault error // what Redis answered instead
}

// Write takes a line of the answer, or its end.
func (s *stream) Write(p []byte) (int, error) {
	s.began = true
	switch p[0] {
	case '$':
		n, err := strconv.Atoi(string(p[1:]))
		if err != nil {
			return 0, err
		}
		if s.size = n; n < 0 {
			s.value(nil, false)
		}
	case '_':
		s.value(nil, false)
	case ':':
		n, err := strconv.Atoi(string(p[1:]))
		if err != nil {
			return 0, err
		}
		if s.number != nil {
			s.number(n)
		}
	case '-', '!':
		s.fault = told(p[1:])
	}
	return len(p), nil
}

// ReadFrom takes a value and the end of its line.
func (s *stream) ReadFrom(r io.Reader) (int64, error) {
	if need := s.size + 2; cap(s.raw) < need {
		s.raw = make([]byte, need, 2*need)
	}
	n, err := io.ReadFull(r, s.raw[:s.size+2])
	if err == nil {
		s.value(s.raw[:s.size], true)
	}
	return int64(n), err
}

// do asks one server, again where a broken connection gave no answer at all.
func (s *stream) do(ctx context.Context, master *redis.Client, args ...any) error {
	for try := 1; ; try++ {
		err := master.DoRawWriteTo(ctx, s, args...).Err()
		if err == nil {
			err = s.fault
		}
		if err == nil || s.began || try == 3 || ctx.Err() != nil {
			return err
		}
	}
}

const (
	scanCount = 2000 // keys that one SCAN looks at: Redis is held for two milliseconds or three
	fewCount  = 400  // likewise, where Redis rests in between or is asked for the same keys' values
	scanAhead = 4    // pages that are on their way or not yet looked at
)

// paging is how a page of keys is asked for.
type paging struct {
	command func(cursor uint64) []any // its answer is the next cursor and the keys
	old     func(n int)               // told how many keys the server left out; nil = none
	instead *paging                   // where the server refuses; nil = that ends it
	refused atomic.Bool
}

// pages asks for the keys that match; "" = for all.
func pages(match string, count int) *paging {
	return &paging{command: func(cursor uint64) []any {
		if match == "" {
			return []any{"scan", cursor, "count", count}
		}
		return []any{"scan", cursor, "count", count, "match", match}
	}}
}

// ask asks for a page. What a server refused it is not asked again.
func (p *paging) ask(ctx context.Context, master *redis.Client, cursor uint64, reply *stream) error {
	if !p.refused.Load() {
		err := reply.do(ctx, master, p.command(cursor)...)
		if reply.fault == nil || p.instead == nil {
			return err
		}
		p.refused.Store(true)
		reply.began, reply.fault = false, nil
	}
	return p.instead.ask(ctx, master, cursor, reply)
}

// scan walks the keys of one master. visit is called for each key, and page after
// each page of them, one at a time and in order; what page returns is called
// beside them. The next page is asked for while the keys of the last come in, so
// that Redis need not wait for us: its cursor comes first. A pace that is not nil
// lets Redis rest in between instead.
func scan(ctx context.Context, master *redis.Client, from *paging, pace *pace, visit func(key []byte), page func() func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	var turn sync.Mutex // one page is read at a time, in their order
	room := make(chan struct{}, scanAhead)
	var ask func(cursor uint64) error
	ask = func(cursor uint64) error {
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		defer func() { <-room }()
		next, first, last := uint64(0), true, false
		reply := &stream{number: from.old}
		reply.value = func(raw []byte, _ bool) {
			if !first {
				visit(raw)
				return
			}
			first = false
			turn.Lock()
			next, _ = strconv.ParseUint(string(raw), 10, 64) // a number: it is Redis that says so
			if last = next == 0; !last && pace == nil {
				group.Go(func() error { return ask(next) })
			}
		}
		begun := pace.begin()
		err := from.ask(ctx, master, cursor, reply)
		var after func(context.Context) error
		if !first {
			after = page()
			turn.Unlock()
		}
		if err == nil {
			err = after(ctx)
		}
		if err != nil {
			return err
		}
		if pace == nil || last {
			return nil
		}
		if err := pace.rest(ctx, begun); err != nil {
			return err
		}
		group.Go(func() error { return ask(next) })
		return nil
	}
	group.Go(func() error { return ask(0) })
	return group.Wait()
}
