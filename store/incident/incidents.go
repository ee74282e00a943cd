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

	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
)

// ErrUnknownIncident means that there is no such incident, or not any more.
var ErrUnknownIncident = errors.New("no such incident")

// errConflict means that somebody else changed the record in between.
var errConflict = errors.New("the record was changed in between")

// maxAttempts is how often a change is made anew when others change the record at
// the same time. Only the leader and people's clicks do.
const maxAttempts = 10

// OpenIncidents are the incidents that are shown or to be shown, the oldest
// first. Those that known holds in the version that is stored are not read
// again.
func (w *Watch) OpenIncidents(ctx context.Context, known map[string]Incident) ([]Incident, error) {
	client, err := w.state.Client(ctx)
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
		i, err := w.Incident(ctx, id)
		if errors.Is(err, ErrUnknownIncident) { // its time is over
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

// The fields of an incident, beside which each case has one, named by its place.
// So a case that changes is written without the ten thousand others.
const (
	fieldIncident = "incident"
	fieldVersion  = "version"
	fieldCases    = "cases" // how many there are
)

// Incident reads one. ErrUnknownIncident where there is none.
func (w *Watch) Incident(ctx context.Context, id string) (Incident, error) {
	i, cases, err := w.outline(ctx, id)
	if err != nil || cases == 0 {
		return i, err
	}
	client, err := w.state.Client(ctx)
	if err != nil {
		return Incident{}, err
	}
	i.Cases = make([]Case, 0, cases)
	for len(i.Cases) < cases {
		fields := make([]string, min(caseChunk, cases-len(i.Cases)))
		for n := range fields {
			fields[n] = strconv.Itoa(len(i.Cases) + n)
		}
		values, err := client.HMGet(ctx, incidentKey(id), fields...).Result()
		if err != nil {
			return Incident{}, fmt.Errorf("read an incident: %w", rdb.Classify(err))
		}
		for _, value := range values {
			raw, ok := value.(string)
			if !ok { // its time ran out just now
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

// Outline reads one without its cases. ErrUnknownIncident where there is none.
func (w *Watch) Outline(ctx context.Context, id string) (Incident, error) {
	i, _, err := w.outline(ctx, id)
	return i, err
}

// caseChunk is how many cases one command reads, so that Redis is not held for
// long.
const caseChunk = 250

// outline reads an incident without its cases, and how many those are. One whose
// time is over is taken off the open ones, for whoever still knows it as such.
func (w *Watch) outline(ctx context.Context, id string) (Incident, int, error) {
	client, err := w.state.Client(ctx)
	if err != nil {
		return Incident{}, 0, err
	}
	fields, err := client.HMGet(ctx, incidentKey(id), fieldIncident, fieldVersion, fieldCases).Result()
	if err != nil {
		return Incident{}, 0, fmt.Errorf("read an incident: %w", rdb.Classify(err))
	}
	raw, ok := fields[0].(string)
	if !ok {
		client.ZRem(ctx, openKey, id) // where that fails, whoever reads it next tries again
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

// KEYS: state, incident, open. ARGV: token or "" for people, version expected,
// version, its id, whether it is taken off the open ones, life in ms, incident,
// then fields and values.
var saveIncident = redis.NewScript(`
if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return -1 end
if (redis.call('HGET', KEYS[2], 'version') or '0') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[2], 'version', ARGV[3], 'incident', ARGV[7])
for i = 8, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
if ARGV[5] == '1' then redis.call('ZREM', KEYS[3], ARGV[4]) else redis.call('ZADD', KEYS[3], ARGV[3], ARGV[4]) end
redis.call('PEXPIRE', KEYS[2], ARGV[6])
redis.call('PEXPIRE', KEYS[3], ARGV[6])
return 1`)

// save stores an incident over the version that was loaded, and of its cases
// those that are not as they were known to be. An empty token is a person's, who
// is not fenced off.
func (w *Watch) save(ctx context.Context, token string, i *Incident, known []Case, retire bool) error {
	raw, err := json.Marshal(i)
	if err != nil {
		return fmt.Errorf("save an incident: %w", err)
	}
	args := []any{token, i.version, i.version + 1, i.ID, retire, caseLife.Milliseconds(), raw}
	if len(i.Cases) > len(known) {
		args = append(args, fieldCases, len(i.Cases))
	}
	for n := range i.Cases {
		if n < len(known) && i.Cases[n].same(&known[n]) {
			continue
		}
		raw, err := json.Marshal(i.Cases[n])
		if err != nil {
			return fmt.Errorf("save an incident: %w", err)
		}
		args = append(args, strconv.Itoa(n), raw)
	}
	saved, err := w.state.Run(ctx, saveIncident, []string{stateKey, incidentKey(i.ID), openKey}, args...).Int()
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

// OpenIncident stores a new incident. ErrLeadLost where somebody else leads.
func (w *Watch) OpenIncident(ctx context.Context, l lease.Lease, i Incident) (Incident, error) {
	err := w.save(ctx, l.Token, &i, nil, false)
	return i, err
}

// ChangeIncident changes an incident and stores it. Where it is not any more as
// the caller knows it, it is read, and changed as it is then; change returns
// false where there is nothing to change. What the caller knows stays as it is.
// ErrLeadLost where somebody else leads.
func (w *Watch) ChangeIncident(ctx context.Context, l lease.Lease, i Incident, change func(*Incident) bool) (Incident, error) {
	for range maxAttempts {
		changed := i
		changed.Cases = slices.Clone(i.Cases)
		if !change(&changed) {
			return i, nil
		}
		err := w.save(ctx, l.Token, &changed, i.Cases, false)
		if !errors.Is(err, errConflict) {
			return changed, err
		}
		if i, err = w.Incident(ctx, i.ID); err != nil {
			return i, err
		}
	}
	return Incident{}, errConflict
}

// RetireIncident takes an incident off the open ones; it stays readable for
// late clicks.
func (w *Watch) RetireIncident(ctx context.Context, l lease.Lease, id string) error {
	_, err := w.changeOutline(ctx, l.Token, id, true, func(*Incident) bool { return true })
	return err
}

// changeOutline changes what does not concern the cases, which are not read.
func (w *Watch) changeOutline(ctx context.Context, token, id string, retire bool, change func(*Incident) bool) (Incident, error) {
	for range maxAttempts {
		i, _, err := w.outline(ctx, id)
		if err != nil || !change(&i) {
			return i, err
		}
		err = w.save(ctx, token, &i, nil, retire)
		if !errors.Is(err, errConflict) {
			return i, err
		}
	}
	return Incident{}, errConflict
}
