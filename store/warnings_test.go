package store

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestRisks: what takes a second press, and what is only said.
func TestRisks(t *testing.T) {
	t.Parallel()
	session := Held("", "", `{"prompt":"A fox","status":"error","error":"The operation was aborted due to timeout","createdAt":"`+Ago(time.Hour)+`"}`)
	plain := Held("", "", `{"prompt":"A fox","status":"error","createdAt":"`+Ago(time.Hour)+`"}`)
	stuck := Held("", "", `{"prompt":"A fox","status":"processing","createdAt":"`+Ago(time.Hour)+`"}`)
	for _, c := range []struct {
		name    string
		session Session
		change  func(*Examination)
		risk    string
		warning string
	}{
		{"nothing", plain, func(*Examination) {}, "", ""},
		{"the site's own time-out", session, func(*Examination) {}, "timed out", ""},
		{"processing without a file", stuck, func(*Examination) {}, "stopped while it asked", ""},
		{"made before", plain, func(x *Examination) { x.Repair.Made = []Made{{FileID: File2, At: At, Cents: 2400}} }, "about $24.00, file " + File2, ""},
		{"given up before", plain, func(x *Examination) { x.Repair = SessionJob{Action: ActionGenerate, Outcome: OutcomeGaveUp} }, "nobody knows", ""},
		{"disputed", plain, func(x *Examination) { x.Payment.Disputed = true }, "disputes", ""},
		{"a part refunded", plain, func(x *Examination) { x.Payment.State = PaymentPartiallyRefunded }, "", "refunded"},
	} {
		x := orphan(c.session)
		c.change(&x)
		x.Diagnosis = Diagnose(x.Evidence, At, thresholds)
		p := plan(t, ActionGenerate, x)
		if (p.Risk == "") != (c.risk == "") || !strings.Contains(p.Risk, c.risk) || p.Risk != "" && !slices.Contains(p.Warnings, p.Risk) {
			t.Errorf("%s: risk %q, warnings %q", c.name, p.Risk, p.Warnings)
		}
		if c.warning != "" && !strings.Contains(strings.Join(p.Warnings, " "), c.warning) {
			t.Errorf("%s: warnings %q", c.name, p.Warnings)
		}
		if c.session.Status() == StatusProcessing {
			if p := plan(t, ActionFix, x); p.Risk != "" {
				t.Errorf("%s: marking it as error needs a second press: %q", c.name, p.Risk)
			}
		}
	}
}
