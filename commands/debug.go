package commands

import (
	"context"

	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/follow"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/stats"
)

func (d Deps) debug() Command {
	return Command{Group: "session", Name: "debug", Args: "<id>", Action: "session.debug",
		Summary: "what happened to a customer's session, and what to do", Parse: forSession(d.runDebug)}
}

func (d Deps) runDebug(ctx context.Context, req Request, id string) (Answer, error) {
	recorded := make(chan incident.Recorded, 1)
	go func() { recorded <- d.recorded(ctx, id) }()
	x := d.examine(ctx, id)
	if req.Shared { // a customer's address is for the person who asked
		x.Payment.Email = ""
	}
	records := <-recorded
	alertStatus, report, cents := d.alertStatus(x, records), debugJSON(x), d.Plans.Cents(x.Session)
	report.Alert = alertJSON(alertStatus)
	var thread *follow.Thread
	if end := follow.EndOf(x.Evidence, x.Diagnosis, records.Known.Handled.Covers(x.Verdict)); follow.Awaited(x.Verdict, end) {
		thread = &follow.Thread{At: d.Now(), Before: end}
	}
	blocks, actions := message.SessionBlocks(x, records.Known.Handled, alertStatus, d.SiteURL, cents), message.SessionActions(x, cents)
	if !req.Terminal { // which has no buttons
		blocks = append(blocks, message.PlanHint(x, actions)...)
	}
	return Answer{Session: id, Shareable: true, Follow: thread, Blocks: blocks, Actions: actions, JSON: report}, nil
}

// examine gathers the evidence about a session and logs why a source could not be read;
// the answer says so as well.
func (d Deps) examine(ctx context.Context, id string) diagnosis.Examination {
	x := d.Sessions.Examine(ctx, id)
	for source, err := range map[string]error{"redis": x.RedisErr, "file": x.FileErr, "site": x.SiteErr, "jobs": x.JobErr} {
		if err != nil {
			d.Log.WarnContext(ctx, "source unavailable", "source", source, "error", err)
		}
	}
	return x
}

// debugReport is the --json of session debug; its member names are public.
type debugReport struct {
	ID          string            `json:"id"`
	Layout      store.Layout      `json:"layout"`
	Verdict     diagnosis.Verdict `json:"verdict"`
	Reason      string            `json:"reason"`
	AgeSeconds  *int64            `json:"age_seconds"`
	Payment     string            `json:"payment"`
	Status      *string           `json:"status"`
	FileID      *string           `json:"file_id"`
	FileState   string            `json:"file_state"`
	PromptChars int               `json:"prompt_chars"`
	Allowed     []store.Action    `json:"allowed"`
	SiteStatus  *string           `json:"site_status"`
	TTLSeconds  *int64            `json:"ttl_seconds"`
	Alert       *alertReport      `json:"alert,omitempty"` // of session debug only
}

func debugJSON(x diagnosis.Examination) debugReport {
	report := debugReport{
		ID: x.Session.ID, Layout: x.Session.Layout(), Verdict: x.Verdict, Reason: x.Reason,
		Payment: string(x.Payment.State), FileState: string(x.File.State),
		Status:      x.Session.Current().Status,
		PromptChars: stats.Length(x.Session.PromptText()),
		Allowed:     append([]store.Action{}, x.Allowed...),
	}
	if !x.PaidAt.IsZero() {
		report.AgeSeconds = new(int64(x.At.Sub(x.PaidAt).Seconds()))
	}
	if id := x.Session.NamedFile(); id != "" {
		report.FileID = &id
	}
	if x.Site != nil {
		report.SiteStatus = &x.Site.Status
	}
	for _, key := range x.Session.Keys() { // the key that expires first counts
		if ttl := int64(key.TTL.Seconds()); key.TTL > 0 && (report.TTLSeconds == nil || ttl < *report.TTLSeconds) {
			report.TTLSeconds = &ttl
		}
	}
	return report
}
