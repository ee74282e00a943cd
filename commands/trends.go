package commands

import (
	"cmp"
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
)

// period is some hours and what is told of them.
type period struct {
	label string
	store.Hour
}

// periods are those that statistics tell, each pair the one against the one
// before it: the last 24 h, the last 7 days.
type periods struct{ day, dayBefore, week, weekBefore period }

func periodsOf(s statistics) periods {
	last := store.HourOf(s.AsOf)
	return periods{
		day:        period{"Last 24 h", s.series.Sum(last, 24)},
		dayBefore:  period{"24 h before", s.series.Sum(last-24, 24)},
		week:       period{"Last 7 days", s.series.Sum(last, 7*24)},
		weekBefore: period{"7 days before", s.series.Sum(last-7*24, 7*24)},
	}
}

// steps divide the time up to now into n periods of so many hours.
func steps(s statistics, n, hours int, layout string) []period {
	list := make([]period, n)
	for i := range list {
		last := store.HourOf(s.AsOf) - int64((n-1-i)*hours)
		begins := time.Unix((last-int64(hours)+1)*3600, 0).UTC()
		list[i] = period{begins.Format(layout), s.series.Sum(last, hours)}
	}
	return list
}

const (
	dayLayout  = "2 Jan 15:04" // when a step of two hours begins
	weekLayout = "2 Jan"       // the day on which a step of 24 hours begins
)

// metric is one of the four figures of the statistics.
type metric struct {
	name  string
	tries func(store.Hour) store.Tries
}

var metrics = []metric{
	{"Webhook success", func(h store.Hour) store.Tries { return h.Webhook }},
	{"Lookup success", func(h store.Hour) store.Tries { return h.Lookup }},
	{"Video success", func(h store.Hour) store.Tries { return h.Generation }},
}

const memoryName = "Redis memory"

// chart draws the metrics in percent, nil = nothing is known. A line without
// data goes on as it was; one that has none at all is left out.
func chart(title string, list []period) slack.Block {
	values := map[string]func(store.Hour) *float64{}
	var order []string
	for _, m := range metrics {
		order = append(order, m.name)
		values[m.name] = func(h store.Hour) *float64 { return m.tries(h).Rate() }
	}
	order = append(order, memoryName)
	values[memoryName] = func(h store.Hour) *float64 { return fullness(h.Server) }
	labels := make([]string, len(list))
	for i, p := range list {
		labels[i] = p.label
	}
	var series []slack.DataVisualizationDataSeries
	for _, name := range order {
		if points := pointsOf(list, values[name]); points != nil {
			series = append(series, slack.NewDataVisualizationDataSeries(name, points...))
		}
	}
	if series == nil {
		return nil
	}
	axis := slack.NewDataVisualizationAxisConfig(labels...).WithYLabel("Percent")
	return slack.NewDataVisualizationBlock(title, slack.NewDataVisualizationLineChart(axis, series...))
}

// pointsOf are the points of one line, nil = it has no data.
func pointsOf(list []period, value func(store.Hour) *float64) []slack.DataVisualizationDataPoint {
	var known *float64
	for i := len(list) - 1; i >= 0; i-- { // the oldest that is known comes first
		known = cmp.Or(value(list[i].Hour), known)
	}
	if known == nil {
		return nil
	}
	points := make([]slack.DataVisualizationDataPoint, len(list))
	for i, p := range list {
		known = cmp.Or(value(p.Hour), known)
		points[i] = slack.NewDataVisualizationDataPoint(p.label, float64(int(1000**known))/10)
	}
	return points
}

// fullness is the share of the memory that is used, nil where it is not known or
// not limited.
func fullness(l *store.Level) *float64 {
	if l == nil || l.MaxBytes == 0 {
		return nil
	}
	share := float64(l.UsedBytes) / float64(l.MaxBytes)
	return &share
}

// trendTable says in words what the charts show: the periods with their trends,
// then the steps.
func trendTable(s statistics) slack.Block {
	p := periodsOf(s)
	rows := [][]string{
		trendRow(p.day, &p.dayBefore), trendRow(p.dayBefore, nil),
		trendRow(p.week, &p.weekBefore), trendRow(p.weekBefore, nil),
	}
	for _, step := range steps(s, 12, 2, dayLayout) {
		step.label += " +2h"
		rows = append(rows, trendRow(step, nil))
	}
	for _, step := range steps(s, 7, 24, weekLayout+" 15:04") {
		step.label += " +24h"
		rows = append(rows, trendRow(step, nil))
	}
	header := []string{"From (UTC)"}
	for _, m := range metrics {
		header = append(header, m.name)
	}
	table, _ := blockkit.Table(append(header, memoryName), rows, false)
	return table
}

func trendRow(p period, before *period) []string {
	row := []string{p.label}
	for _, m := range metrics {
		tries := m.tries(p.Hour)
		cell := rate(tries.Rate())
		if tries.Rate() != nil {
			cell += " of " + grouped(int64(tries.Good+tries.Bad))
		}
		if before != nil {
			cell += trend(tries.Rate(), m.tries(before.Hour).Rate())
		}
		row = append(row, cell)
	}
	memory := levelText(p.Server)
	if before != nil && p.Server != nil && before.Server != nil {
		memory += arrow(float64(p.Server.UsedBytes), float64(before.Server.UsedBytes))
	}
	return append(row, memory)
}

// trend is how a rate changed, in percentage points.
func trend(now, before *float64) string {
	if now == nil || before == nil {
		return ""
	}
	points := 100 * (*now - *before)
	switch {
	case points >= 0.05:
		return fmt.Sprintf(" ▲ %.1f", points)
	case points <= -0.05:
		return fmt.Sprintf(" ▼ %.1f", -points)
	}
	return " ="
}

// arrow is how an amount changed, in percent.
func arrow(now, before float64) string {
	switch change := 100 * (now - before) / before; {
	case change >= 0.5:
		return fmt.Sprintf(" ▲ %.0f%%", change)
	case change <= -0.5:
		return fmt.Sprintf(" ▼ %.0f%%", -change)
	}
	return " ="
}

func levelText(l *store.Level) string {
	switch {
	case l == nil:
		return "no data"
	case l.MaxBytes == 0:
		return bytes(l.UsedBytes)
	}
	return fmt.Sprintf("%s, %.0f%%", bytes(l.UsedBytes), 100**fullness(l))
}
