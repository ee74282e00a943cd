package doctor

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/sweep"
)

const (
	sampleSize    = 500             // sessions
	sampleTimeout = 2 * time.Second // for as many as can be read
)

// sample summarizes some of the sessions.
type sample struct {
	Keys     int // looked at
	Sessions int
	Layouts  map[store.Layout]int
	Live     int // by their ids
	Test     int
	Files    []store.FileRef // those with a valid id, of the newest session first
}

// errSampleFull stops the sweep that takes the sample.
var errSampleFull = errors.New("the sample is full")

// takeSample sweeps until the sample is full or ctx ends.
func takeSample(ctx context.Context, r *rdb.Redis) (sample, error) {
	s, now := sample{Layouts: map[store.Layout]int{}}, time.Now()
	swept, err := sweep.New(r).Sweep(ctx, sweep.Options{
		Now: now,
		Visit: func(_ context.Context, found []sweep.Observation) error {
			for _, o := range found {
				s.Sessions++
				s.Layouts[o.Session.Layout()]++
				if store.IsLive(o.Session.ID) {
					s.Live++
				} else {
					s.Test++
				}
				ref := o.Session.FileRef(now)
				if _, ok := store.FileUUID(ref.FileID); ok {
					s.Files = append(s.Files, ref)
				}
			}
			if s.Sessions >= sampleSize {
				return errSampleFull
			}
			return nil
		}})
	slices.SortFunc(s.Files, func(a, b store.FileRef) int { return b.Created.Compare(a.Created) })
	if errors.Is(err, errSampleFull) {
		return s, nil
	}
	s.Keys = int(swept.Count.Survey.Scanned)
	for _, n := range swept.Count.Survey.Namespaces {
		if n.Name == "sessionbot" { // our own, some of which may be younger than the count
			s.Keys = max(0, s.Keys-int(n.Keys))
		}
	}
	return s, err
}
