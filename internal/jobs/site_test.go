package jobs_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

const (
	none     = store.Action("")
	fix      = store.ActionFix
	generate = store.ActionGenerate
	replay   = store.ActionReplay
	restore  = store.ActionRestore

	somebodys = "6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0001" // a file of another customer's
	nobodys   = "6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0002" // an id that SuperDuperAI does not know
	timeout   = "error: The operation was aborted due to timeout"
	tooMany   = "error: SuperDuperAI API failed: 429 - later"
)

// Why a plan to generate can still come to a second video.
const (
	stripeGoesOn = "nobody can tell Stripe to stop: the plan says so and takes two presses"
	sentAgain    = "Stripe is done: only a person sends the events again, and the site does not look what it has"
	otherOne     = "the site has an event, and Stripe does not say whether the other one failed there or at another endpoint"
	unnamedOne   = "the site's video is named nowhere: the plan says so and takes two presses, for somebody to look in SuperDuperAI"
	erasedOne    = "what the site started is known to SuperDuperAI alone once its file is erased here before the watch saw it"
	brokenOne    = "the first was not made, says SuperDuperAI"
	slowOne      = "the first takes longer than STALL_AFTER; the plan says that it is replaced"
)

// course is a repair and its result: the customer's page, and how many videos were paid
// for.
type course struct {
	repair store.Action // none = what comes without one
	risk   string       // what its plan needs a second press for begins so; "" = it needs none
	seen   string       // after the repair → after checkout.session.completed → after payment_intent.succeeded
	why    string       // with a second video: why that is all that the bot can do
}

// TestSite goes through what the site can leave behind: what the customer sees
// before and after every repair that is allowed, and how many videos were paid for
// once Stripe's events come after it all the same.
func TestSite(t *testing.T) {
	t.Parallel()
	shared := newBench(t, false)
	for i, c := range []struct {
		name    string
		left    func(*shop)
		verdict diagnosis.Verdict
		allowed []store.Action
		alone   string // the course without a repair
		courses []course
	}{
		{"the webhook never came", func(s *shop) { s.checkout(); s.undelivered() },
			diagnosis.VerdictOrphaned, []store.Action{fix, generate, replay}, "waiting (0) → video 1 (1) → video 2 (2)", []course{
				{fix, "", "error: sorry (0) → video 1 (1) → video 2 (2)", ""},
				{generate, "Stripe is still retrying", "video 1 (1) → video 2 (2) → video 3 (3)", stripeGoesOn},
			}},
		{"it came and was lost", func(s *shop) { s.checkout() },
			diagnosis.VerdictOrphaned, []store.Action{fix, generate, replay}, "waiting (0) → video 1 (1) → video 2 (2)", []course{
				{fix, "", "error: sorry (0) → video 1 (1) → video 2 (2)", ""},
				{generate, "", "video 1 (1) → video 2 (2) → video 3 (3)", sentAgain},
			}},
		{"it came, and the site died before it wrote", func(s *shop) { s.checkout(); s.unnamed(); s.undelivered() },
			diagnosis.VerdictOrphaned, []store.Action{fix, generate, replay}, "waiting (1) → video 2 (2) → video 3 (3)", []course{
				{fix, "", "error: sorry (1) → video 2 (2) → video 3 (3)", ""},
				{generate, "Stripe is still retrying", "video 2 (2) → video 3 (3) → video 4 (4)", stripeGoesOn},
			}},
		{"processing without a file", func(s *shop) { s.checkout(); s.unnamed(); s.outside(`{"status":"processing"}`) },
			diagnosis.VerdictStalled, []store.Action{fix, generate, replay}, "not found (1) → video 2 (2) → video 3 (3)", []course{
				{fix, "", "error: sorry (1) → video 2 (2) → video 3 (3)", ""},
				{generate, "The site stopped while it was requesting", "video 2 (2) → video 3 (3) → video 4 (4)", unnamedOne},
			}},
		{"in the making", func(s *shop) {
			s.ago.Store(int64(5 * time.Minute))
			s.checkout()
			s.deliver()
			s.is(store.FileInProgress)
		},
			diagnosis.VerdictProcessing, nil, "waiting (1) → video 2 (2) → video 3 (3)", nil},
		{"taking too long", func(s *shop) { s.checkout(); s.deliver(); s.is(store.FileInProgress) },
			diagnosis.VerdictStalled, []store.Action{fix, generate, replay}, "waiting (1) → video 2 (2) → video 3 (3)", []course{
				{fix, "", "error: sorry (1) → video 2 (2) → video 3 (3)", ""},
				{generate, "", "video 2 (2) → video 3 (3) → video 4 (4)", slowOne},
			}},
		{"delivered, and processing for ever", func(s *shop) { s.checkout(); s.deliver() },
			diagnosis.VerdictCompleted, nil, "video 1 (1) → video 2 (2) → video 3 (3)", nil},
		{"the file failed", func(s *shop) { s.checkout(); s.deliver(); s.is(store.FileFailed) },
			diagnosis.VerdictFailed, []store.Action{fix, generate, replay}, "waiting (1) → video 2 (2) → video 3 (3)", []course{
				{fix, "", "error: sorry (1) → video 2 (2) → video 3 (3)", ""},
				{generate, "", "video 2 (2) → video 3 (3) → video 4 (4)", brokenOne},
			}},
		{"the first event failed", func(s *shop) { s.checkout(); s.refused(s.deliver) },
			diagnosis.VerdictFailed, []store.Action{generate, replay}, tooMany + " (0) → video 1 (1) → video 2 (2)", []course{
				{generate, "", "video 1 (1) → video 2 (2) → video 3 (3)", sentAgain},
			}},
		{"the first event failed, and the second is undelivered", func(s *shop) { s.checkout(); s.refused(s.deliver); s.undelivered() },
			diagnosis.VerdictFailed, []store.Action{generate, replay}, tooMany + " (0) → video 1 (1) → video 2 (2)", []course{
				{generate, "", "video 1 (1) → video 2 (2) → video 3 (3)", otherOne},
			}},
		{"the second event failed", func(s *shop) { s.checkout(); s.deliver(); s.refused(s.deliverIntent) },
			diagnosis.VerdictUndelivered, []store.Action{fix}, tooMany + " (1) → video 2 (2) → video 3 (3)", []course{
				{fix, "", "video 1 (1) → video 2 (2) → video 3 (3)", ""},
			}},
		{"the second event's video is in the making", func(s *shop) {
			s.ago.Store(int64(5 * time.Minute))
			s.twice(store.FileInProgress)
		}, diagnosis.VerdictProcessing, nil, "waiting (2) → video 3 (3) → video 4 (4)", nil},
		{"the second event's video is in the making for too long", func(s *shop) { s.twice(store.FileInProgress) },
			diagnosis.VerdictStalled, []store.Action{fix}, "waiting (2) → video 3 (3) → video 4 (4)", []course{
				{fix, "", "video 1 (2) → video 3 (3) → video 4 (4)", ""},
			}},
		{"the second event's video failed", func(s *shop) { s.twice(store.FileFailed) },
			diagnosis.VerdictUndelivered, []store.Action{fix}, "waiting (2) → video 3 (3) → video 4 (4)", []course{
				{fix, "", "video 1 (2) → video 3 (3) → video 4 (4)", ""},
			}},
		{"the site timed out", func(s *shop) { s.checkout(); s.timedOut("checkout.session.completed", s.id) },
			diagnosis.VerdictFailed, []store.Action{generate, replay}, timeout + " (1) → video 2 (2) → video 3 (3)", []course{
				{generate, "The site's own request", "video 2 (2) → video 3 (3) → video 4 (4)", unnamedOne},
			}},
		{"the site timed out over a video", func(s *shop) { s.checkout(); s.deliver(); s.timedOut("checkout.session.completed", s.id) },
			diagnosis.VerdictUndelivered, []store.Action{fix}, timeout + " (2) → video 3 (3) → video 4 (4)", []course{
				{fix, "", "video 1 (2) → video 3 (3) → video 4 (4)", ""},
			}},
		{"pending over a video", func(s *shop) { s.checkout(); s.deliver(); s.outside(`{"status":"pending"}`) },
			diagnosis.VerdictUndelivered, []store.Action{fix}, "waiting (1) → video 2 (2) → video 3 (3)", []course{
				{fix, "", "video 1 (1) → video 2 (2) → video 3 (3)", ""},
			}},
		{"reset from outside", func(s *shop) { s.checkout(); s.deliver(); s.outside(`{"status":"pending","fileId":null}`) },
			diagnosis.VerdictOrphaned, []store.Action{fix, generate, replay}, "waiting (1) → video 2 (2) → video 3 (3)", []course{
				{fix, "", "error: sorry (1) → video 2 (2) → video 3 (3)", ""},
				{generate, "", "video 2 (2) → video 3 (3) → video 4 (4)", erasedOne},
			}},
		{"reset from outside after the watch saw it", func(s *shop) { s.checkout(); s.deliver(); s.watched(); s.outside(`{"status":"pending","fileId":null}`) },
			diagnosis.VerdictUndelivered, []store.Action{fix}, "waiting (1) → video 2 (2) → video 3 (3)", []course{
				{fix, "", "video 1 (1) → video 2 (2) → video 3 (3)", ""},
			}},
		{"reset from outside after the bot made it", func(s *shop) { s.checkout(); s.repaired(generate); s.outside(`{"status":"pending","fileId":null}`) },
			diagnosis.VerdictUndelivered, []store.Action{fix}, "waiting (1) → video 2 (2) → video 3 (3)", []course{
				{fix, "", "video 1 (1) → video 2 (2) → video 3 (3)", ""},
			}},
		{"said to be completed from outside", func(s *shop) { s.checkout(); s.deliver(); s.outside(`{"status":"completed","fileId":null}`) },
			diagnosis.VerdictFailed, []store.Action{fix, generate, replay}, "not found (1) → video 2 (2) → video 3 (3)", []course{
				{fix, "", "error: sorry (1) → video 2 (2) → video 3 (3)", ""},
				{generate, "", "video 2 (2) → video 3 (3) → video 4 (4)", erasedOne},
			}},
		{"another customer's file", func(s *shop) {
			s.checkout()
			s.deliver()
			s.watched()
			s.videos.Put(somebodys, store.FileCompleted)
			s.outside(`{"fileId":"` + somebodys + `"}`)
		},
			diagnosis.VerdictCompleted, nil, "somebody else's video (1) → video 2 (2) → video 3 (3)", nil},
		{"a file that SuperDuperAI does not know", func(s *shop) { s.checkout(); s.deliver(); s.outside(`{"fileId":"` + nobodys + `"}`) },
			diagnosis.VerdictUnclear, nil, "waiting (1) → video 2 (2) → video 3 (3)", nil},
		{"a file that SuperDuperAI would have to know", func(s *shop) { s.checkout(); s.deliver(); s.proven(); s.outside(`{"fileId":"` + nobodys + `"}`) },
			diagnosis.VerdictStalled, []store.Action{fix, generate, replay}, "waiting (1) → video 2 (2) → video 3 (3)", []course{
				{fix, "", "error: sorry (1) → video 2 (2) → video 3 (3)", ""},
				{generate, "", "video 2 (2) → video 3 (3) → video 4 (4)", erasedOne},
			}},
		{"a file that it does not know, after the watch saw the right one", func(s *shop) {
			s.checkout()
			s.deliver()
			s.watched()
			s.proven()
			s.outside(`{"fileId":"` + nobodys + `"}`)
		},
			diagnosis.VerdictUndelivered, []store.Action{fix}, "waiting (1) → video 2 (2) → video 3 (3)", []course{
				{fix, "", "video 1 (1) → video 2 (2) → video 3 (3)", ""},
			}},
		{"not a file id", func(s *shop) { s.checkout(); s.deliver(); s.outside(`{"fileId":"../ping"}`) },
			diagnosis.VerdictStalled, []store.Action{fix, generate, replay}, "waiting (1) → video 2 (2) → video 3 (3)", []course{
				{fix, "", "error: sorry (1) → video 2 (2) → video 3 (3)", ""},
				{generate, "The site stopped while it was requesting", "video 2 (2) → video 3 (3) → video 4 (4)", unnamedOne},
			}},
		{"not a file id, after the watch saw it", func(s *shop) { s.checkout(); s.deliver(); s.watched(); s.outside(`{"fileId":"../ping"}`) },
			diagnosis.VerdictUndelivered, []store.Action{fix}, "waiting (1) → video 2 (2) → video 3 (3)", []course{
				{fix, "", "video 1 (1) → video 2 (2) → video 3 (3)", ""},
			}},
		{"a picture to be made a video", func(s *shop) {
			s.checkout()
			s.outside(`{"generationType":"image-to-video","imageFile":{"name":"a.png"}}`)
		},
			diagnosis.VerdictOrphaned, []store.Action{fix, replay}, "waiting (0) → video 1 (1) → video 2 (2)", []course{
				{fix, "", "error: sorry (0) → video 1 (1) → video 2 (2)", ""},
			}},
		{"nothing was stored", func(*shop) {},
			diagnosis.VerdictLost, []store.Action{restore}, "not found (0) → not found (0) → not found (0)", nil},
		{"refunded", func(s *shop) { s.checkout(); s.undelivered(); s.refunded() },
			diagnosis.VerdictRefunded, []store.Action{fix}, "waiting (0) → video 1 (1) → video 2 (2)", []course{
				{fix, "", "error: refunded (0) → video 1 (1) → video 2 (2)", ""},
			}},
		{"refunded after the second event failed", func(s *shop) { s.checkout(); s.deliver(); s.refused(s.deliverIntent); s.refunded() },
			diagnosis.VerdictCompleted, nil, tooMany + " (1) → video 2 (2) → video 3 (3)", nil},
		{"three keys, the webhook never came", func(s *shop) { s.threeKeys(); s.undelivered() },
			diagnosis.VerdictOrphaned, []store.Action{fix, generate}, "not found (0) → not found (0) → not found (0)", []course{
				{fix, "", "error: sorry (0) → error: sorry (0) → error: sorry (0)", ""},
				{generate, "Stripe is still retrying", "video 1 (1) → video 1 (1) → video 1 (1)", ""},
			}},
		{"three keys, generated by the old script", func(s *shop) { s.script(s.unnamed()) },
			diagnosis.VerdictCompleted, []store.Action{fix}, "not found (1) → not found (1) → not found (1)", []course{
				{fix, "", "video 1 (1) → video 1 (1) → video 1 (1)", ""},
			}},
		{"three keys, what the old script began failed", func(s *shop) { s.script(s.unnamed()); s.is(store.FileFailed) },
			diagnosis.VerdictFailed, []store.Action{fix, generate}, "not found (1) → not found (1) → not found (1)", []course{
				{fix, "", "error: sorry (1) → error: sorry (1) → error: sorry (1)", ""},
				{generate, "", "video 2 (2) → video 2 (2) → video 2 (2)", brokenOne},
			}},
		{"three keys, fixed by the old script", func(s *shop) {
			s.threeKeys()
			s.holds("webhook", `{"status":"error","error":"no webhook","timestamp":"AT"}`)
			s.holds("session", `{"timestamp":"AT"}`)
		}, diagnosis.VerdictFailed, []store.Action{fix, generate}, "not found (0) → not found (0) → not found (0)", []course{
			{fix, "", "error: sorry (0) → error: sorry (0) → error: sorry (0)", ""},
			{generate, "", "video 1 (1) → video 1 (1) → video 1 (1)", ""},
		}},
		{"three keys, marked as error by the bot", func(s *shop) { s.threeKeys(); s.repaired(fix) },
			diagnosis.VerdictFailed, []store.Action{generate}, "error: sorry (0) → error: sorry (0) → error: sorry (0)", []course{
				{generate, "", "video 1 (1) → video 1 (1) → video 1 (1)", ""},
			}},
		{"three keys, marked as error by the bot and reset from outside", func(s *shop) { s.threeKeys(); s.repaired(fix); s.outside(`{"status":"pending","error":null}`) },
			diagnosis.VerdictOrphaned, []store.Action{fix, generate}, "not found (0) → not found (0) → not found (0)", []course{
				{fix, "", "error: sorry (0) → error: sorry (0) → error: sorry (0)", ""},
				{generate, "", "video 1 (1) → video 1 (1) → video 1 (1)", ""},
			}},
		{"three keys, generated by the bot and reset from outside", func(s *shop) { s.threeKeys(); s.repaired(generate); s.outside(`{"status":"pending","fileId":null}`) },
			diagnosis.VerdictUndelivered, []store.Action{fix}, "not found (1) → not found (1) → not found (1)", []course{
				{fix, "", "video 1 (1) → video 1 (1) → video 1 (1)", ""},
			}},
	} {
		courses := append(c.courses, course{none, "", c.alone, ""})
		for _, p := range c.courses { // the site makes what the bot would
			if p.repair == generate && slices.Contains(c.allowed, replay) {
				courses = append(courses, course{replay, p.risk, p.seen, p.why})
			}
		}
		for _, p := range courses {
			t.Run(c.name+", "+string(p.repair), func(t *testing.T) {
				t.Parallel()
				s := newShop(t, shared, fmt.Sprint("shop", i, p.repair))
				c.left(s)
				s.ago.Store(0)
				before := s.seen()
				x := s.examined()
				if diff := cmp.Diff(c.allowed, x.Allowed); diff != "" || x.Verdict != c.verdict || !strings.HasPrefix(c.alone, before) {
					t.Fatalf("%s (%s), page %s; want %s, page %s; allowed (-want +got):\n%s", x.Verdict, x.Reason, before, c.verdict, c.alone, diff)
				}
				for _, a := range []store.Action{fix, generate} { // the others start nothing by the bot
					if x.Allows(a) != slices.ContainsFunc(c.courses, func(p course) bool { return p.repair == a }) {
						t.Errorf("%s is missing", a)
					}
				}
				s.check(p, x)
			})
		}
	}
}
