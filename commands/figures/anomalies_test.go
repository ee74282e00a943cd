package figures

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/stats"
	"github.com/superduperai/sessionbot/store/watchstate"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// statisticsWith returns the statistics of an ordinary day with a change.
func statisticsWith(change func(*Statistics)) Statistics {
	s := Statistics{Series: stats.Series{}}
	s.AsOf, s.Count.Sessions, s.Count.Complete = noon.Add(10*time.Minute), 500, true
	s.Count.Verdicts, s.Count.Survey.TTLs = map[diagnosis.Verdict]int{diagnosis.VerdictCompleted: 500}, map[string]int{}
	s.Watch = &watchstate.State{StripeReadAt: s.AsOf}
	s.Server = &rdb.Server{UsedMemoryBytes: 400, MaxMemoryBytes: 1000}
	for n := range int64(15 * 24) {
		s.Series[stats.HourOf(noon)-n] = stats.Hour{
			Outcomes: stats.Outcomes{Webhook: stats.Tries{Good: 99, Bad: 1}, Generation: stats.Tries{Good: 19, Bad: 1}},
			Lookup:   stats.Tries{Good: 4}, Server: &stats.Level{UsedBytes: 400, MaxBytes: 1000, Evicted: 7},
		}
	}
	for n := range 24 * 12 {
		s.Count.Slots = append(s.Count.Slots, stats.Slot{At: noon.Add(time.Duration(n-24*12) * 5 * time.Minute), Webhook: stats.Tries{Good: 9}})
	}
	change(&s)
	return s
}

// setSlots sets the webhooks of some of the last slots.
func setSlots(s *Statistics, from, to int, w stats.Tries) {
	n := len(s.Count.Slots)
	for i := n - from; i < n-to; i++ {
		s.Count.Slots[i].Webhook = w
	}
}

func TestOdd(t *testing.T) {
	t.Parallel()
	lastHours := func(s *Statistics, hours int64, change func(*stats.Hour)) {
		for n := range hours {
			h := s.Series[stats.HourOf(noon)-n]
			change(&h)
			s.Series[stats.HourOf(noon)-n] = h
		}
	}
	level := func(s *Statistics, used, evicted int64) {
		s.Server.UsedMemoryBytes, s.Server.EvictedKeys = used, evicted
		lastHours(s, 1, func(h *stats.Hour) { h.Server = &stats.Level{UsedBytes: used, MaxBytes: 1000, Evicted: evicted} })
	}
	for _, c := range []struct {
		name   string
		change func(*Statistics)
		want   []string
	}{
		{"nothing", func(*Statistics) {}, []string{"No problems found: no session is orphaned, stalled or lost, and no rate has dropped."}},
		{"no sessions", func(s *Statistics) { s.Count.Sessions = 0 }, []string{"Redis holds no sessions."}},
		{"not all were counted", func(s *Statistics) { s.Count.Complete = false }, []string{"Not all sessions were counted, so problems may be missing. Run sessionbot redis stats on the bot's host: it counts without a time limit, only reads, and is safe on the live Redis."}},
		{"payments are not known", func(s *Statistics) { s.EvidenceErr = true }, []string{"No problems found, as far as is known."}},
		{"files were not checked yet", func(s *Statistics) { s.Count.Verdicts[diagnosis.VerdictUnchecked] = 3 },
			[]string{"No problems found so far: the files of 3 sessions have not been checked yet."}},
		{"alerts do not arrive", func(s *Statistics) { s.Watch.Unreachable = "Invite the bot." }, []string{"Alerts are not arriving in the alert channel (ALERT_CHANNEL); they will be posted once the bot can post there. Invite the bot."}},
		{"webhooks fail", func(s *Statistics) { setSlots(s, 6, 0, stats.Tries{Good: 5, Bad: 3}) }, []string{"Webhook success has been 62.5% since 11:30 UTC, down from 99.1%: Stripe's dashboard (Developers, Webhooks) shows why deliveries fail."}},
		{"webhooks failed", func(s *Statistics) { setSlots(s, 60, 54, stats.Tries{Good: 0, Bad: 3}) },
			[]string{"Webhook success was 0.0% from 07:00 UTC to 07:30 UTC; usually it is 99.1%."}},
		{"and sessions are orphaned by it", func(s *Statistics) {
			setSlots(s, 6, 0, stats.Tries{Bad: 3})
			s.Count.Verdicts = map[diagnosis.Verdict]int{diagnosis.VerdictOrphaned: 18, diagnosis.VerdictStalled: 2, diagnosis.VerdictLost: 1}
		}, []string{"Webhook success has been 0.0% since 11:30 UTC, down from 99.1%: Stripe's dashboard (Developers, Webhooks) shows why deliveries fail.", "18 sessions orphaned (paid, but no video started), 2 stalled, 1 lost: /session list shows what to do; anything that costs us money shows a plan with the cost first."}},
		{"videos fail", func(s *Statistics) {
			lastHours(s, 24, func(h *stats.Hour) { h.Generation = stats.Tries{Good: 12, Bad: 8} })
		}, []string{"Video success was 60.0% in the last 24 h, down from 95.0% the week before."}},
		{"the site disagrees", func(s *Statistics) {
			lastHours(s, 24, func(h *stats.Hour) { h.Lookup = stats.Tries{Good: 1, Bad: 1} })
		}, []string{"The site agreed with Redis in 50.0% of lookups in the last 24 h, down from 100.0% the week before."}},
		{"Redis is nearly full", func(s *Statistics) { level(s, 930, 7) }, []string{"Redis is 93% full. Find out what is filling it (redis-cli --bigkeys), and give it more memory (raise maxmemory, or move it to a larger host) before it refuses writes."}},
		{"Redis fills up", func(s *Statistics) { level(s, 600, 7) }, []string{"Redis grew by 200 B in a day, and is 60% full: at this rate it will be full in 2 d."}},
		{"Redis grows, and there is room", func(s *Statistics) { level(s, 450, 7) }, []string{"No problems found: no session is orphaned, stalled or lost, and no rate has dropped."}},
		{"keys were evicted", func(s *Statistics) { level(s, 400, 41) },
			[]string{"Redis evicted 34 keys in the last 24 h because it ran out of memory: customers' sessions may be among them. Find out what is filling it (redis-cli --bigkeys), and give it more memory (raise maxmemory, or move it to a larger host), then run /session list lost."}},
		{"the server was restarted, and evicts", func(s *Statistics) { level(s, 400, 1) },
			[]string{"Redis evicted 1 key in the last 24 h because it ran out of memory: customers' sessions may be among them. Find out what is filling it (redis-cli --bigkeys), and give it more memory (raise maxmemory, or move it to a larger host), then run /session list lost."}},
		{"keys live for ever", func(s *Statistics) { s.Count.Survey.TTLs["never expires"] = 2 },
			[]string{"2 session keys never expire: something wrote them without an expiry. Not urgent: they only take up memory."}},
		{"some of the keys live for ever", func(s *Statistics) { s.Count.Survey.TTLs["never expires"], s.Count.Survey.TTLsOfSome = 16, true },
			[]string{"About 16 session keys never expire: something wrote them without an expiry. Not urgent: they only take up memory."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, anomalies(statisticsWith(c.change))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestChart: every line has a point for every step, goes on
// where nothing happened, and is left out where nothing is known at all.
func TestChart(t *testing.T) {
	t.Parallel()
	s := Statistics{Series: stats.Series{}}
	s.AsOf = noon
	if chart("nothing", steps(s, 12, 2, dayLayout)) != nil {
		t.Error("a chart of nothing")
	}
	last := stats.HourOf(noon)
	s.Series[last-5] = stats.Hour{Outcomes: stats.Outcomes{Webhook: stats.Tries{Good: 1, Bad: 1}}}
	s.Series[last] = stats.Hour{Outcomes: stats.Outcomes{Webhook: stats.Tries{Good: 3, Bad: 0}}}
	points := pointsOf(steps(s, 12, 2, dayLayout), func(h stats.Hour) *float64 { return h.Webhook.Rate() })
	var got []float64
	for _, p := range points {
		got = append(got, p.Value)
	}
	if diff := cmp.Diff([]float64{50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 100}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if points[0].Label != "3 Mar 13:00" || points[11].Label != "4 Mar 11:00" {
		t.Errorf("from %s to %s", points[0].Label, points[11].Label)
	}
}

// TestEmptyRedis: three lines, as there is nothing to chart.
func TestEmptyRedis(t *testing.T) {
	t.Parallel()
	s := statisticsWith(func(s *Statistics) { s.Count.Sessions = 0 })
	if text := blockkit.Text(Blocks(s, noon)); strings.Count(text, "\n") != 2 || !strings.HasPrefix(text, "Redis holds no sessions.\n→ If that is unexpected, check that REDIS_URL") {
		t.Errorf("it says\n%s", text)
	}
}
