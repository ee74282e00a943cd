package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
)

// errStep is a step's that was done, and came to something else than it has to.
var errStep = errors.New("not as it has to be")

// aclStep is one thing that the bot does with Redis.
type aclStep struct {
	name string
	do   func(ctx context.Context) error
}

func has(ok bool) error {
	if !ok {
		return errStep
	}
	return nil
}

// aclSteps are all that the bot does with Redis, on sessions that admin makes.
func aclSteps(admin redis.UniversalClient, product, state *store.Redis) []aclStep {
	return slices.Concat(productSteps(admin, product, state), ledgerSteps(state), watchSteps(state))
}

func productSteps(admin redis.UniversalClient, r, state *store.Redis) []aclStep {
	const id = repairID
	writer := store.Writer{Product: r, Ledger: store.NewLedger(state)}
	set := func(ctx context.Context, key, value string) error { return admin.Set(ctx, key, value, time.Hour).Err() }
	stored := func(ctx context.Context) error {
		return errors.Join(set(ctx, "prompt:"+id, `{"prompt":"A fox runs"}`), set(ctx, "webhook:"+id, `{"status":"processing"}`),
			set(ctx, "session:"+id, `{"fileId":"x"}`))
	}
	repair := func(ctx context.Context) error {
		s, err := r.Session(ctx, id)
		for _, w := range store.Writes(s, store.Update{Kind: store.UpdateFix, At: time.Now(), Error: "Please contact support."}) {
			if err == nil {
				_, err = writer.Write(ctx, w, map[string]string{"webhook": s.Webhook.Digest, "session": s.Lookup.Digest}[w.Kind])
			}
		}
		return err
	}
	return []aclStep{
		{"ping", func(ctx context.Context) error { _, err := r.Ping(ctx); return err }},
		{"memory", func(ctx context.Context) error {
			s, err := r.Server(ctx)
			return errors.Join(err, has(s.UsedMemoryBytes > 0))
		}},
		{"debug", func(ctx context.Context) error {
			s, err := store.Session{}, stored(ctx)
			if err == nil {
				s, err = r.Session(ctx, id)
			}
			return errors.Join(err, has(s.Prompt.Exists && s.Webhook.Exists && s.Lookup.Exists))
		}},
		{"stats", func(ctx context.Context) error {
			c, err := r.Count(ctx, store.Counting{Now: time.Now()})
			sampled := slices.ContainsFunc(c.Survey.Namespaces, func(n store.Namespace) bool { return n.Sampled > 0 })
			return errors.Join(err, has(err != nil || c.Sessions == 1 && sampled))
		}},
		{"sweep", func(ctx context.Context) error { return swept(ctx, admin, r, set) }},
		{"doctor's look", func(ctx context.Context) error {
			_, skewErr := r.Clock(ctx, time.Now)
			_, _, notifyErr := r.Notifies(ctx)
			return errors.Join(examined(ctx, r, store.ForProduct), skewErr, notifyErr)
		}},
		{"fix", repair},
		{"fix what cannot be read", func(ctx context.Context) error {
			return errors.Join(set(ctx, "webhook:"+id, "<html>"), repair(ctx))
		}},
		{"leave alone what others wrote", func(ctx context.Context) error {
			return foreignWrite(ctx, admin, r, writer)
		}},
		{"notifications", func(ctx context.Context) error { return notified(ctx, admin, r, set) }},
	}
}

// foreignWrite gives up a repair, and sees that its connection is as good as new:
// a key that is still watched would spoil the next transaction.
func foreignWrite(ctx context.Context, admin redis.UniversalClient, r *store.Redis, writer store.Writer) error {
	later := "2026-01-02T15:04:05.000Z"
	changes := []store.Change{{Name: "timestamp", After: &later}}
	w := store.KeyWrite{Session: repairID, Kind: "webhook", Changes: changes}
	if _, err := writer.Write(ctx, w, "another digest"); !errors.Is(err, store.ErrChanged) {
		return err
	}
	if err := admin.Set(ctx, w.Key(), `{"status":"completed"}`, time.Hour).Err(); err != nil {
		return err
	}
	s, err := r.Session(ctx, repairID)
	if err != nil {
		return err
	}
	w = store.KeyWrite{Session: repairID, Kind: "session", Changes: changes}
	_, err = writer.Write(ctx, w, s.Lookup.Digest)
	if errors.Is(err, store.ErrChanged) {
		err = errStep
	}
	return err
}

// notified proves that writes are told, and hears of one to each of the keys. On
// a cluster, where notifications are off, only listening is seen.
func notified(ctx context.Context, admin redis.UniversalClient, r *store.Redis, set func(context.Context, string, string) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	heard, begun := make(chan string, 100), make(chan struct{}, 100)
	ended := make(chan error, 1)
	listener := store.NewListener(r, func(session string) { heard <- session }, func() { begun <- struct{}{} })
	go func() { ended <- listener.Listen(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-begun:
	}
	if _, ok := admin.(*redis.ClusterClient); ok {
		_, err := listener.Prove(ctx, 100*time.Millisecond)
		return err
	}
	if proven, err := listener.Prove(ctx, time.Second); err != nil || !proven {
		return errors.Join(err, errStep)
	}
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for missing := map[string]bool{"a": true, "b": true, "c": true}; len(missing) > 0; {
		select {
		case err := <-ended:
			return errors.Join(err, has(ctx.Err() == nil && err != nil))
		case id := <-heard:
			delete(missing, id)
		case <-again.C: // it may not have listened to all of them yet
			if err := errors.Join(set(ctx, "prompt:a", "{}"), set(ctx, "webhook:b", "{}"), set(ctx, "session:c", "{}")); err != nil {
				return err
			}
		}
	}
	return admin.Del(ctx, "prompt:a", "webhook:b", "session:c").Err()
}

// swept sweeps twice, over values that are read at once, in parts and by the
// server.
func swept(ctx context.Context, admin redis.UniversalClient, r *store.Redis, set func(context.Context, string, string) error) error {
	long := `{"prompt":"` + strings.Repeat("A fox runs. ", 1000) + `","status":"completed"}`
	err := errors.Join(set(ctx, "prompt:a", long), set(ctx, "webhook:b", long), set(ctx, "session:c", long), set(ctx, "prompt:d", `{"prompt":"A fox"}`),
		set(ctx, "webhook:d", `{"status":"completed"}`))
	if _, ok := admin.(*redis.Client); ok && err == nil { // so many keys that the first sweep goes by the statuses
		err = admin.Do(ctx, "DEBUG", "POPULATE", 60_000, "other", 1).Err()
	}
	sweeper := store.NewSweeper(r)
	for range 2 {
		if err == nil {
			var sums store.SweepSums
			sums, err = sweeper.Sweep(ctx, store.Sweeping{Now: time.Now(), Read: func([]store.Session) error { return nil }, Rest: func([]byte, store.Resting) {}})
			err = errors.Join(err, has(err != nil || sums.Sessions > 3))
		}
	}
	return errors.Join(err, admin.Del(ctx, "prompt:a").Err(), admin.Del(ctx, "webhook:b").Err(), admin.Del(ctx, "session:c").Err(),
		admin.Del(ctx, "prompt:d").Err(), admin.Del(ctx, "webhook:d").Err())
}

// examined has the doctor look at what the bot may do.
func examined(ctx context.Context, r *store.Redis, use store.Use) error {
	access, err := r.Access(ctx, use)
	return errors.Join(err, has(err != nil || len(access.Denied) == 0))
}

func ledgerSteps(r *store.Redis) []aclStep {
	ledger, shares, processes := store.NewLedger(r), store.NewShares(r), store.NewProcesses(r)
	by, now := store.Actor{ID: "U0LEAD"}, time.Now()
	plan := func(id string) store.Plan {
		return store.Plan{ID: id, Action: store.ActionGenerate, Session: "cs_live_" + id, Created: now, Expires: now.Add(time.Hour)}
	}
	claimed := func(ctx context.Context, id string) (store.Lease, store.Job, error) {
		if err := ledger.SavePlan(ctx, plan(id)); err != nil {
			return store.Lease{}, store.Job{}, err
		}
		claim, err := ledger.Claim(ctx, id, "", by, now)
		if err != nil {
			return store.Lease{}, store.Job{}, err
		}
		lease, _, err := ledger.Lease(ctx, id, "worker")
		return lease, claim.Job, err
	}
	return []aclStep{
		{"plan", func(ctx context.Context) error { return ledger.SavePlan(ctx, plan("shown")) }},
		{"note where a plan is shown", func(ctx context.Context) error {
			return ledger.SetMessage(ctx, "shown", store.Message{Channel: "C0SUPPORT", TS: "1.0"})
		}},
		{"cancel", func(ctx context.Context) error { _, err := ledger.Cancel(ctx, "shown", by, now); return err }},
		{"approve and carry out", func(ctx context.Context) error {
			lease, job, err := claimed(ctx, "done")
			if err != nil {
				return err
			}
			job.Outcome, job.Told, job.Finished = store.OutcomeDone, true, now
			if err := errors.Join(ledger.Renew(ctx, lease), ledger.SaveJob(ctx, lease, job)); err != nil {
				return err
			}
			_, err = ledger.Retell(ctx, job.ID)
			return err
		}},
		{"give a job free", func(ctx context.Context) error {
			lease, _, err := claimed(ctx, "free")
			if err != nil {
				return err
			}
			return ledger.Release(ctx, lease)
		}},
		{"forget a job that is no more", func(ctx context.Context) error {
			if _, _, err := ledger.Lease(ctx, "gone", "worker"); !errors.Is(err, store.ErrUnknownJob) {
				return err
			}
			return nil
		}},
		{"settle", func(ctx context.Context) error {
			lease, job, err := claimed(ctx, "unclear")
			if err != nil {
				return err
			}
			job.Outcome, job.Finished = store.OutcomeUnclear, now
			if err := ledger.SaveJob(ctx, lease, job); err != nil {
				return err
			}
			_, err = ledger.Settle(ctx, job.ID, store.Settlement{By: by, At: now})
			return err
		}},
		{"pending and unclear jobs", func(ctx context.Context) error {
			_, err := ledger.Pending(ctx)
			_, unclearErr := ledger.Unclear(ctx)
			return errors.Join(err, unclearErr)
		}},
		{"a session's job", func(ctx context.Context) error { _, err := ledger.JobOf(ctx, "cs_live_done"); return err }},
		{"put on record", func(ctx context.Context) error {
			return ledger.Record(ctx, store.Entry{At: now, Who: by, Event: store.AuditClaimed, Session: "cs_live_done"})
		}},
		{"history", func(ctx context.Context) error {
			entries, err := ledger.History(ctx, "cs_live_done", 10)
			return errors.Join(err, has(err != nil || len(entries) == 1))
		}},
		{"what repairs wrote", func(ctx context.Context) error { _, err := ledger.Repaired(ctx, now.Add(-time.Hour)); return err }},
		{"share", func(ctx context.Context) error {
			_, claimErr := shares.Claim(ctx, "x", time.Minute)
			_, loadErr := shares.Load(ctx, "x")
			return errors.Join(shares.Save(ctx, "x", "/redis stats", time.Minute), loadErr, claimErr, shares.Unclaim(ctx, "x"))
		}},
		{"know the other processes", func(ctx context.Context) error {
			_, err := processes.Announce(ctx, "x", now)
			return errors.Join(err, processes.Leave(ctx, "x"))
		}},
	}
}

func watchSteps(r *store.Redis) []aclStep {
	w, now := store.NewWatch(r), time.Now()
	var lead store.Lead
	incident := store.Incident{ID: "x", Kind: store.IncidentHistory, Opened: now}
	paid := store.Paid{Payment: store.Payment{SessionID: "cs_live_x"}}
	return []aclStep{
		{"lead the watch", func(ctx context.Context) (err error) {
			for n := range 2 { // the second renews it
				if lead, _, err = w.Lead(ctx, "me"); err != nil {
					return fmt.Errorf("%d: %w", n, err)
				}
			}
			return nil
		}},
		{"begin to watch", func(ctx context.Context) error { return w.Begin(ctx, now) }},
		{"note how far it came", func(ctx context.Context) error { return w.Note(ctx, lead, store.Swept(now)) }},
		{"say how far it came", func(ctx context.Context) error { _, err := w.State(ctx); return err }},
		{"put on the due list", func(ctx context.Context) error { return w.Put(ctx, store.Due{Session: "cs_live_x", At: now}) }},
		{"read the due list", func(ctx context.Context) error { _, err := w.Due(ctx, now, 10); return err }},
		{"take off the due list", func(ctx context.Context) error {
			return w.Looked(ctx, []store.Due{{Session: "cs_live_x", At: now}})
		}},
		{"remember a payment", func(ctx context.Context) error { return w.SavePaid(ctx, paid) }},
		{"know a payment", func(ctx context.Context) error { _, err := w.Known(ctx, []string{"cs_live_x"}); return err }},
		{"forget a payment", func(ctx context.Context) error { return w.ForgetPaid(ctx, []string{"cs_live_x"}) }},
		{"dismiss a session", func(ctx context.Context) error { return w.Dismiss(ctx, "cs_live_x", "well", time.Minute) }},
		{"open an incident", func(ctx context.Context) error { _, err := w.OpenIncident(ctx, lead, incident); return err }},
		{"open incidents", func(ctx context.Context) error { _, err := w.OpenIncidents(ctx, nil); return err }},
		{"acknowledge", func(ctx context.Context) error { _, _, err := w.Acknowledge(ctx, "x", "U0LEAD", now); return err }},
		{"retire an incident", func(ctx context.Context) error { return w.RetireIncident(ctx, lead, "x") }},
		{"doctor's look at the records", func(ctx context.Context) error {
			_, serverErr := r.Server(ctx)
			_, skewErr := r.Clock(ctx, time.Now)
			return errors.Join(examined(ctx, r, store.ForState), serverErr, skewErr)
		}},
		{"resign", func(ctx context.Context) error { return w.Resign(ctx, "me") }},
	}
}
