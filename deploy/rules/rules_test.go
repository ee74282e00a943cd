// Package rules tests the alert rules for Prometheus and the queries of the
// dashboard for Grafana with Prometheus' own engine. It is a module of its own, so
// that the program does not depend on Prometheus.
package rules

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
)

// rules are those of alerts.yml, by name.
func rules(t *testing.T) map[string]rulefmt.Rule {
	t.Helper()
	groups, errs := rulefmt.ParseFile("../alerts.yml", false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	for _, err := range errs {
		t.Error(err)
	}
	if t.Failed() {
		t.FailNow()
	}
	byName := map[string]rulefmt.Rule{}
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			byName[rule.Alert] = rule
		}
	}
	return byName
}

// TestRules evaluates each rule's expression over metrics of a fault, and of a
// normal day: with the fault it is true, else false.
func TestRules(t *testing.T) {
	const minutes = 120
	at := func(first, step string) string { return fmt.Sprintf("%s+%sx%d", first, step, minutes) }
	well := map[string]string{
		"sessionbot_socket_connections":                               at("2", "0"),
		"sessionbot_sweep_last_success_timestamp_seconds":             at("1", "60"),
		"sessionbot_sweep_pause_seconds":                              at("60", "0"),
		"sessionbot_stripe_last_success_timestamp_seconds":            at("1", "60"),
		"sessionbot_alert_channel_unreachable":                        at("0", "0"),
		"sessionbot_alerts_untold":                                    at("0", "0"),
		`sessionbot_success_ratio{of="webhook"}`:                      at("0.99", "0"),
		`sessionbot_success_ratio{of="generation"}`:                   at("0.97", "0"),
		`sessionbot_sessions{verdict="orphaned"}`:                     at("0", "0"),
		`sessionbot_sessions{verdict="lost"}`:                         at("0", "0"),
		`sessionbot_sessions{verdict="completed"}`:                    at("100", "1"),
		`sessionbot_jobs{state="unclear"}`:                            at("0", "0"),
		`sessionbot_repairs_total{outcome="done"}`:                    at("0", "1"),
		`sessionbot_repairs_total{outcome="failed"}`:                  at("0", "0"),
		`sessionbot_ack_duration_seconds_bucket{le="0.01"}`:           at("0", "60"),
		`sessionbot_ack_duration_seconds_bucket{le="1"}`:              at("0", "60"),
		`sessionbot_ack_duration_seconds_bucket{le="+Inf"}`:           at("0", "60"),
		`sessionbot_command_duration_seconds_count{outcome="done"}`:   at("0", "60"),
		`sessionbot_command_duration_seconds_count{outcome="failed"}`: at("0", "1"),
		`sessionbot_redis{figure="used_memory_bytes"}`:                at("500", "1"),
		`sessionbot_redis{figure="maxmemory_bytes"}`:                  at("1000", "0"),
		`sessionbot_redis{figure="evicted_keys"}`:                     at("7", "0"),
	}
	faults := map[string]map[string]string{
		"SessionbotDeaf":              {"sessionbot_socket_connections": at("0", "0")},
		"SessionbotWatchStandsStill":  {"sessionbot_sweep_last_success_timestamp_seconds": at("1", "0")},
		"SessionbotStripeSilent":      {"sessionbot_stripe_last_success_timestamp_seconds": at("1", "0")},
		"SessionbotAlertsDoNotArrive": {"sessionbot_alerts_untold": at("1", "0")},
		"SessionbotWebhooksFail":      {`sessionbot_success_ratio{of="webhook"}`: at("0.62", "0")},
		"SessionbotGenerationsFail":   {`sessionbot_success_ratio{of="generation"}`: at("0.62", "0")},
		"SessionbotOrphansLeft":       {`sessionbot_sessions{verdict="lost"}`: at("1", "0")},
		"SessionbotJobsUnclear":       {`sessionbot_jobs{state="unclear"}`: at("1", "0")},
		"SessionbotRepairsFail":       {`sessionbot_repairs_total{outcome="failed"}`: at("0", "0.1")},
		"SessionbotAcksSlow":          {`sessionbot_ack_duration_seconds_bucket{le="0.01"}`: at("0", "3")},
		"SessionbotAnswersFail":       {`sessionbot_command_duration_seconds_count{outcome="failed"}`: at("0", "30")},
		"SessionbotRedisFull":         {`sessionbot_redis{figure="maxmemory_bytes"}`: at("600", "0")},
		"SessionbotRedisEvicts":       {`sessionbot_redis{figure="evicted_keys"}`: at("7", "1")},
	}
	all := rules(t)
	if named, tried := slices.Sorted(maps.Keys(all)), slices.Sorted(maps.Keys(faults)); !slices.Equal(named, tried) {
		t.Fatalf("rules %v, tried %v", named, tried)
	}
	fires := func(t *testing.T, expr string, change map[string]string) bool {
		metrics := maps.Clone(well)
		maps.Copy(metrics, change)
		var load strings.Builder
		load.WriteString("load 1m\n")
		for name, values := range metrics {
			load.WriteString("  " + name + " " + values + "\n")
		}
		storage := promqltest.LoadedStorage(t, load.String())
		engine := promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)
		query, err := engine.NewInstantQuery(t.Context(), storage, nil, expr, time.Unix(0, 0).Add(minutes*time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		defer query.Close()
		vector, err := query.Exec(t.Context()).Vector()
		if err != nil {
			t.Fatal(err)
		}
		return len(vector) > 0
	}
	for name, rule := range all {
		t.Run(name, func(t *testing.T) {
			if fires(t, rule.Expr, nil) {
				t.Error("it fires on a day like any other")
			}
			if !fires(t, rule.Expr, faults[name]) {
				t.Error("it does not fire")
			}
			if name == "SessionbotDeaf" && !fires(t, rule.Expr, map[string]string{"sessionbot_socket_connections": "_"}) {
				t.Error("it does not fire where nothing is scraped")
			}
		})
	}
}
