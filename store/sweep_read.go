package store

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
)

// read reads sessions and hands them over.
func (w *sweep) read(ctx context.Context) error {
	looks, looking := errgroup.WithContext(ctx)
	looks.SetLimit(readers)
	if w.Pace {
		looks.SetLimit(1) // Redis is to rest
	}
	queues := map[string]*queue{"": {}, prefixPrompt: {}, prefixLookup: {}}
	var scanned, met int64
	for more := true; more && looking.Err() == nil; {
		var p page
		select {
		case p, more = <-w.reads:
		case <-looking.Done():
		}
		scanned += p.keys
		for only, q := range queues {
			*q, met = append(*q, p.ids[only]...), met+int64(len(p.ids[only]))
			for next := q.next(more); len(next) > 0; next = q.next(more) {
				looks.Go(func() error { return w.readSome(looking, next, only) })
			}
		}
		w.told(scanned, met)
	}
	err := looks.Wait()
	w.told(scanned, met)
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// queue is sessions that are to be read.
type queue []string

// next is those that are read together: as many as are worth it, while more come.
func (q *queue) next(more bool) []string {
	n := len(*q)
	if n < readSize && more {
		return nil
	}
	n = min(n, readSize)
	next := (*q)[:n]
	*q = (*q)[n:]
	return next
}

// told tells how many keys were looked at: those of sessions that are still to
// be read were not.
func (w *sweep) told(scanned, met int64) {
	if w.seen != nil {
		w.seen.scanned(int64(float64(scanned) * float64(w.done.Load()+1) / float64(met+1)))
	}
}

func (w *sweep) readSome(ctx context.Context, ids []string, only string) error {
	sessions, err := w.redis.look(ctx, ids, only)
	if err != nil {
		return err
	}
	w.mu.Lock()
	there := sessions[:0]
	for _, s := range sessions {
		print := w.known.fingerprint([]byte(s.ID))
		at := w.known.find(print)
		if s.Layout() == LayoutNone { // gone in the meantime
			at.stand(unsettled)
			at.unsee()
			delete(w.apart, s.ID)
			continue
		}
		switch {
		case s.Prompt.Exists:
			delete(w.apart, s.ID)
		case w.crowded:
		case s.Lookup.Full, len(w.apart) == maxApart:
			w.apart, w.crowded = map[string]bool{}, true
		default:
			w.apart[s.ID] = true
		}
		r, rests := restingOf(s, w.Now)
		if !rests || w.written[s.ID] || !at.rest(r, w.Now) {
			at.stand(unsettled)
		}
		there = append(there, s)
	}
	w.sessions += len(there)
	w.mu.Unlock()
	w.handing.Lock()
	defer w.handing.Unlock()
	if w.refused == nil {
		w.refused = w.Read(there)
	}
	w.done.Add(int64(len(ids)))
	return w.refused
}

// restingOf is what is to be remembered of a session, if it rests: whatever is
// known of its payment, only a write can change its verdict.
func restingOf(s Session, now time.Time) (r Resting, rests bool) {
	d := Diagnose(Evidence{Session: s, Payment: Payment{State: PaymentUnverified, Why: NoStripeKey}}, now, Thresholds{})
	if d.Verdict != VerdictCompleted {
		return r, false
	}
	r = Resting{Length: Length(s.PromptText()), At: first(d.PaidAt, d.Since)}
	var least time.Duration
	for _, key := range s.Keys() {
		if !key.Exists {
			continue
		}
		if r.Keys++; r.Keys == 1 || key.TTL < least {
			least = key.TTL
		}
	}
	r.Expires = now.Add(least)
	return r, least > 0 && !r.At.IsZero()
}

// readApart looks at the sessions without prompt:, which few sweeps meet, and at
// those that were written and may be such by now.
func (w *sweep) readApart(ctx context.Context) error {
	var ids []string
	w.mu.Lock()
	for _, sessions := range []map[string]bool{w.apart, w.heard} {
		for id := range sessions {
			if w.meet([]byte(id)) {
				ids = append(ids, id)
			}
		}
	}
	w.mu.Unlock()
	for len(ids) > 0 {
		n := min(len(ids), readSize)
		if err := w.readSome(ctx, ids[:n], ""); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// Sessions reads several sessions, a hundred in a round trip, in the order of
// the ids.
func (r *Redis) Sessions(ctx context.Context, ids []string) ([]Session, error) {
	all := make([]Session, 0, len(ids))
	for len(ids) > 0 {
		n := min(len(ids), readSize)
		sessions, err := r.sessions(ctx, ids[:n])
		if err != nil {
			return nil, err
		}
		all, ids = append(all, sessions...), ids[n:]
	}
	return all, nil
}
