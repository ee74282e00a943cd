package watch

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/payments"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/sessions"
)

// generated returns sessions in every state that time and services can leave.
func generated(now time.Time, n int) (all []demo.Example) {
	random := rand.New(rand.NewPCG(11, 2026))
	for i := range n {
		age := time.Duration(random.Int64N(int64(20 * 24 * time.Hour)))
		stamp := now.Add(-age).UTC().Format(time.RFC3339)
		e := demo.Example{ID: fmt.Sprintf("cs_live_generated%04d", i), Redis: map[string]demo.Value{}, File: store.FileNone,
			Payment: &demo.CheckoutSession{Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "usd",
				Created: now.Add(-age), Event: store.EventDelivered}}
		e.Payment.ID = e.ID
		if random.IntN(8) == 0 {
			e.Payment.Refunded = 100
		}
		if random.IntN(5) == 0 { // Stripe made none
			e.Payment.Event = store.EventNone
		}
		status := []string{"pending", "processing", "processing", "processing", "processing", "error", "completed"}[random.IntN(7)]
		file := ""
		if status != "pending" && random.IntN(6) > 0 {
			e.FileID = fileID(10_000 + i)
			if e.File = store.FileCompleted; status != "completed" { // which is only written when it is
				e.File = []store.FileState{store.FileCompleted, store.FileCompleted, store.FileFailed, store.FileInProgress, store.FileFinalizing}[random.IntN(5)]
			}
			file = `"fileId":"` + e.FileID + `",`
		}
		if random.IntN(3) == 0 {
			e.Redis["prompt:"+e.ID] = demo.Value{Text: `{"prompt":"A fox","timestamp":"` + stamp + `"}`, Age: age}
			if status != "pending" {
				e.Redis["webhook:"+e.ID] = demo.Value{Text: `{"status":"` + status + `",` + file + `"timestamp":"` + stamp + `"}`, Age: age}
			}
		} else {
			e.Redis["session:"+e.ID] = demo.Value{Text: `{"prompt":"A fox","createdAt":"` + stamp + `","status":"` + status + `",` + file + `"timestamp":"` + stamp + `"}`, Age: age}
		}
		all = append(all, e)
	}
	return all
}

// TestStatisticsAndAlertsAgree: by verdict, with the list of sessions in trouble, and with the diagnosis of each session.
func TestStatisticsAndAlertsAgree(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, examples := range map[string][]demo.Example{"the demo's data": demo.Seed(now), "generated data": generated(now, 120)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newSimulation(t)
			h.at, h.checkAt, h.cfg.Interval = now, now, 5*time.Minute
			stripe, files := demo.NewStripe(), demo.NewSuperDuper(h.cfg.Now, time.Hour)
			server := httptest.NewServer(stripe)
			t.Cleanup(server.Close)
			h.must(demo.Load(t.Context(), h.client, examples))
			demo.Put(stripe, files, examples)
			h.api.own = map[string]store.FileState{}
			for _, e := range examples {
				h.api.own[e.FileID] = e.File
			}
			reader := overHTTP{payments.New(payments.Config{Key: "rk_live_x", BaseURL: server.URL, Now: h.cfg.Now})}
			h.cfg.Stripe, h.cfg.Payments = reader, reader
			h.cfg.OtherMode = reader.OtherMode
			h.must(h.records.Begin(t.Context(), now.Add(-40*24*time.Hour))) // nothing is from before
			h.lead()
			h.advance(6 * time.Hour)
			alerted := map[diagnosis.Verdict]int{}
			incidents, err := h.records.OpenIncidents(t.Context(), nil)
			h.must(err)
			for _, i := range incidents {
				for _, c := range i.Open() {
					if s, err := (sessions.Reader{Redis: h.product}).Session(t.Context(), c.ID); err == nil && s.Layout() != store.LayoutNone { // else no sweep meets it
						alerted[c.Verdict]++
					}
				}
			}
			counted := h.verdicts()
			figures := map[diagnosis.Verdict]int{}
			for _, v := range h.cfg.AlertOn {
				if n := counted[v]; n > 0 {
					figures[v] = n
				}
			}
			if diff := cmp.Diff(figures, alerted); diff != "" {
				t.Errorf("counted, and alerted (-counted +alerted):\n%s", diff)
			}
			h.expectListAgrees(counted)
			debug := diagnosis.Examiner{Redis: sessions.Reader{Redis: h.product}, Payments: reader, Files: h.api, Jobs: h.cfg.Ledger, Limits: h.cfg.Limits, Now: h.cfg.Now}
			said := map[diagnosis.Verdict]int{}
			for _, e := range examples {
				// What Stripe does not know counts as unpaid: its lists do not name it.
				if x := debug.Examine(t.Context(), e.ID); x.Payment.State == store.PaymentMissing && x.Session.Layout() != store.LayoutNone {
					said[diagnosis.VerdictUnpaid]++
				} else if x.Session.Layout() != store.LayoutNone && x.Payment.State != store.PaymentMissing {
					said[x.Verdict]++
				}
			}
			for _, verdicts := range []map[diagnosis.Verdict]int{counted, said} { // what was never paid is one or the other by its age
				verdicts[diagnosis.VerdictUnpaid] += verdicts[diagnosis.VerdictAbandoned]
				delete(verdicts, diagnosis.VerdictAbandoned)
			}
			if diff := cmp.Diff(counted, said); diff != "" {
				t.Errorf("counted, and said by debug (-counted +said):\n%s", diff)
			}
		})
	}
}
