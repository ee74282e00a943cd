package incident

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// ErrUnknownIncident means that there is no such incident, or not any more.
var ErrUnknownIncident = errors.New("no such incident")

// errConflict means that the record was changed in between.
var errConflict = errors.New("the record was changed in between")

// maxAttempts bounds the attempts at a change while others change the record. Only
// the leader and people's clicks do.
const maxAttempts = 10

// Incidents stores the incidents.
type Incidents struct{ redis *rdb.Redis }

// OpenIncidents returns the incidents that are not retired, the oldest first.
// Those that known holds in the stored version are not read again.
func (s *Incidents) OpenIncidents(ctx context.Context, known map[string]Incident) ([]Incident, error) {
	client, err := s.redis.Client(ctx)
	if err != nil {
		return nil, err
	}
	stored, err := client.ZRangeWithScores(ctx, openKey, 0, -1).Result()
	if err != nil {
		return nil, fmt.Errorf("list incidents: %w", rdb.Classify(err))
	}
	var open []Incident
	for _, z := range stored {
		id, _ := z.Member.(string) // go-redis reads members as strings
		if i, ok := known[id]; ok && i.version == int64(z.Score) {
			open = append(open, i)
			continue
		}
		i, err := s.Incident(ctx, id)
		if errors.Is(err, ErrUnknownIncident) { // expired
			continue
		}
		if err != nil {
			return nil, err
		}
		open = append(open, i)
	}
	slices.SortFunc(open, func(a, b Incident) int { return cmp.Or(a.Opened.Compare(b.Opened), cmp.Compare(a.ID, b.ID)) })
	return open, nil
}

// Matching returns the sessions of incidents that a shortened id may mean.
func (s *Incidents) Matching(ctx context.Context, short store.ShortID) ([]string, error) {
	open, err := s.OpenIncidents(ctx, nil)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, i := range open {
		for _, c := range i.Cases {
			if short.Matches(c.ID) && !slices.Contains(ids, c.ID) {
				ids = append(ids, c.ID)
			}
		}
	}
	return ids, nil
}

// The fields of an incident. Each case has one as well, named by its index, so that
// a case that changes is written without the ten thousand others.
const (
	fieldIncident = "incident"
	fieldVersion  = "version"
	fieldCases    = "cases" // how many there are
)

// Incident reads an incident. ErrUnknownIncident if there is none.
func (s *Incidents) Incident(ctx context.Context, id string) (Incident, error) {
	i, cases, err := s.readWithoutCases(ctx, id)
	if err != nil || cases == 0 {
		return i, err
	}
	client, err := s.redis.Client(ctx)
	if err != nil {
		return Incident{}, err
	}
	i.Cases = make([]Case, 0, cases)
	for len(i.Cases) < cases {
		fields := make([]string, min(chunkSize, cases-len(i.Cases)))
		for n := range fields {
			fields[n] = strconv.Itoa(len(i.Cases) + n)
		}
		values, err := client.HMGet(ctx, incidentKey(id), fields...).Result()
		if err != nil {
			return Incident{}, fmt.Errorf("read an incident: %w", rdb.Classify(err))
		}
		for _, value := range values {
			raw, ok := value.(string)
			if !ok { // it expired just now
				return Incident{}, ErrUnknownIncident
			}
			var c Case
			if err := json.Unmarshal([]byte(raw), &c); err != nil {
				return Incident{}, fmt.Errorf("read an incident: %w", err)
			}
			i.Cases = append(i.Cases, c)
		}
	}
	return i, nil
}

// Outline reads an incident without its cases. ErrUnknownIncident where there is none.
func (s *Incidents) Outline(ctx context.Context, id string) (Incident, error) {
	i, _, err := s.readWithoutCases(ctx, id)
	return i, err
}

// readWithoutCases reads an incident, and how many cases it has. One that expired
// is removed from the open ones.
func (s *Incidents) readWithoutCases(ctx context.Context, id string) (Incident, int, error) {
	client, err := s.redis.Client(ctx)
	if err != nil {
		return Incident{}, 0, err
	}
	fields, err := client.HMGet(ctx, incidentKey(id), fieldIncident, fieldVersion, fieldCases).Result()
	if err != nil {
		return Incident{}, 0, fmt.Errorf("read an incident: %w", rdb.Classify(err))
	}
	raw, ok := fields[0].(string)
	if !ok {
		client.ZRem(ctx, openKey, id) // if that fails, the next reader tries again
		return Incident{}, 0, ErrUnknownIncident
	}
	var i Incident
	if err := json.Unmarshal([]byte(raw), &i); err != nil {
		return Incident{}, 0, fmt.Errorf("read an incident: %w", err)
	}
	number := func(field any) int64 {
		text, _ := field.(string) // nil where there is none
		n, _ := strconv.ParseInt(text, 10, 64)
		return n
	}
	i.version = number(fields[1])
	return i, int(number(fields[2])), nil
}

// KEYS: state, incident, open. ARGV: token or "" for people, expected version, new
// version, id, whether it is retired, life in ms, incident, then fields and values.
var saveIncident = redis.NewScript(`
if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return -1 end
if (redis.call('HGET', KEYS[2], 'version') or '0') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[2], 'version', ARGV[3], 'incident', ARGV[7])
for i = 8, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
if ARGV[5] == '1' then redis.call('ZREM', KEYS[3], ARGV[4]) else redis.call('ZADD', KEYS[3], ARGV[3], ARGV[4]) end
redis.call('PEXPIRE', KEYS[2], ARGV[6])
redis.call('PEXPIRE', KEYS[3], ARGV[6])
return 1`)

// save stores an incident over the version that was loaded, and those of its cases
// that differ from the known ones. An empty token is a person's, who is not fenced.
func (s *Incidents) save(ctx context.Context, token string, i *Incident, known []Case, retire bool) error {
	raw, err := json.Marshal(i)
	if err != nil {
		return fmt.Errorf("save an incident: %w", err)
	}
	args := []any{token, i.version, i.version + 1, i.ID, retire, watchstate.RecordLife.Milliseconds(), raw}
	if len(i.Cases) > len(known) {
		args = append(args, fieldCases, len(i.Cases))
	}
	for n := range i.Cases {
		if n < len(known) && i.Cases[n].Same(&known[n]) {
			continue
		}
		raw, err := json.Marshal(i.Cases[n])
		if err != nil {
			return fmt.Errorf("save an incident: %w", err)
		}
		args = append(args, strconv.Itoa(n), raw)
	}
	saved, err := s.redis.Run(ctx, saveIncident, []string{watchstate.StateKey, incidentKey(i.ID), openKey}, args...).Int()
	switch {
	case err != nil:
		return fmt.Errorf("save an incident: %w", rdb.Classify(err))
	case saved < 0:
		return lease.ErrLost
	case saved == 0:
		return errConflict
	}
	i.version++
	return nil
}

// OpenIncident stores a new incident. It returns lease.ErrLost if another process leads.
func (s *Incidents) OpenIncident(ctx context.Context, l lease.Lease, i Incident) (Incident, error) {
	err := s.save(ctx, l.Token, &i, nil, false)
	return i, err
}

// ChangeIncident changes an incident and stores it, unless change returns false. If
// the record differs from i by now, it is read, and change is called again. i itself
// is not changed. It returns lease.ErrLost if another process leads.
func (s *Incidents) ChangeIncident(ctx context.Context, l lease.Lease, i Incident, change func(*Incident) bool) (Incident, error) {
	for range maxAttempts {
		changed := i
		changed.Cases = slices.Clone(i.Cases)
		if !change(&changed) {
			return i, nil
		}
		err := s.save(ctx, l.Token, &changed, i.Cases, false)
		if !errors.Is(err, errConflict) {
			return changed, err
		}
		if i, err = s.Incident(ctx, i.ID); err != nil {
			return i, err
		}
	}
	return Incident{}, errConflict
}

// RetireIncident removes an incident from the open ones; it stays readable for
// late clicks.
func (s *Incidents) RetireIncident(ctx context.Context, l lease.Lease, id string) error {
	_, _, err := s.changeWithoutCases(ctx, l.Token, id, true, func(*Incident) bool { return true })
	return err
}

// changeWithoutCases changes an incident without reading its cases, and reports
// whether change did so.
func (s *Incidents) changeWithoutCases(ctx context.Context, token, id string, retire bool, change func(*Incident) bool) (Incident, bool, error) {
	for range maxAttempts {
		i, _, err := s.readWithoutCases(ctx, id)
		if err != nil || !change(&i) {
			return i, false, err
		}
		err = s.save(ctx, token, &i, nil, retire)
		if !errors.Is(err, errConflict) {
			return i, true, err
		}
	}
	return Incident{}, false, errConflict
}
