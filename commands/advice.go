package commands

import (
	"slices"

	"github.com/superduperai/sessionbot/store"
)

// nextStep is what to do now, by the verdict and what stands in the way.
func nextStep(x store.Examination) string {
	if step := settleStep(x); step != "" && x.Deliver == "" {
		return step
	}
	return x.Session.Kind().Tell(stepOf(x))
}

// settleStep is how an operator brings a generation of ours to its end; "" =
// there is none to be settled.
func settleStep(x store.Examination) string {
	command := "/session settle " + x.Session.ID + " "
	switch {
	case x.Verdict == store.VerdictUnclear && x.Job == store.JobUnclear:
		return "Look in SuperDuperAI before anybody starts another. If it was made: " + command + "<file id>. If it was not: the button “It was not made” in Slack."
	case x.Repair.Outcome != store.OutcomeGaveUp:
	case x.Site != nil && x.Site.Sees(x.Session.FileID()):
	case x.File.State == store.FileCompleted && x.Session.Status() != store.StatusCompleted:
		return "It is finished after all, and the customer's page does not know: " + command + x.Session.FileID()
	}
	return ""
}

func stepOf(x store.Examination) string {
	generate, fix := x.Allows(store.ActionGenerate), x.Allows(store.ActionFix)
	if x.Deliver != "" {
		return "Show the video to the customer, which costs nothing; then send them the link."
	}
	switch x.Verdict {
	case store.VerdictCompleted:
		switch {
		case x.File.State != store.FileCompleted:
			return "Look at the customer's page before you answer: the file itself was not seen."
		case x.Session.Status() == store.StatusProcessing && x.Session.Layout() == store.LayoutOneKey:
			return "Nothing to do: the customer's page shows it. Send them the link if they ask."
		case x.Session.Status() != store.StatusCompleted:
			return "Nothing to make. Send the customer the link below: their page may not show it."
		}
		return "Nothing to do. Send the customer the link if they ask."
	case store.VerdictProcessing:
		return "Wait: a video usually takes 2–15 minutes. Refresh to see how it stands."
	case store.VerdictWaiting:
		return "Wait a few minutes, then refresh."
	case store.VerdictUnpaid:
		return "Nothing is owed yet. Wait for the payment."
	case store.VerdictAbandoned:
		return "Nothing is owed. The customer may start a new checkout."
	case store.VerdictRefunded:
		if fix {
			return "Nothing is owed. Mark it as error, so that the customer's page stops waiting."
		}
		return "Nothing is owed. Do not make a video."
	case store.VerdictOrphaned:
		return orphanStep(x, generate)
	case store.VerdictStalled, store.VerdictFailed:
		switch {
		case generate:
			return "Generate the video again, or refund the customer in Stripe."
		case unseenFile(x):
			return seeFileFirst
		case x.Session.NeedsPicture():
			return "It needs the customer's picture, which cannot be sent again from here: refund, or ask the customer to order anew."
		case x.Payment.State == store.PaymentUnpaid, x.Payment.State == store.PaymentExpired:
			return "Nothing was paid, so nothing is owed."
		}
		return "Ask the engineer on call: it cannot be generated from here."
	case store.VerdictLost:
		return "Ask the customer for the prompt, or refund in Stripe: without a prompt nothing can be generated."
	case store.VerdictCorrupt:
		if fix {
			return "Mark it as error and ask the engineer on call to look; the prompt itself can be read."
		}
		return "Ask the engineer on call to look at the value in Redis. Change nothing before."
	case store.VerdictNotFound:
		return "Check the id, or find it by the customer's e-mail: /session find <e-mail>."
	}
	return unclearStep(x)
}

func orphanStep(x store.Examination, generate bool) string {
	switch {
	case x.Payment.State == store.PaymentUnverified && x.Payment.Why == store.NoStripeKey:
		return "Look the payment up in Stripe first: a video made now may be an unpaid one."
	case x.Payment.State == store.PaymentUnverified && !passing(x.Payment.Why):
		return "Ask the engineer on call: " + unverifiedText(x.Payment.Why, x.Payment.Since) + ". A video made now may be an unpaid one."
	case x.Payment.State == store.PaymentUnverified:
		return "Refresh in a minute: " + unverifiedText(x.Payment.Why, x.Payment.Since) + ". A video made now may be an unpaid one."
	case !generate && unseenFile(x):
		return seeFileFirst
	case !generate && x.Session.NeedsPicture():
		return "Resend the event from Stripe. It needs the customer's picture, so it cannot be generated from here."
	case x.Event.State == store.EventNone:
		return "Generate the video: Stripe holds no event that could be resent."
	case x.Event.State == store.EventDelivered:
		return "Generate the video: the site took Stripe's event and lost it, so it may lose it again."
	}
	return "Resend the event from Stripe, or generate the video."
}

// passing tells whether a fault of Stripe's may mend itself.
func passing(why store.Unverified) bool {
	return why == store.StripeNoAnswer || why == store.StripeRateLimited || why == store.StripeFault
}

func unclearStep(x store.Examination) string {
	switch {
	case x.RedisSilent:
		return RedisErrorText(x.RedisErr)
	case x.File.State == store.FileMissing:
		return "Check the host first. If it is right, SuperDuperAI has lost the file: refund the customer in Stripe."
	case x.File.State == store.FileUnknown && x.Session.FileID() != "":
		return "The file cannot be seen: refresh in a minute before you decide; it may be ready."
	case x.Payment.State == store.PaymentMissing:
		return "Check that STRIPE_SECRET_KEY belongs to the account that sells the videos. Change nothing before."
	case x.Payment.State == store.PaymentUnverified && !passing(x.Payment.Why):
		return "Ask the engineer on call: " + unverifiedText(x.Payment.Why, x.Payment.Since) + "."
	}
	return "Refresh in a minute; look the session up in Stripe if it stays unclear."
}

// unseenFile reports whether a file that the session names was not seen, and may
// be ready for all that is known.
func unseenFile(x store.Examination) bool {
	doubtful := func(state store.FileState) bool {
		return state == store.FileUnknown || state == store.FileMissing && !x.APIProven
	}
	return doubtful(x.File.State) || slices.ContainsFunc(x.Others, func(n store.Named) bool { return doubtful(n.State) })
}

const seeFileFirst = "Refresh in a minute. If its file stays out of sight, ask the engineer on call: no second video can be made until it has been seen."

// customerSentence is what support can send as it is.
func (d Deps) customerSentence(x store.Examination) string {
	kind := x.Session.Kind()
	switch {
	case x.Deliver != "":
		return kind.Tell("Your video is ready: ") + d.filePage(x.Deliver)
	case x.Verdict == store.VerdictCompleted && x.File.State == store.FileCompleted:
		return kind.Tell("Your video is ready: ") + d.filePage(x.Session.FileID())
	}
	return kind.Tell(sentenceOf(x))
}

func sentenceOf(x store.Examination) string {
	switch x.Verdict {
	case store.VerdictProcessing:
		return "Your video is on its way; it usually takes 2 to 15 minutes."
	case store.VerdictWaiting, store.VerdictOrphaned:
		return customerWaits(x)
	case store.VerdictStalled, store.VerdictFailed:
		switch {
		case x.Payment.State == store.PaymentUnpaid, x.Payment.State == store.PaymentExpired:
			return "This order was not paid, so no video was made; nothing was charged."
		case !x.Allows(store.ActionGenerate), x.Payment.State == store.PaymentUnverified:
			return lookingIntoIt // no more is promised than can be done
		}
		return "Something went wrong while your video was being made. We are putting it right and will write when it is ready."
	case store.VerdictLost:
		return "Your payment arrived, but we lost the text of your order. Please send us your prompt and we will make the video, or we refund you."
	case store.VerdictRefunded:
		return "Your payment was refunded in full; depending on your bank it takes 5 to 10 days to arrive."
	case store.VerdictUnpaid:
		return "Your payment has not reached us yet. As soon as it does, your video will be made."
	case store.VerdictAbandoned:
		if x.Payment.Failed {
			return "Your payment did not go through, so no video was made. You are welcome to order again."
		}
		return "This order was not paid and has expired; nothing was charged. You are welcome to start a new one."
	case store.VerdictNotFound:
		return "We could not find this order. Please send us the e-mail address that you paid with."
	}
	return lookingIntoIt
}

const lookingIntoIt = "Thank you for writing. We are looking into your order and will write again shortly."

// customerWaits promises no more than what is known of the payment.
func customerWaits(x store.Examination) string {
	switch {
	case x.Payment.State == store.PaymentUnverified:
		return lookingIntoIt
	case x.Verdict == store.VerdictWaiting:
		return "Your order arrived and your video will be started in a moment; it usually takes 2 to 15 minutes."
	case x.Payment.State == store.PaymentNotRequired:
		return "Your order arrived, but our system missed it. We are putting it right and will write when your video is ready."
	}
	return "Your payment arrived, but our system missed it. We are putting it right and will write when your video is ready."
}
