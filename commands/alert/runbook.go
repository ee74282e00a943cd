package alert

import (
	"cmp"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
)

// runbookSections are the sections of docs/operating.md about each kind of incident,
// by their anchors.
var runbookSections = map[incident.Kind]string{
	incident.Kind(diagnosis.VerdictOrphaned):    "orphaned",
	incident.Kind(diagnosis.VerdictStalled):     "stalled",
	incident.Kind(diagnosis.VerdictLost):        "lost",
	incident.Kind(diagnosis.VerdictFailed):      "failed",
	incident.Kind(diagnosis.VerdictUndelivered): "undelivered",
	incident.Backlog:                            "from-before-monitoring-started",
	incident.PaymentsUnverified:                 "payments-cannot-be-verified",
	incident.Degraded:                           "monitoring-is-impaired",
	incident.FilesUnchecked:                     "files-cannot-be-checked",
	incident.NoSessions:                         "redis-holds-no-sessions",
}

const (
	otherVerdictsSection = "other-verdicts"
	outageSection        = "redis-is-unavailable"
)

// runbookLink leads to what to do about an incident; nil if it is over, or if there is
// no runbook.
func runbookLink(i incident.Incident, runbook string) blockkit.Span {
	if !i.Closed.IsZero() && i.Kind != incident.Backlog {
		return nil
	}
	return runbookSpan(runbook, cmp.Or(runbookSections[i.Kind], otherVerdictsSection))
}

func runbookSpan(runbook, section string) blockkit.Span {
	if runbook == "" {
		return nil
	}
	return blockkit.Link(runbook+"#"+section, "Runbook")
}
