package store

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestTerms has a row for each sentence of how the verdicts' terms are defined,
// and for what is rare.
func TestTerms(t *testing.T) {
	t.Parallel()
	paid := Payment{State: PaymentPaid, ChargedAt: At.Add(-2 * time.Hour)}
	for _, c := range []struct {
		name    string
		session Session
		payment Payment
		file    FileState
		job     JobState
		want    Verdict
		status  Status
		fileID  string
		allowed []Action
	}{
		{name: "the newer status wins: the webhook's",
			session: Held("", `{"status":"error","timestamp":"`+Ago(time.Minute)+`"}`,
				`{"prompt":"A fox","status":"processing","timestamp":"`+Ago(2*time.Minute)+`"}`),
			payment: paid, want: VerdictFailed, status: StatusError, allowed: []Action{ActionGenerate}},
		{name: "the newer status wins: the full object's",
			session: Held("", `{"status":"error","timestamp":"`+Ago(2*time.Minute)+`"}`,
				`{"prompt":"A fox","status":"processing","timestamp":"`+Ago(time.Minute)+`"}`),
			payment: paid, want: VerdictProcessing, status: StatusProcessing},
		{name: "a tie is the full object's",
			session: Held("", `{"status":"error","timestamp":"`+Ago(time.Minute)+`"}`,
				`{"prompt":"A fox","status":"processing","timestamp":"`+Ago(time.Minute)+`"}`),
			payment: paid, want: VerdictProcessing, status: StatusProcessing},
		{name: "two statuses without a time are a tie",
			session: Held("", `{"status":"error"}`, `{"prompt":"A fox","status":"completed"}`),
			payment: paid, want: VerdictFailed, status: StatusCompleted, allowed: []Action{ActionFix, ActionGenerate}},
		{name: "a status without a time is the oldest",
			session: Held("", `{"status":"error","timestamp":"`+Ago(time.Hour)+`"}`, `{"prompt":"A fox","status":"completed"}`),
			payment: paid, want: VerdictFailed, status: StatusError, allowed: []Action{ActionGenerate}},
		{name: "a status from the future has no time",
			session: Held("", `{"status":"error","timestamp":"`+Ago(-time.Hour)+`"}`,
				`{"prompt":"A fox","status":"completed","timestamp":"`+Ago(time.Hour)+`"}`),
			payment: paid, want: VerdictFailed, status: StatusCompleted, allowed: []Action{ActionFix, ActionGenerate}},
		{name: "a status whose time is no time has none",
			session: Held("", `{"status":"error","timestamp":"yesterday"}`,
				`{"prompt":"A fox","status":"completed","timestamp":"`+Ago(time.Hour)+`"}`),
			payment: paid, want: VerdictFailed, status: StatusCompleted, allowed: []Action{ActionFix, ActionGenerate}},
		{name: "a status in prompt: is none",
			session: Held(`{"prompt":"A fox","status":"completed"}`, "", ""),
			payment: paid, want: VerdictOrphaned, allowed: []Action{ActionFix, ActionGenerate}},
		{name: "pending without a file is no status",
			session: Held(FoxPrompt, `{"status":"pending"}`, ""),
			payment: paid, want: VerdictOrphaned, allowed: []Action{ActionFix, ActionGenerate}},
		{name: "pending with an empty file id is no status",
			session: Held(FoxPrompt, `{"status":"pending","fileId":""}`, ""),
			payment: paid, want: VerdictOrphaned, allowed: []Action{ActionFix, ActionGenerate}},
		{name: "pending with a file is a status",
			session: Held(FoxPrompt, `{"status":"pending","fileId":"`+File1+`","timestamp":"`+Ago(time.Minute)+`"}`, ""),
			payment: paid, file: FileUnknown, want: VerdictProcessing, status: StatusPending, fileID: File1},
		{name: "pending with a file, for too long",
			session: Held(FoxPrompt, `{"status":"pending","fileId":"`+File1+`","timestamp":"`+Ago(time.Hour)+`"}`, ""),
			payment: paid, file: FileUnknown, want: VerdictUnclear, status: StatusPending, fileID: File1},
		{name: "null members are absent",
			session: Held(`{"prompt":"A fox","timestamp":null}`, `{"status":null,"fileId":null,"error":null}`, `{"fileId": null }`),
			payment: paid, want: VerdictOrphaned, allowed: []Action{ActionFix, ActionGenerate}},
		{name: "the file id of the status that counts",
			session: Held(FoxPrompt, `{"status":"processing","fileId":"`+File1+`","timestamp":"`+Ago(time.Minute)+`"}`, `{"fileId":"`+File2+`"}`),
			payment: paid, file: FileInProgress, want: VerdictProcessing, status: StatusProcessing, fileID: File1},
		{name: "else the mapping's file id",
			session: Held(FoxPrompt, `{"status":"processing","timestamp":"`+Ago(time.Minute)+`"}`, `{"fileId":"`+File1+`"}`),
			payment: paid, file: FileInProgress, want: VerdictProcessing, status: StatusProcessing, fileID: File1},
		{name: "a file that only the older status names does not count",
			session: Held("", `{"status":"error","timestamp":"`+Ago(time.Minute)+`"}`,
				`{"prompt":"A fox","status":"processing","fileId":"`+File1+`","timestamp":"`+Ago(time.Hour)+`"}`),
			payment: paid, file: FileNone, want: VerdictFailed, status: StatusError},
		{name: "a named file that nobody asked for is unknown",
			session: Held(FoxPrompt, "", `{"fileId":"`+File1+`"}`),
			payment: paid, file: FileNone, want: VerdictOrphaned, fileID: File1},
		{name: "an empty prompt is not readable",
			session: Held(`{"prompt":""}`, "", ""), payment: paid, want: VerdictLost, allowed: []Action{ActionRestore}},
		{name: "an empty prompt in the full object lets the other one count",
			session: Held(FoxPrompt, "", `{"prompt":"","createdAt":"`+Ago(time.Hour)+`"}`),
			payment: paid, want: VerdictOrphaned, allowed: []Action{ActionFix, ActionGenerate}},
		{name: "a charge in the future is no time: Stripe's session counts",
			session: Held(FoxPrompt, "", ""),
			payment: Payment{State: PaymentPaid, ChargedAt: At.Add(time.Hour), Created: At.Add(-5 * time.Minute)},
			want:    VerdictWaiting},
		{name: "without Stripe's times the prompt's counts",
			session: Held(`{"prompt":"A fox","timestamp":"`+Ago(5*time.Minute)+`"}`, "", ""),
			payment: Payment{State: PaymentPaid}, want: VerdictWaiting},
		{name: "the older of timestamp and createdAt",
			session: Held("", "", `{"prompt":"A fox","timestamp":"`+Ago(5*time.Minute)+`","createdAt":"`+Ago(15*time.Minute)+`"}`),
			payment: Payment{State: PaymentPaid}, want: VerdictOrphaned, allowed: []Action{ActionFix, ActionGenerate}},
		{name: "a prompt from the future goes by its TTL",
			session: Held(`{"prompt":"A fox","timestamp":"`+Ago(-time.Minute)+`"}`, "", ""),
			payment: Payment{State: PaymentPaid}, want: VerdictOrphaned, allowed: []Action{ActionFix, ActionGenerate}},
		{name: "a prompt without any time that never expires is old",
			session: Session{Prompt: Key{Exists: true, Value: Value{Prompt: new("A fox")}}},
			payment: Payment{State: PaymentPaid}, want: VerdictOrphaned, allowed: []Action{ActionFix, ActionGenerate}},
		{name: "a TTL that gives a young age",
			session: Session{Prompt: Key{Exists: true, Value: Value{Prompt: new("A fox")}, TTL: KeyLife - 9*time.Minute}},
			payment: Payment{State: PaymentPaid}, want: VerdictWaiting},
		{name: "exactly the grace time is over",
			session: Held(FoxPrompt, "", ""), payment: Payment{State: PaymentPaid, ChargedAt: At.Add(-10 * time.Minute)},
			want: VerdictOrphaned, allowed: []Action{ActionFix, ActionGenerate}},
		{name: "a status without a time is as old as the session",
			session: Held(FoxPrompt, `{"status":"processing","fileId":"`+File1+`"}`, ""),
			payment: paid, file: FileInProgress, want: VerdictStalled, status: StatusProcessing, fileID: File1,
			allowed: []Action{ActionFix, ActionGenerate}},
		{name: "a status with neither a time nor a prompt goes by its key's TTL",
			session: Session{Webhook: Key{Exists: true, TTL: KeyLife - time.Minute, Value: Value{Status: new("processing")}}},
			want:    VerdictProcessing, status: StatusProcessing},
		{name: "finalizing for too long",
			session: Held(FoxPrompt, `{"status":"processing","fileId":"`+File1+`","timestamp":"`+Ago(time.Hour)+`"}`, ""),
			payment: paid, file: FileFinalizing, want: VerdictStalled, status: StatusProcessing, fileID: File1,
			allowed: []Action{ActionFix, ActionGenerate}},
		{name: "a status error whose file is still being made",
			session: Held(FoxPrompt, `{"status":"error","fileId":"`+File1+`","timestamp":"`+Ago(time.Minute)+`"}`, ""),
			payment: paid, file: FileInProgress, want: VerdictProcessing, status: StatusError, fileID: File1},
		{name: "a job of ours is running",
			session: Held(FoxPrompt, "", ""), payment: paid, job: JobRunning, want: VerdictProcessing},
		{name: "a job of ours ended unclear",
			session: Held(FoxPrompt, "", ""), payment: paid, job: JobUnclear, want: VerdictUnclear},
		{name: "a finished file comes before a running job",
			session: Held(FoxPrompt, `{"status":"processing","fileId":"`+File1+`"}`, ""), payment: paid, file: FileCompleted,
			job: JobRunning, want: VerdictCompleted, status: StatusProcessing, fileID: File1},
		{name: "an unclear job comes before a refund",
			session: Held(FoxPrompt, "", ""), payment: Payment{State: PaymentRefunded}, job: JobUnclear, want: VerdictUnclear},
		{name: "a refund comes before a failed file",
			session: Held(FoxPrompt, `{"status":"processing","fileId":"`+File1+`"}`, ""), payment: Payment{State: PaymentRefunded},
			file: FileFailed, want: VerdictRefunded, status: StatusProcessing, fileID: File1},
		{name: "corrupt comes before everything",
			session: Held(FoxPrompt, `[]`, ""), payment: paid, job: JobRunning, want: VerdictCorrupt, allowed: []Action{ActionFix}},
		{name: "corrupt in one key: a full object with a wrong member",
			session: Held("", "", `{"prompt":"A fox","status":"pending","error":{}}`),
			payment: paid, want: VerdictCorrupt, allowed: []Action{ActionFix}},
		{name: "corrupt in one key: the prompt is a number",
			session: Held("", "", `{"prompt":7,"status":"pending"}`), payment: paid, want: VerdictCorrupt, allowed: []Action{ActionRestore}},
		{name: "corrupt, and what is readable names a file",
			session: Held(`{"prompt":"A fox","fileId":"`+File1+`"}`, `{`, ""), payment: paid, want: VerdictCorrupt},
		{name: "corrupt, one key, and the hash beside it is not written",
			session: otherType(Held("", "{}", `{"prompt":"A fox","status":"pending"}`)),
			payment: paid, want: VerdictCorrupt, allowed: []Action{ActionFix}},
		{name: "refunded while pending",
			session: Held(FoxPrompt, `{"status":"pending"}`, ""), payment: Payment{State: PaymentRefunded},
			want: VerdictRefunded, allowed: []Action{ActionFix}},
		{name: "failed, unpaid: no generation",
			session: Held(FoxPrompt, `{"status":"error"}`, ""), payment: Payment{State: PaymentUnpaid}, want: VerdictFailed, status: StatusError},
		{name: "failed, and the file cannot be seen: no generation",
			session: Held(FoxPrompt, `{"status":"error","fileId":"`+File1+`"}`, ""), payment: paid, file: FileUnknown,
			want: VerdictFailed, status: StatusError, fileID: File1},
		{name: "image-to-image needs its source picture",
			session: Held("", "", `{"prompt":"A fox","generationType":"image-to-image"}`), payment: paid,
			want: VerdictOrphaned, allowed: []Action{ActionFix}},
		{name: "nothing is said of the payment: unverified",
			session: Held(FoxPrompt, "", ""), want: VerdictOrphaned, allowed: []Action{ActionFix, ActionGenerate}},
		{name: "a key of the other mode is no sign that Stripe does not know it",
			payment: Payment{State: PaymentUnverified, Why: StripeWrongMode}, want: VerdictUnclear},
		{name: "a mapping alone, unverified",
			session: Held("", "", `{"timestamp":"`+Ago(time.Hour)+`"}`), want: VerdictUnclear},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := Evidence{Session: c.session, Payment: c.payment, File: File{State: c.file}, Job: c.job}
			d := Diagnose(e, At, limits)
			if d.Verdict != c.want || !slices.Equal(d.Allowed, c.allowed) {
				t.Errorf("got %s, allowed %v (%s); want %s, %v", d.Verdict, d.Allowed, d.Reason, c.want, c.allowed)
			}
			s := c.session.AsOf(At)
			if s.Status() != c.status || s.FileID() != c.fileID {
				t.Errorf("status %q of file %q; want %q of %q", s.Status(), s.FileID(), c.status, c.fileID)
			}
		})
	}
}

// TestFilesThatAreNotSeen has a row for each way in which a file can be out of
// sight: by itself that is no fault of the session.
func TestFilesThatAreNotSeen(t *testing.T) {
	t.Parallel()
	const late, early = time.Hour, time.Minute // against limits.StallAfter
	for _, c := range []struct {
		name   string
		status Status
		age    time.Duration
		file   File
		proven bool
		want   Verdict
		reason string // a part of it
	}{
		{"unknown, early", StatusProcessing, early, File{State: FileUnknown}, false, VerdictProcessing, "could not be seen"},
		{"unknown, early, pending", StatusPending, early, File{State: FileUnknown}, false, VerdictProcessing, "could not be seen"},
		{"unknown, at the limit", StatusProcessing, limits.StallAfter, File{State: FileUnknown}, false, VerdictUnclear, "could not be seen"},
		{"unknown, just under it", StatusProcessing, limits.StallAfter - time.Millisecond, File{State: FileUnknown}, false, VerdictProcessing, "could not be seen"},
		{"unknown, late", StatusProcessing, late, File{State: FileUnknown}, false, VerdictUnclear, "could not be seen"},
		{"unknown, late, pending", StatusPending, late, File{State: FileUnknown}, false, VerdictUnclear, "could not be seen"},
		{"unknown, late, at a proven API", StatusProcessing, late, File{State: FileUnknown}, true, VerdictUnclear, "could not be seen"},
		{"named and nothing said of it", StatusProcessing, late, File{}, false, VerdictUnclear, "could not be seen"},
		{"named and said to be none", StatusProcessing, late, File{State: FileNone}, true, VerdictUnclear, "could not be seen"},
		{"missing, early", StatusProcessing, early, File{State: FileMissing}, false, VerdictProcessing, "could not be seen"},
		{"missing, early, at a proven API", StatusProcessing, early, File{State: FileMissing}, true, VerdictProcessing, "could not be seen"},
		{"missing, late", StatusProcessing, late, File{State: FileMissing}, false, VerdictUnclear, "SUPERDUPERAI_URL"},
		{"missing, late, pending", StatusPending, late, File{State: FileMissing}, false, VerdictUnclear, "SUPERDUPERAI_URL"},
		{"missing, late, at a proven API", StatusProcessing, late, File{State: FileMissing}, true, VerdictStalled, "does not know its file"},
		{"missing, late, pending, at a proven API", StatusPending, late, File{State: FileMissing}, true, VerdictStalled, "does not know its file"},
		{"missing, and seen so early", StatusProcessing, late, File{State: FileMissing, SeenAt: At.Add(-late + early)}, true, VerdictProcessing, "could not be seen"},
		{"unchecked, early", StatusProcessing, early, File{State: FileUnchecked}, false, VerdictUnchecked, "not checked yet"},
		{"unchecked, late", StatusProcessing, late, File{State: FileUnchecked}, true, VerdictUnchecked, "not checked yet"},
		{"unchecked, pending", StatusPending, late, File{State: FileUnchecked}, true, VerdictUnchecked, "not checked yet"},
		{"unchecked, an error", StatusError, late, File{State: FileUnchecked}, false, VerdictUnchecked, "not checked yet"},
		{"unchecked, completed", StatusCompleted, late, File{State: FileUnchecked}, false, VerdictCompleted, "was not seen"},
		{"unknown, completed", StatusCompleted, late, File{State: FileUnknown}, false, VerdictCompleted, "was not seen"},
		{"missing, completed", StatusCompleted, late, File{State: FileMissing}, true, VerdictCompleted, "was not seen"},
		{"unknown, an error", StatusError, late, File{State: FileUnknown}, false, VerdictFailed, "it may be ready"},
		{"missing, an error", StatusError, late, File{State: FileMissing}, true, VerdictFailed, "marked as error"},
		{"missing, an error, at an API that is not proven", StatusError, late, File{State: FileMissing}, false, VerdictFailed, "SUPERDUPERAI_URL"},
		{"in progress, late", StatusProcessing, late, File{State: FileInProgress}, false, VerdictStalled, "too long"},
		{"in progress, late, seen just now", StatusProcessing, late, File{State: FileInProgress, SeenAt: At}, false, VerdictStalled, "too long"},
		{"in progress, seen in the future", StatusProcessing, late, File{State: FileInProgress, SeenAt: At.Add(time.Hour)}, false, VerdictStalled, "too long"},
		{"in progress, last seen before the limit", StatusProcessing, late, File{State: FileInProgress, SeenAt: At.Add(-late + early)}, false, VerdictProcessing, "being made"},
		{"in progress, last seen before the limit, days ago", StatusProcessing, 72 * time.Hour,
			File{State: FileInProgress, SeenAt: At.Add(early - 72*time.Hour)}, false, VerdictProcessing, "being made"},
		{"in progress, last seen at the limit, days ago", StatusProcessing, 72 * time.Hour,
			File{State: FileInProgress, SeenAt: At.Add(limits.StallAfter - 72*time.Hour)}, false, VerdictStalled, "too long"},
		{"finalizing, last seen before the limit", StatusProcessing, late, File{State: FileFinalizing, SeenAt: At.Add(-late + early)}, false, VerdictProcessing, "put in place"},
		{"completed, whenever that was seen", StatusProcessing, late, File{State: FileCompleted, SeenAt: At.Add(-late)}, false, VerdictCompleted, "ready"},
		{"failed, whenever that was seen", StatusProcessing, late, File{State: FileFailed, SeenAt: At.Add(-late)}, false, VerdictFailed, "could not make"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := Held(FoxPrompt, `{"status":"`+string(c.status)+`","fileId":"`+File1+`","timestamp":"`+Ago(c.age)+`"}`, "")
			e := Evidence{Session: s, File: c.file, APIProven: c.proven, Payment: Payment{State: PaymentPaid, ChargedAt: At.Add(-c.age)}}
			d := Diagnose(e, At, limits)
			if d.Verdict != c.want || !strings.Contains(d.Reason, c.reason) {
				t.Errorf("%s (%s); want %s", d.Verdict, d.Reason, c.want)
			}
			gone := c.file.State == FileFailed || c.file.State == FileMissing && c.proven
			underWay := c.file.State == FileInProgress || c.file.State == FileFinalizing
			if !gone && !underWay && d.Allows(ActionGenerate) {
				t.Errorf("a second video is allowed: %s (%s)", d.Verdict, d.Reason)
			}
		})
	}
}

func otherType(s Session) Session {
	s.Webhook.Other, s.Webhook.Fault, s.Webhook.Value = true, FaultOtherType, Value{}
	return s
}

func TestSilentRedisAllowsNothing(t *testing.T) {
	t.Parallel()
	d := Diagnose(Evidence{RedisSilent: true, Payment: Payment{State: PaymentPaid}}, At, limits)
	if d.Verdict != VerdictUnclear || d.Allowed != nil || !strings.Contains(d.Reason, "Redis could not be read") {
		t.Errorf("got %+v", d)
	}
}
