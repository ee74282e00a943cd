package storybook

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/alert"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/requestid"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
)

// remedies are ways to put an order right, by what every message calls them.
var remedies = []struct {
	name string
	said *regexp.Regexp
}{
	{"show", regexp.MustCompile(`[Ss]how the video`)}, {"dispute", regexp.MustCompile(`[Aa]nswer the dispute`)}, {"ask", regexp.MustCompile(`Ask the customer`)},
	{"check", regexp.MustCompile(`Check SuperDuperAI first`)}, {"wait", regexp.MustCompile(`[Ww]ait for Stripe.s next retry|Wait: Stripe is still delivering`)}, {"resend", regexp.MustCompile(`[Rr]esend the event`)},
	{"replay", regexp.MustCompile(`[Rr]eplay the webhook`)}, {"generate", regexp.MustCompile(`[Gg]enerate the video`)}, {"refund", regexp.MustCompile(`[Rr]efund in Stripe|[Rr]efund the rest`)},
}

// advised are the remedies that a text names, in its order.
func advised(text string) []string {
	first := map[string]int{}
	var names []string
	for _, r := range remedies {
		if at := r.said.FindStringIndex(text); at != nil {
			first[r.name] = at[0]
			names = append(names, r.name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return first[a] - first[b] })
	return names
}

var (
	costPattern    = regexp.MustCompile(`about \$\d+`)
	paymentPattern = regexp.MustCompile(`(?m)^Payment  (.*?)( · open in Stripe.*)?$`)
	amountPattern  = regexp.MustCompile(`paid \$[0-9]+\.[0-9]{2}`)
)

// TestMessagesAgree: what debug, a plan, an alert and a refusal say of one session is the
// same: the order of the advice, the repairs offered, the cost, the payment, and whether
// Stripe still retries.
func TestMessagesAgree(t *testing.T) {
	t.Parallel()
	met := map[diagnosis.Verdict]bool{}
	all := examples()
	for _, state := range []store.EventState{store.EventUnknown, store.EventNone, store.EventPending, store.EventDelivered} {
		w := all[0].world
		if w.event.State, w.event.Completed = state, state == store.EventDelivered; state == store.EventUnknown || state == store.EventNone {
			w.event = store.Event{State: state}
		}
		w.seen.SiteLayout = store.LayoutThreeKey // so that it can be replayed
		all = append(all, example{"orphaned, event " + string(state), w})
	}
	for _, e := range all {
		w, actions := e.world, []store.Action{store.ActionFix, store.ActionGenerate, store.ActionReplay, store.ActionRestore}
		x := w.Examine(t.Context(), sessionID)
		met[x.Verdict] = true
		t.Run(e.title, func(t *testing.T) {
			t.Parallel()
			debug := answerOf(&w, "debug "+sessionID)
			text := blockkit.Text(debug.Blocks)
			_, advice, _ := strings.Cut(text, "\n")
			advice, _, _ = strings.Cut(advice, "\n\n")
			offered := actionsOf(debug.Actions)
			for _, action := range actions {
				answer := answerOf(&w, string(action)+" "+sessionID)
				shown := blockkit.Text(answer.Blocks)
				possible := answer.Plan != nil || action == store.ActionRestore && answer.Outcome == commands.Usage // which asks for the prompt
				if possible != slices.Contains(offered, "session."+string(action)) {
					t.Errorf("debug offers %q, and %s is answered:\n%s", offered, action, shown)
				}
				switch {
				case answer.Plan != nil:
					agreeWithPlan(t, advice, text, shown, answer)
				case answer.Outcome == commands.Refused:
					if want, got := paymentPattern.FindStringSubmatch(text)[1], paymentPattern.FindStringSubmatch(shown)[1]; want != got {
						t.Errorf("debug says payment %q, the refusal %q", want, got)
					}
					want := strings.NewReplacer("Refresh", "Press Debug", "refresh", "press Debug", "Send the customer the link if they ask.", "If the customer asks: Debug has the link.", "(link below)", "(Debug links it)",
						"Send them the link if they ask.", "If the customer asks: Debug has the link.", "the link below:", "the link, which Debug has:").Replace(advice)
					if _, next, _ := strings.Cut(shown, "\n"); !strings.HasPrefix(next, want) {
						t.Errorf("debug advises\n%s\nand the refusal says\n%s", want, shown)
					}
					namesItsButtons(t, want, answer.Actions)
				}
			}
			agreeWithAlert(t, x, advice, offered)
			namesRetries(t, x, advice, strings.Contains(text, "Stripe retries until"))
			namesItsButtons(t, advice, debug.Actions)
			if resend := strings.Contains(text, "view or resend in Stripe"); resend != slices.Contains(advised(advice), "resend") {
				t.Errorf("the event's link offers to resend it: %v, but the advice is\n%s", resend, advice)
			}
			if times := strings.Count(strings.ToLower(text), "in a minute"); times > 1 {
				t.Errorf("it says %d times to wait a minute:\n%s", times, text)
			}
		})
	}
	for _, v := range diagnosis.Verdicts {
		if !met[v] && v != diagnosis.VerdictUnchecked {
			t.Errorf("no example is %s", v)
		}
	}
}

func answerOf(w *world, text string) commands.Answer {
	return registryOf(w).Parse(commands.Request{Command: "/session", Text: text, User: "U0SUPPORT", Channel: "C0SUPPORT"}).Run(requestid.NewContext(context.Background(), ref))
}

// actionsOf are the repairs that buttons start.
func actionsOf(elements []slack.BlockElement) (ids []string) {
	for _, element := range elements {
		if button, ok := element.(*slack.ButtonBlockElement); ok && button.ActionID != "session.debug" && button.ActionID != message.ActionNotMade {
			ids = append(ids, button.ActionID)
		}
	}
	return ids
}

// namesRetries checks that the risk of a second video is named where Stripe still retries,
// and only there, and that the advice is to wait first while Stripe still delivers.
func namesRetries(t *testing.T, x diagnosis.Examination, advice string, retries bool) {
	t.Helper()
	if x.Verdict != diagnosis.VerdictOrphaned || x.Payment.State == store.PaymentUnverified {
		return
	}
	if risk := regexp.MustCompile(`a second video|may still make the video by itself`).MatchString(advice); risk != retries {
		t.Errorf("Stripe retries: %v, and the advice names the risk: %v:\n%s", retries, risk, advice)
	}
	var want []string
	if x.Event.State == store.EventFailed || x.Event.State == store.EventPending {
		want = []string{"wait", "resend"} // which costs more
	}
	if got := advised(advice); !x.Payment.Disputed && (len(got) < len(want) || !slices.Equal(got[:len(want)], want)) {
		t.Errorf("the advice begins with %q, want %q:\n%s", got, want, advice)
	}
}

// namesItsButtons checks that a button that a step names is below it.
func namesItsButtons(t *testing.T, step string, actions []slack.BlockElement) {
	t.Helper()
	labels := buttons(Story{}.with(actions))
	for said, label := range map[string]string{"efresh": "[Refresh]", "ress Debug": "[Debug]", "Restore prompt…": "[Restore prompt…]", "Show the video": "[Show the video…]",
		"eplay the webhook": "[Replay webhook…]", "enerate the video": "[Generate video…]", "ark as error": "[Mark as error…]"} {
		if strings.Contains(step, said) && !strings.Contains(labels, label) {
			t.Errorf("%q is not among the buttons %s:\n%s", label, labels, step)
		}
	}
}

func agreeWithPlan(t *testing.T, advice, debug, plan string, answer commands.Answer) {
	t.Helper()
	said, _, _ := strings.Cut(plan, "\nSession  ")
	want, got := advised(advice), advised(said)
	for _, remedy := range []string{"dispute", "wait", "resend", "check", "refund"} {
		if answer.Plan.Action == store.ActionFix && remedy == "check" || answer.Plan.Deliver != "" {
			continue
		}
		if slices.Contains(want, remedy) != slices.Contains(got, remedy) {
			t.Errorf("debug advises %q, the plan %q:\n%s\n%s", want, got, advice, plan)
		}
	}
	if answer.Plan.Action != store.ActionFix {
		for _, button := range message.PlanActions(*answer.Plan, "")[:1] {
			approve, _ := button.(*slack.ButtonBlockElement)
			costs := []string{costPattern.FindString(advice), costPattern.FindString(plan), costPattern.FindString(approve.Text.Text)}
			if answer.Plan.Restore == nil && (costs[0] == "" || len(slices.Compact(costs)) != 1) {
				t.Errorf("the costs are %q:\n%s\n%s", costs, advice, plan)
			}
		}
		if want, got := amountPattern.FindString(debug), amountPattern.FindString(plan); want != got {
			t.Errorf("debug says %q, the plan %q", want, got)
		}
	}
	if shows := strings.Contains(plan, "no file"); shows && answer.Plan.Deliver != "" {
		t.Errorf("a plan that shows a video says that there is none:\n%s", plan)
	}
	retries := func(text, yes, maybe string) string {
		return map[bool]string{true: "yes", false: map[bool]string{true: "maybe", false: "no"}[strings.Contains(text, maybe)]}[strings.Contains(text, yes)]
	}
	before, now := retries(debug, "Stripe retries until", "may still be retrying"), retries(plan, "⚠ Stripe is still retrying", "Whether Stripe is still retrying")
	if answer.Plan.Deliver == "" && before != now {
		t.Errorf("whether Stripe retries: %s and %s:\n%s\n%s", before, now, debug, plan)
	}
}

// agreeWithAlert compares with the alert of the session. That of an unverified payment is
// about Stripe, and none knows of a dispute.
func agreeWithAlert(t *testing.T, x diagnosis.Examination, advice string, offered []string) {
	t.Helper()
	if !slices.Contains(alertOn, x.Verdict) || x.Payment.State == store.PaymentUnverified || x.Payment.Disputed {
		return
	}
	shown := alert.New(incident.Incident{ID: "inc1", Kind: incident.Kind(x.Verdict), LastJoinedAt: noon, Cases: []incident.Case{{
		ID: sessionID, Verdict: x.Verdict, At: x.PaidAt, Allowed: x.Allowed, Shows: x.Deliver != "", Payment: x.Payment.State, Amount: x.Payment.Amount,
		Currency: x.Payment.Currency, Live: true, IntentID: x.Payment.IntentID, Event: x.Event.State, EventID: x.Event.ID, EventAt: x.Event.Created}}}, options, noon)
	text := blockkit.Text(shown.Blocks)
	_, next, _ := strings.Cut(text, "→ ")
	next, _, _ = strings.Cut(next, "\nSo far: ")
	if len(offered) > 0 {
		if diff := cmp.Diff(advised(advice), advised(next)); diff != "" {
			t.Errorf("debug and the alert (-debug +alert):\n%s\n%s\n%s", diff, advice, next)
		}
	}
	if before, now := costPattern.FindString(advice), costPattern.FindString(next); len(offered) > 0 && before != now {
		t.Errorf("debug says %q, the alert %q", before, now)
	}
	var menu []string
	for _, block := range shown.Blocks {
		section, ok := block.(*slack.SectionBlock)
		if !ok || section.Accessory == nil || section.Accessory.OverflowElement == nil {
			continue
		}
		for _, option := range section.Accessory.OverflowElement.Options {
			if command, _, _ := alert.ParseMenuValue(option.Value); command != "debug" && command != "dismiss" {
				menu = append(menu, "session."+command)
			}
		}
	}
	if !slices.Equal(menu, offered) {
		t.Errorf("debug offers %q, the alert %q", offered, menu)
	}
}
