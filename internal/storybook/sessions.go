package storybook

import (
	"context"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/superduper"
)

// key is a readable key with these values, written so long ago.
func key(kind, raw string, age time.Duration) store.Key {
	k := store.Key{Kind: kind, Exists: true, TTL: store.KeyLife - age, Size: len(raw), Digest: "d1"}
	k.Value, k.Full, k.Fault = store.ParseValue([]byte(raw))
	return k
}

// session is a three-key session whose prompt is so old; status "" = none.
func session(age time.Duration, status, file string) store.Session {
	at := noon.Add(-age).Format("2006-01-02T15:04:05.000Z")
	s := store.Session{ID: sessionID, Webhook: store.Key{Kind: "webhook"}, Lookup: store.Key{Kind: "session"},
		Prompt: key("prompt", `{"prompt":"A fox runs through fresh snow at dawn, cinematic, slow motion","timestamp":"`+at+`"}`, age)}
	if status != "" {
		fileMember := ""
		if file != "" {
			fileMember = `,"fileId":"` + file + `"`
		}
		s.Webhook = key("webhook", `{"status":"`+status+`"`+fileMember+`,"timestamp":"`+at+`"}`, age)
	}
	return s
}

func paid(age time.Duration) store.Payment {
	return store.Payment{SessionID: sessionID, State: store.PaymentPaid, Amount: 100, Currency: "usd", Created: noon.Add(-age - time.Minute),
		ChargedAt: noon.Add(-age), IntentID: "pi_3Abc", Live: true}
}

// example is a session as it can be met.
type example struct {
	title string
	world world
}

// examples are one of each verdict, and the ways in which less can be seen.
func examples() []example {
	const quarter = 14 * time.Minute
	failed := store.Event{State: store.EventFailed, ID: "evt_1Abc", Created: noon.Add(-quarter)}
	seen := func(s store.Session, p store.Payment, file store.FileState) world {
		return world{seen: store.Evidence{Session: s, Payment: p, File: store.File{State: file}}, event: failed}
	}
	payment := func(p store.Payment, change func(*store.Payment)) store.Payment { change(&p); return p }
	orphan := seen(session(quarter, "", ""), paid(quarter), store.FileNone)
	silent, missing, wrongSite, noRedis, running, blindFile := orphan, orphan, orphan, orphan, orphan, orphan
	lostFile := seen(session(2*time.Hour, "processing", fileID), paid(2*time.Hour), store.FileMissing)
	lostFile.fileErr = &superduper.Error{Kind: superduper.NotFound, Status: 404}
	silent.seen.Payment = store.Payment{SessionID: sessionID, State: store.PaymentUnverified, Why: store.StripeNoAnswer}
	missing.seen.Payment = store.Payment{SessionID: sessionID, State: store.PaymentMissing}
	wrongSite.site = store.Site{Found: true, Status: "completed", FileID: fileID}
	noRedis.seen.RedisSilent, noRedis.seen.Session = true, store.Session{}
	running.seen.Job, running.repair = store.JobRunning, store.SessionJob{ID: "J", State: store.JobRunning, Action: store.ActionGenerate, At: noon.Add(-time.Minute)}
	blindFile.seen = store.Evidence{Session: session(2*time.Hour, "processing", fileID), Payment: paid(2 * time.Hour), File: store.File{State: store.FileUnknown}}
	blindFile.fileErr, blindFile.siteErr = &superduper.Error{Kind: superduper.Unauthorised, Status: 401}, context.DeadlineExceeded
	failedFile := seen(session(2*time.Hour, "processing", fileID), paid(2*time.Hour), store.FileFailed)
	failedFile.seen.File.Error = refusal
	corrupt := orphan
	corrupt.seen.Session.Webhook = key("webhook", `{"status":"proc`, quarter)
	unclear := orphan
	unclear.seen.Job, unclear.repair = store.JobUnclear, store.SessionJob{ID: "J", State: store.JobUnclear, Action: store.ActionGenerate, Outcome: store.OutcomeUnclear, At: noon.Add(-time.Minute)}
	oneKey := seen(store.Session{ID: sessionID, Prompt: store.Key{Kind: "prompt"}, Webhook: store.Key{Kind: "webhook"}, Lookup: key("session",
		`{"prompt":"Старый трамвай едет по зимнему городу","status":"error","error":"Failed to start generation: HTTP 402","createdAt":"2026-03-04T10:00:00.000Z"}`, 2*time.Hour)},
		paid(2*time.Hour), store.FileNone)
	completed := seen(session(quarter, "completed", fileID), paid(quarter), store.FileCompleted)
	completed.site = store.Site{Found: true, Status: "completed", FileID: fileID}
	undelivered := seen(session(2*time.Hour, "error", fileID), paid(2*time.Hour), store.FileCompleted)
	undelivered.site = store.Site{Found: true, Status: "error", FileID: fileID}
	reset := orphan
	reset.seen.Finished = []string{fileID}
	unshown := completed
	unshown.site = store.Site{}
	unseenFailed := seen(session(2*time.Hour, "error", fileID), paid(2*time.Hour), store.FileUnknown)
	unseenFailed.fileErr = &superduper.Error{Kind: superduper.Unauthorised, Status: 401}
	noFileID := seen(session(quarter, "pending", "none yet"), paid(quarter), store.FileNone)
	return []example{
		{"orphaned", orphan},
		{"orphaned, Stripe does not answer", silent},
		{"orphaned, the site says something else", wrongSite},
		{"orphaned, nothing to pay", seen(session(quarter, "", ""), payment(paid(quarter), func(p *store.Payment) { p.State, p.Amount, p.IntentID = store.PaymentNotRequired, 0, "" }), store.FileNone)},
		{"orphaned, refunded in part, disputed", seen(session(quarter, "", ""), payment(paid(quarter), func(p *store.Payment) {
			p.State, p.AmountRefunded, p.Disputed, p.VideoCount = store.PaymentPartiallyRefunded, 50, true, 3
		}), store.FileNone)},
		{"waiting", seen(session(3*time.Minute, "", ""), paid(3*time.Minute), store.FileNone)},
		{"processing", seen(session(quarter, "processing", fileID), paid(quarter), store.FileInProgress)},
		{"processing: a repair of ours", running},
		{"finalizing", seen(session(quarter, "processing", fileID), paid(quarter), store.FileFinalizing)},
		{"stalled", seen(session(2*time.Hour, "processing", fileID), paid(2*time.Hour), store.FileInProgress)},
		{"unclear: its file cannot be seen, nor what the customer sees", blindFile},
		{"unclear: SuperDuperAI does not know its file", lostFile},
		{"completed", completed},
		{"undelivered", undelivered},
		{"undelivered: reset from outside", reset},
		{"completed, and the customer's page does not show it", unshown},
		{"failed", failedFile},
		{"failed, and its file cannot be seen", unseenFailed},
		{"orphaned, its file id is none", noFileID},
		{"failed, marked as error, one-key", oneKey},
		{"lost", seen(store.Session{ID: sessionID, Prompt: store.Key{Kind: "prompt"}, Webhook: store.Key{Kind: "webhook"}, Lookup: store.Key{Kind: "session"}}, paid(11*time.Hour), store.FileNone)},
		{"corrupt", corrupt},
		{"refunded", seen(session(3*time.Hour, "", ""), payment(paid(3*time.Hour), func(p *store.Payment) { p.State, p.AmountRefunded = store.PaymentRefunded, 100 }), store.FileNone)},
		{"unpaid", seen(session(quarter, "", ""), payment(paid(quarter), func(p *store.Payment) { p.State, p.ChargedAt, p.IntentID = store.PaymentUnpaid, time.Time{}, "" }), store.FileNone)},
		{"abandoned", seen(session(25*time.Hour, "", ""), payment(paid(25*time.Hour), func(p *store.Payment) { p.State, p.ChargedAt, p.IntentID = store.PaymentExpired, time.Time{}, "" }), store.FileNone)},
		{"unclear: a repair of ours", unclear},
		{"unclear: the wrong Stripe account", missing},
		{"unclear: Redis silent", noRedis},
		{"not found", world{seen: store.Evidence{Session: store.Session{ID: sessionID, Prompt: store.Key{Kind: "prompt"}, Webhook: store.Key{Kind: "webhook"}, Lookup: store.Key{Kind: "session"}},
			Payment: store.Payment{SessionID: sessionID, State: store.PaymentMissing}, File: store.File{State: store.FileNone}}}},
	}
}

func debugs() []Story {
	var all []Story
	for _, e := range examples() {
		x := e.world.Examine(context.Background(), sessionID)
		all = append(all, ask(&e.world, e.title, "/session", "debug "+sessionID,
			of("Verdict", x.Verdict), of("PaymentState", x.Payment.State), of("FileState", x.File.State), of("EventState", x.Event.State)))
	}
	for _, state := range []store.EventState{store.EventUnknown, store.EventNone, store.EventPending, store.EventDelivered} {
		w := examples()[0].world
		w.event.State = state
		all = append(all, ask(&w, "orphaned, Stripe's event: "+string(state), "/session", "debug "+sessionID, of("EventState", state)))
	}
	for _, why := range []store.Unverified{store.NoStripeKey, store.StripeNoAnswer, store.StripeWrongMode, store.StripeKeyRefused, store.StripeForbidden, store.StripeRateLimited, store.StripeFault} {
		w := examples()[1].world
		w.seen.Payment.Why = why
		all = append(all, ask(&w, "payment unverified: "+string(why), "/session", "debug "+sessionID, of("Unverified", string(why))))
	}
	return all
}

func plans() []Story {
	var all []Story
	for _, e := range examples() {
		for _, action := range []string{"fix", "generate"} {
			all = append(all, ask(&e.world, e.title+": "+action, "/session", action+" "+sessionID))
		}
	}
	w := examples()[0].world
	w.noToken = true
	return append(all, ask(&w, "generate without a token", "/session", "generate "+sessionID))
}
