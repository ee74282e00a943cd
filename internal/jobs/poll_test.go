package jobs_test

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/superduper"
)

// answers is a SuperDuperAI with a list of answers for the file, followed by the
// true ones.
type answers struct {
	jobs.Generator
	list []func(id string) (store.File, error)
}

func (a *answers) File(ctx context.Context, id string) (store.File, error) {
	if len(a.list) == 0 {
		return a.Generator.File(ctx, id)
	}
	next := a.list[0]
	a.list = a.list[1:]
	return next(id)
}

func fails(e superduper.Error) func(string) (store.File, error) {
	return func(string) (store.File, error) { return store.File{}, &e }
}

func in(state store.FileState) func(string) (store.File, error) {
	return func(string) (store.File, error) {
		return store.File{State: state}, nil
	}
}

// TestPollUntilFinished: no answer ends the polling but the last one.
func TestPollUntilFinished(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	id, cfg := b.claimed(store.ActionGenerate), b.config()
	cfg.Generator = &answers{Generator: cfg.Generator, list: []func(string) (store.File, error){
		fails(superduper.Error{Kind: superduper.NotFound, Status: 404}), // not visible yet
		in(store.FileInProgress),
		fails(superduper.Error{Kind: superduper.Unauthorised, Status: 401}),
		fails(superduper.Error{Kind: superduper.RateLimited, Status: 429, RetryAfter: time.Millisecond}),
		in(store.FileFinalizing),
	}}
	var shown []store.FileState
	cfg.Notify = func(_ context.Context, p repair.Progress) error {
		shown = append(shown, p.File.State)
		return nil
	}
	b.endedWell(id, cfg)
	want := []store.FileState{"", "", store.FileInProgress, store.FileFinalizing, store.FileCompleted}
	if len(shown) != len(want) {
		t.Fatalf("shown %q, want %q", shown, want)
	}
	for i, state := range want {
		if shown[i] != state {
			t.Errorf("shown %q, want %q", shown, want)
		}
	}
}

// TestMinutesMove: people see the minutes pass, however long SuperDuperAI asks to wait.
func TestMinutesMove(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	id, cfg := b.claimed(store.ActionGenerate), b.config()
	cfg.Timings.Refresh = time.Millisecond
	cfg.Generator = &answers{Generator: cfg.Generator, list: []func(string) (store.File, error){
		in(store.FileInProgress), fails(superduper.Error{Kind: superduper.RateLimited, Status: 429, RetryAfter: 100 * time.Millisecond})}}
	const minutes = 5
	var passed atomic.Int64
	cfg.OnStep = func(step string) {
		if step == string(repair.StepFiled) {
			passed.Store(1)
		}
	}
	cfg.Now = func() time.Time {
		if n := passed.Load(); n > 0 && n < minutes {
			passed.Add(1)
		}
		return time.Now().Add(time.Duration(passed.Load()) * time.Minute)
	}
	shown := map[int]bool{}
	cfg.Notify = func(_ context.Context, p repair.Progress) error {
		shown[int(p.At.Sub(p.Job.Claimed).Minutes())] = true
		return nil
	}
	b.endedWell(id, cfg)
	if !shown[0] || !shown[minutes] || len(shown) < 3 {
		t.Errorf("shown after %v minutes", shown)
	}
}

// TestSessionWrittenDuringGeneration: what conflicts with the job is kept and fails
// it; other members are kept as well as the job's own.
func TestSessionWrittenDuringGeneration(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		writes  string // into webhook:, FILE is the job's file
		outcome store.Outcome
		cause   repair.Cause
		status  any
		file    string // "" = the job's
	}{
		{"another file", `{"status":"processing","fileId":"theirs","more":1}`, store.OutcomeFailed, repair.CauseOverwritten, "processing", "theirs"},
		{"another file, completed", `{"status":"completed","fileId":"theirs","more":1}`, store.OutcomeFailed, repair.CauseOverwritten, "completed", "theirs"},
		{"our file, completed", `{"status":"completed","fileId":"FILE","more":1}`, store.OutcomeDone, "", "completed", ""},
		{"an error", `{"status":"error","fileId":"FILE","more":1}`, store.OutcomeFailed, repair.CauseOverwritten, "error", ""},
		{"another member", `{"status":"processing","fileId":"FILE","more":1}`, store.OutcomeDone, "", "completed", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, false)
			id, cfg := b.claimed(store.ActionGenerate), b.config()
			cfg.Generator = &answers{Generator: cfg.Generator, list: []func(string) (store.File, error){
				func(file string) (store.File, error) {
					b.set("webhook:"+session, strings.ReplaceAll(c.writes, "FILE", file))
					return in(store.FileInProgress)(file)
				},
			}}
			job := b.ended(id, cfg)
			if job.Outcome != c.outcome || job.Cause != c.cause {
				t.Errorf("%s (%s), want %s (%s)", job.Outcome, job.Cause, c.outcome, c.cause)
			}
			if c.file == "" {
				c.file = job.FileID
			}
			got := b.value("webhook:" + session)
			if got["status"] != c.status || got["fileId"] != c.file || got["more"] != 1.0 {
				t.Errorf("webhook: holds %v, want %v with file %s and its other members", got, c.status, c.file)
			}
		})
	}
}

// TestFileIDErased: the site erases the file's id during the generation. That is
// shown, and repaired with the outcome.
func TestFileIDErased(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	id, cfg := b.claimed(store.ActionGenerate), b.config()
	cfg.Generator = &answers{Generator: cfg.Generator, list: []func(string) (store.File, error){in(store.FileInProgress), in(store.FileInProgress)}}
	cfg.OnStep = func(step string) {
		if step == "filed" {
			b.set("webhook:"+session, `{"status":"processing","more":1}`)
		}
	}
	var overwritten []bool
	cfg.Notify = func(_ context.Context, p repair.Progress) error {
		overwritten = append(overwritten, p.Job.Overwritten)
		return nil
	}
	b.endedWell(id, cfg)
	if want := []bool{false, false, true, false}; !slices.Equal(overwritten, want) { // claimed, generating, erased, done
		t.Errorf("shown as overwritten: %v, want %v", overwritten, want)
	}
}

// TestGenerationFails: SuperDuperAI accepted the request and could not generate the
// file. The reason is shown, and not stored.
func TestGenerationFails(t *testing.T) {
	t.Parallel()
	b := newBench(t, true)
	id, cfg := b.claimed(store.ActionGenerate), b.config()
	cfg.Generator = &answers{Generator: cfg.Generator, list: []func(string) (store.File, error){in(store.FileInProgress), func(string) (store.File, error) {
		return store.File{State: store.FileFailed, Error: "Refused: a fox"}, nil
	}}}
	var last repair.Progress
	cfg.Notify = func(_ context.Context, p repair.Progress) error {
		last = p
		return nil
	}
	job := b.ended(id, cfg)
	if last.File.Error != "Refused: a fox" || len(last.Job.Detail) > 0 {
		t.Errorf("shown %+v of the job with %q", last.File, last.Job.Detail)
	}
	if job.Outcome != store.OutcomeFailed || job.Cause != repair.CauseFileFailed {
		t.Errorf("%s (%s)", job.Outcome, job.Cause)
	}
	got := b.value("webhook:" + session)
	if got["status"] != "error" || got["fileId"] != job.FileID || got["error"] == nil {
		t.Errorf("webhook: holds %v", got)
	}
}

// TestCertificateOfAnotherHost: with an invalid certificate no request is sent.
func TestCertificateOfAnotherHost(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	id, cfg := b.claimed(store.ActionGenerate), b.config()
	elsewhere := demo.NewSuperDuper(time.Now, 0)
	server := httptest.NewTLSServer(elsewhere)
	t.Cleanup(server.Close)
	cfg.Generator = superduper.New(superduper.Config{BaseURL: server.URL, Token: token})
	job := b.ended(id, cfg)
	if job.Outcome != store.OutcomeFailed || job.Cause != repair.CauseCertificate || elsewhere.Started() != 0 {
		t.Errorf("%s (%s) with %d started", job.Outcome, job.Cause, elsewhere.Started())
	}
}
