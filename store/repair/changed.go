package repair

import (
	"fmt"
	"strings"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// Changed returns in sentences what has changed since the plan was made. The plan may
// only be carried out if nothing has.
func (p Plan) Changed(x diagnosis.Examination) []string {
	if x.RedisSilent {
		return []string{"Redis did not answer, so the session could not be rechecked."}
	}
	switch {
	case p.Replay == nil || p.Replay.EventID == x.Event.ID:
	case x.Event.State == store.EventNone:
		return []string{"Stripe no longer has the event."}
	case x.Event.ID == "":
		return []string{"Stripe did not answer, so the event could not be rechecked."}
	default:
		return []string{"Stripe has a different event of this checkout than the plan."}
	}
	now := snapshotOf(x)
	if p.Seen.Verdict == now.Verdict && (!x.Allows(p.Action) || p.Action == store.ActionFix && x.Deliver != p.Deliver) {
		return []string{"The plan no longer fits the session. " + x.Reason}
	}
	var list []string
	differ := func(what, before, after string) {
		if before != after {
			list = append(list, fmt.Sprintf("%s was “%s” and is now “%s”.", what, plainWord(before), plainWord(after)))
		}
	}
	differ("The verdict", string(p.Seen.Verdict), string(now.Verdict))
	differ("The payment", string(p.Seen.Payment), string(now.Payment))
	differ("The status", string(p.Seen.Status), string(now.Status))
	differ("The file", string(p.Seen.FileState), string(now.FileState))
	say := func(when bool, text string) {
		if when {
			list = append(list, text)
		}
	}
	say(!p.Seen.Disputed && now.Disputed, "The customer now disputes the payment.")
	say(p.Seen.Refunded != now.Refunded && p.Seen.Payment == now.Payment, "More of the payment was refunded.")
	say(!p.Retrying && retrying(x, x.At), "Stripe is retrying the event, which was not known before.")
	say(p.Retrying && p.Action != store.ActionRestore && x.Event.State == store.EventDelivered, "Stripe has delivered the event meanwhile: the site may be starting this video.")
	say(p.Seen.FileID != now.FileID, "The session now refers to another file.")
	say(p.Order != nil && p.Order.PromptDigest != store.Digest([]byte(x.Session.PromptText())), "The prompt has changed.")
	for _, w := range p.Writes {
		say(p.Seen.Digests[w.Kind] != now.Digests[w.Kind], fmt.Sprintf("Something else changed the %s record in Redis.", w.Kind))
	}
	return list
}

// plainWord returns a stable word as people read it.
func plainWord(word string) string {
	if word == "" {
		return "none"
	}
	return strings.ReplaceAll(word, "_", " ")
}
