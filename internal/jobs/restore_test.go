package jobs_test

import (
	"context"
	"slices"
	"testing"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// lost makes the session one whose prompt is gone, with a status that is not to be
// touched.
func (b *bench) lost() *bench {
	b.t.Helper()
	b.client.Del(b.t.Context(), "prompt:"+session)
	b.set("session:"+session, `{"status":"error","error":"e","x":12345678901234567890}`)
	return b
}

// expectRestored checks what the restored session holds.
func (b *bench) expectRestored(want any) {
	b.t.Helper()
	held := b.value("session:" + session)
	if held["prompt"] != want || held["status"] != "error" || held["x"] == nil || b.files.Started() != 0 {
		b.t.Errorf("session: holds %v, and %d were started", held, b.files.Started())
	}
}

// TestRestore: the prompt is stored, nothing is started, and the repairs that are possible
// then are offered.
func TestRestore(t *testing.T) {
	t.Parallel()
	for _, cluster := range []bool{false, true} {
		b := newBench(t, cluster).lost()
		cfg, shown := b.config(), &notifications{}
		cfg.Notify = shown.notify
		job := b.ended(b.claimed(store.ActionRestore), cfg)
		if job.Outcome != store.OutcomeDone || job.Cause != "" {
			t.Errorf("%s (%s) %q", job.Outcome, job.Cause, job.Detail)
		}
		b.expectRestored("A hen")
		if next := shown.last().Next; !slices.Contains(next, store.ActionGenerate) || slices.Contains(next, store.ActionRestore) {
			t.Errorf("possible then: %q", next)
		}
		if again := b.examined(); again.Allows(store.ActionRestore) {
			t.Error("it may be restored over the prompt")
		}
	}
}

// TestRestoreKilled: killed at any step, the job is resumed elsewhere.
func TestRestoreKilled(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"checked", "written", "finisheddone"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, false).lost()
			id := b.claimed(store.ActionRestore)
			b.killedAt(at, 1)
			b.leaseEnds(id)
			if job := b.ended(id, b.config()); job.Outcome != store.OutcomeDone {
				t.Errorf("%s (%s)", job.Outcome, job.Cause)
			}
			b.expectRestored("A hen")
		})
	}
}

// TestRestoreWrittenAndForgotten: the process died between the write and its record.
func TestRestoreWrittenAndForgotten(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		site    string // what the site wrote since; "" = nothing
		outcome store.Outcome
		prompt  any
	}{
		"nobody wrote":      {"", store.OutcomeDone, "A hen"},
		"the site wrote it": {`{"prompt":"A hare","status":"error","x":1}`, store.OutcomeRefused, "A hare"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, false).lost()
			id, before := b.claimed(store.ActionRestore), b.client.Get(t.Context(), "session:"+session).Val()
			b.stoppedAt(id, "checked")
			if c.site == "" { // carried out, and its record is taken back
				checked := b.client.HGet(t.Context(), "sessionbot:{jobs}:job:"+id, "job").Val()
				b.stoppedAt(id, "written")
				b.client.HSet(t.Context(), "sessionbot:{jobs}:job:"+id, "job", checked)
				if b.client.Get(t.Context(), "session:"+session).Val() == before {
					t.Fatal("nothing was written")
				}
			} else {
				b.set("session:"+session, c.site)
			}
			if job := b.ended(id, b.config()); job.Outcome != c.outcome {
				t.Errorf("%s (%s)", job.Outcome, job.Cause)
			}
			b.expectRestored(c.prompt)
		})
	}
}

// TestSiteWritesDuringARestore: what the site writes after the restore stays, and a
// prompt that it takes away again is not called restored.
func TestSiteWritesDuringARestore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		at      string
		site    string
		outcome store.Outcome
		cause   repair.Cause
	}{
		"it takes the prompt away":   {"written", `{"status":"error","error":"e","x":1}`, store.OutcomeFailed, repair.CauseOverwritten},
		"it goes on with the prompt": {"written", `{"prompt":"A hen","status":"error","error":"429","x":1}`, store.OutcomeDone, ""},
		"it writes before":           {"checked", `{"status":"error","error":"429","x":1}`, store.OutcomeRefused, repair.CauseChanged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, false).lost()
			id, cfg := b.claimed(store.ActionRestore), b.config()
			cfg.OnStep = func(step string) {
				if step == c.at {
					b.set("session:"+session, c.site)
				}
			}
			job := b.ended(id, cfg)
			if job.Outcome != c.outcome || job.Cause != c.cause {
				t.Errorf("%s (%s) %q, want %s (%s)", job.Outcome, job.Cause, job.Detail, c.outcome, c.cause)
			}
			if got := b.client.Get(context.Background(), "session:"+session).Val(); got != c.site {
				t.Errorf("the site's value became %s", got)
			}
		})
	}
}
