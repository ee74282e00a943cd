package rules

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"github.com/prometheus/prometheus/promql/promqltest"

	"github.com/superduperai/sessionbot/internal/health"
	"github.com/superduperai/sessionbot/internal/telemetry"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/stats"
	"github.com/superduperai/sessionbot/store/watchstate"
)

const scrapes = 30 // one a minute

// TestDashboard: Grafana's types know every member of the dashboard, panels' options
// and queries included, and miss none; and every query returns data from what a bot
// exports, with the labels that its legend names.
func TestDashboard(t *testing.T) {
	raw, err := os.ReadFile("../grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	grafana := cog.NewRuntime()
	grafana.RegisterPanelcfgVariant(stat.VariantConfig())
	grafana.RegisterPanelcfgVariant(timeseries.VariantConfig())
	grafana.RegisterDataqueryVariant(prometheus.VariantConfig())
	if err := new(dashboard.Dashboard).UnmarshalJSONStrict(raw); err != nil && err.Error() != "" { // it is never nil
		t.Error(err)
	}
	var d dashboard.Dashboard
	if err := errors.Join(json.Unmarshal(raw, &d), d.Validate()); err != nil {
		t.Fatal(err)
	}
	storage := promqltest.LoadedStorage(t, load(t))
	engine := promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)
	queries := 0
	for _, p := range d.Panels {
		if p.Panel == nil {
			continue // a row
		}
		for _, target := range p.Panel.Targets {
			q, ok := target.(*prometheus.Dataquery)
			if !ok {
				t.Fatalf("%s: a query of type %T", *p.Panel.Title, target)
			}
			queries++
			expr := strings.ReplaceAll(q.Expr, "$__rate_interval", "5m")
			query, err := engine.NewInstantQuery(t.Context(), storage, nil, expr, time.Unix(0, 0).Add((scrapes-1)*time.Minute))
			if err != nil {
				t.Errorf("%s: %v", *p.Panel.Title, err)
				continue
			}
			vector, err := query.Exec(t.Context()).Vector()
			if err != nil || len(vector) == 0 {
				t.Errorf("%s: %s returns nothing: %v", *p.Panel.Title, expr, err)
			}
			for _, sample := range vector {
				if math.IsNaN(sample.F) {
					t.Errorf("%s: %s of %s is no number", *p.Panel.Title, expr, sample.Metric)
				}
				for _, label := range legendLabel.FindAllStringSubmatch(*q.LegendFormat, -1) {
					if !sample.Metric.Has(label[1]) {
						t.Errorf("%s: the legend names %s, and there is %s", *p.Panel.Title, label[1], sample.Metric)
					}
				}
			}
			query.Close()
		}
	}
	if queries < 30 {
		t.Errorf("there are %d queries", queries)
	}
}

var legendLabel = regexp.MustCompile(`{{(\w+)}}`)

// load returns what Prometheus holds after it has scraped two processes, of which the
// first leads the watch, for half an hour with every kind of event.
func load(t *testing.T) string {
	t.Helper()
	processes := map[string]*health.Metrics{"one": health.NewMetrics(), "two": health.NewMetrics()}
	values := map[string][]string{} // by series
	for scrape := range scrapes {
		work(processes["one"], time.Unix(0, 0).Add(time.Duration(scrape)*time.Minute))
		processes["two"].Sockets(2)
		for instance, m := range processes {
			w := httptest.NewRecorder()
			health.Handler(m).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
			for line := range strings.Lines(w.Body.String()) {
				name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
				if strings.HasPrefix(name, "#") {
					continue
				}
				if i := strings.LastIndexByte(line, ' '); strings.Contains(line, "{") { // a label's value may hold blanks
					name, value = line[:strings.LastIndexByte(line[:i], '}')]+",", strings.TrimSpace(line[i:])
				} else {
					name += "{"
				}
				series := name + `job="sessionbot",instance="` + instance + `"}`
				for len(values[series]) < scrape {
					values[series] = append(values[series], "_")
				}
				values[series] = append(values[series], value)
			}
		}
	}
	var script strings.Builder
	script.WriteString("load 1m\n")
	for series, all := range values {
		script.WriteString("  " + series + " " + strings.Join(all, " ") + "\n")
	}
	return script.String()
}

// work is a minute of a bot with every kind of event.
func work(m *health.Metrics, now time.Time) {
	rate := 0.9
	m.Sockets(2)
	m.Acked(2 * time.Millisecond)
	m.Answered("session debug", "done", 400*time.Millisecond)
	m.Answered("", "busy", 0)
	m.Repaired("generate", "done")
	m.Repaired("fix", "failed")
	m.Jobs(3, 1)
	m.Swept(true, true, time.Second)
	m.Swept(true, false, 100*time.Millisecond)
	m.Swept(false, false, time.Second)
	m.Watched(watchstate.State{Swept: now.Add(time.Second), StripeReadAt: now.Add(time.Second), Notified: now.Add(time.Second), Pause: time.Minute})
	m.Counted(&stats.Rollup{
		Count: stats.Count{Verdicts: map[diagnosis.Verdict]int{diagnosis.VerdictOrphaned: 2, diagnosis.VerdictCompleted: 100},
			WebhookSuccessRate: &rate, GenerationSuccessRate: &rate},
		LookupSuccessRate: &rate, Server: &rdb.Server{UsedMemoryBytes: 7 << 20, MaxMemoryBytes: 64 << 20, Keys: 1000, EvictedKeys: 1},
	})
	m.Alerted("first")
	m.PendingAlerts(1)
	for _, service := range []string{"redis", "stripe", "superduperai", "site", "slack"} {
		for _, failed := range []error{nil, errors.New("HTTP 503")} {
			_, request := telemetry.Begin(context.Background(), service, "GET")
			request.End(failed)
		}
	}
}
