package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/repair"
)

// replayStage is a stage with one orphaned session that needs the customer's picture,
// and whose event the site lost.
func replayStage(t *testing.T) *stage {
	t.Helper()
	s := orphan(newStage(t))
	s.site = demo.NewSite(demo.SiteConfig{Redis: s.client, FilesURL: s.env["SUPERDUPERAI_URL"], StripeURL: s.env["STRIPE_API_URL"], Secret: webhookMark})
	s.env["SITE_URL"], s.env["SITE_LAYOUT"] = s.serve(s.site), "one-key"
	s.client.Del(t.Context(), "prompt:"+repairID)
	stored := time.Now().Add(-14 * time.Minute).UTC().Format("2006-01-02T15:04:05.000Z")
	s.put("session:"+repairID, `{"prompt":"A fox runs","generationType":"image-to-video","imageFile":{"content":"QUJD"},"status":"pending","createdAt":"`+stored+`","timestamp":"`+stored+`"}`)
	return s
}

// TestReplayStory: a session that cannot be generated is offered a replay, which is
// approved once, sent to the site, and followed to its end.
func TestReplayStory(t *testing.T) {
	t.Parallel()
	s := replayStage(t)
	s.env["APPROVALS"] = "generate" // counts for what the site makes as well
	s.startBot()
	support := s.workspace.As("U0SUPPORT").In("C0SUPPORT")
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	support.Type("/session debug " + repairID)
	seen := support.ExpectMessage(withText("Replay the webhook, since only the site has the customer's picture: we pay about $24"))
	support.Click(seen, "session.replay")
	plan := support.ExpectMessage(withText("Replay the webhook for"))
	if plan.Ephemeral || !strings.Contains(plan.Text, "about $24") || !strings.Contains(plan.Text, "can be replayed until") {
		t.Errorf("the plan is not for everybody, or does not say what it costs and until when it is possible: %s", plan.Text)
	}
	support.Click(plan, "confirm.approve")
	support.ExpectMessage(withText("another operator has to approve it"))
	lead.Click(plan, "confirm.approve")
	done := s.expectEnd(lead, plan, withText("Done: video ready"))
	if !strings.Contains(done.Text, "the customer sees the video") {
		t.Errorf("the customer's page does not show it:\n%s", done.Text)
	}
	if held := s.value("session:" + repairID); s.files.Started() != 1 || held["status"] != "processing" || held["fileId"] == nil || held["imageFile"] == nil {
		t.Errorf("%d videos were started, and the session holds %v", s.files.Started(), held)
	}
	s.expectHistory("planned: replay, by @U0SUPPORT in #C0SUPPORT", "approved: replay, by @U0LEAD in #C0SUPPORT", "ended: replay, approved by @U0LEAD in #C0SUPPORT · done")
	support.Type("/session replay " + repairID)
	support.ExpectMessage(withText("Cannot replay"))
	s.workspace.ExpectNothingElse()
	s.expectCleanLog("A fox runs")
}

// TestReplayInATerminal: missing configuration is refused with the remedy, a refusal by the
// site is a failure, and an accepted event is done.
func TestReplayInATerminal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, variable, value string
		code, started         int
		says                  string
	}{
		{"no secret", "STRIPE_WEBHOOK_SECRET", "", 3, 0, "set it as STRIPE_WEBHOOK_SECRET"},
		{"no key", "STRIPE_SECRET_KEY", "", 3, 0, "Set STRIPE_SECRET_KEY"},
		{"another secret", "STRIPE_WEBHOOK_SECRET", "whsec_MARKEDsecretOther", 1, 0, "Set STRIPE_WEBHOOK_SECRET to the signing secret"},
		{"three keys", "SITE_LAYOUT", "three-key", 3, 0, "the site cannot read this session"},
		{"done", "LOG_LEVEL", "debug", 0, 1, `"outcome":"done"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := replayStage(t)
			s.env[c.variable] = c.value
			p := run(t, s.env, "session", "replay", repairID, "--yes", "--json")
			if code := p.exitCode(); code != c.code || !strings.Contains(p.log.String(), c.says) || s.files.Started() != c.started {
				t.Errorf("exit code %d with %d started, want %d with %d:\n%s", code, s.files.Started(), c.code, c.started, p.log)
			}
			s.quiet(p, "A fox runs", "MARKEDsecret")
		})
	}
}

// TestReplayOfAThreeKeySession: the site would not find it.
func TestReplayOfAThreeKeySession(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	s.env["SITE_LAYOUT"] = "one-key"
	s.stripe.Put(demo.CheckoutSession{ID: repairID, Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "usd",
		Created: time.Now().Add(-14 * time.Minute), Event: store.EventDelivered})
	p := run(t, s.env, "session", "replay", repairID)
	if code := p.exitCode(); code != 3 || !strings.Contains(p.log.String(), "the site cannot read this session: generate the video instead") {
		t.Errorf("exit code %d: %s", code, p.log)
	}
}

// TestDemoReplays: the demo's site takes the event that the demo's Stripe holds.
func TestDemoReplays(t *testing.T) {
	t.Parallel()
	id := ""
	for _, e := range demo.Examples(time.Now()) {
		whole := strings.Contains(e.Redis["session:"+e.ID].Text, `"prompt"`)
		if e.Verdict == diagnosis.VerdictOrphaned && whole && e.Payment.Event == store.EventDelivered {
			id = e.ID
		}
	}
	sandbox, err := startSandbox(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sandbox.close)
	product, state, err := openRedis(t.Context(), sandbox.config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = product.Close() })
	d := newDeps(sandbox.config, product, state, slog.New(slog.DiscardHandler))
	t.Cleanup(d.lookups.Wait)
	answer := d.registry.Parse(commands.Request{Command: "/session", Text: "replay " + id, User: "U0LEAD"}).Run(t.Context())
	if answer.Plan == nil {
		t.Fatalf("no plan: %s", blockkit.Text(answer.Blocks))
	}
	if claim, err := d.repairs.Approve(t.Context(), answer.Plan.ID, "", store.Actor{ID: "U0LEAD"}, "C0SUPPORT"); err != nil || claim.Verdict != repair.Claimed {
		t.Fatalf("%s, %v", claim.Verdict, err)
	}
	d.jobs.Notify = func(context.Context, repair.Progress) error { return nil }
	if err := jobs.New(d.jobs).Execute(t.Context(), answer.Plan.ID); err != nil {
		t.Fatal(err)
	}
	if job, err := d.ledger.LoadJob(t.Context(), answer.Plan.ID); err != nil || job.Outcome != store.OutcomeDone {
		t.Errorf("%s (%s) %q: %v", job.Outcome, job.Cause, job.Detail, err)
	}
}
