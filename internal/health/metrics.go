package health

import (
	"cmp"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/superduperai/sessionbot/internal/telemetry"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/stats"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// Metrics are the metrics of the process. Those of the watch come from the replica
// that leads it, except for its progress, which every replica reports.
type Metrics struct {
	registry *prometheus.Registry

	ack     prometheus.Histogram
	command *prometheus.HistogramVec
	sockets prometheus.Gauge
	repairs *prometheus.CounterVec
	jobs    *prometheus.GaugeVec

	sweep       *prometheus.HistogramVec
	sweeps      *prometheus.CounterVec
	swept       prometheus.Gauge
	sweepPause  prometheus.Gauge
	polled      prometheus.Gauge
	notified    prometheus.Gauge
	sessions    *prometheus.GaugeVec
	success     *prometheus.GaugeVec
	redis       *prometheus.GaugeVec
	alerts      *prometheus.CounterVec
	skipped     *prometheus.CounterVec
	pending     prometheus.Gauge
	unreachable prometheus.Gauge
	watch       atomic.Pointer[watchstate.State] // nil = no watch
}

// NewMetrics registers all metrics.
func NewMetrics() *Metrics {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), telemetry.Durations())
	factory := promauto.With(registry)
	gauge := func(name, help string) prometheus.Gauge {
		return factory.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	gauges := func(name, help, label string) *prometheus.GaugeVec {
		return factory.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, []string{label})
	}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return factory.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	histograms := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return factory.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	}
	m := &Metrics{
		registry: registry,
		ack: factory.NewHistogram(prometheus.HistogramOpts{
			Name: "sessionbot_ack_duration_seconds", Help: "From an envelope's arrival to its ack being written.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 3},
		}),
		command: histograms("sessionbot_command_duration_seconds", "From the ack to the answer being delivered.",
			[]float64{.01, .025, .05, .1, .25, .5, 1, 2, 3, 5, 10}, "command", "outcome"),
		sockets: gauge("sessionbot_socket_connections", "Socket Mode connections that are up."),
		repairs: counters("sessionbot_repairs_total", "Repairs that ended, by action and outcome.", "action", "outcome"),
		jobs:    gauges("sessionbot_jobs", "Jobs of all processes together: running ones are not over, unclear ones wait for a person.", "state"),

		sweep: histograms("sessionbot_sweep_duration_seconds", "One sweep over all sessions: a full one reads each, an incremental one those that are not finished.",
			[]float64{.01, .05, .1, .5, 1, 5, 15, 30, 60, 300}, "kind"),
		sweeps:      counters("sessionbot_sweeps_total", "Sweeps, by outcome.", "outcome"),
		swept:       gauge("sessionbot_sweep_last_success_timestamp_seconds", "When a sweep last went through, 0 = never."),
		sweepPause:  gauge("sessionbot_sweep_pause_seconds", "Time between the end of the last sweep and the start of the next one."),
		polled:      gauge("sessionbot_stripe_last_success_timestamp_seconds", "When the list of paid sessions was last read from Stripe, 0 = never."),
		notified:    gauge("sessionbot_notification_last_timestamp_seconds", "When the last keyspace notification arrived, 0 = never: they may be off."),
		sessions:    gauges("sessionbot_sessions", "Sessions by verdict, from Redis, the last known payment and the last known state of the file.", "verdict"),
		success:     gauges("sessionbot_success_ratio", "Of the sessions of the last 24 h, the share whose webhook came or whose video was made, and of the site's answers the share that agrees with Redis.", "of"),
		redis:       gauges("sessionbot_redis", "Figures of the product's Redis after the last sweep; in a cluster the sum.", "figure"),
		alerts:      counters("sessionbot_alerts_total", "Messages about incidents, by reason.", "reason"),
		skipped:     counters("sessionbot_alerts_skipped_total", "Checks of sessions that ended without an alert, by reason. Every sweep checks again.", "reason"),
		pending:     gauge("sessionbot_alerts_untold", "Incidents with a message that is still to be posted or updated."),
		unreachable: gauge("sessionbot_alert_channel_unreachable", "1 while alerts do not reach their channel."),
	}
	for _, outcome := range []string{"done", "failed"} {
		m.sweeps.WithLabelValues(outcome) // so that the first one is an increase
	}
	for _, kind := range []string{"full", "incremental"} {
		m.sweep.WithLabelValues(kind)
	}
	return m
}

// Acked counts an ack.
func (m *Metrics) Acked(took time.Duration) { m.ack.Observe(took.Seconds()) }

// Answered counts an answered request; command is "" if none was recognised.
func (m *Metrics) Answered(command, outcome string, took time.Duration) {
	m.command.WithLabelValues(cmp.Or(command, "none"), outcome).Observe(took.Seconds())
}

// Sockets sets the number of connections that are up.
func (m *Metrics) Sockets(n int) { m.sockets.Set(float64(n)) }

// Repaired counts a repair that ended.
func (m *Metrics) Repaired(action, outcome string) { m.repairs.WithLabelValues(action, outcome).Inc() }

// Jobs sets the number of jobs that have not ended, and that wait for a person.
func (m *Metrics) Jobs(running, unclear int) {
	m.jobs.WithLabelValues("running").Set(float64(running))
	m.jobs.WithLabelValues("unclear").Set(float64(unclear))
}

// Swept counts a sweep. A full one read every session.
func (m *Metrics) Swept(ok, full bool, took time.Duration) {
	if !ok {
		m.sweeps.WithLabelValues("failed").Inc()
		return
	}
	kind := "incremental"
	if full {
		kind = "full"
	}
	m.sweep.WithLabelValues(kind).Observe(took.Seconds())
	m.sweeps.WithLabelValues("done").Inc()
}

// Watched sets the progress of the watch, whichever replica leads it.
func (m *Metrics) Watched(state watchstate.State) {
	m.watch.Store(&state)
	m.sweepPause.Set(state.Pause.Seconds())
	for gauge, at := range map[prometheus.Gauge]time.Time{m.swept: state.Swept, m.polled: state.StripeReadAt, m.notified: state.Notified} {
		seconds := 0.0
		if !at.IsZero() {
			seconds = float64(at.UnixMilli()) / 1000
		}
		gauge.Set(seconds)
	}
	unreachable := 0.0
	if state.Unreachable != "" {
		unreachable = 1
	}
	m.unreachable.Set(unreachable)
}

// Counted sets what a sweep counted. Nil removes it: another replica leads now,
// and stale figures of this one would be exported as well.
func (m *Metrics) Counted(r *stats.Rollup) {
	if r == nil {
		m.sessions.Reset()
		m.success.Reset()
		m.redis.Reset()
		return
	}
	for _, verdict := range diagnosis.Verdicts {
		m.sessions.WithLabelValues(string(verdict)).Set(float64(r.Count.Verdicts[verdict]))
	}
	for of, rate := range map[string]*float64{"webhook": r.Count.WebhookSuccessRate, "generation": r.Count.GenerationSuccessRate, "lookup": r.LookupSuccessRate} {
		if rate == nil {
			m.success.DeleteLabelValues(of) // without data there is no rate
			continue
		}
		m.success.WithLabelValues(of).Set(*rate)
	}
	if s := r.Server; s != nil {
		for figure, value := range map[string]int64{
			"used_memory_bytes": s.UsedMemoryBytes, "maxmemory_bytes": s.MaxMemoryBytes, "keys": s.Keys, "evicted_keys": s.EvictedKeys,
		} {
			m.redis.WithLabelValues(figure).Set(float64(value))
		}
	}
}

// Alerted counts an alert message.
func (m *Metrics) Alerted(reason string) { m.alerts.WithLabelValues(reason).Inc() }

// Skipped counts a session that was looked at and not alerted.
func (m *Metrics) Skipped(reason string) { m.skipped.WithLabelValues(reason).Inc() }

// PendingAlerts sets how many incidents have a message that is still to be posted or
// updated.
func (m *Metrics) PendingAlerts(incidents int) { m.pending.Set(float64(incidents)) }
