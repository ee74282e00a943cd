package commands

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/sessions"
)

// ViewRestore is the callback_id of the view in which a lost prompt is entered. Each of
// its fields is the block_id and action_id of one.
const (
	ViewRestore  = "session_restore"
	PromptField  = "session_restore.prompt"
	SecondsField = "session_restore.seconds"
	SizeField    = "session_restore.size"
)

// maxField is the longest text that Slack takes in one field, in characters.
const maxField = 3000

// Entered is an order as entered in a view.
type Entered struct{ Prompt, Seconds, Size string }

// OpensForm reports whether a request is to restore a prompt that it does not contain, so
// that a view has to be opened for it.
func OpensForm(req Request) bool {
	words, prompt, restores, err := cutRestore(req)
	return req.Command == "/session" && restores && err == nil && strings.TrimSpace(prompt) == "" && strings.ContainsFunc(normalise(words), isWord)
}

// Faults says what is wrong with each field, nil = nothing.
func (e Entered) Faults() map[string]string {
	_, faults := e.order()
	return faults
}

var sizeEntered = regexp.MustCompile(`^([0-9]+)\s*[x×X*]\s*([0-9]+)$`)

// order reads what was entered. What is empty stays so.
func (e Entered) order() (o store.Order, faults map[string]string) {
	faults = map[string]string{}
	var err error
	if o.Prompt, err = checkPrompt(e.Prompt); err != nil {
		faults[PromptField] = err.Error()
	} else if o.Prompt == "" {
		faults[PromptField] = "Enter the prompt: there are only spaces here."
	}
	if text := strings.TrimSpace(e.Seconds); text != "" {
		o.Seconds, err = strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
		if err != nil || !usableSeconds(o.Seconds) {
			faults[SecondsField] = fmt.Sprintf("Enter a number of seconds from 1 to %d.", repair.MaxSeconds)
		}
	}
	if text := strings.TrimSpace(e.Size); text != "" {
		o.Resolution = sizeEntered.ReplaceAllString(text, "${1}x${2}")
		if _, _, ok := repair.ParseSize(o.Resolution); !ok {
			faults[SizeField] = "Enter width and height in pixels, such as 1280x720, each from 10 to 4096."
		}
	}
	if len(faults) == 0 {
		return o, nil
	}
	return store.Order{}, faults
}

// fault is the first of the faults as an error, nil = there is none.
func (e Entered) fault() error {
	faults := e.Faults()
	for _, field := range []string{PromptField, SecondsField, SizeField} {
		if text := faults[field]; text != "" {
			return usageError(text)
		}
	}
	return nil
}

func usableSeconds(n float64) bool { return n >= 1 && n <= repair.MaxSeconds }

// restoreForm is the form for a lost prompt, if it may be restored.
func (d Deps) restoreForm(ctx context.Context, req Request, id string) (Answer, error) {
	d.Plans.Restore.Prompt = "…" // nothing is stored yet: this shows what a plan would write
	plan, x, refused, err := d.draft(ctx, req, store.ActionRestore, id)
	if err != nil {
		return Answer{}, err
	}
	if refused != nil {
		return *refused, nil
	}
	kept, held := x.Payment.Order, x.Session.SessionKey.Value
	first := Entered{Prompt: kept.Prompt, Size: cmp.Or(held.Resolution, kept.Resolution, sessions.DefaultResolution)}
	for _, seconds := range []float64{held.Duration, kept.Seconds, sessions.DefaultSeconds} {
		if first.Seconds == "" && usableSeconds(seconds) {
			first.Seconds = strconv.FormatFloat(seconds, 'f', -1, 64)
		}
	}
	next := "Ask the customer for it. The plan comes next; nothing is stored before an operator approves it."
	if kept.Prompt != "" {
		next = "Stripe still has it: compare it with what the customer says. The plan comes next; nothing is stored before an operator approves it."
	}
	blocks := []slack.Block{
		blockkit.Paragraph(message.Headline("The prompt of this session is lost.", next)...),
		blockkit.Paragraph(blockkit.Fact("Session", blockkit.Code(id)), blockkit.Fact("Payment", message.PaymentLine(x.Payment, x.PaidAt, x.At)...)),
	}
	return Answer{Form: true, Session: id, Blocks: append(blocks, restoreFields(first, id, written(plan))...)}, nil
}

// written are the members that a plan adds to the session.
func written(p repair.Plan) (names []string) {
	for _, w := range p.Writes {
		for _, c := range w.Changes {
			names = append(names, c.Name)
		}
	}
	return names
}

// EnterAgain shows the form with the entered values again, below the answer that says why
// they could not be planned.
func EnterAgain(answer Answer, session string, e Entered) Answer {
	answer.Form, answer.Session = true, session
	answer.Blocks = append(slices.Clip(answer.Blocks), restoreFields(e, session, []string{"duration", "resolution"})...)
	return answer
}

// restoreFields are the fields of the view with their initial values. Stored
// are the members that a plan would write.
func restoreFields(first Entered, session string, stored []string) []slack.Block {
	prompt := slack.NewPlainTextInputBlockElement(plainText("A fox runs through fresh snow"), PromptField).WithMultiline(true).WithMaxLength(maxField)
	prompt.InitialValue, prompt.FocusOnLoad = first.Prompt, true
	seconds := slack.NewNumberInputBlockElement(nil, SecondsField, true)
	seconds.InitialValue, seconds.MinValue, seconds.MaxValue = first.Seconds, "1", strconv.Itoa(repair.MaxSeconds)
	size := slack.NewPlainTextInputBlockElement(plainText(sessions.DefaultResolution), SizeField).WithMaxLength(20)
	size.InitialValue = blockkit.Cut(first.Size, 20)
	hint := func(member string) *slack.TextBlockObject {
		if slices.Contains(stored, member) {
			return nil
		}
		return plainText("Not stored: the session already has it, or has no field for it.")
	}
	long := "Longer than " + humanize.Thousands(maxField) + " characters? Type /session restore " + humanize.ShortID(session) + " and the prompt."
	return []slack.Block{
		slack.NewInputBlock(PromptField, plainText("Prompt"), plainText(long), prompt),
		slack.NewInputBlock(SecondsField, plainText("Seconds"), hint("duration"), seconds).WithOptional(true),
		slack.NewInputBlock(SizeField, plainText("Size in pixels"), hint("resolution"), size).WithOptional(true),
	}
}

func plainText(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, text, false, false)
}

// TypePrompt says how to type a prompt where the view for it did not open.
func TypePrompt(session string) []slack.Block {
	return blockkit.Message(message.Headline("Slack did not show the window that asks for the prompt.",
		"Type it: /session restore "+session+" <the prompt>")...)
}
