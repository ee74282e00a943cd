package commands

import (
	"context"
	"errors"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
)

func (d Deps) debug() Command {
	return Command{Group: "session", Name: "debug", Args: "<id>",
		Summary: "what happened to a customer's session, and what to do",
		Action:  "session.debug", Parse: d.parseDebug}
}

func (d Deps) parseDebug(args Args) (Run, error) {
	id, err := sessionID(args)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, _ Request) (Answer, error) {
		x := d.Sessions.Examine(ctx, id)
		d.logUnseen(ctx, x)
		return d.debugAnswer(x), nil
	}, nil
}

// logUnseen puts on record why something could not be seen; people read it in
// words.
func (d Deps) logUnseen(ctx context.Context, x store.Examination) {
	for source, err := range map[string]error{"redis": x.RedisErr, "file": x.FileErr, "site": x.SiteErr, "jobs": x.JobErr} {
		if err != nil {
			d.Log.WarnContext(ctx, "a source could not be seen", "source", source, "error", err)
		}
	}
}

// sessionID finds the one id in what a person pasted.
func sessionID(args Args) (string, error) {
	if err := args.noLimit(); err != nil {
		return "", err
	}
	id, err := store.FindID(joined(args))
	switch {
	case errors.Is(err, store.ErrSeveralIDs):
		return "", usageError{text: "There are several ids in that. Ask about one session at a time."}
	case errors.Is(err, store.ErrCutID):
		return "", usageError{text: "That id is shortened. Paste the whole of it."}
	case err != nil && len(args.Words) == 0:
		return "", usageError{text: "Which session? Paste its id or a link to it."}
	case err != nil:
		return "", usageError{text: "There is no session id in that. An id starts with cs_live_ or cs_test_; without it, look for the customer: /session find <e-mail>."}
	}
	return id, nil
}

func (d Deps) debugAnswer(x store.Examination) Answer {
	return Answer{
		Session:   x.Session.ID,
		Shareable: true,
		Blocks:    d.debugBlocks(x),
		Actions:   d.debugActions(x),
		JSON:      debugJSON(x),
	}
}

// debugActions offer the repairs that the state allows.
func (d Deps) debugActions(x store.Examination) []slack.BlockElement {
	var actions []slack.BlockElement
	if x.JobErr == nil && x.Allows(store.ActionGenerate) {
		generate := blockkit.Button("session.generate", x.Session.Kind().Tell("Generate video…"), x.Session.ID)
		generate.Style = slack.StylePrimary
		actions = append(actions, generate)
	}
	if x.JobErr == nil && x.Allows(store.ActionFix) {
		fix := blockkit.Button("session.fix", "Mark as error…", x.Session.ID)
		if x.Deliver != "" {
			fix = blockkit.Button("session.fix", x.Session.Kind().Tell("Show the video…"), x.Session.ID)
			fix.Style = slack.StylePrimary
		}
		actions = append(actions, fix)
	}
	if x.Verdict == store.VerdictUnclear && x.Job == store.JobUnclear {
		actions = append(actions, notMadeButton(x.Repair.ID))
	}
	return append(actions, blockkit.Button("session.debug", "Refresh", x.Session.ID))
}

func (d Deps) debugBlocks(x store.Examination) []slack.Block {
	head := title(x.Verdict) + ": " + lowerFirst(x.Reason)
	facts := []blockkit.Line{blockkit.Fact("Session", blockkit.Code(x.Session.ID))}
	facts = append(facts, d.paymentFacts(x)...)
	facts = append(facts, redisFacts(x)...)
	facts = append(facts, d.fileFacts(x)...)
	facts = append(facts, siteFact(x))
	facts = append(facts, blockkit.Fact("Earlier repairs", blockkit.Plain(repairText(x))))
	return []slack.Block{
		blockkit.Paragraph(
			blockkit.L(blockkit.Bold(head)),
			blockkit.L(blockkit.Plain("→ "+nextStep(x))),
		),
		blockkit.Paragraph(facts...),
		blockkit.Paragraph(blockkit.L(blockkit.Bold("For the customer"))),
		blockkit.Quote(d.customerSentence(x)),
		blockkit.Context("Seen " + x.At.UTC().Format("15:04:05 UTC")),
	}
}

// debugReport is the --json of session debug; its names are public.
type debugReport struct {
	ID          string         `json:"id"`
	Layout      store.Layout   `json:"layout"`
	Verdict     store.Verdict  `json:"verdict"`
	Reason      string         `json:"reason"`
	AgeSeconds  *int64         `json:"age_seconds"`
	Payment     string         `json:"payment"`
	Status      *string        `json:"status"`
	FileID      *string        `json:"file_id"`
	FileState   string         `json:"file_state"`
	PromptChars int            `json:"prompt_chars"`
	Allowed     []store.Action `json:"allowed"`
	SiteStatus  *string        `json:"site_status"`
	TTLSeconds  *int64         `json:"ttl_seconds"`
}

func debugJSON(x store.Examination) debugReport {
	report := debugReport{
		ID: x.Session.ID, Layout: x.Session.Layout(), Verdict: x.Verdict, Reason: x.Reason,
		Payment: string(x.Payment.State), FileState: string(x.File.State),
		Status:      x.Session.Current().Status,
		PromptChars: store.Length(x.Session.PromptText()),
		Allowed:     append([]store.Action{}, x.Allowed...),
	}
	if !x.PaidAt.IsZero() {
		report.AgeSeconds = seconds(x.At.Sub(x.PaidAt))
	}
	if id := x.Session.NamedFile(); id != "" {
		report.FileID = &id
	}
	if x.Site != nil {
		report.SiteStatus = &x.Site.Status
	}
	for _, key := range x.Session.Keys() {
		if key.TTL > 0 && (report.TTLSeconds == nil || *seconds(key.TTL) < *report.TTLSeconds) {
			report.TTLSeconds = seconds(key.TTL)
		}
	}
	return report
}

func seconds(d time.Duration) *int64 {
	s := int64(d / time.Second)
	return &s
}
