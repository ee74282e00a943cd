package repair

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/storetest"
)

// TestRisks: what takes a second press, and what is only said.
func TestRisks(t *testing.T) {
	t.Parallel()
	session := storetest.Held("", "", `{"prompt":"A fox","status":"error","error":"The operation was aborted due to timeout","createdAt":"`+storetest.Ago(time.Hour)+`"}`)
	plain := storetest.Held("", "", `{"prompt":"A fox","status":"error","createdAt":"`+storetest.Ago(time.Hour)+`"}`)
	stuck := storetest.Held("", "", `{"prompt":"A fox","status":"processing","createdAt":"`+storetest.Ago(time.Hour)+`"}`)
	for _, c := range []struct {
		name    string
		session store.Session
		change  func(*diagnosis.Examination)
		risk    string
		warning string
	}{
		{"nothing", plain, func(*diagnosis.Examination) {}, "", ""},
		{"the site's own time-out", session, func(*diagnosis.Examination) {}, "timed out", ""},
		{"processing without a file", stuck, func(*diagnosis.Examination) {}, "stopped while it asked", ""},
		{"made before", plain, func(x *diagnosis.Examination) {
			x.Repair.Made = []diagnosis.Generation{{FileID: storetest.File2, At: storetest.At, Cents: 2400}}
		}, "about $24.00, file " + storetest.File2, ""},
		{"given up before", plain, func(x *diagnosis.Examination) {
			x.Repair = diagnosis.SessionJob{Action: store.ActionGenerate, Outcome: store.OutcomeGaveUp}
		}, "nobody knows", ""},
		{"disputed", plain, func(x *diagnosis.Examination) { x.Payment.Disputed = true }, "disputes", ""},
		{"a part refunded", plain, func(x *diagnosis.Examination) { x.Payment.State = store.PaymentPartiallyRefunded }, "", "refunded"},
	} {
		x := orphan(c.session)
		c.change(&x)
		x.Diagnosis = diagnosis.Diagnose(x.Evidence, storetest.At, thresholds)
		p := plan(t, store.ActionGenerate, x)
		if (p.Risk == "") != (c.risk == "") || !strings.Contains(p.Risk, c.risk) || p.Risk != "" && !slices.Contains(p.Warnings, p.Risk) {
			t.Errorf("%s: risk %q, warnings %q", c.name, p.Risk, p.Warnings)
		}
		if c.warning != "" && !strings.Contains(strings.Join(p.Warnings, " "), c.warning) {
			t.Errorf("%s: warnings %q", c.name, p.Warnings)
		}
		if c.session.Status() == store.StatusProcessing {
			if p := plan(t, store.ActionFix, x); p.Risk != "" {
				t.Errorf("%s: marking it as error needs a second press: %q", c.name, p.Risk)
			}
		}
	}
}
