package stats

import (
	"math"
	"time"
)

const (
	// dropBad is the minimum of sessions that miss their webhook.
	dropBad = 3
	// dropOutside is the minimum of other sessions.
	dropOutside = 20
	// dropBy is the minimum difference of the rates.
	dropBy = 0.1
	// dropSure is the minimum difference in standard deviations.
	dropSure = 3
)

// WebhookDrop is a period in which webhooks succeeded far less often than usual.
type WebhookDrop struct {
	From, To      time.Time // To is zero while it goes on
	Inside, Usual float64   // the rates
}

// DetectWebhookDrop returns the period of the last 24 h in which webhooks failed most
// clearly, compared with the rest of the day and the days before, and reports whether
// the difference is significant.
func DetectWebhookDrop(slots []Slot, before Tries) (WebhookDrop, bool) {
	all := before
	for _, s := range slots {
		all = all.Add(s.Webhook)
	}
	best, sure := WebhookDrop{}, float64(dropSure)
	for from := range slots {
		var inside Tries
		for to := from; to < len(slots); to++ {
			inside = inside.Add(slots[to].Webhook)
			outside := Tries{all.Good - inside.Good, all.Bad - inside.Bad}
			if inside.Bad < dropBad || outside.Good+outside.Bad < dropOutside {
				continue
			}
			in, out := *inside.Rate(), *outside.Rate()
			z := deviations(inside, outside)
			if out-in < dropBy || z <= sure {
				continue
			}
			sure, best = z, WebhookDrop{From: slots[from].At, Inside: in, Usual: out}
			if to < len(slots)-1 {
				best.To = slots[to].At.Add(slotLength)
			}
		}
	}
	return best, sure > dropSure
}

// deviations returns by how many standard deviations the rate inside is below that
// outside, if both were samples of the same.
func deviations(inside, outside Tries) float64 {
	in, out := float64(inside.Good+inside.Bad), float64(outside.Good+outside.Bad)
	pooled := float64(inside.Good+outside.Good) / (in + out)
	spread := math.Sqrt(pooled * (1 - pooled) * (1/in + 1/out))
	if spread == 0 {
		return 0
	}
	return (float64(outside.Good)/out - float64(inside.Good)/in) / spread
}

// RateFell reports whether a rate is significantly lower than before.
func RateFell(now, before Tries) bool {
	if now.Bad < dropBad || before.Good+before.Bad < dropOutside {
		return false
	}
	return *before.Rate()-*now.Rate() >= dropBy && deviations(now, before) > dropSure
}
