package jobs_test

import (
	"context"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// TestLayouts: the outcome is written wherever the session carries a status, other
// members are kept, and no prompt is lost.
func TestLayouts(t *testing.T) {
	t.Parallel()
	stored := time.Now().Add(-time.Hour).UTC().Format("2006-01-02T15:04:05.000Z")
	full := `{"prompt":"A fox","status":"pending","createdAt":"` + stored + `","timestamp":"` + stored + `","userId":12345678901234567890`
	for _, c := range []struct {
		name      string
		cluster   bool
		full      string // session:
		webhook   string // "" = missing, and stays so
		generated string // the request
	}{
		{name: "one-key", full: full + `}`, generated: "video"},
		{name: "one-key, an image", full: full + `,"generationType":"text-to-image"}`, generated: "image"},
		{name: "both carry a status", cluster: true, full: full + `}`, webhook: `{"status":"error","error":"before","more":1}`, generated: "video"},
	} {
		for _, action := range []store.Action{store.ActionGenerate, store.ActionFix} {
			t.Run(c.name+", "+string(action), func(t *testing.T) {
				t.Parallel()
				b := newBench(t, c.cluster)
				b.client.Del(t.Context(), "prompt:"+session)
				b.set("session:"+session, c.full)
				if c.webhook != "" {
					b.set("webhook:"+session, c.webhook)
				}
				made, cfg := "", b.config()
				cfg.Notify = func(_ context.Context, p repair.Progress) error {
					made = p.File.Type
					return nil
				}
				job := b.ended(b.claimed(action), cfg)
				if job.Outcome != store.OutcomeDone {
					t.Fatalf("%s (%s) %q", job.Outcome, job.Cause, job.Detail)
				}
				want, generated, started := "completed", c.generated, 1
				if action == store.ActionFix {
					want, generated, started = "error", "", 0
				}
				got := b.value("session:" + session)
				if got["status"] != want || got["prompt"] != "A fox" || got["userId"] == nil {
					t.Errorf("session: holds %v", got)
				}
				got = b.value("webhook:" + session)
				if c.webhook == "" && got != nil || c.webhook != "" && (got["status"] != want || got["more"] == nil) {
					t.Errorf("webhook: holds %v", got)
				}
				if made != generated || b.files.Started() != started {
					t.Errorf("%d started, made was %q, want %q", b.files.Started(), made, generated)
				}
			})
		}
	}
}
