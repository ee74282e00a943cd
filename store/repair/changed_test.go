package repair

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/storetest"
)

func TestChanged(t *testing.T) {
	t.Parallel()
	p := plan(t, store.ActionGenerate, orphan(storetest.Held(storetest.FoxPrompt, "", "")))
	for _, c := range []struct {
		name string
		now  diagnosis.Examination
		want []string
	}{
		{"nothing", orphan(storetest.Held(storetest.FoxPrompt, "", "")), nil},
		{"the webhook came", orphan(storetest.Held(storetest.FoxPrompt, `{"status":"processing","fileId":"`+storetest.File1+`","timestamp":"`+storetest.Ago(time.Minute)+`"}`, "")), []string{
			"The verdict was “orphaned” and is now “processing”.", "The status was “none” and is now “processing”.",
			"The file was “none” and is now “unknown”.", "The session now refers to another file.",
			"Something else changed the webhook record in Redis."}},
		{"another prompt", orphan(storetest.Held(strings.Replace(storetest.FoxPrompt, "fox", "hen", 1), "", "")), []string{"The prompt has changed."}},
		{"a mapping", orphan(storetest.Held(storetest.FoxPrompt, "", `{}`)), []string{"Something else changed the session record in Redis."}},
		{"silence", diagnosis.Examination{Evidence: diagnosis.Evidence{RedisSilent: true}}, []string{"Redis did not answer, so the session could not be rechecked."}},
		{"a refund", func() diagnosis.Examination {
			x := orphan(storetest.Held(storetest.FoxPrompt, "", ""))
			x.Payment.State = store.PaymentPartiallyRefunded
			return x
		}(), []string{"The payment was “paid” and is now “partially refunded”."}},
		{"a dispute", func() diagnosis.Examination {
			x := orphan(storetest.Held(storetest.FoxPrompt, "", ""))
			x.Payment.Disputed = true
			return x
		}(), []string{"The customer now disputes the payment."}},
		{"Stripe delivers again", func() diagnosis.Examination {
			x := orphan(storetest.Held(storetest.FoxPrompt, "", ""))
			x.Event = store.Event{State: store.EventFailed, Created: storetest.At.Add(-time.Hour)}
			return x
		}(), []string{"Stripe is retrying the event, which was not known before."}},
	} {
		if diff := cmp.Diff(c.want, p.Changed(c.now)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}
