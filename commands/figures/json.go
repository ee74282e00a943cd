package figures

import (
	"time"

	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/stats"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// Report is the --json of redis stats; its member names are public.
type Report struct {
	AsOf                  time.Time                 `json:"as_of"`
	Complete              bool                      `json:"complete"`
	Sessions              int                       `json:"sessions"`
	Prompts               int                       `json:"prompts"`
	PromptCharacters      int64                     `json:"prompt_characters"`
	AverageLength         int64                     `json:"average_length"`
	Longest               *stats.PromptLength       `json:"longest"`
	Shortest              *stats.PromptLength       `json:"shortest"`
	Distribution          map[string]int            `json:"distribution"`
	Verdicts              map[diagnosis.Verdict]int `json:"verdicts"`
	WebhookSuccessRate    *float64                  `json:"webhook_success_rate"`
	LookupSuccessRate     *float64                  `json:"lookup_success_rate"`
	GenerationSuccessRate *float64                  `json:"generation_success_rate"`
	Redis                 rdb.Server                `json:"redis"`
	Watch                 *watchReport              `json:"watch,omitempty"`

	Odd         []string               `json:"odd"`
	Trends      map[string]trendReport `json:"trends"`
	KeysScanned int64                  `json:"keys_scanned"`
	Namespaces  []namespaceReport      `json:"namespaces"`
	TTLs        map[string]int         `json:"session_keys_by_ttl"`
	TTLsOfSome  bool                   `json:"session_keys_by_ttl_estimated,omitempty"`
}

// watchReport is the state of the watch.
type watchReport struct {
	watchstate.Ages
	Unreachable string `json:"alert_channel_unreachable,omitempty"`
}

// trendReport is one period; what is not known is null.
type trendReport struct {
	Webhook    *float64 `json:"webhook_success_rate"`
	Lookup     *float64 `json:"lookup_success_rate"`
	Generation *float64 `json:"generation_success_rate"`
	Memory     *int64   `json:"used_memory_bytes"` // the highest
	Evicted    *int64   `json:"evicted_keys"`
}

func trendJSON(h stats.Hour) trendReport {
	t := trendReport{Webhook: h.Webhook.Rate(), Lookup: h.Lookup.Rate(), Generation: h.Generation.Rate()}
	if h.Server != nil {
		t.Memory, t.Evicted = &h.Server.UsedBytes, &h.Server.Evicted
	}
	return t
}

// namespaceReport is some keys, of which a few were sampled for their memory.
type namespaceReport struct {
	Name         string `json:"name"` // what precedes the colon, "" = there is none
	Others       bool   `json:"others,omitempty"`
	Keys         int64  `json:"keys"`
	Sampled      int64  `json:"sampled_keys"`
	SampledBytes int64  `json:"sampled_bytes"`
}

// JSON is the statistics for --json.
func JSON(s Statistics, now time.Time) Report {
	c := s.Count
	report := Report{
		AsOf: s.AsOf.UTC(), Complete: c.Complete, Sessions: c.Sessions, Prompts: c.Prompts,
		PromptCharacters: c.PromptCharacters, AverageLength: c.AverageLength,
		Longest: c.Longest, Shortest: c.Shortest, Distribution: c.Distribution, Verdicts: c.Verdicts,
		WebhookSuccessRate: c.WebhookSuccessRate, GenerationSuccessRate: c.GenerationSuccessRate,
		LookupSuccessRate: s.Series.Sum(stats.HourOf(now), 24).Lookup.Rate(),
		Odd:               anomalies(s),
		Trends:            map[string]trendReport{},
		KeysScanned:       c.Survey.Scanned, Namespaces: []namespaceReport{}, TTLs: c.Survey.TTLs, TTLsOfSome: c.Survey.TTLsOfSome,
	}
	for _, c := range comparisons(s) {
		report.Trends[c.name], report.Trends[c.name+"_before"] = trendJSON(c.now.Hour), trendJSON(c.before.Hour)
	}
	if s.Watch != nil {
		report.Watch = &watchReport{Ages: s.Watch.Ages(now), Unreachable: s.Watch.Unreachable}
	}
	for _, n := range c.Survey.Namespaces {
		report.Namespaces = append(report.Namespaces, namespaceReport{Name: n.Name, Keys: n.Keys, Sampled: n.Sampled, SampledBytes: n.SampledBytes})
	}
	if n := c.Survey.Others; n.Keys > 0 {
		report.Namespaces = append(report.Namespaces, namespaceReport{Others: true, Keys: n.Keys, Sampled: n.Sampled, SampledBytes: n.SampledBytes})
	}
	if s.Server != nil {
		report.Redis = *s.Server
	}
	return report
}
