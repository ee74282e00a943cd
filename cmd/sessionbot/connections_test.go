package main

import (
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/internal/redistest"
)

// TestReplicasKnowEachOther: two processes that share a Redis explain each
// other's connections; one that does not is reported, with the remedy.
func TestReplicasKnowEachOther(t *testing.T) {
	t.Parallel()
	const stranger, remedy = "unknown connections of this app", "same SLACK_APP_TOKEN"
	s := newStage(t)
	s.startBot()
	s.workspace.AwaitConnections(2)
	replica := run(t, s.env, "run")
	s.workspace.AwaitConnections(4)
	s.ask("/redis ping")
	for _, p := range []*process{s.bot, replica} {
		if strings.Contains(p.log.String(), stranger) {
			t.Errorf("a replica was taken for a stranger: %s", p.log)
		}
	}
	if code := replica.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}

	s.env["STATE_REDIS_URL"] = redistest.NewDatabase(t).URL()
	forgotten := run(t, s.env, "run")
	s.workspace.AwaitConnections(4)
	await(t, forgotten.log.String, stranger)
	s.ask("/redis ping")
	if code := forgotten.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}
	if log := forgotten.log.String(); strings.Count(log, stranger) != 1 || !strings.Contains(log, remedy) {
		t.Errorf("the log of the process that shares nothing: %s", log)
	}
	s.workspace.ExpectNothingElse()
}
