package storybook

import (
	"time"

	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/stats"
	"github.com/superduperai/sessionbot/store/sweep"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// kept is what the watch keeps for statistics.
type kept struct {
	stats.Figures
	State watchstate.State
}

// ordinary is the figures of an ordinary day.
func ordinary() kept {
	rate := 0.99
	f := kept{Figures: stats.Figures{Series: stats.Series{}, Rollup: &stats.Rollup{AsOf: noon.Add(-40 * time.Second)}},
		State: watchstate.State{Swept: noon.Add(-40 * time.Second), StripeReadAt: noon.Add(-20 * time.Second), Notified: noon.Add(-3 * time.Second)}}
	last := stats.HourOf(f.Rollup.AsOf)
	for n := range int64(15 * 24) {
		busy := int(12 + (n*7)%9)
		f.Series[last-n] = stats.Hour{
			Outcomes: stats.Outcomes{Webhook: stats.Tries{Good: busy, Bad: int(n+1) % 7 / 6}, Generation: stats.Tries{Good: busy - 1, Bad: int(n) % 5 / 4}},
			Lookup:   stats.Tries{Good: int(n) % 3, Bad: int(n) % 11 / 10},
			Server:   &stats.Level{UsedBytes: 1_400_000_000 - n*500_000, MaxBytes: 4_000_000_000},
		}
	}
	c := &f.Rollup.Count
	c.Complete, c.Sessions, c.Prompts, c.PromptCharacters, c.AverageLength = true, 12_481, 12_409, 1_405_222, 113
	c.Longest, c.Shortest = &stats.PromptLength{ID: sessionID, Length: 2761}, &stats.PromptLength{ID: bulkSession(4), Length: 4}
	c.Distribution = map[string]int{"0-100": 6_900, "101-500": 4_800, "501-1000": 600, "1001-2000": 90, "2000+": 19}
	c.Verdicts = map[diagnosis.Verdict]int{diagnosis.VerdictCompleted: 12_020, diagnosis.VerdictFailed: 161, diagnosis.VerdictRefunded: 41, diagnosis.VerdictAbandoned: 233,
		diagnosis.VerdictWaiting: 4, diagnosis.VerdictProcessing: 22}
	c.WebhookSuccessRate, c.GenerationSuccessRate = &rate, &rate
	c.Survey = stats.Survey{Keys: 41_022, Scanned: 41_022, Namespaces: []stats.Namespace{
		{Name: "session", Keys: 12_470, Sampled: 201, SampledBytes: 180_900}, {Name: "webhook", Keys: 12_390, Sampled: 198, SampledBytes: 71_280},
		{Name: "prompt", Keys: 12_380, Sampled: 203, SampledBytes: 89_320}, {Name: "balance", Keys: 3_700, Sampled: 58, SampledBytes: 4_640},
	}, Others: stats.Namespace{Keys: 82, Sampled: 1, SampledBytes: 96},
		TTLs: map[string]int{"under 1 day": 1_240, "1-7 days": 8_700, "7-30 days": 27_300}}
	for n := range 24 * 12 {
		c.Slots = append(c.Slots, stats.Slot{At: noon.Add(time.Duration(n-24*12) * 5 * time.Minute), Webhook: stats.Tries{Good: 1 + n%2}})
	}
	f.Rollup.Server = server(1_400_000_000, 4_000_000_000, 0)
	return f
}

func server(used, most, evicted int64) *rdb.Server {
	peak := used + used/10
	if most > 0 {
		peak = min(peak, most)
	}
	policy := "noeviction"
	if evicted > 0 {
		policy = "allkeys-lru"
	}
	return &rdb.Server{UsedMemoryBytes: used, UsedMemoryPeakBytes: peak, MaxMemoryBytes: most, Keys: 41_022, PingMS: 0.4, Version: "7.2.4",
		EvictedKeys: evicted, ConnectedClients: 14, MaxMemoryPolicy: policy, Nodes: 1}
}

func figures() []Story {
	show := func(title string, change func(*kept)) Story {
		f := ordinary()
		change(&f)
		return ask(&world{figures: f}, title, "/redis", "stats")
	}
	prompts := sweep.Result{Count: stats.Count{Prompts: 12_409, Complete: true}, Prompts: []sweep.Prompt{
		{ID: sessionID, Text: "A fox runs through fresh snow at dawn, cinematic, slow motion", Length: 61, At: noon.Add(-3 * time.Minute)},
		{ID: sessionID, Text: "一只熊猫在竹林里打太极，清晨薄雾，慢镜头", Length: 20, At: noon.Add(-9 * time.Minute)},
		{ID: sessionID, Text: "An old <clockmaker> & his robot repair a star *together*", Length: 57},
	}}
	late := prompts
	late.Count.Complete = false
	return []Story{
		show("stats, a day like any other", func(*kept) {}),
		show("stats, webhooks fail", func(f *kept) {
			c := &f.Rollup.Count
			for i := range c.Slots[len(c.Slots)-24:] {
				c.Slots[len(c.Slots)-24+i].Webhook = stats.Tries{Good: i % 2, Bad: 1}
			}
			c.Verdicts[diagnosis.VerdictOrphaned], c.Verdicts[diagnosis.VerdictStalled], c.Verdicts[diagnosis.VerdictCompleted] = 24, 2, 12_020-26
			last := stats.HourOf(f.Rollup.AsOf)
			for n := range int64(2) {
				h := f.Series[last-n]
				h.Webhook, h.Generation = stats.Tries{Good: 6, Bad: 12}, stats.Tries{Good: 6}
				f.Series[last-n] = h
			}
		}),
		show("stats, Redis fills up and evicts", func(f *kept) {
			f.Rollup.Server = server(3_800_000_000, 4_000_000_000, 41)
			f.Series[stats.HourOf(f.Rollup.AsOf)] = stats.Hour{Server: &stats.Level{UsedBytes: 3_800_000_000, MaxBytes: 4_000_000_000, Evicted: 41}}
			f.Rollup.Count.Survey.TTLs["never expires"], f.Rollup.Count.Survey.TTLs["7-30 days"] = 3, 27_297
		}),
		show("stats, Stripe is silent, alerts do not arrive", func(f *kept) {
			f.State.StripeReadAt, f.State.Unreachable = noon.Add(-time.Hour), "Invite the bot into the channel: /invite @sessionbot."
		}),
		show("stats, time ran out, little may be asked", func(f *kept) {
			c := &f.Rollup.Count
			c.Complete, c.Sessions, c.Prompts, c.PromptCharacters = false, 6_084, 6_036, 682_068
			c.Distribution = map[string]int{"0-100": 3_360, "101-500": 2_330, "501-1000": 290, "1001-2000": 46, "2000+": 10}
			c.Verdicts = map[diagnosis.Verdict]int{diagnosis.VerdictCompleted: 5_840, diagnosis.VerdictFailed: 80, diagnosis.VerdictRefunded: 20, diagnosis.VerdictAbandoned: 130,
				diagnosis.VerdictWaiting: 4, diagnosis.VerdictProcessing: 10}
			c.Survey = stats.Survey{Keys: 41_022, Scanned: 20_000, MemoryDenied: true, Others: stats.Namespace{Keys: 40}, Namespaces: []stats.Namespace{
				{Name: "session", Keys: 6_080}, {Name: "webhook", Keys: 6_040}, {Name: "prompt", Keys: 6_036}, {Name: "balance", Keys: 1_804}},
				TTLs: map[string]int{"under 1 day": 600, "1-7 days": 4_240, "7-30 days": 13_316}}
			f.Rollup.Server, f.Series = nil, nil
		}),
		show("stats, nothing there", func(f *kept) {
			r := stats.Rollup{AsOf: noon, Server: &rdb.Server{PingMS: 0.4, Version: "7.2.4"}}
			r.Count.Complete = true
			*f = kept{Figures: stats.Figures{Rollup: &r}}
		}),
		ask(&world{swept: prompts}, "prompts", "/redis", "prompts"),
		ask(&world{swept: late}, "prompts, time ran out", "/redis", "prompts"),
		ask(&world{swept: sweep.Result{Count: stats.Count{Complete: true}}}, "no prompts", "/redis", "prompts"),
		ask(&world{}, "ping", "/redis", "ping"),
		ask(&world{server: *server(1_400_000_000, 4_000_000_000, 0)}, "memory", "/redis", "memory"),
		ask(&world{server: *server(3_800_000_000, 4_000_000_000, 0)}, "memory, nearly full", "/redis", "memory"),
		ask(&world{server: *server(1_400_000_000, 0, 0)}, "memory without a limit", "/redis", "memory"),
		ask(&world{server: *server(3_900_000_000, 4_000_000_000, 41)}, "memory, keys evicted", "/redis", "memory"),
		ask(&world{server: rdb.Server{PingMS: 0.4, Keys: 41_022}}, "memory not reported", "/redis", "memory"),
	}
}
