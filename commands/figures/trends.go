package figures

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store/stats"
)

// period is the sum of some hours.
type period struct {
	label string
	stats.Hour
}

// comparison is a period and the one before it.
type comparison struct {
	name        string // in JSON; the one before has the suffix _before
	now, before period
}

func comparisons(s Statistics) []comparison {
	last := stats.HourOf(s.AsOf)
	return []comparison{
		{"day", period{"Last 24 h", s.Series.Sum(last, 24)}, period{"24 h before", s.Series.Sum(last-24, 24)}},
		{"week", period{"Last 7 days", s.Series.Sum(last, 7*24)}, period{"7 days before", s.Series.Sum(last-7*24, 7*24)}},
	}
}

// steps are the last n periods of so many hours, labelled with their beginning.
func steps(s Statistics, n, hours int, layout string) []period {
	list := make([]period, n)
	for i := range list {
		last := stats.HourOf(s.AsOf) - int64((n-1-i)*hours)
		begins := time.Unix((last-int64(hours)+1)*3600, 0).UTC()
		list[i] = period{begins.Format(layout), s.Series.Sum(last, hours)}
	}
	return list
}

const (
	dayLayout  = "2 Jan 15:04" // of steps of two hours
	weekLayout = "2 Jan"       // of steps of 24 hours
)

// metrics are the rates of the statistics.
var metrics = []struct {
	name  string
	tries func(stats.Hour) stats.Tries
}{
	{"Webhook success", func(h stats.Hour) stats.Tries { return h.Webhook }},
	{"Lookup success", func(h stats.Hour) stats.Tries { return h.Lookup }},
	{"Video success", func(h stats.Hour) stats.Tries { return h.Generation }},
}

const memoryName = "Redis memory"

// chart draws the metrics in percent, nil = there is no data. Gaps repeat the value
// before them.
func chart(title string, list []period) slack.Block {
	labels := make([]string, len(list))
	for i, p := range list {
		labels[i] = p.label
	}
	var series []slack.DataVisualizationDataSeries
	add := func(name string, value func(stats.Hour) *float64) {
		if points := pointsOf(list, value); points != nil {
			series = append(series, slack.NewDataVisualizationDataSeries(name, points...))
		}
	}
	for _, m := range metrics {
		add(m.name, func(h stats.Hour) *float64 { return m.tries(h).Rate() })
	}
	add(memoryName, func(h stats.Hour) *float64 { return fullness(h.Server) })
	if series == nil {
		return nil
	}
	axis := slack.NewDataVisualizationAxisConfig(labels...).WithYLabel("Percent")
	return slack.NewDataVisualizationBlock(title, slack.NewDataVisualizationLineChart(axis, series...))
}

// pointsOf are the points of one line, nil = it has no data.
func pointsOf(list []period, value func(stats.Hour) *float64) []slack.DataVisualizationDataPoint {
	var known *float64
	for _, p := range list { // the line begins with its first value
		known = cmp.Or(known, value(p.Hour))
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

// fullness is the share of the memory that is used, nil = unknown or unlimited.
func fullness(l *stats.Level) *float64 {
	if l == nil || l.MaxBytes == 0 {
		return nil
	}
	share := float64(l.UsedBytes) / float64(l.MaxBytes)
	return &share
}

// trendTable is the charts as text: the periods with their trends, then the steps.
func trendTable(s Statistics) slack.Block {
	var rows [][]string
	for _, c := range comparisons(s) {
		rows = append(rows, trendRow(c.now, &c.before), trendRow(c.before, nil))
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
		rate := tries.Rate()
		cell := "no data"
		if rate != nil {
			cell = humanize.Percent(*rate) + " of " + humanize.Thousands(int64(tries.Good+tries.Bad))
		}
		if before != nil {
			if earlier := m.tries(before.Hour).Rate(); rate != nil && earlier != nil {
				cell += trend(humanize.Points(*rate)-humanize.Points(*earlier), 0.05, "%.1f")
			}
		}
		row = append(row, cell)
	}
	memory := levelText(p.Server)
	if before != nil && p.Server != nil && before.Server != nil {
		memory += memoryTrend(p.Server, before.Server)
	}
	return append(row, memory)
}

// memoryTrend shows a change of the memory, if its figures show one.
func memoryTrend(now, before *stats.Level) string {
	if levelText(now) == levelText(before) || before.UsedBytes == 0 {
		return " ="
	}
	return trend(100*float64(now.UsedBytes-before.UsedBytes)/float64(before.UsedBytes), 0.5, "%.0f%%")
}

// arrowsText explains the arrows, "" = there are none.
func arrowsText(s Statistics) string {
	for _, c := range comparisons(s) {
		if strings.ContainsAny(strings.Join(trendRow(c.now, &c.before), " "), "▲▼") {
			return "Arrows compare with the period before: rates in percentage points, memory in percent."
		}
	}
	return ""
}

// trend shows a change, if it is at least the threshold.
func trend(change, threshold float64, format string) string {
	switch {
	case change >= threshold:
		return " ▲ " + fmt.Sprintf(format, change)
	case change <= -threshold:
		return " ▼ " + fmt.Sprintf(format, -change)
	}
	return " ="
}

func levelText(l *stats.Level) string {
	switch {
	case l == nil:
		return "no data"
	case l.MaxBytes == 0:
		return humanize.Bytes(l.UsedBytes)
	}
	return fmt.Sprintf("%s, %.0f%%", humanize.Bytes(l.UsedBytes), 100**fullness(l))
}
