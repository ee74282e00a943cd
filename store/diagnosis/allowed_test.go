package diagnosis

import (
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/storetest"
)

// TestWhatIsAllowed: what may be done where a finished video is hidden, where the
// site can be sent its event again, and where the prompt is gone.
func TestWhatIsAllowed(t *testing.T) {
	t.Parallel()
	paid := store.Payment{State: store.PaymentPaid, ChargedAt: storetest.At.Add(-3 * time.Hour)}
	with := func(change func(*store.Payment)) store.Payment { p := paid; change(&p); return p }
	full := func(members string) store.Session {
		return storetest.Held("", "", `{"prompt":"A fox","createdAt":"`+storetest.Ago(3*time.Hour)+`",`+members+`}`)
	}
	file, delivered := `"fileId":"`+storetest.File1+`"`, store.Event{ID: "evt_1", State: store.EventDelivered, Completed: true}
	const three = store.LayoutThreeKey
	for _, c := range []struct {
		name    string
		e       Evidence
		want    Verdict
		allowed string
		deliver string
		reason  string
	}{
		{"an error over a finished file", Evidence{Session: full(`"status":"error",` + file), File: store.File{State: store.FileCompleted}, Payment: paid},
			VerdictUndelivered, "fix", storetest.File1, "does not show it"},
		{"the same, refunded", Evidence{Session: full(`"status":"error",` + file), File: store.File{State: store.FileCompleted},
			Payment: store.Payment{State: store.PaymentRefunded}}, VerdictCompleted, "", "", "ready"},
		{"pending over a finished file, in three keys", Evidence{Session: storetest.Held(storetest.FoxPrompt, `{"status":"pending",`+file+`}`, ""),
			File: store.File{State: store.FileCompleted}, Payment: paid}, VerdictCompleted, "", "", "ready"},
		{"no status over a finished file, in a full object", Evidence{Session: full(file), File: store.File{State: store.FileCompleted}, Payment: paid},
			VerdictUndelivered, "fix", storetest.File1, ""},
		{"the status was reset from outside", Evidence{Session: full(`"status":"pending"`), Payment: paid, Finished: []string{storetest.File2, storetest.File1}, Event: delivered},
			VerdictUndelivered, "fix", storetest.File1, "A finished video exists"},
		{"another file was named from outside, and nobody knows it", Evidence{Session: full(`"status":"error",` + file),
			File: store.File{State: store.FileMissing}, APIProven: true, Payment: paid, Finished: []string{storetest.File2}}, VerdictUndelivered, "fix", storetest.File2, ""},
		{"another file is being made in addition to a finished one", Evidence{Session: full(`"status":"processing",` + file),
			File: store.File{State: store.FileInProgress}, Payment: paid, Finished: []string{storetest.File2}}, VerdictStalled, "fix", storetest.File2, ""},
		{"a key that does not count names a finished file", Evidence{Session: storetest.Held(storetest.FoxPrompt, `{"status":"processing",`+file+`,"timestamp":"`+storetest.Ago(2*time.Hour)+`"}`,
			`{"prompt":"A fox","status":"pending","timestamp":"`+storetest.Ago(time.Hour)+`"}`), Payment: paid, Others: []NamedFile{{storetest.File1, store.FileCompleted}}},
			VerdictUndelivered, "fix", storetest.File1, ""},
		{"completed, and the site answers with an error", Evidence{Session: full(`"status":"completed",` + file), File: store.File{State: store.FileCompleted},
			Payment: paid, Site: &store.Site{Found: true, Status: "error", FileID: storetest.File1}}, VerdictCompleted, "fix", storetest.File1, ""},
		{"completed, and the site does not know it", Evidence{Session: storetest.Held(storetest.FoxPrompt, `{"status":"completed",`+file+`}`, ""), File: store.File{State: store.FileCompleted},
			Payment: paid, Site: &store.Site{}}, VerdictCompleted, "fix", storetest.File1, ""},
		{"completed, and the site shows it", Evidence{Session: full(`"status":"processing",` + file), File: store.File{State: store.FileCompleted},
			Payment: paid, Site: &store.Site{Found: true, Status: "processing", FileID: strings.ToUpper(storetest.File1)}}, VerdictCompleted, "", "", ""},
		{"completed and refunded, and the site does not know it", Evidence{Session: full(`"status":"processing",` + file), File: store.File{State: store.FileCompleted},
			Payment: store.Payment{State: store.PaymentRefunded}, Site: &store.Site{}}, VerdictCompleted, "", "", ""},
		{"corrupt, and its file is finished", Evidence{Session: full(`"status":"error","error":7,` + file), File: store.File{State: store.FileCompleted}, Payment: paid},
			VerdictCorrupt, "fix", storetest.File1, ""},
		{"a file id that is none", Evidence{Session: full(`"status":"processing","fileId":"../balance","timestamp":"` + storetest.Ago(time.Hour) + `"`), Payment: paid},
			VerdictStalled, "fix generate", "", "file id is not valid"},
		{"pending with a file id that is none", Evidence{Session: full(`"status":"pending","fileId":"tbd"`), Payment: paid},
			VerdictOrphaned, "fix generate", "", "file id is not valid"},
		{"an error of ours, which the site overwrote", Evidence{Session: storetest.Held(storetest.FoxPrompt, `{"status":"error","timestamp":"`+storetest.Ago(time.Minute)+`"}`,
			`{"status":"processing","timestamp":"`+storetest.Ago(time.Hour)+`"}`), Payment: paid, SiteLayout: store.LayoutOneKey}, VerdictFailed, "fix generate", "", ""},
		{"completed without a file", Evidence{Session: full(`"status":"completed"`), Payment: paid}, VerdictFailed, "fix generate", "", "there is no file"},
		{"an error, and the file is gone for good", Evidence{Session: full(`"status":"error",` + file), File: store.File{State: store.FileMissing}, APIProven: true, Payment: paid},
			VerdictFailed, "generate", "", ""},
		{"orphaned, and the event is known", Evidence{Session: full(`"status":"pending"`), Payment: paid, Event: delivered},
			VerdictOrphaned, "fix generate replay", "", ""},
		{"orphaned, and only the event of its payment intent is known", Evidence{Session: full(`"status":"pending"`), Payment: paid, Event: store.Event{ID: "evt_2", State: store.EventDelivered}},
			VerdictOrphaned, "fix generate", "", ""},
		{"image-to-video, and the event is known", Evidence{Session: full(`"generationType":"image-to-video"`), Payment: paid, Event: delivered},
			VerdictOrphaned, "fix replay", "", ""},
		{"three keys, and the site reads one", Evidence{Session: storetest.Held(storetest.FoxPrompt, "", ""), Payment: paid, Event: delivered, SiteLayout: store.LayoutOneKey},
			VerdictOrphaned, "fix generate", "", ""},
		{"three keys, and the site reads them", Evidence{Session: storetest.Held(storetest.FoxPrompt, "", ""), Payment: paid, Event: delivered, SiteLayout: three},
			VerdictOrphaned, "fix generate replay", "", ""},
		{"lost", Evidence{Payment: paid}, VerdictLost, "restore", "", ""},
		{"lost, and the key to be written is a hash", Evidence{Payment: paid, SiteLayout: three,
			Session: store.Session{Prompt: store.Key{Kind: "prompt", Exists: true, WrongType: true}}}, VerdictLost, "", "", ""},
		{"an error without a prompt", Evidence{Session: storetest.Held("", `{"status":"error"}`, ""), Payment: paid}, VerdictFailed, "restore", "", ""},
		{"processing without a prompt, just now", Evidence{Session: storetest.Held("", `{"status":"processing","timestamp":"`+storetest.Ago(time.Minute)+`"}`, ""), Payment: paid},
			VerdictProcessing, "", "", ""},
		{"a sale of something else", Evidence{Payment: with(func(p *store.Payment) { p.OtherSale = true })}, VerdictNotFound, "", "", "something else"},
		{"a sale of something else that Redis knows", Evidence{Session: storetest.Held(storetest.FoxPrompt, "", ""), Payment: with(func(p *store.Payment) { p.OtherSale = true })},
			VerdictOrphaned, "fix generate", "", ""},
		{"paid 30 days ago", Evidence{Payment: store.Payment{State: store.PaymentPaid, ChargedAt: storetest.At.Add(-30 * 24 * time.Hour)}}, VerdictNotFound, "", "", "29 days"},
		{"a delayed payment that became paid just now", Evidence{Session: storetest.Held(storetest.FoxPrompt, "", ""),
			Payment: store.Payment{State: store.PaymentPaid, ChargedAt: storetest.At.Add(-5 * 24 * time.Hour), PaidAt: storetest.At.Add(-time.Minute)}}, VerdictWaiting, "", "", ""},
		{"a delayed payment that failed for good", Evidence{Session: storetest.Held(storetest.FoxPrompt, "", ""), Payment: store.Payment{State: store.PaymentUnpaid, Failed: true}},
			VerdictAbandoned, "", "", "failed for good"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := Diagnose(c.e, storetest.At, limits)
			var actions []string
			for _, a := range d.Allowed {
				actions = append(actions, string(a))
			}
			if d.Verdict != c.want || strings.Join(actions, " ") != c.allowed || d.Deliver != c.deliver || !strings.Contains(d.Reason, c.reason) {
				t.Errorf("%s %v, delivers %q (%s)\nwant %s [%s] %q", d.Verdict, actions, d.Deliver, d.Reason, c.want, c.allowed, c.deliver)
			}
		})
	}
}
