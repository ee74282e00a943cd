package storybook

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/superduper"
)

// key is a key with this value, written so long ago.
func key(kind, raw string, age time.Duration) store.Key {
	k := store.Key{Kind: kind, Exists: true, TTL: store.KeyLife - age, Size: len(raw), Digest: "d1"}
	k.Value, k.Full, k.Fault = store.ParseValue([]byte(raw))
	return k
}

// session is a three-key session whose prompt is so old; status "" = none.
func session(age time.Duration, status, file string) store.Session {
	at := noon.Add(-age).Format("2006-01-02T15:04:05.000Z")
	s := store.Session{ID: sessionID, Webhook: store.Key{Kind: "webhook"}, SessionKey: store.Key{Kind: "session"},
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

// example is a session in a world.
type example struct {
	title string
	world world
}

// examples are one of each verdict, and the ways in which a source can be
// unavailable.
func examples() []example {
	const quarter = 14 * time.Minute
	seen := func(age time.Duration, status, id string, file store.FileState) world { // a three-key session
		w := world{seen: diagnosis.Evidence{Session: session(age, status, id), Payment: paid(age), File: store.File{State: file}},
			event: store.Event{State: store.EventFailed, ID: "evt_1Abc", Created: noon.Add(-age)}}
		if status != "" { // the site shows what Redis holds, and has received the event
			w.site = store.Site{Found: true, Status: status, FileID: id}
			w.event.State = store.EventDelivered
		}
		return w
	}
	with := func(w world, change func(*world)) world { change(&w); return w }
	shown := func(status string) func(*world) { // what the site answers
		return func(w *world) { w.site = store.Site{Found: true, Status: status, FileID: fileID} }
	}
	fails := func(err error) func(*world) { return func(w *world) { w.fileErr = err } }
	pays := func(p store.Payment) func(*world) { // Stripe's event comes with the payment
		return func(w *world) { w.seen.Payment, w.event = p, store.Event{} }
	}
	missing := store.Payment{SessionID: sessionID, State: store.PaymentMissing}
	noKeys := store.Session{ID: sessionID, Prompt: store.Key{Kind: "prompt"}, Webhook: store.Key{Kind: "webhook"}, SessionKey: store.Key{Kind: "session"}}
	oneKey := noKeys
	oneKey.SessionKey = key("session", `{"prompt":"Старый трамвай едет по зимнему городу","status":"error","error":"Failed to start generation: HTTP 402","createdAt":"2026-03-04T10:00:00.000Z"}`, 2*time.Hour)
	orphan := seen(quarter, "", "", store.FileNone)
	completed := seen(quarter, "completed", fileID, store.FileCompleted)
	unauthorised, notFound := &superduper.Error{Kind: superduper.Unauthorised, Status: 401}, &superduper.Error{Kind: superduper.NotFound, Status: 404}
	return []example{
		{"orphaned", orphan},
		{"orphaned, Stripe does not answer", with(orphan, pays(store.Payment{SessionID: sessionID, State: store.PaymentUnverified, Why: store.StripeNoAnswer}))},
		{"orphaned, the site says something else", with(orphan, shown("completed"))},
		{"orphaned, nothing to pay", with(orphan, func(w *world) {
			w.seen.Payment.State, w.seen.Payment.Amount, w.seen.Payment.IntentID = store.PaymentNotRequired, 0, ""
		})},
		{"orphaned, refunded in part, disputed", with(orphan, func(w *world) {
			p := &w.seen.Payment
			p.State, p.AmountRefunded, p.Disputed, p.VideoCount = store.PaymentPartiallyRefunded, 50, true, 3
		})},
		{"waiting", with(seen(3*time.Minute, "", "", store.FileNone), func(w *world) { w.event.State = store.EventPending })},
		{"processing", seen(quarter, "processing", fileID, store.FileInProgress)},
		{"processing: a repair of ours", with(orphan, func(w *world) {
			w.seen.Session.Webhook = key("webhook", `{"status":"processing","timestamp":"2026-03-04T11:59:00.000Z"}`, time.Minute)
			w.site = store.Site{Found: true, Status: "processing"}
			w.seen.Job, w.repair = store.JobRunning, diagnosis.SessionJob{ID: "J", State: store.JobRunning, Action: store.ActionGenerate, At: noon.Add(-time.Minute)}
		})},
		{"finalizing", seen(quarter, "processing", fileID, store.FileFinalizing)},
		{"stalled", seen(2*time.Hour, "processing", fileID, store.FileInProgress)},
		{"unclear: its file cannot be seen, nor what the customer sees", with(seen(2*time.Hour, "processing", fileID, store.FileUnknown), func(w *world) {
			w.fileErr, w.siteErr = unauthorised, context.DeadlineExceeded
		})},
		{"unclear: SuperDuperAI does not know its file", with(seen(2*time.Hour, "processing", fileID, store.FileMissing), fails(notFound))},
		{"completed", with(completed, shown("completed"))},
		{"undelivered", with(seen(2*time.Hour, "error", fileID, store.FileCompleted), shown("error"))},
		{"undelivered: reset from outside", with(orphan, func(w *world) { w.seen.Finished = []string{fileID} })},
		{"completed, and the customer's page does not show it", with(completed, func(w *world) { w.site = store.Site{} })},
		{"failed", with(seen(2*time.Hour, "processing", fileID, store.FileFailed), func(w *world) { w.seen.File.Error = refusal })},
		{"failed, and its file cannot be seen", with(seen(2*time.Hour, "error", fileID, store.FileUnknown), fails(unauthorised))},
		{"orphaned, its file id is none", with(seen(quarter, "pending", "none yet", store.FileNone), func(w *world) {
			w.site, w.event.State = store.Site{}, store.EventFailed
		})},
		{"failed, marked as error, one-key", with(seen(2*time.Hour, "", "", store.FileNone), func(w *world) {
			w.seen.Session, w.site, w.event.State = oneKey, store.Site{Found: true, Status: "error"}, store.EventDelivered
		})},
		{"lost", with(seen(11*time.Hour, "", "", store.FileNone), func(w *world) { w.seen.Session = noKeys })},
		{"corrupt", with(orphan, func(w *world) { w.seen.Session.Webhook = key("webhook", `{"status":"proc`, quarter) })},
		{"refunded", with(seen(3*time.Hour, "", "", store.FileNone), func(w *world) {
			w.seen.Payment.State, w.seen.Payment.AmountRefunded = store.PaymentRefunded, 100
		})},
		{"unpaid", with(orphan, func(w *world) { unpay(&w.seen.Payment, store.PaymentUnpaid) })},
		{"abandoned", with(seen(25*time.Hour, "", "", store.FileNone), func(w *world) { unpay(&w.seen.Payment, store.PaymentExpired) })},
		{"unclear: a repair of ours", with(orphan, func(w *world) {
			w.seen.Job = store.JobUnclear
			w.repair = diagnosis.SessionJob{ID: "J", State: store.JobUnclear, Action: store.ActionGenerate, Outcome: store.OutcomeUnclear, At: noon.Add(-time.Minute)}
		})},
		{"unclear: the wrong Stripe account", with(orphan, pays(missing))},
		{"unclear: Redis silent", with(orphan, func(w *world) { w.seen.RedisSilent, w.seen.Session = true, store.Session{} })},
		{"not found", world{seen: diagnosis.Evidence{Session: noKeys, File: store.File{State: store.FileNone}, Payment: missing}}},
	}
}

func unpay(p *store.Payment, state store.PaymentState) {
	p.State, p.ChargedAt, p.IntentID = state, time.Time{}, ""
}

func debugs() []Story {
	var all []Story
	for _, e := range examples() {
		x := e.world.Examine(context.Background(), sessionID)
		all = append(all, ask(&e.world, e.title, "/session", "debug "+sessionID,
			of("Verdict", x.Verdict), of("PaymentState", x.Payment.State), of("FileState", x.File.State), of("EventState", x.Event.State)))
	}
	named := examples()[0].world
	named.seen.Payment.Email = "ann@example.com"
	all = append(all, ask(&named, "orphaned, the customer is known", "/session", "debug "+sessionID))
	for _, state := range []store.EventState{store.EventUnknown, store.EventNone, store.EventPending, store.EventDelivered} {
		w := examples()[0].world
		if w.event.State = state; state == store.EventUnknown || state == store.EventNone {
			w.event = store.Event{State: state}
		}
		all = append(all, ask(&w, "orphaned, Stripe's event: "+string(state), "/session", "debug "+sessionID, of("EventState", state)))
	}
	for _, why := range []store.Unverified{store.NoStripeKey, store.StripeNoAnswer, store.StripeWrongMode, store.StripeKeyRefused, store.StripeForbidden, store.StripeRateLimited, store.StripeFault} {
		w := examples()[1].world
		w.seen.Payment.Why = why
		all = append(all, ask(&w, "payment unverified: "+string(why), "/session", "debug "+sessionID, of("Unverified", string(why))))
	}
	test := examples()[1].world
	testID := strings.Replace(sessionID, "live", "test", 1)
	test.seen.Payment.SessionID, test.seen.Payment.Why = testID, store.StripeWrongMode
	all = append(all, ask(&test, "payment unverified: a test session, and a live key", "/session", "debug "+testID))
	handled := examples()[0].world
	handled.seen.Session, handled.seen.Payment, handled.event.Created = session(4*time.Hour, "", ""), paid(4*time.Hour), noon.Add(-4*time.Hour)
	handled.handled = &incident.Handled{By: "U0LEAD", At: noon.Add(-3 * time.Hour), Verdict: diagnosis.VerdictLost}
	return append(all, ask(&handled, "handled outside before", "/session", "debug "+sessionID))
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
	all = append(all, ask(&w, "generate without a token", "/session", "generate "+sessionID),
		ask(&w, "replay without a secret", "/session", "replay "+sessionID))
	lost, picture := examples()[0].world, examples()[0].world
	lost.seen.SiteLayout = store.LayoutOneKey
	picture.seen.SiteLayout = store.LayoutOneKey
	picture.event = store.Event{State: store.EventDelivered, ID: "evt_1Abc", Created: noon.Add(-time.Hour), Completed: true, CompletedAt: noon.Add(-time.Hour)}
	picture.seen.Session = store.Session{ID: sessionID, Prompt: store.Key{Kind: "prompt"}, Webhook: store.Key{Kind: "webhook"},
		SessionKey: key("session", `{"prompt":"Make it rain","generationType":"image-to-video","status":"pending","createdAt":"2026-03-04T11:00:00.000Z"}`, time.Hour)}
	return append(append(all, restores()...),
		ask(&lost, "replay of what the site cannot read", "/session", "replay "+sessionID),
		ask(&picture, "orphaned, with a picture", "/session", "debug "+sessionID),
		ask(&picture, "replay of a session with a picture", "/session", "replay "+sessionID))
}

// restores are the ways to restore a prompt, and what prevents it.
func restores() []Story {
	all := examples()
	orphan := all[0].world
	lost := all[slices.IndexFunc(all, func(e example) bool { return e.title == "lost" })].world
	lost.seen.SiteLayout = store.LayoutOneKey
	kept, failed, corrupt := lost, lost, lost
	kept.seen.Payment.Order = store.Order{Prompt: "Make it rain", Seconds: 5}
	failed.seen.Session.SessionKey = key("session", `{"status":"error"}`, time.Hour)
	corrupt.seen.Session.SessionKey = key("session", `{"prompt":7,"status":"pending"}`, time.Hour)
	restore := "restore " + sessionID
	return []Story{
		ask(&lost, "restore", "/session", restore+" Make it “rain” &amp; snow, &lt;slowly&gt;"),
		ask(&lost, "restore without a prompt", "/session", restore),
		ask(&kept, "lost, and Stripe has the prompt", "/session", "debug "+sessionID),
		ask(&kept, "restore what Stripe has", "/session", restore),
		ask(&failed, "failed without a prompt", "/session", "debug "+sessionID),
		ask(&failed, "restore beside a status", "/session", restore+" Make it rain"),
		ask(&corrupt, "corrupt without a prompt", "/session", "debug "+sessionID),
		ask(&orphan, "restore where a prompt is", "/session", restore+" Make it rain"),
		ask(&lost, "restore what is too long", "/session", restore+strings.Repeat(" rain", 2000)),
		ask(&lost, "restore control characters", "/session", restore+" Make \x1b[2J"),
		ask(&lost, "restore without a space", "/session", restore+",rain"),
		ask(&lost, "restore without an id", "/session", "restore Make it rain"),
	}
}
