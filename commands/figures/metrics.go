package figures

import (
	"strings"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
)

// Metrics are the anomalies, and the metrics of the last day and week with their trend, for
// surfaces without charts and tables. With open incidents, which may be newer, they do not
// say that there are no problems.
func Metrics(s Statistics, incidents bool) []slack.Block {
	var lines []blockkit.Line
	for _, text := range anomalies(s) {
		if !incidents || !strings.HasPrefix(text, noProblems) {
			lines = append(lines, blockkit.PlainLine(text))
		}
	}
	if text := paymentCaveat(s); text != "" {
		lines = append(lines, blockkit.PlainLine(text))
	}
	var blocks []slack.Block
	if lines != nil {
		blocks = blockkit.Message(lines...)
	}
	return append(blocks, metricFields(s), blockkit.Context(strings.TrimSpace(arrowsText(s)+" The charts are in /redis stats.")))
}

func metricFields(s Statistics) slack.Block {
	var texts []string
	for _, m := range metrics {
		texts = append(texts, "*"+m.name+"*")
	}
	texts = append(texts, "*"+memoryName+"*")
	for _, c := range comparisons(s) {
		for i, cell := range trendRow(c.now, &c.before)[1:] {
			texts[i] += "\n" + c.now.label + ": " + blockkit.Escape(cell)
		}
	}
	fields := make([]*slack.TextBlockObject, len(texts))
	for i, text := range texts {
		fields[i] = slack.NewTextBlockObject(slack.MarkdownType, text, false, false)
	}
	return slack.NewSectionBlock(nil, fields, nil)
}
