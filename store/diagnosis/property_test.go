package diagnosis

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/storetest"
)

// TestDiagnoseHolds checks what has to hold whatever was seen.
func TestDiagnoseHolds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := drawEvidence(t)
		d := Diagnose(e, storetest.At, limits)
		s := e.Session.AsOf(storetest.At)
		if !slices.Contains(Verdicts, d.Verdict) || d.Reason == "" {
			t.Fatalf("verdict %q, reason %q", d.Verdict, d.Reason)
		}
		if e.RedisSilent && (d.Verdict != VerdictUnclear || d.Allowed != nil) {
			t.Fatalf("Redis is silent, and it is %+v", d)
		}
		_, corrupt := s.CorruptKey()
		if !e.RedisSilent && corrupt != (d.Verdict == VerdictCorrupt) {
			t.Fatalf("corrupt %v, and it is %s", corrupt, d.Verdict)
		}
		seen := e.Complete(storetest.At)
		if !e.RedisSilent && !corrupt && seen.File.State == store.FileCompleted && d.Verdict != VerdictCompleted && d.Verdict != VerdictUndelivered {
			t.Fatalf("the file is finished, and it is %s", d.Verdict)
		}
		if d.Allows(store.ActionGenerate) || d.Allows(store.ActionReplay) {
			checkStart(t, seen, d)
		}
		if d.Allows(store.ActionFix) {
			checkFix(t, seen, d)
		}
		if d.Allows(store.ActionRestore) && s.PromptText() != "" {
			t.Fatal("restore is allowed with a prompt")
		}
		if stuck(seen, d) && len(d.Allowed) == 0 {
			t.Fatalf("nothing is allowed: %+v", d)
		}
	})
}

// stuck reports whether a paid customer has no video that they see, nothing is
// under way, and neither an unavailable service, nor a source picture, which only
// the site can use, nor a value that only a person with access to Redis can fix
// stands in the way.
func stuck(e Evidence, d Diagnosis) bool {
	switch d.Verdict {
	case VerdictCompleted, VerdictProcessing, VerdictWaiting, VerdictUnchecked, VerdictNotFound, VerdictRefunded:
		return false
	}
	if e.RedisSilent || !e.settled() || e.Job != store.JobNone || e.finished() != "" && e.shown(e.finished()) {
		return false
	}
	if strings.Contains(d.Reason, "may be ready") || strings.Contains(d.Reason, "could not be checked") ||
		strings.Contains(d.Reason, "SUPERDUPERAI_URL") || strings.Contains(d.Reason, "Only somebody with access to Redis") || strings.Contains(d.Reason, "is being made") {
		return false
	}
	for _, key := range e.Session.Keys() {
		if key.WrongType {
			return false
		}
	}
	picture := strings.HasPrefix(e.Session.SessionKey.Value.GenerationType, "image-to-")
	return !picture
}

// checkStart: a video costs money, and a second one is not wanted.
func checkStart(t *rapid.T, e Evidence, d Diagnosis) {
	switch e.Payment.State {
	case store.PaymentUnpaid, store.PaymentExpired, store.PaymentRefunded, store.PaymentMissing:
		t.Fatalf("%v is allowed, payment %s", d.Allowed, e.Payment.State)
	}
	if len(e.Finished) > 0 {
		t.Fatalf("%v is allowed, and %v are finished", d.Allowed, e.Finished)
	}
	for _, other := range e.others() {
		if other.State != store.FileFailed && (other.State != store.FileMissing || !e.APIProven) {
			t.Fatalf("%v is allowed, and another file is %s", d.Allowed, other.State)
		}
	}
	switch e.File.State {
	case store.FileCompleted, store.FileUnknown, store.FileUnchecked:
		t.Fatalf("%v is allowed, file %s", d.Allowed, e.File.State)
	case store.FileMissing:
		if !e.APIProven {
			t.Fatalf("%v is allowed, and SuperDuperAI may be another one", d.Allowed)
		}
	case store.FileInProgress, store.FileFinalizing:
		if age := storetest.At.Sub(d.Since); age < limits.StallAfter {
			t.Fatalf("%v is allowed, file %s for %s", d.Allowed, e.File.State, age)
		}
	}
	if e.Job != store.JobNone || d.Verdict == VerdictCorrupt {
		t.Fatalf("%v is allowed, job %q, %s", d.Allowed, e.Job, d.Verdict)
	}
}

// checkFix: what is shown is finished, and no error hides what may be.
func checkFix(t *rapid.T, e Evidence, d Diagnosis) {
	switch {
	case d.Deliver == "" && e.mayBeFinished():
		t.Fatalf("an error over a file that is %s, %v finished", e.File.State, e.Finished)
	case d.Deliver != "" && e.File.State != store.FileCompleted && !slices.Contains(e.Finished, d.Deliver):
		t.Fatalf("%s is shown, of which nobody knows that it is finished", d.Deliver)
	case d.Deliver != "" && e.Payment.State == store.PaymentRefunded:
		t.Fatal("a video is shown to a customer who got the money back")
	}
}

func drawEvidence(t *rapid.T) Evidence {
	p := store.Payment{
		State: rapid.SampledFrom([]store.PaymentState{"", store.PaymentPaid, store.PaymentUnpaid, store.PaymentExpired, store.PaymentRefunded,
			store.PaymentPartiallyRefunded, store.PaymentNotRequired, store.PaymentMissing, store.PaymentUnverified}).Draw(t, "payment"),
		Created:   drawTime(t, "created"),
		OtherSale: rapid.IntRange(0, 9).Draw(t, "other sale") == 0,
		ChargedAt: drawTime(t, "charged"),
	}
	if p.State == store.PaymentUnverified {
		p.Why = rapid.SampledFrom([]store.Unverified{store.NoStripeKey, store.StripeWrongMode, store.StripeNoAnswer}).Draw(t, "why")
	}
	return Evidence{
		RedisSilent: rapid.IntRange(0, 19).Draw(t, "silent") == 0,
		Session: store.Session{Prompt: drawKey(t, "prompt"), Webhook: drawKey(t, "webhook"),
			SessionKey: drawKey(t, "session")},
		Payment: p,
		File: store.File{SeenAt: drawTime(t, "seen"), State: rapid.SampledFrom([]store.FileState{"", store.FileNone, store.FileInProgress, store.FileFinalizing, store.FileCompleted,
			store.FileFailed, store.FileUnknown, store.FileMissing, store.FileUnchecked}).Draw(t, "file")},
		APIProven: rapid.Bool().Draw(t, "proven"),
		Finished:  rapid.SampledFrom([][]string{nil, nil, nil, {storetest.File1}, {storetest.File2, "0b000000-0000-4000-8000-00000000000b"}}).Draw(t, "finished"),
		Others: rapid.SampledFrom([][]NamedFile{nil, {{storetest.File2, rapid.SampledFrom([]store.FileState{store.FileUnknown, store.FileMissing, store.FileFailed, store.FileInProgress,
			store.FileCompleted}).Draw(t, "other file")}}}).Draw(t, "others"),
		Event:      store.Event{Completed: rapid.Bool().Draw(t, "event")},
		Site:       rapid.SampledFrom([]*store.Site{nil, {Found: true, Status: "processing", FileID: storetest.File1}, {}}).Draw(t, "site"),
		SiteLayout: rapid.SampledFrom([]store.Layout{store.LayoutNone, store.LayoutOneKey, store.LayoutThreeKey}).Draw(t, "site reads"),
		Job:        rapid.SampledFrom([]store.JobState{store.JobNone, store.JobNone, store.JobNone, store.JobRunning, store.JobUnclear}).Draw(t, "job"),
	}
}

func drawKey(t *rapid.T, kind string) store.Key {
	key := store.Key{Kind: kind, TTL: time.Duration(rapid.Int64Range(-1, int64(2*store.KeyLife)).Draw(t, "ttl"))}
	switch rapid.IntRange(0, 9).Draw(t, kind+" is") {
	case 0, 1, 2:
		return store.Key{Kind: kind}
	case 3:
		key.Exists, key.WrongType, key.Fault = true, true, store.FaultOtherType
		return key
	}
	members := map[string]any{}
	for _, name := range []string{"prompt", "status", "fileId", "error", "timestamp", "createdAt", "generationType"} {
		if value := drawMember(t, name); value != nil {
			members[name] = value
		}
	}
	raw, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	if rapid.IntRange(0, 19).Draw(t, "cut") == 0 {
		raw = raw[:len(raw)-1]
	}
	key.Exists, key.Size = true, len(raw)
	key.Value, key.Full, key.Fault = store.ParseValue(raw)
	return key
}

func drawMember(t *rapid.T, name string) any {
	switch rapid.IntRange(0, 29).Draw(t, name+" is") {
	case 0:
		return 7
	case 1:
		return ""
	case 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12:
		return nil
	}
	switch name {
	case "status":
		return rapid.SampledFrom([]string{"pending", "processing", "completed", "error"}).Draw(t, name)
	case "timestamp", "createdAt":
		return drawTime(t, name).Format(time.RFC3339Nano)
	case "fileId":
		return rapid.SampledFrom([]string{storetest.File1, storetest.File2, "../balance"}).Draw(t, name)
	case "generationType":
		return rapid.SampledFrom([]string{"text-to-video", "image-to-video"}).Draw(t, name)
	}
	return "text"
}

// drawTime is none, or one around the judgement and the thresholds.
func drawTime(t *rapid.T, name string) time.Time {
	if rapid.IntRange(0, 4).Draw(t, name+" is set") == 0 {
		return time.Time{}
	}
	return storetest.At.Add(-time.Duration(rapid.Int64Range(-60, 120).Draw(t, name)) * time.Minute)
}
