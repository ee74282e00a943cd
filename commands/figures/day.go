package figures

import (
	"fmt"
	"time"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store/stats"
)

// Day compares the four metrics of a day with those of the week before it; metrics
// without data are left out.
func Day(series stats.Series, from, until time.Time) []blockkit.Line {
	first, last := stats.HourOf(from), stats.HourOf(until.Add(-time.Second))
	day, week := series.Sum(last, int(last-first)+1), series.Sum(first-1, 7*24)
	var lines []blockkit.Line
	for _, m := range metrics {
		rate, before := m.tries(day).Rate(), m.tries(week).Rate()
		if rate == nil {
			continue
		}
		text := fmt.Sprintf("%s of %s", humanize.Percent(*rate), humanize.Thousands(int64(m.tries(day).Good+m.tries(day).Bad)))
		if before != nil {
			text += trend(humanize.Points(*rate)-humanize.Points(*before), 0.05, "%.1f") + " · the week before " + humanize.Percent(*before)
		}
		lines = append(lines, blockkit.Fact(m.name, blockkit.Plain(text)))
	}
	if day.Server != nil {
		text := levelText(day.Server)
		if week.Server != nil && week.Server.UsedBytes > 0 {
			text += memoryTrend(day.Server, week.Server) + " · the week before " + levelText(week.Server)
		}
		lines = append(lines, blockkit.Fact(memoryName, blockkit.Plain(text)))
	}
	return lines
}
