package store

import (
	"fmt"
	"slices"
	"time"
)

// warnings are what the approving person should know, the weightiest first.
func warnings(x Examination, action Action, retrying bool) []string {
	var list []string
	warn := func(when bool, text string) {
		if when {
			list = append(list, x.Session.Kind().Tell(text))
		}
	}
	generate := action == ActionGenerate
	unverified := x.Payment.State == PaymentUnverified
	warn(retrying && generate, "Stripe will still deliver the event: the site may make this video itself.")
	warn(retrying && !generate, "Stripe will still deliver the event: the site may still start this video.")
	warn(unseenEvent(x), "Whether Stripe will still deliver the event could not be seen: the site may start this video itself.")
	warn(unverified && generate, "Payment could not be verified: this may be a video that nobody paid for.")
	warn(unverified && !generate, "Payment could not be verified.")
	warn(x.Payment.Disputed, "The customer disputes the payment.")
	warn(x.Payment.State == PaymentPartiallyRefunded, "A part of the payment was refunded.")
	warn(x.Session.FileID() != "" && generate,
		fmt.Sprintf("The session names a file already (%s): it is replaced.", plain(string(x.File.State))))
	warn(x.Session.FileID() != "" && !generate, "The session names a file already, and keeps it.")
	if n := max(x.Payment.VideoCount, x.Session.Lookup.Value.VideoCount); n > 1 {
		warn(true, fmt.Sprintf("Paid for %d videos; the product makes one for a session.", n))
	}
	warn(promptsDiffer(x.Session), "prompt: and session: hold different prompts: the one of session: counts.")
	if left := x.Session.promptKey().TTL; left > 0 && left < nearEnd {
		warn(true, fmt.Sprintf("Close to 30 days old: the prompt expires in %d h.", int(left.Hours())))
	}
	return list
}

// promptsDiffer tells whether both layouts hold a prompt, and not the same.
func promptsDiffer(s Session) bool {
	a, b := s.Lookup.Value.Prompt, s.Prompt.Value.Prompt
	return a != nil && b != nil && *a != "" && *b != "" && *a != *b
}

// unseenEvent tells whether there should be an event that was not seen.
func unseenEvent(x Examination) bool {
	paid := []PaymentState{PaymentPaid, PaymentPartiallyRefunded, PaymentNotRequired}
	return x.Event.State == "" && slices.Contains(paid, x.Payment.State)
}

// nearEnd is the rest of life under which a plan warns of the prompt's expiry.
const nearEnd = 48 * time.Hour

// stripeRetries is how long Stripe goes on delivering an event.
const stripeRetries = 72 * time.Hour

// retrying tells whether Stripe may still deliver the event by itself.
func retrying(e Event, now time.Time) bool {
	undelivered := []EventState{EventPending, EventFailed}
	return slices.Contains(undelivered, e.State) && now.Sub(e.Created) < stripeRetries
}
