package main

import (
	"context"
	"errors"
	"time"

	"github.com/superduperai/sessionbot/internal/breaker"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/sessions"
	"github.com/superduperai/sessionbot/store/stats"
	"github.com/superduperai/sessionbot/superduper"
)

// superReader asks SuperDuperAI and the site for people, each behind a circuit
// breaker.
type superReader struct {
	api         *superduper.Client
	files, site *breaker.Breaker
}

// superUnavailable reports whether they would fail whatever they are asked.
func superUnavailable(err error) bool {
	return errors.Is(err, superduper.Unavailable) || errors.Is(err, superduper.RateLimited)
}

func (r superReader) File(ctx context.Context, id string) (store.File, error) {
	return guarded(r.files, func() (store.File, error) { return r.api.File(ctx, id) })
}

func (r superReader) SessionStatus(ctx context.Context, id string) (store.Site, error) {
	return guarded(r.site, func() (store.Site, error) { return r.api.SessionStatus(ctx, id) })
}

// countedSite counts the requests to the site that the examiner does not make.
type countedSite struct {
	superReader
	product *rdb.Redis
	lookups *stats.Lookups
}

func (s countedSite) SessionStatus(ctx context.Context, id string) (store.Site, error) {
	site, err := s.superReader.SessionStatus(ctx, id)
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), 200*time.Millisecond)
	defer cancel()
	if session, unread := (sessions.Reader{Redis: s.product}).Session(limited, id); unread == nil {
		x := diagnosis.Examination{Evidence: diagnosis.Evidence{Session: session, Site: &site}}
		s.lookups.Count(time.Now(), err == nil && x.SiteAgrees())
	}
	return site, err
}
