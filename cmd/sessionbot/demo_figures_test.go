package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/internal/workspace/wstest"
)

var (
	demoKey = regexp.MustCompile(`X-Control-Key: \S+`)

	// alerted is the number of sessions in an alert's first line.
	alerted = regexp.MustCompile(`^(?:<[^>]*> )?(?:[A-Z][^:\d]*: )?(\d+) [a-z ]*(?:sessions|videos)`)
)

// TestDemoFigures: the alerts of the demo are about as many sessions as /redis stats counts
// in the verdicts that are alerted.
func TestDemoFigures(t *testing.T) {
	t.Parallel()
	demo := run(t, nil, "demo", "--addr", "127.0.0.1:0")
	env, _ := terminalOf(demo)
	news := newsOf(t, demo.awaitOutput(demoAddress), strings.TrimPrefix(demo.awaitOutput(demoKey), "X-Control-Key: "))
	alerts := map[string]int{} // sessions by message
	for quiet := 0; ; {        // the alerts come one by one
		var report struct{ Verdicts map[string]int }
		reportJSON(t, env, &report, "redis", "stats")
		inAlerts, counted := 0, 0
		for _, n := range alerts {
			inAlerts += n
		}
		for _, verdict := range []string{"orphaned", "stalled", "lost", "failed", "undelivered"} {
			counted += report.Verdicts[verdict]
		}
		if counted == inAlerts && counted > 12 {
			return
		}
		messages := news()
		if len(messages) > 0 {
			quiet = 0
		} else if quiet++; quiet == 5 {
			t.Fatalf("/redis stats counts %d in %v, the alerts are about %d in %v", counted, report.Verdicts, inAlerts, alerts)
		}
		for _, m := range messages {
			if found := alerted.FindStringSubmatch(m.Text); m.Channel == alertsChannel && found != nil {
				alerts[m.TS], _ = strconv.Atoi(found[1]) // the pattern has digits
			}
		}
	}
}

// newsOf returns what waits for the next messages of a workspace that are new or changed.
func newsOf(t *testing.T, url, key string) func() []wstest.Message {
	t.Helper()
	var answer struct {
		Messages []wstest.Message
		Revision int64
	}
	return func() []wstest.Message {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
			fmt.Sprintf("%s/control/messages?after=%d&wait=%d", url, answer.Revision, patience.Milliseconds()), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Control-Key", key)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }() // it has been read
		answer.Messages = nil
		if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
			t.Fatal(err)
		}
		return answer.Messages
	}
}
