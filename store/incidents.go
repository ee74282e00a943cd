package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrUnknownIncident means that there is no such incident, or not any more.
var ErrUnknownIncident = errors.New("no such incident")

// errChanged means that somebody else changed the record in between.
var errChanged = errors.New("the record was changed in between")

// attempts is how often a change is made anew when others change the record at
// the same time. Only the leader and people's clicks do.
const attempts = 10

// OpenIncidents are the incidents that are shown or to be shown, the oldest
// first. Those that known holds in the version that is stored are not read
// again.
func (w *Watch) OpenIncidents(ctx context.Context, known map[string]Incident) ([]Incident, error) {
	client, err := w.state.client(ctx)
	if err != nil {
		return nil, err
	}
	ids, err := client.ZRange(ctx, openKey, 0, -1).Result()
	if err != nil {
		return nil, fmt.Errorf("list incidents: %w", silence(err))
	}
	if len(ids) == 0 {
		return nil, nil
	}
	pipe := client.Pipeline()
	versions := make([]*redis.StringCmd, len(ids))
	for n, id := range ids {
		versions[n] = pipe.HGet(ctx, incidentKey(id), "version")
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("list incidents: %w", silence(err))
	}
	var open []Incident
	for n, id := range ids {
		if i, ok := known[id]; ok && i.version == versions[n].Val() {
			open = append(open, i)
			continue
		}
		i, err := w.Incident(ctx, id)
		if errors.Is(err, ErrUnknownIncident) { // its time is over
			client.ZRem(ctx, openKey, id)
			continue
		}
		if err != nil {
			return nil, err
		}
		open = append(open, i)
	}
	return open, nil
}

// Incident reads one. ErrUnknownIncident where there is none.
func (w *Watch) Incident(ctx context.Context, id string) (Incident, error) {
	client, err := w.state.client(ctx)
	if err != nil {
		return Incident{}, err
	}
	fields, err := client.HMGet(ctx, incidentKey(id), "incident", "version").Result()
	if err != nil {
		return Incident{}, fmt.Errorf("read an incident: %w", silence(err))
	}
	raw, ok := fields[0].(string)
	if !ok {
		return Incident{}, ErrUnknownIncident
	}
	var i Incident
	if err := json.Unmarshal([]byte(raw), &i); err != nil {
		return Incident{}, fmt.Errorf("read an incident: %w", err)
	}
	i.version, _ = fields[1].(string) // written with the incident
	return i, nil
}

// KEYS: token, incident, open. ARGV: token or "" for people, version expected,
// version, incident, its id, score or "" to take it off the open ones, life in ms.
var saveIncident = redis.NewScript(`
if ARGV[1] ~= '' and redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
if (redis.call('HGET', KEYS[2], 'version') or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[2], 'version', ARGV[3], 'incident', ARGV[4])
if ARGV[6] ~= '' then redis.call('ZADD', KEYS[3], ARGV[6], ARGV[5]) else redis.call('ZREM', KEYS[3], ARGV[5]) end
redis.call('PEXPIRE', KEYS[2], ARGV[7])
redis.call('PEXPIRE', KEYS[3], ARGV[7])
return 1`)

// save stores an incident over the version that was loaded. An empty token is a
// person's, who is not fenced off.
func (w *Watch) save(ctx context.Context, token string, i *Incident, retire bool) error {
	raw, err := json.Marshal(i)
	if err != nil {
		return fmt.Errorf("save an incident: %w", err)
	}
	n, _ := strconv.ParseInt(i.version, 10, 64) // "" counts as 0
	version := strconv.FormatInt(n+1, 10)
	score := strconv.FormatInt(i.Opened.UnixMilli(), 10)
	if retire {
		score = ""
	}
	keys := []string{tokenKey, incidentKey(i.ID), openKey}
	saved, err := w.run(ctx, saveIncident, keys, token, i.version, version, raw, i.ID, score, caseLife.Milliseconds()).Int()
	switch {
	case err != nil:
		return fmt.Errorf("save an incident: %w", silence(err))
	case saved < 0:
		return ErrLeadLost
	case saved == 0:
		return errChanged
	}
	i.version = version
	return nil
}

// OpenIncident stores a new incident. ErrLeadLost where somebody else leads.
func (w *Watch) OpenIncident(ctx context.Context, l Lead, i Incident) (Incident, error) {
	err := w.save(ctx, strconv.FormatInt(l.token, 10), &i, false)
	return i, err
}

// ChangeIncident changes an incident and stores it, again and again where others
// change it at the same time; change is told the incident as it is then, and
// returns false where there is nothing to change. ErrLeadLost where somebody
// else leads.
func (w *Watch) ChangeIncident(ctx context.Context, l Lead, id string, change func(*Incident) bool) (Incident, error) {
	return w.change(ctx, strconv.FormatInt(l.token, 10), id, false, change)
}

// RetireIncident takes an incident off the open ones; it stays readable for
// late clicks.
func (w *Watch) RetireIncident(ctx context.Context, l Lead, id string) error {
	_, err := w.change(ctx, strconv.FormatInt(l.token, 10), id, true, func(*Incident) bool { return true })
	return err
}

func (w *Watch) change(ctx context.Context, token, id string, retire bool, change func(*Incident) bool) (Incident, error) {
	for range attempts {
		i, err := w.Incident(ctx, id)
		if err != nil || !change(&i) {
			return i, err
		}
		err = w.save(ctx, token, &i, retire)
		if !errors.Is(err, errChanged) {
			return i, err
		}
	}
	return Incident{}, errChanged
}

// Acknowledge notes that somebody looks after the incident; false where
// somebody did before, or it is closed.
func (w *Watch) Acknowledge(ctx context.Context, id, by string, now time.Time) (Incident, bool, error) {
	done := false
	i, err := w.change(ctx, "", id, false, func(i *Incident) bool {
		if done = i.Acknowledged == nil && i.Closed.IsZero(); done {
			i.Acknowledged = &Press{By: by, At: now}
			i.Changed("acknowledged")
		}
		return done
	})
	return i, done, err
}

// SnoozeFor is how long a press on Snooze silences an incident; each further
// press adds as much.
const SnoozeFor = time.Hour

// Snooze silences the incident; false where it is closed.
func (w *Watch) Snooze(ctx context.Context, id, by string, now time.Time) (Incident, bool, error) {
	done := false
	i, err := w.change(ctx, "", id, false, func(i *Incident) bool {
		if done = i.Closed.IsZero(); done {
			from := now
			if i.Snoozed != nil && i.Snoozed.Until.After(now) {
				from = i.Snoozed.Until
			}
			i.Snoozed = &Press{By: by, At: now, Until: from.Add(SnoozeFor)}
			i.Changed("snoozed")
		}
		return done
	})
	return i, done, err
}
