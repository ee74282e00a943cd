package health

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/superduperai/sessionbot/store"
)

// watching is the figures of the watch. The ages are told by every replica, the
// rest by the one that leads.
type watching struct {
	sweep    *prometheus.HistogramVec
	sweeps   *prometheus.CounterVec
	swept    prometheus.Gauge
	pause    prometheus.Gauge
	passed   prometheus.Gauge
	notified prometheus.Gauge
	sessions *prometheus.GaugeVec
	success  *prometheus.GaugeVec
	redis    *prometheus.GaugeVec
	alerts   *prometheus.CounterVec
	untold   prometheus.Gauge
	blocked  prometheus.Gauge
	state    atomic.Pointer[store.WatchState] // nil = nobody watches
}

func newWatching(registry *prometheus.Registry) *watching {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	w := &watching{
		sweep: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sessionbot_sweep_duration_seconds", Help: "One sweep over all sessions: a full one reads each, an incremental one those that are not finished.",
			Buckets: []float64{.01, .05, .1, .5, 1, 5, 15, 30, 60, 300},
		}, []string{"kind"}),
		sweeps: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sessionbot_sweeps_total", Help: "Sweeps by what they came to.",
		}, []string{"outcome"}),
		swept:    gauge("sessionbot_sweep_last_success_timestamp_seconds", "When a sweep last went through, 0 = never."),
		pause:    gauge("sessionbot_sweep_pause_seconds", "Time between the end of the last sweep and the start of the next one."),
		passed:   gauge("sessionbot_stripe_last_success_timestamp_seconds", "When Stripe last told all that was paid, 0 = never."),
		notified: gauge("sessionbot_notification_last_timestamp_seconds", "When Redis last told of a write, 0 = never: it need not."),
		sessions: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "sessionbot_sessions", Help: "Sessions by verdict, from Redis, the last known payment and the last known state of the file.",
		}, []string{"verdict"}),
		success: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "sessionbot_success_ratio", Help: "Of the sessions of the last 24 h, the share whose webhook came or whose video was made.",
		}, []string{"of"}),
		redis: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "sessionbot_redis", Help: "What the product's Redis told of itself after the last sweep; in a cluster the sum.",
		}, []string{"figure"}),
		alerts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sessionbot_alerts_total", Help: "What was told of incidents, by its reason.",
		}, []string{"reason"}),
		untold:  gauge("sessionbot_alerts_untold", "Incidents that are still to be told, or to be told anew."),
		blocked: gauge("sessionbot_alert_channel_unreachable", "1 while alerts do not reach their channel."),
	}
	registry.MustRegister(w.sweep, w.sweeps, w.swept, w.pause, w.passed, w.notified, w.sessions, w.success, w.redis, w.alerts, w.untold, w.blocked)
	for _, outcome := range []string{"done", "failed"} {
		w.sweeps.WithLabelValues(outcome) // the first of them is an increase, too
	}
	for _, kind := range []string{"full", "incremental"} {
		w.sweep.WithLabelValues(kind)
	}
	return w
}

// Swept counts a sweep. A full one read every session.
func (m *Metrics) Swept(ok, full bool, took time.Duration) {
	outcome, kind := "failed", "incremental"
	if full {
		kind = "full"
	}
	if ok {
		outcome = "done"
		m.watch.sweep.WithLabelValues(kind).Observe(took.Seconds())
	}
	m.watch.sweeps.WithLabelValues(outcome).Inc()
}

// Watched says how far the watch came, whoever leads it.
func (m *Metrics) Watched(state store.WatchState) {
	m.watch.state.Store(&state)
	m.watch.pause.Set(state.Pause.Seconds())
	for gauge, at := range map[prometheus.Gauge]time.Time{
		m.watch.swept: state.Swept, m.watch.passed: state.Passed, m.watch.notified: state.Notified,
	} {
		seconds := 0.0
		if !at.IsZero() {
			seconds = float64(at.UnixMilli()) / 1000
		}
		gauge.Set(seconds)
	}
	blocked := 0.0
	if state.Unreachable != "" {
		blocked = 1
	}
	m.watch.blocked.Set(blocked)
}

// Counted tells what a sweep counted. Nil takes it back: whoever leads now tells
// it, and what this process told would stand beside that for ever.
func (m *Metrics) Counted(r *store.Rollup) {
	w := m.watch
	if r == nil {
		for _, told := range []*prometheus.GaugeVec{w.sessions, w.success, w.redis} {
			told.Reset()
		}
		return
	}
	for _, verdict := range store.Verdicts {
		w.sessions.WithLabelValues(string(verdict)).Set(float64(r.Count.Verdicts[verdict]))
	}
	for of, rate := range map[string]*float64{"webhook": r.Count.WebhookSuccessRate, "generation": r.Count.GenerationSuccessRate} {
		if rate == nil {
			w.success.DeleteLabelValues(of) // without data there is no rate
			continue
		}
		w.success.WithLabelValues(of).Set(*rate)
	}
	if s := r.Server; s != nil {
		for figure, value := range map[string]int64{
			"used_memory_bytes": s.UsedMemoryBytes, "maxmemory_bytes": s.MaxMemoryBytes, "keys": s.Keys, "evicted_keys": s.EvictedKeys,
		} {
			w.redis.WithLabelValues(figure).Set(float64(value))
		}
	}
}

// Alerted counts something that was told of an incident.
func (m *Metrics) Alerted(reason string) { m.watch.alerts.WithLabelValues(reason).Inc() }

// Untold says how many incidents are still to be told.
func (m *Metrics) Untold(incidents int) { m.watch.untold.Set(float64(incidents)) }
