package watch

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// BenchmarkDetection measures from the end of the orphanGrace time to the alert being
// posted: by Stripe's events, by Redis' notifications without a Stripe key, and by the
// sweep alone. It fails over two seconds, or by the sweep over one interval and its own
// duration. Run it with -benchtime 100x.
func BenchmarkDetection(b *testing.B) {
	for _, way := range []struct {
		name          string
		stripe, notes bool
	}{{"Stripe", true, false}, {"notifications", false, true}, {"sweep", false, false}} {
		b.Run(way.name, func(b *testing.B) {
			server := redistest.Start(b)
			s := benchOn(b, server.URL(), server.Client())
			s.cfg.Interval, s.cfg.Timings = time.Second, timings
			s.cfg.AlertOn = []diagnosis.Verdict{diagnosis.VerdictOrphaned}
			if !way.stripe {
				s.cfg.Stripe, s.cfg.Payments = nil, nil
			}
			if way.notes {
				if err := s.client.ConfigSet(b.Context(), "notify-keyspace-events", "KA").Err(); err != nil {
					b.Fatal(err)
				}
			}
			s.put("session:cs_test_other", `{"prompt":"A fox","status":"completed","fileId":"0f000000-0000-4000-8000-00000000000f","createdAt":"2026-01-01T00:00:00.000Z"}`)
			s.run()
			s.eventually("the watch is up", func() bool {
				state, err := s.records.State(b.Context())
				return err == nil && !state.Swept.IsZero()
			})
			var took []time.Duration
			for b.Loop() {
				ends := time.Now().Add(1500 * time.Millisecond) // the end of the orphanGrace time
				id := fmt.Sprint("cs_test_", len(took))
				s.pay(id, ends.Add(-orphanGrace))
				s.expect("first 1")
				took = append(took, max(time.Since(ends), 0))
				s.eventually("the alert is recorded", func() bool { return s.only().SlackMessage.TS != "" })
				incident := s.only().ID
				for _, key := range []string{"sessionbot:{watch}:open", "sessionbot:{watch}:incident:" + incident,
					"sessionbot:{watch}:paid:" + id, "prompt:" + id} { // each orphan is the first
					if err := s.client.Del(b.Context(), key).Err(); err != nil {
						b.Fatal(err)
					}
				}
			}
			slices.Sort(took)
			most := 2 * time.Second
			if !way.stripe && !way.notes {
				most = s.cfg.Interval + s.metrics.slowest() + 2*timings.Round
			}
			if p99 := took[len(took)*99/100]; p99 > most {
				b.Errorf("p99 is %s, more than %s", p99, most)
			}
			b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Milliseconds()), "p99-ms")
		})
	}
}
