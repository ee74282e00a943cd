// Package health serves what machines ask about the process: whether it lives,
// whether it can hear and answer, and its metrics. No session, user or channel
// id is a label here.
package health

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Check tells what is wrong with one part, nil = nothing. What a Note finds is
// told, but others can hear and answer all the same.
type Check struct {
	Name string
	Note bool
	Run  func(ctx context.Context) error
}

// checkFor is how long one look at readiness may take.
const checkFor = time.Second

// Metrics are the figures of the process.
type Metrics struct {
	registry *prometheus.Registry
	ack      prometheus.Histogram
	command  *prometheus.HistogramVec
	sockets  prometheus.Gauge
	repairs  *prometheus.CounterVec
	jobs     *prometheus.GaugeVec
	watch    *watching
}

// NewMetrics registers all of them.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		ack: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "sessionbot_ack_duration_seconds", Help: "From an envelope's arrival to its ack being written.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 3},
		}),
		command: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sessionbot_command_duration_seconds", Help: "From the ack to the answer being delivered.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2, 3, 5, 10},
		}, []string{"command", "outcome"}),
		sockets: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "sessionbot_socket_connections", Help: "Socket Mode connections that are up.",
		}),
		repairs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sessionbot_repairs_total", Help: "Repairs that came to an end, by what they came to.",
		}, []string{"action", "outcome"}),
		jobs: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "sessionbot_jobs", Help: "Jobs of all processes together: running ones are not over, unclear ones wait for a person.",
		}, []string{"state"}),
	}
	m.watch = newWatching(m.registry)
	m.registry.MustRegister(m.ack, m.command, m.sockets, m.repairs, m.jobs,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Acked counts an ack.
func (m *Metrics) Acked(took time.Duration) { m.ack.Observe(took.Seconds()) }

// Answered counts an answered request; command is "" where none was found.
func (m *Metrics) Answered(command, outcome string, took time.Duration) {
	if command == "" {
		command = "none"
	}
	m.command.WithLabelValues(command, outcome).Observe(took.Seconds())
}

// Sockets says how many connections are up.
func (m *Metrics) Sockets(n int) { m.sockets.Set(float64(n)) }

// Repaired counts a repair that came to an end.
func (m *Metrics) Repaired(action, outcome string) { m.repairs.WithLabelValues(action, outcome).Inc() }

// Jobs says how many jobs are not over, and how many wait for a person.
func (m *Metrics) Jobs(running, unclear int) {
	m.jobs.WithLabelValues("running").Set(float64(running))
	m.jobs.WithLabelValues("unclear").Set(float64(unclear))
}

// Handler serves /healthz, /readyz and /metrics.
func Handler(m *Metrics, checks ...Check) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), checkFor)
		defer cancel()
		faults, notes := map[string]string{}, map[string]string{}
		for _, check := range checks {
			err := check.Run(ctx)
			switch {
			case err == nil:
			case check.Note:
				notes[check.Name] = err.Error()
			default:
				faults[check.Name] = err.Error()
			}
		}
		body := map[string]any{"ready": len(faults) == 0, "faults": faults}
		if len(notes) > 0 {
			body["notes"] = notes
		}
		if state := m.watch.state.Load(); state != nil {
			body["watch"] = state.Ages(time.Now())
		}
		w.Header().Set("Content-Type", "application/json")
		if len(faults) > 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(body) // the asker is gone
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{DisableCompression: true})) // it would take more memory than it saves
	return mux
}

// Profiles serves /debug/pprof.
func Profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}
