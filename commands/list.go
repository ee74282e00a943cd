package commands

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands/alert"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

const listPage = 20 // sessions in one message

func (d Deps) list() Command {
	return Command{Group: "session", Name: "list", Args: "[verdict] [--since 2h] [--limit N]", Action: alert.ActionList,
		Summary: "all sessions in trouble, longest waiting first", Parse: d.parseList}
}

// listPlace is where a page of a list begins: after a session, not at a number, so that no
// session is skipped when the list changes meanwhile.
type listPlace struct {
	TroubleFilter
	Limit  int       `json:",omitempty"` // sessions on all pages; 0 = all
	Shown  int       `json:",omitempty"` // of them, on the pages before
	After  time.Time // when the last session shown was paid
	LastID string    `json:",omitempty"` // its id; "" = the list begins
}

const placePrefix = "page."

// value is the place as the value of a button.
func (p listPlace) value() string {
	raw, _ := json.Marshal(p) // it consists of texts, numbers and times
	return placePrefix + base64.RawURLEncoding.EncodeToString(raw)
}

// valid reports whether the place can be one of ours: a place can be typed, and the answer
// quotes its verdict.
func (p listPlace) valid() bool {
	return (p.Verdict == "" || p.Verdict.InTrouble()) && (p.Incident == "" || incidentID.MatchString(p.Incident)) &&
		(p.LastID == "" || store.IsSessionID(p.LastID)) && min(p.Limit, p.Shown) >= 0 && p.Since >= 0
}

// incidentID matches the id of an incident; see rand.Text.
var incidentID = regexp.MustCompile(`^[A-Z2-7]{26,64}$`)

// ListRequest is the request of a list's button, which can be shared.
func ListRequest(value string) Request {
	return Request{Command: "/session", Text: "list " + value}
}

// parseList parses what a person types, and the values of buttons.
func (d Deps) parseList(args Args) (Run, error) {
	place := listPlace{Limit: args.Limit}
	encoded, isPage := strings.CutPrefix(args.text(), placePrefix)
	var err error
	switch {
	case isPage:
		raw, decodeErr := base64.RawURLEncoding.DecodeString(encoded)
		if decodeErr != nil || json.Unmarshal(raw, &place) != nil || !place.valid() {
			err = usageError("This page of the list is unknown.")
		}
	case incidentID.MatchString(args.text()):
		place.Incident = args.text()
	default:
		place.TroubleFilter, err = args.troubleFilter()
	}
	return func(ctx context.Context, req Request) (Answer, error) { return d.runList(ctx, req, place) }, err
}

// troubleFilter parses the verdict and the age that select sessions in trouble.
func (a Args) troubleFilter() (TroubleFilter, error) {
	f := TroubleFilter{Since: a.Since}
	if len(a.Words) == 0 {
		return f, nil
	}
	var names []string
	for _, v := range diagnosis.TroubleVerdicts {
		names = append(names, string(v))
	}
	f.Verdict = diagnosis.Verdict(strings.ToLower(a.Words[0]))
	switch near := nearest(string(f.Verdict), names); {
	case len(a.Words) > 1:
		return f, usageError("Name one verdict, or none: " + a.text())
	case f.Verdict.InTrouble():
		return f, nil
	case near != "":
		return f, usageError("There is no verdict " + blockkit.Cut(a.Words[0], 40) + ". Did you mean " + near + "?")
	}
	return f, usageError("Sessions in trouble are " + strings.Join(names, ", ") + ".")
}

func (d Deps) runList(ctx context.Context, req Request, place listPlace) (Answer, error) {
	list, err := d.troubles(ctx, req, place.TroubleFilter)
	if err != nil {
		return Answer{}, err
	}
	now := d.Now()
	first := place.firstOf(list.Sessions)
	shown := list.Sessions[first:]
	if place.Limit > 0 {
		shown = shown[:min(len(shown), max(place.Limit-place.Shown, 0))]
	}
	answer := Answer{JSON: listJSON(list, shown, now), Shareable: true, Blocks: blockkit.Message(listHead(list, place, req.Terminal, now)...)}
	if req.Terminal {
		answer.Blocks = append(answer.Blocks, troubleTable(shown, now)...)
	} else {
		rest := len(shown) - listPage
		shown = shown[:min(len(shown), listPage)]
		answer.Blocks = append(answer.Blocks, troubleRows(shown, now)...)
		answer.Actions = listActions(place, shown, rest)
	}
	answer.Blocks = append(answer.Blocks, blockkit.Context(strings.Join(listNotes(list, first, len(shown), now), " · ")))
	return answer, nil
}

// firstOf returns the index of the first session of the page.
func (p listPlace) firstOf(sessions []Trouble) int {
	if p.LastID == "" {
		return 0
	}
	n, found := slices.BinarySearchFunc(sessions, Trouble{ID: p.LastID, PaidAt: p.After}, Trouble.compare)
	if found {
		n++
	}
	return n
}

// listActions lead to the next page, or from the last one back to the first.
func listActions(place listPlace, shown []Trouble, rest int) []slack.BlockElement {
	label, to := "Back to the first", listPlace{TroubleFilter: place.TroubleFilter, Limit: place.Limit}
	switch {
	case rest > 0:
		end := shown[len(shown)-1]
		label = fmt.Sprintf("Show the next %d", min(rest, listPage))
		to.Shown, to.After, to.LastID = place.Shown+len(shown), end.PaidAt, end.ID
	case place.LastID == "":
		return nil
	}
	return []slack.BlockElement{blockkit.Button(alert.ActionList, label, to.value())}
}

// listHead is the count, the money and what to do.
func listHead(list Troubles, place listPlace, terminal bool, now time.Time) []blockkit.Line {
	within, which := "", "in trouble"
	if place.Since > 0 {
		within = " paid within " + humanize.Duration(place.Since)
	}
	if place.Verdict != "" {
		which = humanize.Words(string(place.Verdict))
	}
	if place.Incident != "" {
		which = "in this alert still in trouble"
	}
	if len(list.Sessions) == 0 {
		head := "No session" + within + " is " + which + "."
		if place.Incident != "" {
			head = "No session of this alert is still in trouble."
		}
		return message.Headline(head, "")
	}
	head := humanize.Count(len(list.Sessions), "session") + within + " " + which
	if place.Incident == "" && place.Verdict != "" {
		head = humanize.Count(len(list.Sessions), which+" session") + within
	}
	if text := list.paidText(); text != "" {
		head += ", " + text
	}
	if oldest := list.Sessions[0].PaidAt; !oldest.IsZero() {
		head += ", longest waiting " + humanize.Duration(now.Sub(oldest))
	}
	next := "Press Debug to see what happened and what to do, beginning with the first: it has waited longest."
	switch {
	case terminal:
		next = "Type /session debug <id> to see what happened and what to do, beginning with the first: it has waited longest."
	case len(list.Sessions) == 1:
		next = "Press Debug to see what happened and what to do."
	}
	lines := message.Headline(head+".", next+" Nothing changes before a plan, with its cost, is approved.")
	if n := list.sum().Unverified; n > 0 {
		lines = append(lines, blockkit.PlainLine(fmt.Sprintf("Payment unverified for %s of them: they may be unpaid checkouts.", humanize.Thousands(int64(n)))))
	}
	return lines
}

// listNotes say when the list was made, what it leaves out, and whether it is complete.
func listNotes(list Troubles, first, shown int, now time.Time) []string {
	notes := []string{blockkit.Mrkdwn(blockkit.L(blockkit.Plain("As of "), humanize.AsOfTime(list.AsOf, now)))}
	if list.Complete {
		notes[0] += ", complete"
	} else {
		notes[0] += ", not complete: Redis could not be read fully, so run the list again in a minute"
	}
	switch all := len(list.Sessions); {
	case shown > 0 && shown < all:
		notes = append(notes, fmt.Sprintf("%d–%d of %s", first+1, first+shown, humanize.Thousands(int64(all))))
	case shown < all:
		notes = append(notes, "no more after those you have seen")
	}
	if list.Unchecked > 0 {
		notes = append(notes, humanize.Count(list.Unchecked, "video")+" not checked yet")
	}
	var out []string
	if list.Marked > 0 {
		out = append(out, humanize.Thousands(int64(list.Marked))+" marked as error by a repair")
	}
	if list.Settled > 0 {
		out = append(out, humanize.Thousands(int64(list.Settled))+" resolved or handled")
	}
	if out != nil {
		notes = append(notes, "left out: "+strings.Join(out, ", "))
	}
	return notes
}

// listReport is the --json of session list; its member names are public.
type listReport struct {
	AsOf     time.Time       `json:"as_of"`
	Complete bool            `json:"complete"`
	Sessions []troubleReport `json:"sessions"`
	// Unchecked are overdue sessions whose files were not looked up yet.
	Unchecked int `json:"unchecked,omitempty"`
}

type troubleReport struct {
	ID         string             `json:"id"`
	Verdict    diagnosis.Verdict  `json:"verdict"`
	AgeSeconds *int64             `json:"age_seconds"`
	Payment    store.PaymentState `json:"payment"`
	Amount     *int64             `json:"amount"` // null if it is not known
	Currency   *string            `json:"currency"`
	Allowed    []store.Action     `json:"allowed"`
}

func listJSON(list Troubles, shown []Trouble, now time.Time) listReport {
	report := listReport{AsOf: list.AsOf.UTC(), Complete: list.Complete, Sessions: []troubleReport{}, Unchecked: list.Unchecked}
	for _, t := range shown {
		r := troubleReport{ID: t.ID, Verdict: t.Verdict, Payment: t.Payment, Allowed: append([]store.Action{}, t.Allowed...)}
		if !t.PaidAt.IsZero() {
			r.AgeSeconds = new(int64(now.Sub(t.PaidAt).Seconds()))
		}
		if t.Currency != "" {
			r.Amount, r.Currency = new(t.Amount), new(t.Currency)
		}
		report.Sessions = append(report.Sessions, r)
	}
	return report
}
