package store

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestDiagnoseHolds checks what has to hold whatever was seen.
func TestDiagnoseHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEvidence(t)
		d := Diagnose(e, at, limits)
		s := e.Session.AsOf(at)
		if !slices.Contains(Verdicts, d.Verdict) || d.Reason == "" {
			t.Fatalf("verdict %q, reason %q", d.Verdict, d.Reason)
		}
		if e.RedisSilent && (d.Verdict != VerdictUnclear || d.Allowed != nil) {
			t.Fatalf("Redis is silent, and it is %+v", d)
		}
		if d.Allowed != nil && s.PromptText() == "" {
			t.Fatalf("without a prompt %v is allowed", d.Allowed)
		}
		_, corrupt := s.corrupt()
		if !e.RedisSilent && corrupt != (d.Verdict == VerdictCorrupt) {
			t.Fatalf("corrupt %v, and it is %s", corrupt, d.Verdict)
		}
		if !e.RedisSilent && !corrupt && e.File.State == FileCompleted && d.Verdict != VerdictCompleted {
			t.Fatalf("the file is finished, and it is %s", d.Verdict)
		}
		if d.Allows(ActionGenerate) {
			checkGenerate(t, e, d)
		}
	})
}

// checkGenerate: a video costs money, and a second one is not wanted.
func checkGenerate(t *rapid.T, e Evidence, d Diagnosis) {
	switch e.Payment.State {
	case PaymentUnpaid, PaymentExpired, PaymentRefunded, PaymentMissing:
		t.Fatalf("generate is allowed, payment %s", e.Payment.State)
	}
	switch e.File.State {
	case FileCompleted, FileUnknown, FileMissing, FileUnchecked:
		t.Fatalf("generate is allowed, file %s", e.File.State)
	case FileInProgress, FileFinalizing:
		if age := at.Sub(d.Since); age < limits.StallAfter {
			t.Fatalf("generate is allowed, file %s for %s", e.File.State, age)
		}
	case FileNone:
		if e.Session.AsOf(at).FileID() != "" {
			t.Fatal("generate is allowed, and the file that Redis names was not seen")
		}
	}
	if e.Job != JobNone || d.Verdict == VerdictCorrupt {
		t.Fatalf("generate is allowed, job %q, %s", e.Job, d.Verdict)
	}
}

func drawEvidence(t *rapid.T) Evidence {
	p := Payment{
		State: rapid.SampledFrom([]PaymentState{"", PaymentPaid, PaymentUnpaid, PaymentExpired, PaymentRefunded,
			PaymentPartiallyRefunded, PaymentNotRequired, PaymentMissing, PaymentUnverified}).Draw(t, "payment"),
		Created:   drawTime(t, "created"),
		ChargedAt: drawTime(t, "charged"),
	}
	if p.State == PaymentUnverified {
		p.Why = rapid.SampledFrom([]Unverified{NoStripeKey, StripeWrongMode, StripeNoAnswer}).Draw(t, "why")
	}
	return Evidence{
		RedisSilent: rapid.IntRange(0, 19).Draw(t, "silent") == 0,
		Session: Session{Prompt: drawKey(t, "prompt"), Webhook: drawKey(t, "webhook"),
			Lookup: drawKey(t, "session")},
		Payment: p,
		File: File{SeenAt: drawTime(t, "seen"), State: rapid.SampledFrom([]FileState{"", FileNone, FileInProgress, FileFinalizing, FileCompleted,
			FileFailed, FileUnknown, FileMissing, FileUnchecked}).Draw(t, "file")},
		APIProven: rapid.Bool().Draw(t, "proven"),
		Job:       rapid.SampledFrom([]JobState{JobNone, JobNone, JobNone, JobRunning, JobUnclear}).Draw(t, "job"),
	}
}

func drawKey(t *rapid.T, kind string) Key {
	key := Key{Kind: kind, TTL: time.Duration(rapid.Int64Range(-1, int64(2*KeyLife)).Draw(t, "ttl"))}
	switch rapid.IntRange(0, 9).Draw(t, kind+" is") {
	case 0, 1, 2:
		return Key{Kind: kind}
	case 3:
		key.Exists, key.Other, key.Fault = true, true, FaultOtherType
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
	key.Value, key.Full, key.Fault = ParseValue(raw)
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
	return at.Add(-time.Duration(rapid.Int64Range(-60, 120).Draw(t, name)) * time.Minute)
}
