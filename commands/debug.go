package commands

import (
	"context"
	"time"

	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/stats"
)

func (d Deps) debug() Command {
	return Command{Group: "session", Name: "debug", Args: "<id>", Action: "session.debug",
		Summary: "what happened to a customer's session, and what to do", Parse: forSession(d.runDebug)}
}

func (d Deps) runDebug(ctx context.Context, req Request, id string) (Answer, error) {
	handled := make(chan *incident.Handled, 1)
	go func() { handled <- d.handled(ctx, id) }()
	x := d.examine(ctx, id)
	if req.Shared { // a customer's address is for the person who asked
		x.Payment.Email = ""
	}
	cents := d.Plans.Cents(x.Session)
	return Answer{Session: id, Shareable: true, Blocks: message.SessionBlocks(x, <-handled, d.SiteURL, cents), Actions: message.SessionActions(x, cents), JSON: debugJSON(x)}, nil
}

// handledTimeout is for what an answer can do without.
const handledTimeout = time.Second

// handled returns who handled a session outside, nil if nobody did or that could not be
// read.
func (d Deps) handled(ctx context.Context, id string) *incident.Handled {
	ctx, cancel := context.WithTimeout(ctx, handledTimeout)
	defer cancel()
	known, err := d.Watch.Known(ctx, []string{id})
	if err != nil {
		d.Log.WarnContext(ctx, "source unavailable", "source", "handled", "error", err)
	}
	return known[id].Handled
}

// examine gathers what is known of a session and logs why a source could not be
// read; the answer says so in words.
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
