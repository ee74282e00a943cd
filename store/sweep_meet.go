package store

import (
	"bytes"
	"context"

	"github.com/redis/go-redis/v9"
)

// lane is the keys of one master.
type lane struct {
	*sweep
	master *redis.Client
	pages  int
	asks   asked
	reads  page
	some   []string // of its keys, whose memory is asked
}

// leave leaves sessions that were not written lately to the next sweep.
func (l *lane) leave(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sessions, l.unread = l.sessions+n, l.unread+n
}

// visit looks at a key that was scanned.
func (l *lane) visit(key []byte) {
	l.reads.keys++
	if l.seen != nil {
		l.seen.key(key)
		if len(l.some) < samplesPerOne && l.seen.samples(l.pages) {
			l.some = append(l.some, string(key))
		}
	}
	id := sessionOf(key)
	if len(id) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !l.meet(id):
	case !l.quick:
		only := ""
		if l.crowded && bytes.HasPrefix(key, []byte(prefixLookup)) { // it may be all that there is
			only = prefixLookup
		}
		l.reads.add(only, string(id))
	default:
		l.asks.prefix = prefixWebhook
		if l.lookups {
			l.asks.prefix = prefixLookup
		}
		l.asks.ids = append(l.asks.ids, string(id))
	}
}

// meet sees a session, and tells whether it has to be asked for. w.mu is held.
func (w *sweep) meet(id []byte) bool {
	print := w.known.fingerprint(id)
	at := w.known.find(print)
	switch mark := at.mark(); {
	case at.seen(): // at another key, or shown twice by SCAN
		return false
	case mark == resting && !w.quick && at.slice(print) != w.sweeps%verifyRounds:
		at.see()
		w.sessions++
		w.Rest(id, at.resting(w.Now))
		return false
	case mark != resting || w.quick:
		at.stand(unsettled)
	}
	at.see()
	return true
}

// page is to hand over what a page of keys asks for.
func (l *lane) page() func(context.Context) error {
	asks, reads, some := l.asks, l.reads, l.some
	l.asks, l.reads, l.some, l.pages = asked{}, page{}, nil, l.pages+1
	return func(ctx context.Context) error {
		if len(some) > 0 {
			if err := l.seen.sample(ctx, l.master, some); err != nil {
				return err
			}
		}
		if len(asks.ids) > 0 {
			select {
			case l.sweep.asks <- asks:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return l.toRead(ctx, reads)
	}
}

func (w *sweep) toRead(ctx context.Context, p page) error {
	select {
	case w.reads <- p:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ask asks for statuses. Who is completed is left for now; all others are read.
func (w *sweep) ask(ctx context.Context) error {
	for a := range w.asks {
		for len(a.ids) > 0 {
			ids := a.ids[:min(len(a.ids), askSize)]
			a.ids = a.ids[len(ids):]
			var reads page
			completed := 0
			err := w.redis.statuses(ctx, a.prefix, ids, func(i int, exists bool, s Status) {
				if w.asked.Add(1); exists {
					w.webhooks.Add(1)
				}
				switch {
				case s == StatusCompleted:
					completed++
				case a.prefix == prefixLookup:
					reads.add(prefixLookup, ids[i])
				case !exists:
					reads.add(prefixPrompt, ids[i])
				default:
					reads.add("", ids[i])
				}
			})
			if err == nil {
				err = w.toRead(ctx, reads)
			}
			if err != nil {
				return err
			}
			w.mu.Lock()
			w.sessions, w.unread = w.sessions+completed, w.unread+completed
			w.mu.Unlock()
		}
	}
	return nil
}

// prefixes are those of a session's keys.
var prefixes = []string{prefixPrompt, prefixLookup, prefixWebhook}

// sessionOf is the id of the session that a key is of, empty for keys of anything
// else.
func sessionOf(key []byte) (id []byte) {
	for _, prefix := range prefixes {
		if id, ok := bytes.CutPrefix(key, []byte(prefix)); ok {
			return id
		}
	}
	return nil
}
