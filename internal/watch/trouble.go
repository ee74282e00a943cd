package watch

import (
	"context"
	"crypto/rand"
	"slices"
	"time"

	"github.com/superduperai/sessionbot/store"
)

const (
	// failures in a row are told.
	failures = 3
	// leastGap is the shortest time without a watch that is told.
	leastGap = time.Minute
)

// report counts what a part of the watch came to. Three failures in a row are
// told, once, and so is the recovery.
func (s *shift) report(ctx context.Context, part string, err error) {
	s.mu.Lock()
	if err == nil {
		s.fails[part] = 0
	} else {
		s.fails[part]++
	}
	s.mu.Unlock()
	if err := s.blind(ctx); err != nil {
		s.Log.WarnContext(ctx, "it could not be noted how the watch itself stands", "error", err)
	}
}

// failing are the parts that failed three times in a row, and of those told as
// failing, maybe by another leader, the ones that have not worked since.
func (s *shift) failing(told []string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var failing []string
	for name, n := range s.fails {
		if n >= failures || n > 0 && slices.Contains(told, name) {
			failing = append(failing, name)
		}
	}
	for _, name := range told {
		if _, known := s.fails[name]; !known {
			failing = append(failing, name)
		}
	}
	slices.Sort(failing)
	return failing
}

// blind keeps the incident about the watch itself: one, even where several parts
// fail at the same moment.
func (s *shift) blind(ctx context.Context) error {
	s.reporting.Lock()
	defer s.reporting.Unlock()
	i, open, err := s.current(ctx, store.IncidentBlind)
	failing := s.failing(i.Parts)
	switch {
	case err != nil || !open && len(failing) == 0:
		return err
	case !open:
		i = store.Incident{ID: rand.Text(), Kind: store.IncidentBlind, Opened: s.Now(), Grown: s.Now(),
			Since: s.Now().Add(-failures * s.Interval), Parts: failing}
		i.Changed(string(Blind))
		_, err = s.Records.OpenIncident(ctx, s.lead, i)
		return err
	case slices.Equal(i.Parts, failing):
		return nil
	case len(failing) == 0:
		return s.close(ctx, i)
	}
	_, err = s.change(ctx, i, func(i *store.Incident) bool {
		i.Parts = failing
		i.Changed(string(Blind))
		return true
	})
	return err
}

// gap tells of a time in which nobody watched, such as while Redis was away: the
// first sweep after it is through.
func (s *shift) gap(ctx context.Context, last time.Time) {
	now := s.Now()
	if last.IsZero() || now.Sub(last) < max(failures*s.Interval, leastGap) {
		return
	}
	i := store.Incident{ID: rand.Text(), Kind: store.IncidentBlind, Opened: last, Grown: now, Since: last, Closed: now}
	i.Changed(string(Resolved))
	if _, err := s.Records.OpenIncident(ctx, s.lead, i); err != nil {
		s.Log.WarnContext(ctx, "that nobody watched for a while cannot be told", "error", err)
	}
}

// unverified keeps the incident about payments that cannot be verified, by what
// a sweep counted. Of Stripe's passes two in a row have to fail: one is no news.
func (s *shift) unverified(ctx context.Context, sessions map[store.Unverified]int) error {
	s.mu.Lock()
	why, since, silent := s.why, s.silent, !s.silent.IsZero()
	known := silent && s.fails[store.PartStripe] >= 2
	s.mu.Unlock()
	count := sessions[store.StripeNoAnswer]
	if !silent {
		why, since, count = store.StripeWrongMode, s.Now(), sessions[store.StripeWrongMode]
	}
	if silent && !known {
		return nil
	}
	i, open, err := s.current(ctx, store.IncidentUnverified)
	other := open && !silent && i.Why != why // it is about Stripe's silence, and closed by the next pass
	switch {
	case err != nil || other:
		return err
	case count == 0 && open && !silent:
		return s.close(ctx, i)
	case count == 0:
		return nil
	case !open:
		i = store.Incident{ID: rand.Text(), Kind: store.IncidentUnverified, Opened: s.Now(), Grown: s.Now(), Since: since, Sessions: count, Why: why}
		i.Changed(string(Unverifiable))
		_, err = s.Records.OpenIncident(ctx, s.lead, i)
		return err
	}
	_, err = s.change(ctx, i, func(i *store.Incident) bool {
		if i.Sessions == count && i.Why == why {
			return false
		}
		i.Sessions, i.Why = count, why
		i.Changed(string(Unverifiable))
		return true
	})
	return err
}

// verifiable closes that incident where Stripe answers again.
func (s *shift) verifiable(ctx context.Context) error {
	i, open, err := s.current(ctx, store.IncidentUnverified)
	if err != nil || !open || i.Why == store.StripeWrongMode {
		return err
	}
	return s.close(ctx, i)
}

func (s *shift) close(ctx context.Context, i store.Incident) error {
	_, err := s.change(ctx, i, func(i *store.Incident) bool {
		i.Closed = s.Now()
		i.Changed(string(Resolved))
		return true
	})
	return err
}

// current is the incident of this kind that is not closed.
func (s *shift) current(ctx context.Context, kind store.IncidentKind) (store.Incident, bool, error) {
	incidents, err := s.open(ctx)
	if err != nil {
		return store.Incident{}, false, err
	}
	for _, i := range incidents {
		if i.Kind == kind && i.Closed.IsZero() {
			return i, true, nil
		}
	}
	return store.Incident{}, false, nil
}
