package diagnosis

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/storetest"
)

// TestTerms has a row for each sentence of how the verdicts' terms are defined,
// and for what is rare.
func TestTerms(t *testing.T) {
	t.Parallel()
	paid := store.Payment{State: store.PaymentPaid, ChargedAt: storetest.At.Add(-2 * time.Hour)}
	for _, c := range []struct {
		name    string
		session store.Session
		payment store.Payment
		file    store.FileState
		job     store.JobState
		want    Verdict
		status  store.Status
		fileID  string
		allowed []store.Action
	}{
		{name: "the newer status wins: the webhook's",
			session: storetest.Held("", `{"status":"error","timestamp":"`+storetest.Ago(time.Minute)+`"}`,
				`{"prompt":"A fox","status":"processing","timestamp":"`+storetest.Ago(2*time.Minute)+`"}`),
			payment: paid, want: VerdictFailed, status: store.StatusError, allowed: []store.Action{store.ActionGenerate}},
		{name: "the newer status wins: the full object's",
			session: storetest.Held("", `{"status":"error","timestamp":"`+storetest.Ago(2*time.Minute)+`"}`,
				`{"prompt":"A fox","status":"processing","timestamp":"`+storetest.Ago(time.Minute)+`"}`),
			payment: paid, want: VerdictProcessing, status: store.StatusProcessing},
		{name: "a tie is the full object's",
			session: storetest.Held("", `{"status":"error","timestamp":"`+storetest.Ago(time.Minute)+`"}`,
				`{"prompt":"A fox","status":"processing","timestamp":"`+storetest.Ago(time.Minute)+`"}`),
			payment: paid, want: VerdictProcessing, status: store.StatusProcessing},
		{name: "two statuses without a time are a tie",
			session: storetest.Held("", `{"status":"error"}`, `{"prompt":"A fox","status":"completed"}`),
			payment: paid, want: VerdictFailed, status: store.StatusCompleted, allowed: []store.Action{store.ActionFix, store.ActionGenerate}},
		{name: "a status without a time is the oldest",
			session: storetest.Held("", `{"status":"error","timestamp":"`+storetest.Ago(time.Hour)+`"}`, `{"prompt":"A fox","status":"completed"}`),
			payment: paid, want: VerdictFailed, status: store.StatusError, allowed: []store.Action{store.ActionGenerate}},
		{name: "a status from the future has no time",
			session: storetest.Held("", `{"status":"error","timestamp":"`+storetest.Ago(-time.Hour)+`"}`,
				`{"prompt":"A fox","status":"completed","timestamp":"`+storetest.Ago(time.Hour)+`"}`),
			payment: paid, want: VerdictFailed, status: store.StatusCompleted, allowed: []store.Action{store.ActionFix, store.ActionGenerate}},
		{name: "a status whose time is no time has none",
			session: storetest.Held("", `{"status":"error","timestamp":"yesterday"}`,
				`{"prompt":"A fox","status":"completed","timestamp":"`+storetest.Ago(time.Hour)+`"}`),
			payment: paid, want: VerdictFailed, status: store.StatusCompleted, allowed: []store.Action{store.ActionFix, store.ActionGenerate}},
		{name: "a status in prompt: is none",
			session: storetest.Held(`{"prompt":"A fox","status":"completed"}`, "", ""),
			payment: paid, want: VerdictOrphaned, allowed: []store.Action{store.ActionFix, store.ActionGenerate}},
		{name: "pending without a file is no status",
			session: storetest.Held(storetest.FoxPrompt, `{"status":"pending"}`, ""),
			payment: paid, want: VerdictOrphaned, allowed: []store.Action{store.ActionFix, store.ActionGenerate}},
		{name: "pending with an empty file id is no status",
			session: storetest.Held(storetest.FoxPrompt, `{"status":"pending","fileId":""}`, ""),
			payment: paid, want: VerdictOrphaned, allowed: []store.Action{store.ActionFix, store.ActionGenerate}},
		{name: "pending with a file is a status",
			session: storetest.Held(storetest.FoxPrompt, `{"status":"pending","fileId":"`+storetest.File1+`","timestamp":"`+storetest.Ago(time.Minute)+`"}`, ""),
			payment: paid, file: store.FileUnknown, want: VerdictProcessing, status: store.StatusPending, fileID: storetest.File1},
		{name: "pending with a file, for too long",
			session: storetest.Held(storetest.FoxPrompt, `{"status":"pending","fileId":"`+storetest.File1+`","timestamp":"`+storetest.Ago(time.Hour)+`"}`, ""),
			payment: paid, file: store.FileUnknown, want: VerdictUnclear, status: store.StatusPending, fileID: storetest.File1},
		{name: "null members are absent",
			session: storetest.Held(`{"prompt":"A fox","timestamp":null}`, `{"status":null,"fileId":null,"error":null}`, `{"fileId": null }`),
			payment: paid, want: VerdictOrphaned, allowed: []store.Action{store.ActionFix, store.ActionGenerate}},
		{name: "the file id of the status that counts",
			session: storetest.Held(storetest.FoxPrompt, `{"status":"processing","fileId":"`+storetest.File1+`","timestamp":"`+storetest.Ago(time.Minute)+`"}`, `{"fileId":"`+storetest.File2+`"}`),
			payment: paid, file: store.FileInProgress, want: VerdictProcessing, status: store.StatusProcessing, fileID: storetest.File1},
		{name: "else the mapping's file id",
			session: storetest.Held(storetest.FoxPrompt, `{"status":"processing","timestamp":"`+storetest.Ago(time.Minute)+`"}`, `{"fileId":"`+storetest.File1+`"}`),
			payment: paid, file: store.FileInProgress, want: VerdictProcessing, status: store.StatusProcessing, fileID: storetest.File1},
		{name: "a file that only the older status names does not count",
			session: storetest.Held("", `{"status":"error","timestamp":"`+storetest.Ago(time.Minute)+`"}`,
				`{"prompt":"A fox","status":"processing","fileId":"`+storetest.File1+`","timestamp":"`+storetest.Ago(time.Hour)+`"}`),
			payment: paid, file: store.FileNone, want: VerdictFailed, status: store.StatusError},
		{name: "a named file that nobody asked for is unknown",
			session: storetest.Held(storetest.FoxPrompt, "", `{"fileId":"`+storetest.File1+`"}`),
			payment: paid, file: store.FileNone, want: VerdictOrphaned, fileID: storetest.File1},
		{name: "an empty prompt is not readable",
			session: storetest.Held(`{"prompt":""}`, "", ""), payment: paid, want: VerdictLost, allowed: []store.Action{store.ActionRestore}},
		{name: "an empty prompt in the full object lets the other one count",
			session: storetest.Held(storetest.FoxPrompt, "", `{"prompt":"","createdAt":"`+storetest.Ago(time.Hour)+`"}`),
			payment: paid, want: VerdictOrphaned, allowed: []store.Action{store.ActionFix, store.ActionGenerate}},
		{name: "a charge in the future is no time: Stripe's session counts",
			session: storetest.Held(storetest.FoxPrompt, "", ""),
			payment: store.Payment{State: store.PaymentPaid, ChargedAt: storetest.At.Add(time.Hour), Created: storetest.At.Add(-5 * time.Minute)},
			want:    VerdictWaiting},
		{name: "without Stripe's times the prompt's counts",
			session: storetest.Held(`{"prompt":"A fox","timestamp":"`+storetest.Ago(5*time.Minute)+`"}`, "", ""),
			payment: store.Payment{State: store.PaymentPaid}, want: VerdictWaiting},
		{name: "the older of timestamp and createdAt",
			session: storetest.Held("", "", `{"prompt":"A fox","timestamp":"`+storetest.Ago(5*time.Minute)+`","createdAt":"`+storetest.Ago(15*time.Minute)+`"}`),
			payment: store.Payment{State: store.PaymentPaid}, want: VerdictOrphaned, allowed: []store.Action{store.ActionFix, store.ActionGenerate}},
		{name: "a prompt from the future goes by its TTL",
			session: storetest.Held(`{"prompt":"A fox","timestamp":"`+storetest.Ago(-time.Minute)+`"}`, "", ""),
			payment: store.Payment{State: store.PaymentPaid}, want: VerdictOrphaned, allowed: []store.Action{store.ActionFix, store.ActionGenerate}},
		{name: "a prompt without any time that never expires is old",
			session: store.Session{Prompt: store.Key{Exists: true, Value: store.Value{Prompt: new("A fox")}}},
			payment: store.Payment{State: store.PaymentPaid}, want: VerdictOrphaned, allowed: []store.Action{store.ActionFix, store.ActionGenerate}},
		{name: "a TTL that gives a young age",
			session: store.Session{Prompt: store.Key{Exists: true, Value: store.Value{Prompt: new("A fox")}, TTL: store.KeyLife - 9*time.Minute}},
			payment: store.Payment{State: store.PaymentPaid}, want: VerdictWaiting},
		{name: "exactly the grace time is over",
			session: storetest.Held(storetest.FoxPrompt, "", ""), payment: store.Payment{State: store.PaymentPaid, ChargedAt: storetest.At.Add(-10 * time.Minute)},
			want: VerdictOrphaned, allowed: []store.Action{store.ActionFix, store.ActionGenerate}},
		{name: "a status without a time is as old as the session",
			session: storetest.Held(storetest.FoxPrompt, `{"status":"processing","fileId":"`+storetest.File1+`"}`, ""),
			payment: paid, file: store.FileInProgress, want: VerdictStalled, status: store.StatusProcessing, fileID: storetest.File1,
			allowed: []store.Action{store.ActionFix, store.ActionGenerate}},
		{name: "a status with neither a time nor a prompt goes by its key's TTL",
			session: store.Session{Webhook: store.Key{Exists: true, TTL: store.KeyLife - time.Minute, Value: store.Value{Status: new("processing")}}},
			want:    VerdictProcessing, status: store.StatusProcessing},
		{name: "finalizing for too long",
			session: storetest.Held(storetest.FoxPrompt, `{"status":"processing","fileId":"`+storetest.File1+`","timestamp":"`+storetest.Ago(time.Hour)+`"}`, ""),
			payment: paid, file: store.FileFinalizing, want: VerdictStalled, status: store.StatusProcessing, fileID: storetest.File1,
			allowed: []store.Action{store.ActionFix, store.ActionGenerate}},
		{name: "a status error whose file is still being made",
			session: storetest.Held(storetest.FoxPrompt, `{"status":"error","fileId":"`+storetest.File1+`","timestamp":"`+storetest.Ago(time.Minute)+`"}`, ""),
			payment: paid, file: store.FileInProgress, want: VerdictProcessing, status: store.StatusError, fileID: storetest.File1},
		{name: "a job of ours is running",
			session: storetest.Held(storetest.FoxPrompt, "", ""), payment: paid, job: store.JobRunning, want: VerdictProcessing},
		{name: "a job of ours ended unclear",
			session: storetest.Held(storetest.FoxPrompt, "", ""), payment: paid, job: store.JobUnclear, want: VerdictUnclear},
		{name: "a finished file comes before a running job",
			session: storetest.Held(storetest.FoxPrompt, `{"status":"processing","fileId":"`+storetest.File1+`"}`, ""), payment: paid, file: store.FileCompleted,
			job: store.JobRunning, want: VerdictCompleted, status: store.StatusProcessing, fileID: storetest.File1},
		{name: "an unclear job comes before a refund",
			session: storetest.Held(storetest.FoxPrompt, "", ""), payment: store.Payment{State: store.PaymentRefunded}, job: store.JobUnclear, want: VerdictUnclear},
		{name: "a refund comes before a failed file",
			session: storetest.Held(storetest.FoxPrompt, `{"status":"processing","fileId":"`+storetest.File1+`"}`, ""), payment: store.Payment{State: store.PaymentRefunded},
			file: store.FileFailed, want: VerdictRefunded, status: store.StatusProcessing, fileID: storetest.File1},
		{name: "corrupt comes before everything",
			session: storetest.Held(storetest.FoxPrompt, `[]`, ""), payment: paid, job: store.JobRunning, want: VerdictCorrupt, allowed: []store.Action{store.ActionFix}},
		{name: "corrupt in one key: a full object with a wrong member",
			session: storetest.Held("", "", `{"prompt":"A fox","status":"pending","error":{}}`),
			payment: paid, want: VerdictCorrupt, allowed: []store.Action{store.ActionFix}},
		{name: "corrupt in one key: the prompt is a number",
			session: storetest.Held("", "", `{"prompt":7,"status":"pending"}`), payment: paid, want: VerdictCorrupt, allowed: []store.Action{store.ActionRestore}},
		{name: "corrupt, and what is readable names a file",
			session: storetest.Held(`{"prompt":"A fox","fileId":"`+storetest.File1+`"}`, `{`, ""), payment: paid, want: VerdictCorrupt},
		{name: "corrupt, one key, and the other hash is not written",
			session: otherType(storetest.Held("", "{}", `{"prompt":"A fox","status":"pending"}`)),
			payment: paid, want: VerdictCorrupt, allowed: []store.Action{store.ActionFix}},
		{name: "refunded while pending",
			session: storetest.Held(storetest.FoxPrompt, `{"status":"pending"}`, ""), payment: store.Payment{State: store.PaymentRefunded},
			want: VerdictRefunded, allowed: []store.Action{store.ActionFix}},
		{name: "failed, unpaid: no generation",
			session: storetest.Held(storetest.FoxPrompt, `{"status":"error"}`, ""), payment: store.Payment{State: store.PaymentUnpaid}, want: VerdictFailed, status: store.StatusError},
		{name: "failed, and the file cannot be seen: no generation",
			session: storetest.Held(storetest.FoxPrompt, `{"status":"error","fileId":"`+storetest.File1+`"}`, ""), payment: paid, file: store.FileUnknown,
			want: VerdictFailed, status: store.StatusError, fileID: storetest.File1},
		{name: "image-to-image needs its source picture",
			session: storetest.Held("", "", `{"prompt":"A fox","generationType":"image-to-image"}`), payment: paid,
			want: VerdictOrphaned, allowed: []store.Action{store.ActionFix}},
		{name: "nothing is said of the payment: unverified",
			session: storetest.Held(storetest.FoxPrompt, "", ""), want: VerdictOrphaned, allowed: []store.Action{store.ActionFix, store.ActionGenerate}},
		{name: "a key of the other mode is no sign that Stripe does not know it",
			payment: store.Payment{State: store.PaymentUnverified, Why: store.StripeWrongMode}, want: VerdictUnclear},
		{name: "a mapping alone, unverified",
			session: storetest.Held("", "", `{"timestamp":"`+storetest.Ago(time.Hour)+`"}`), want: VerdictUnclear},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := Evidence{Session: c.session, Payment: c.payment, File: store.File{State: c.file}, Job: c.job}
			d := Diagnose(e, storetest.At, limits)
			if d.Verdict != c.want || !slices.Equal(d.Allowed, c.allowed) {
				t.Errorf("got %s, allowed %v (%s); want %s, %v", d.Verdict, d.Allowed, d.Reason, c.want, c.allowed)
			}
			s := c.session.AsOf(storetest.At)
			if s.Status() != c.status || s.FileID() != c.fileID {
				t.Errorf("status %q of file %q; want %q of %q", s.Status(), s.FileID(), c.status, c.fileID)
			}
		})
	}
}

// TestFilesThatAreNotSeen has a row for each reason why a file cannot be seen: by itself that
// is not a fault of the session.
func TestFilesThatAreNotSeen(t *testing.T) {
	t.Parallel()
	const late, early = time.Hour, time.Minute // against limits.StallAfter
	for _, c := range []struct {
		name   string
		status store.Status
		age    time.Duration
		file   store.File
		proven bool
		want   Verdict
		reason string // a part of it
	}{
		{"unknown, early", store.StatusProcessing, early, store.File{State: store.FileUnknown}, false, VerdictProcessing, "could not be checked"},
		{"unknown, early, pending", store.StatusPending, early, store.File{State: store.FileUnknown}, false, VerdictProcessing, "could not be checked"},
		{"unknown, at the limit", store.StatusProcessing, limits.StallAfter, store.File{State: store.FileUnknown}, false, VerdictUnclear, "could not be checked"},
		{"unknown, just under it", store.StatusProcessing, limits.StallAfter - time.Millisecond, store.File{State: store.FileUnknown}, false, VerdictProcessing, "could not be checked"},
		{"unknown, late", store.StatusProcessing, late, store.File{State: store.FileUnknown}, false, VerdictUnclear, "could not be checked"},
		{"unknown, late, pending", store.StatusPending, late, store.File{State: store.FileUnknown}, false, VerdictUnclear, "could not be checked"},
		{"unknown, late, at a proven API", store.StatusProcessing, late, store.File{State: store.FileUnknown}, true, VerdictUnclear, "could not be checked"},
		{"named and nothing said of it", store.StatusProcessing, late, store.File{}, false, VerdictUnclear, "could not be checked"},
		{"named and said to be none", store.StatusProcessing, late, store.File{State: store.FileNone}, true, VerdictUnclear, "could not be checked"},
		{"missing, early", store.StatusProcessing, early, store.File{State: store.FileMissing}, false, VerdictProcessing, "could not be checked"},
		{"missing, early, at a proven API", store.StatusProcessing, early, store.File{State: store.FileMissing}, true, VerdictProcessing, "could not be checked"},
		{"missing, late", store.StatusProcessing, late, store.File{State: store.FileMissing}, false, VerdictUnclear, "SUPERDUPERAI_URL"},
		{"missing, late, pending", store.StatusPending, late, store.File{State: store.FileMissing}, false, VerdictUnclear, "SUPERDUPERAI_URL"},
		{"missing, late, at a proven API", store.StatusProcessing, late, store.File{State: store.FileMissing}, true, VerdictStalled, "does not know its file"},
		{"missing, late, pending, at a proven API", store.StatusPending, late, store.File{State: store.FileMissing}, true, VerdictStalled, "does not know its file"},
		{"missing, and seen so early", store.StatusProcessing, late, store.File{State: store.FileMissing, SeenAt: storetest.At.Add(-late + early)}, true, VerdictProcessing, "could not be checked"},
		{"unchecked, early", store.StatusProcessing, early, store.File{State: store.FileUnchecked}, false, VerdictUnchecked, "not been checked yet"},
		{"unchecked, late", store.StatusProcessing, late, store.File{State: store.FileUnchecked}, true, VerdictUnchecked, "not been checked yet"},
		{"unchecked, pending", store.StatusPending, late, store.File{State: store.FileUnchecked}, true, VerdictUnchecked, "not been checked yet"},
		{"unchecked, an error", store.StatusError, late, store.File{State: store.FileUnchecked}, false, VerdictUnchecked, "not been checked yet"},
		{"unchecked, completed", store.StatusCompleted, late, store.File{State: store.FileUnchecked}, false, VerdictCompleted, "could not be checked"},
		{"unknown, completed", store.StatusCompleted, late, store.File{State: store.FileUnknown}, false, VerdictCompleted, "could not be checked"},
		{"missing, completed", store.StatusCompleted, late, store.File{State: store.FileMissing}, true, VerdictCompleted, "could not be checked"},
		{"unknown, an error", store.StatusError, late, store.File{State: store.FileUnknown}, false, VerdictFailed, "may be ready"},
		{"missing, an error", store.StatusError, late, store.File{State: store.FileMissing}, true, VerdictFailed, "marked as error"},
		{"missing, an error, at an API that is not proven", store.StatusError, late, store.File{State: store.FileMissing}, false, VerdictFailed, "SUPERDUPERAI_URL"},
		{"in progress, late", store.StatusProcessing, late, store.File{State: store.FileInProgress}, false, VerdictStalled, "too long"},
		{"in progress, late, seen just now", store.StatusProcessing, late, store.File{State: store.FileInProgress, SeenAt: storetest.At}, false, VerdictStalled, "too long"},
		{"in progress, seen in the future", store.StatusProcessing, late, store.File{State: store.FileInProgress, SeenAt: storetest.At.Add(time.Hour)}, false, VerdictStalled, "too long"},
		{"in progress, last seen before the limit", store.StatusProcessing, late, store.File{State: store.FileInProgress, SeenAt: storetest.At.Add(-late + early)}, false, VerdictProcessing, "being made"},
		{"in progress, last seen before the limit, days ago", store.StatusProcessing, 72 * time.Hour,
			store.File{State: store.FileInProgress, SeenAt: storetest.At.Add(early - 72*time.Hour)}, false, VerdictProcessing, "being made"},
		{"in progress, last seen at the limit, days ago", store.StatusProcessing, 72 * time.Hour,
			store.File{State: store.FileInProgress, SeenAt: storetest.At.Add(limits.StallAfter - 72*time.Hour)}, false, VerdictStalled, "too long"},
		{"finalizing, last seen before the limit", store.StatusProcessing, late, store.File{State: store.FileFinalizing, SeenAt: storetest.At.Add(-late + early)}, false, VerdictProcessing, "being published"},
		{"completed, whenever that was seen", store.StatusProcessing, late, store.File{State: store.FileCompleted, SeenAt: storetest.At.Add(-late)}, false, VerdictCompleted, "ready"},
		{"failed, whenever that was seen", store.StatusProcessing, late, store.File{State: store.FileFailed, SeenAt: storetest.At.Add(-late)}, false, VerdictFailed, "could not make"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := storetest.Held(storetest.FoxPrompt, `{"status":"`+string(c.status)+`","fileId":"`+storetest.File1+`","timestamp":"`+storetest.Ago(c.age)+`"}`, "")
			e := Evidence{Session: s, File: c.file, APIProven: c.proven, Payment: store.Payment{State: store.PaymentPaid, ChargedAt: storetest.At.Add(-c.age)}}
			d := Diagnose(e, storetest.At, limits)
			if d.Verdict != c.want || !strings.Contains(d.Reason, c.reason) {
				t.Errorf("%s (%s); want %s", d.Verdict, d.Reason, c.want)
			}
			gone := c.file.State == store.FileFailed || c.file.State == store.FileMissing && c.proven
			underWay := c.file.State == store.FileInProgress || c.file.State == store.FileFinalizing
			if !gone && !underWay && d.Allows(store.ActionGenerate) {
				t.Errorf("a second video is allowed: %s (%s)", d.Verdict, d.Reason)
			}
		})
	}
}

func otherType(s store.Session) store.Session {
	s.Webhook.WrongType, s.Webhook.Fault, s.Webhook.Value = true, store.FaultOtherType, store.Value{}
	return s
}

func TestSilentRedisAllowsNothing(t *testing.T) {
	t.Parallel()
	d := Diagnose(Evidence{RedisSilent: true, Payment: store.Payment{State: store.PaymentPaid}}, storetest.At, limits)
	if d.Verdict != VerdictUnclear || d.Allowed != nil || !strings.Contains(d.Reason, "Redis could not be read") {
		t.Errorf("got %+v", d)
	}
}

// TestUntil: what needs nobody yet is in trouble from the time that it names, and not
// before.
func TestUntil(t *testing.T) {
	t.Parallel()
	paid := store.Payment{State: store.PaymentPaid, ChargedAt: storetest.At.Add(-time.Minute)}
	status := func(file string) store.Session {
		return storetest.Held(storetest.FoxPrompt, `{"status":"processing"`+file+`,"timestamp":"`+storetest.Ago(time.Minute)+`"}`, "")
	}
	for _, c := range []struct {
		name string
		e    Evidence
		want Verdict
	}{
		{"paid just now", Evidence{Session: storetest.Held(storetest.FoxPrompt, "", ""), Payment: paid}, VerdictWaiting},
		{"about to be started", Evidence{Session: status(""), Payment: paid, File: store.File{State: store.FileNone}}, VerdictProcessing},
		{"being made", Evidence{Session: status(`,"fileId":"` + storetest.File1 + `"`), Payment: paid, File: store.File{State: store.FileInProgress}}, VerdictProcessing},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := Diagnose(c.e, storetest.At, limits)
			before, then := Diagnose(c.e, d.Until.Add(-time.Second), limits), Diagnose(c.e, d.Until, limits)
			if d.Verdict != c.want || before.Verdict != c.want || !then.Verdict.InTrouble() || !then.Until.IsZero() {
				t.Errorf("%s, %s until %s, then %s until %s; want %s until it is in trouble", d.Verdict, before.Verdict, d.Until, then.Verdict, then.Until, c.want)
			}
		})
	}
	running := Evidence{Session: status(""), Payment: paid, Job: store.JobRunning}
	if d := Diagnose(running, storetest.At, limits); d.Verdict != VerdictProcessing || !d.Until.IsZero() {
		t.Errorf("a running repair is %s until %s", d.Verdict, d.Until)
	}
}
