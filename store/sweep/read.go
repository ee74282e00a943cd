package sweep

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/sessions"
	"github.com/superduperai/sessionbot/store/stats"
)

// entry is what a sweep remembers of a session, 0 = nothing: in bits 0 to 23 the length
// of its prompt, in 24 to 47 when it was paid for, in steps of five minutes since 1970,
// and above them flags.
type entry uint64

const (
	madeThreeKey entry = 1 << 60 // see store.Session.MadeAs
	madeOneKey   entry = 1 << 61
	seen         entry = 1 << 62 // by this sweep
	finished     entry = 1 << 63

	maxLength = 1<<24 - 1
	timeStep  = 5 * time.Minute
)

func finishedEntry(length int, at time.Time) entry {
	return finished | entry(min(length, maxLength)) | entry(max(at.Unix(), 0)/int64(timeStep/time.Second))<<24
}

// made maps layouts to their flags.
var made = map[store.Layout]entry{store.LayoutOneKey: madeOneKey, store.LayoutThreeKey: madeThreeKey}

func (e entry) madeAs() store.Layout {
	switch {
	case e&madeOneKey != 0:
		return store.LayoutOneKey
	case e&madeThreeKey != 0:
		return store.LayoutThreeKey
	}
	return store.LayoutNone
}

func (e entry) length() int { return int(e & maxLength) }

func (e entry) at() time.Time {
	return time.Unix(int64(e>>24&maxLength)*int64(timeStep/time.Second), 0).UTC()
}

// read reads sessions, diagnoses them and calls Visit.
func (r *run) read(ctx context.Context, ids []string) error {
	read, err := Read(ctx, r.redis, ids, r.Now)
	if err != nil {
		return err
	}
	read = slices.DeleteFunc(read, func(s store.Session) bool { return s.Layout() == store.LayoutNone }) // gone
	found, err := r.observe(ctx, read)
	if err != nil {
		return err
	}
	r.remember(found)
	r.count(found)
	if r.Visit == nil {
		return ctx.Err()
	}
	r.visiting.Lock()
	defer r.visiting.Unlock()
	if err := r.Visit(ctx, found); err != nil {
		return callersError{err}
	}
	return nil
}

// observe diagnoses sessions by the evidence about them.
func (o Options) observe(ctx context.Context, read []store.Session) ([]Observation, error) {
	evidence := make([]diagnosis.Evidence, len(read))
	if o.Evidence != nil {
		var err error
		if evidence, err = o.Evidence(ctx, read); err != nil {
			return nil, callersError{err}
		}
	}
	found := make([]Observation, len(read))
	for i, e := range evidence {
		e.Session = read[i]
		found[i] = Observation{e, diagnosis.Diagnose(e, o.Now, o.Limits)}
	}
	return found, nil
}

// Observe reads and diagnoses the sessions named as a sweep would, in the order of the
// ids, those of which Redis holds nothing included.
func (s *Sweeper) Observe(ctx context.Context, ids []string, o Options) ([]Observation, error) {
	found := make([]Observation, 0, len(ids))
	for chunk := range slices.Chunk(ids, readSize) {
		read, err := Read(ctx, s.redis, chunk, o.Now)
		if err != nil {
			return nil, fmt.Errorf("read sessions: %w", rdb.Classify(err))
		}
		observed, err := o.observe(ctx, read)
		var callers callersError
		if errors.As(err, &callers) {
			return nil, callers.error
		}
		found = append(found, observed...)
	}
	return found, nil
}

func (r *run) count(found []Observation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range found {
		r.tally.Add(o.Session, o.Diagnosis)
		r.siteLayout = r.siteLayout.And(o.Session.MadeAs(r.Now))
		if r.Newest > 0 {
			r.prompts.add(o.Session, r.Now, r.Newest)
		}
	}
}

// remember records the sessions that are finished, except those written since the sweep
// began: they may have been read before that.
func (r *run) remember(found []Observation) {
	s := r.Sweeper
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range found {
		k := keyOf(o.Session.ID)
		if at := o.Time(); o.Verdict == diagnosis.VerdictCompleted && !at.IsZero() && !s.written[k] {
			s.known[k] = seen | made[o.Session.MadeAs(r.Now)] | finishedEntry(stats.Length(o.Session.PromptText()), at)
		}
	}
}

const (
	headSize = 2048    // bytes of a value that are read at once
	pictured = 8 << 20 // up to this size the server leaves pictures out
)

// withoutPicture reads a long value.
//
//go:embed without_picture.lua
var withoutPicture string

// prefixes are those of a session's keys, in the order of places.
var prefixes = [...]string{"session:", "prompt:", "webhook:"}

func places(s *store.Session) [3]*store.Key {
	return [3]*store.Key{&s.SessionKey, &s.Prompt, &s.Webhook}
}

// Read reads sessions, in the order of the ids, without pictures and without what only
// a repair needs: digests, and TTLs if the values hold times. An empty value counts as
// missing.
func Read(ctx context.Context, r *rdb.Redis, ids []string, now time.Time) ([]store.Session, error) {
	client, err := r.Client(ctx)
	if err != nil {
		return nil, err
	}
	heads := make([][3]*redis.StringCmd, len(ids))
	pipe := client.Pipeline()
	for i, id := range ids {
		for k, prefix := range prefixes {
			heads[i][k] = pipe.GetRange(ctx, prefix+id, 0, headSize)
		}
	}
	_, _ = pipe.Exec(ctx) // each error is checked below
	read := make([]store.Session, len(ids))
	long := map[*store.Key]*redis.Cmd{}
	for i, id := range ids {
		read[i].ID = id
		for k, key := range places(&read[i]) {
			key.Kind = prefixes[k][:len(prefixes[k])-1]
			raw, err := heads[i][k].Bytes()
			switch {
			case redis.HasErrorPrefix(err, "WRONGTYPE"):
				key.Exists, key.WrongType, key.Fault = true, true, store.FaultOtherType
			case err != nil:
				return nil, err
			case len(raw) > headSize:
				long[key] = pipe.EvalRO(ctx, withoutPicture, []string{prefixes[k] + id}, pictured)
			default:
				fill(key, raw)
			}
		}
	}
	_, _ = pipe.Exec(ctx) // likewise
	for i, id := range ids {
		whole := false
		for _, key := range places(&read[i]) {
			if answer, ok := long[key]; ok {
				text, err := answer.Text()
				if redis.HasErrorPrefix(err, "NOPERM") {
					return nil, err
				}
				fill(key, []byte(text))
				whole = whole || err != nil || key.Fault != ""
			}
		}
		s := read[i].AsOf(now)
		if whole || s.Prompt.Value.Timestamp.IsZero() && s.SessionKey.Value.CreatedAt.IsZero() { // its TTLs say how old it is
			if read[i], err = (sessions.Reader{Redis: r}).Session(ctx, id); err != nil {
				return nil, err
			}
		}
	}
	return read, nil
}

func fill(key *store.Key, raw []byte) {
	if key.Size, key.Exists = len(raw), len(raw) > 0; key.Exists {
		key.Value, key.Full, key.Fault = store.ParseValue(raw)
	}
}
