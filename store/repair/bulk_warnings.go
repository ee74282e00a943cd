package repair

import (
	"fmt"
	"slices"
	"strings"

	"github.com/superduperai/sessionbot/store"
)

// bulkWarnings sums up what the plans of the items warn of, the weightiest first, and
// returns the first warning for which the whole plan needs a second press: a video that
// may be paid for twice, or was not paid for, which leftOut keeps out unless it is chosen.
func bulkWarnings(items []Plan) (list []string, risk string) {
	retrying, unseen, unverified := 0, 0, 0
	var plain groups
	for _, item := range items {
		video := MakesVideo(item.Action)
		switch {
		case item.Risk != "": // that Stripe is retrying: leftOut leaves out every item with another risk
			retrying++
		case video && slices.Contains(item.Warnings, item.Kind.Reword(unseenEventText)):
			unseen++
		case video && item.Seen.Payment == store.PaymentUnverified:
			unverified++
		}
		for _, text := range item.Warnings {
			if text != item.Risk && (!video || text != item.Kind.Reword(unseenEventText) && text != item.Kind.Reword(unverifiedText)) {
				plain.add(text)
			}
		}
	}
	for _, w := range []struct {
		n    int
		text string
	}{
		{retrying, "Stripe is still retrying the events of %d of these sessions: the site may make those videos itself, and we would pay twice for each. Better: cancel, and approve a plan without them."},
		{unseen, "Whether Stripe is still retrying the events of %d of these sessions is unknown: the site may make those videos itself, and we would pay twice for each. Better: cancel, and check their events in Stripe first."},
		{unverified, "Without STRIPE_SECRET_KEY, whether %d of these sessions were paid, and whether Stripe is still retrying, is unknown: these videos may not have been paid for, or they may be made twice."},
	} {
		if w.n > 0 {
			list = append(list, fmt.Sprintf(w.text, w.n))
		}
	}
	if len(list) > 0 {
		risk = list[0]
	}
	return append(list, plain.texts()...), risk
}

// groups are warnings of several sessions, by what they have in common: before the
// colon they say what, and after it what follows for the one session.
type groups []group

type group struct {
	text string // of the first session
	n    int
	vary bool // the others' are not the same
}

func (g *groups) add(text string) {
	i := slices.IndexFunc(*g, func(o group) bool { return subjectOf(o.text) == subjectOf(text) })
	if i < 0 {
		*g = append(*g, group{text: text, n: 1})
		return
	}
	(*g)[i].n++
	(*g)[i].vary = (*g)[i].vary || (*g)[i].text != text
}

func subjectOf(warning string) string {
	before, _, _ := strings.Cut(warning, ": ")
	return before
}

// mostGroups is how many of them are shown: a message holds no more.
const mostGroups = 8

func (g groups) texts() (list []string) {
	for i, one := range g {
		if i == mostGroups {
			return append(list, fmt.Sprintf("%d more warnings: debug the sessions to see them.", len(g)-i))
		}
		text, sessions := one.text, "sessions"
		if one.vary {
			text = strings.TrimSuffix(subjectOf(text), ".") + "."
		}
		if one.n == 1 {
			sessions = "session"
		}
		list = append(list, fmt.Sprintf("%d %s: %s", one.n, sessions, text))
	}
	return list
}
