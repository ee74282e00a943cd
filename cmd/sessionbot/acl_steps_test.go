package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/follow"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/keyspace"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/ledger"
	"github.com/superduperai/sessionbot/store/presence"
	"github.com/superduperai/sessionbot/store/probe"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/sessions"
	"github.com/superduperai/sessionbot/store/stats"
	"github.com/superduperai/sessionbot/store/sweep"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// errStep is the error of a step that was done with a wrong result.
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
func aclSteps(admin redis.UniversalClient, product, state *rdb.Redis) []aclStep {
	return slices.Concat(productSteps(admin, product, state), ledgerSteps(state), watchSteps(state))
}

func productSteps(admin redis.UniversalClient, r, state *rdb.Redis) []aclStep {
	const id = repairID
	writer := sessions.Writer{Product: r, State: state}
	set := func(ctx context.Context, key, value string) error { return admin.Set(ctx, key, value, time.Hour).Err() }
	stored := func(ctx context.Context) error {
		return errors.Join(set(ctx, "prompt:"+id, `{"prompt":"A fox runs"}`), set(ctx, "webhook:"+id, `{"status":"processing"}`),
			set(ctx, "session:"+id, `{"fileId":"x"}`))
	}
	repaired := func(ctx context.Context, u sessions.Update) error {
		s, err := (sessions.Reader{Redis: r}).Session(ctx, id)
		u.At = time.Now()
		for _, w := range sessions.Writes(s, u) {
			if err == nil {
				_, err = writer.Write(ctx, w, s.Digests()[w.Kind])
			}
		}
		return err
	}
	fixed := func(ctx context.Context) error {
		return repaired(ctx, sessions.Update{Kind: sessions.UpdateMarkError, Error: "Please contact support."})
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
				s, err = (sessions.Reader{Redis: r}).Session(ctx, id)
			}
			return errors.Join(err, has(s.Prompt.Exists && s.Webhook.Exists && s.SessionKey.Exists))
		}},
		{"stats", func(ctx context.Context) error {
			result, err := sweep.New(r).Sweep(ctx, sweep.Options{Now: time.Now()})
			c := result.Count
			sampled := slices.ContainsFunc(c.Survey.Namespaces, func(n stats.Namespace) bool { return n.Sampled > 0 })
			return errors.Join(err, has(err != nil || c.Sessions == 1 && sampled))
		}},
		{"sweep", func(ctx context.Context) error { return swept(ctx, admin, r, set) }},
		{"doctor's look", func(ctx context.Context) error {
			_, skewErr := r.Clock(ctx, time.Now)
			_, notifyErr := keyspace.Settings(ctx, r)
			return errors.Join(examined(ctx, r, probe.ForProduct), skewErr, notifyErr)
		}},
		{"fix", fixed},
		{"fix what cannot be read", func(ctx context.Context) error {
			return errors.Join(set(ctx, "webhook:"+id, "<html>"), fixed(ctx))
		}},
		{"restore a prompt", func(ctx context.Context) error {
			restored := &sessions.Restored{Order: store.Order{Prompt: "A fox runs"}}
			return errors.Join(set(ctx, "prompt:"+id, "{}"), repaired(ctx, sessions.Update{Kind: sessions.UpdateRestore, Restored: restored}))
		}},
		{"leave alone what others wrote", func(ctx context.Context) error {
			return foreignWrite(ctx, admin, r, writer)
		}},
		{"notifications", func(ctx context.Context) error { return notified(ctx, admin, r, set) }},
	}
}

// foreignWrite aborts a repair, and checks that its connection can be reused: a key that is
// still watched would fail the next transaction.
func foreignWrite(ctx context.Context, admin redis.UniversalClient, r *rdb.Redis, writer sessions.Writer) error {
	later := "2026-01-02T15:04:05.000Z"
	changes := []sessions.Change{{Name: "timestamp", After: &later}}
	w := sessions.KeyWrite{Session: repairID, Kind: "webhook", Changes: changes}
	if _, err := writer.Write(ctx, w, "another digest"); !errors.Is(err, sessions.ErrChanged) {
		return err
	}
	if err := admin.Set(ctx, w.Key(), `{"status":"completed","fileId":"0f000000-0000-4000-8000-00000000000f"}`, time.Hour).Err(); err != nil {
		return err
	}
	s, err := (sessions.Reader{Redis: r}).Session(ctx, repairID)
	if err != nil {
		return err
	}
	w = sessions.KeyWrite{Session: repairID, Kind: "session", Changes: changes}
	_, err = writer.Write(ctx, w, s.SessionKey.Digest)
	if errors.Is(err, sessions.ErrChanged) {
		err = errStep
	}
	return err
}

// notified receives a notification of a write to each of the keys. On a cluster,
// where notifications are off, only listening is seen.
func notified(ctx context.Context, admin redis.UniversalClient, r *rdb.Redis, set func(context.Context, string, string) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	heard, begun := make(chan string, 100), make(chan struct{}, 100)
	ended := make(chan error, 1)
	listener := keyspace.NewListener(r, func(session string) { heard <- session }, func() { begun <- struct{}{} })
	go func() { ended <- listener.Listen(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-begun:
	}
	if _, ok := admin.(*redis.ClusterClient); ok {
		return nil
	}
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for missing := map[string]bool{"cs_test_a": true, "cs_test_b": true, "cs_test_c": true}; len(missing) > 0; {
		select {
		case err := <-ended:
			return errors.Join(err, has(ctx.Err() == nil && err != nil))
		case id := <-heard:
			delete(missing, id)
		case <-again.C: // it may not have listened to all of them yet
			if err := errors.Join(set(ctx, "prompt:cs_test_a", "{}"), set(ctx, "webhook:cs_test_b", "{}"), set(ctx, "session:cs_test_c", "{}")); err != nil {
				return err
			}
		}
	}
	return admin.Del(ctx, "prompt:cs_test_a", "webhook:cs_test_b", "session:cs_test_c").Err()
}

// swept sweeps twice, over values that are read at once, in parts and by the
// server.
func swept(ctx context.Context, admin redis.UniversalClient, r *rdb.Redis, set func(context.Context, string, string) error) error {
	long := `{"prompt":"` + strings.Repeat("A fox runs. ", 1000) + `","status":"completed"}`
	err := errors.Join(set(ctx, "prompt:cs_test_a", long), set(ctx, "webhook:cs_test_b", long), set(ctx, "session:cs_test_c", long), set(ctx, "prompt:cs_test_d", `{"prompt":"A fox"}`),
		set(ctx, "webhook:cs_test_d", `{"status":"completed","fileId":"0f000000-0000-4000-8000-00000000000f"}`))
	sweeper := sweep.New(r)
	for range 2 {
		if err == nil {
			var result sweep.Result
			result, err = sweeper.Sweep(ctx, sweep.Options{Now: time.Now()})
			err = errors.Join(err, has(err != nil || result.Count.Sessions > 3))
		}
	}
	return errors.Join(err, admin.Del(ctx, "prompt:cs_test_a").Err(), admin.Del(ctx, "webhook:cs_test_b").Err(), admin.Del(ctx, "session:cs_test_c").Err(),
		admin.Del(ctx, "prompt:cs_test_d").Err(), admin.Del(ctx, "webhook:cs_test_d").Err())
}

// examined has the doctor look at what the bot may do.
func examined(ctx context.Context, r *rdb.Redis, use probe.Use) error {
	access, err := probe.TryAccess(ctx, r, use)
	return errors.Join(err, has(err != nil || len(access.Denied) == 0))
}

func ledgerSteps(r *rdb.Redis) []aclStep {
	ledger, trail, shares, processes, viewers := ledger.New(r), audit.NewTrail(r), presence.NewSharedRequests(r), presence.NewProcesses(r), presence.NewViewers(r)
	by, now := store.Actor{ID: "U0LEAD"}, time.Now()
	plan := func(id string) repair.Plan {
		return repair.Plan{ID: id, Action: store.ActionGenerate, Session: "cs_live_" + id, Created: now, Expires: now.Add(time.Hour)}
	}
	claimed := func(ctx context.Context, id string) (lease.Lease, repair.Job, error) {
		if err := ledger.SavePlan(ctx, plan(id)); err != nil {
			return lease.Lease{}, repair.Job{}, err
		}
		claim, err := ledger.Claim(ctx, id, "", by, now)
		if err != nil {
			return lease.Lease{}, repair.Job{}, err
		}
		held, _, err := ledger.Lease(ctx, id, "worker")
		return held, claim.Job, err
	}
	return []aclStep{
		{"plan", func(ctx context.Context) error { return ledger.SavePlan(ctx, plan("shown")) }},
		{"note where a plan is shown", func(ctx context.Context) error {
			return ledger.SetMessage(ctx, "shown", store.Message{Channel: "C0SUPPORT", TS: "1.0"})
		}},
		{"plans that wait", func(ctx context.Context) error { _, err := ledger.OpenPlans(ctx, now); return err }},
		{"cancel", func(ctx context.Context) error { _, err := ledger.Cancel(ctx, "shown", by, now); return err }},
		{"approve and carry out", func(ctx context.Context) error {
			held, job, err := claimed(ctx, "done")
			if err != nil {
				return err
			}
			job.Outcome, job.Notified, job.Finished = store.OutcomeDone, true, now
			return errors.Join(ledger.Leases.Renew(ctx, held), ledger.SaveJob(ctx, held, job))
		}},
		{"give a job free", func(ctx context.Context) error {
			held, _, err := claimed(ctx, "free")
			if err != nil {
				return err
			}
			return ledger.Leases.Release(ctx, held)
		}},
		{"forget a job that is no more", func(ctx context.Context) error {
			if _, _, err := ledger.Lease(ctx, "gone", "worker"); !errors.Is(err, repair.ErrUnknownJob) {
				return err
			}
			return nil
		}},
		{"settle", func(ctx context.Context) error {
			held, job, err := claimed(ctx, "unclear")
			if err != nil {
				return err
			}
			job.Outcome, job.Finished = store.OutcomeUnclear, now
			if err := ledger.SaveJob(ctx, held, job); err != nil {
				return err
			}
			_, err = ledger.Settle(ctx, job.ID, repair.Settlement{By: by, At: now})
			return err
		}},
		{"pending and unclear jobs", func(ctx context.Context) error {
			_, err := ledger.Pending(ctx)
			_, unclearErr := ledger.Unclear(ctx)
			_, jobsErr := ledger.UnclearJobs(ctx)
			return errors.Join(err, unclearErr, jobsErr)
		}},
		{"replicas", func(ctx context.Context) error {
			_, err := ledger.Replication(ctx)
			return errors.Join(err, ledger.NoteReplicas(ctx))
		}},
		{"a session's job", func(ctx context.Context) error { _, err := ledger.JobOf(ctx, "cs_live_done"); return err }},
		{"put on record", func(ctx context.Context) error {
			entry := audit.Entry{At: now, Who: by, Event: audit.Claimed, Session: "cs_live_done"}
			return errors.Join(trail.Record(ctx, entry), trail.RecordOnce(ctx, audit.Entry{At: now, Who: by, Event: audit.Paused, Plan: "x"}))
		}},
		{"history", func(ctx context.Context) error {
			entries, err := trail.History(ctx, "cs_live_done", 10)
			return errors.Join(err, has(err != nil || len(entries) == 1))
		}},
		{"how much is on record", func(ctx context.Context) error {
			extent, err := trail.Extent(ctx)
			return errors.Join(err, has(err != nil || extent.Entries > 0))
		}},
		{"latest repairs", func(ctx context.Context) error { _, err := trail.Latest(ctx, audit.Ended, 5); return err }},
		{"keep an App Home current", func(ctx context.Context) error {
			_, err := viewers.Recent(ctx, now)
			return errors.Join(viewers.Opened(ctx, "U0LEAD", now), viewers.SetShown(ctx, "U0LEAD", "x"), err, viewers.Forget(ctx, "U0LEAD"))
		}},
		{"what repairs wrote", func(ctx context.Context) error { _, err := trail.Repaired(ctx, now.Add(-time.Hour)); return err }},
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

func watchSteps(r *rdb.Redis) []aclStep {
	w, files, now := incident.NewRecords(r), sweep.NewFiles(r, time.Now), time.Now()
	ref := store.FileRef{Session: "cs_live_x", Created: now, FileID: "6f1c0000-0000-4000-8000-000000000001"}
	var lead lease.Lease
	alert := incident.Incident{ID: "x", Kind: incident.Backlog, Opened: now}
	paid := store.Paid{Payment: store.Payment{SessionID: "cs_live_x"}}
	return []aclStep{
		{"begin to watch", func(ctx context.Context) error { return w.Begin(ctx, now) }},
		{"lead the watch", func(ctx context.Context) (err error) {
			if lead, _, err = w.Lead(ctx, "me"); err != nil {
				return err
			}
			return w.Leases.Renew(ctx, lead)
		}},
		{"note how far it came", func(ctx context.Context) error { return w.Note(ctx, lead, watchstate.Swept(now)) }},
		{"say how far it came", func(ctx context.Context) error { _, err := w.State(ctx); return err }},
		{"add to the due queue", func(ctx context.Context) error {
			return w.AddDue(ctx, watchstate.DueSession{Session: "cs_live_x", At: now})
		}},
		{"read the due queue", func(ctx context.Context) error { _, err := w.Due(ctx, now, 10); return err }},
		{"remove from the due queue", func(ctx context.Context) error {
			return w.RemoveDue(ctx, []watchstate.DueSession{{Session: "cs_live_x", At: now}})
		}},
		{"remember a payment", func(ctx context.Context) error { return w.SavePaid(ctx, paid) }},
		{"know a payment", func(ctx context.Context) error { _, err := w.Known(ctx, []string{"cs_live_x"}); return err }},
		{"forget a payment", func(ctx context.Context) error { return w.ForgetPaid(ctx, []string{"cs_live_x"}) }},
		{"dismiss a session", func(ctx context.Context) error { return w.Dismiss(ctx, "cs_live_x", "well", time.Minute) }},
		{"remember a file", func(ctx context.Context) error {
			return errors.Join(files.Save(ctx, ref, store.FileInProgress), files.Save(ctx, ref, store.FileCompleted))
		}},
		{"know a file", func(ctx context.Context) error {
			known, err := files.Known(ctx, ref)
			return errors.Join(err, has(err != nil || known.File.State == store.FileCompleted))
		}},
		{"know the files of sessions", func(ctx context.Context) error {
			value, _, _ := store.ParseValue([]byte(`{"prompt":"A fox","status":"processing","fileId":"` + ref.FileID + `"}`))
			_, err := files.States(ctx, []store.Session{{ID: "cs_live_x", SessionKey: store.Key{Exists: true, Full: true, Value: value}}, {ID: "cs_live_y",
				SessionKey: store.Key{Exists: true, Full: true, Value: value}}})
			return errors.Join(err, files.Keep(ctx))
		}},
		{"forget a file", func(ctx context.Context) error { return files.Save(ctx, ref, store.FileUnchecked) }},
		{"open an incident", func(ctx context.Context) error { _, err := w.OpenIncident(ctx, lead, alert); return err }},
		{"open incidents", func(ctx context.Context) error { _, err := w.OpenIncidents(ctx, nil); return err }},
		{"acknowledge", func(ctx context.Context) error { _, _, err := w.Acknowledge(ctx, "x", "U0LEAD", now); return err }},
		{"retire an incident", func(ctx context.Context) error { return w.RetireIncident(ctx, lead, "x") }},
		{"follow a thread", func(ctx context.Context) error {
			s := follow.NewStore(r)
			err := s.Follow(ctx, "cs_live_x", follow.Thread{Message: store.Message{Channel: "C1", TS: "1.5"}, By: "U0LEAD", At: now})
			all, listErr := s.Sessions(ctx)
			return errors.Join(err, listErr, has(err != nil || listErr != nil || len(all) == 1))
		}},
		{"doctor's look at the records", func(ctx context.Context) error {
			_, serverErr := r.Server(ctx)
			_, skewErr := r.Clock(ctx, time.Now)
			return errors.Join(examined(ctx, r, probe.ForState), serverErr, skewErr)
		}},
		{"resign", func(ctx context.Context) error { return w.Leases.Release(ctx, lead) }},
	}
}
