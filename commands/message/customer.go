package message

import (
	"cmp"

	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

const (
	lookingIntoIt  = "Thank you for your patience. We are looking into your order and will e-mail you shortly."
	refundSentence = "Your payment was refunded in full; depending on your bank it takes 5 to 10 days to arrive."
	// how long an image takes is not known
	videoDuration = "; it usually takes 2 to 15 minutes"
)

var customerSentences = map[diagnosis.Verdict]string{
	diagnosis.VerdictLost:      "Your payment arrived, but we lost the text of your order. Please send us your prompt and we will make the {video}, or refund you.",
	diagnosis.VerdictRefunded:  refundSentence,
	diagnosis.VerdictUnpaid:    "Your payment has not reached us yet. As soon as it does, your {video} will be made.",
	diagnosis.VerdictAbandoned: "This order was not paid and has expired; nothing was charged. You are welcome to start a new one.",
	diagnosis.VerdictNotFound:  "We could not find this order. Please send us the e-mail address that you paid with.",
}

// customerSentence is what support can send to the customer as it is.
func (s site) customerSentence(x diagnosis.Examination) string {
	kind := x.Session.Kind()
	switch {
	case x.Deliver != "":
		return s.readySentence(kind, x.Deliver)
	case x.Verdict == diagnosis.VerdictCompleted && x.File.State == store.FileCompleted:
		return s.readySentence(kind, x.Session.FileID())
	}
	duration := videoDuration
	if kind == store.KindImage {
		duration = ""
	}
	return humanize.WithNoun(kind, verdictSentence(x, duration))
}

func (s site) readySentence(kind store.Kind, file string) string {
	return humanize.WithNoun(kind, "Your {video} is ready: ") + s.filePage(file)
}

// verdictSentence promises no more than can be done for a payment known to be made.
func verdictSentence(x diagnosis.Examination, duration string) string {
	unverified := x.Payment.State == store.PaymentUnverified
	switch {
	case x.Payment.Disputed && x.Verdict.InTrouble(), // the money may go back
		x.Verdict.InTrouble() && siteCompleted(x): // they may have it
		return lookingIntoIt
	}
	switch x.Verdict {
	case diagnosis.VerdictProcessing:
		return "Your {video} is on its way" + duration + "."
	case diagnosis.VerdictWaiting, diagnosis.VerdictOrphaned:
		switch {
		case unverified:
			return lookingIntoIt
		case x.Verdict == diagnosis.VerdictWaiting:
			return "Your order arrived and your {video} will be started in a moment" + duration + "."
		case x.Payment.State == store.PaymentNotRequired:
			return "Your order arrived, but our system missed it. We are fixing it and will e-mail you when your {video} is ready."
		}
		return "Your payment arrived, but our system missed it. We are fixing it and will e-mail you when your {video} is ready."
	case diagnosis.VerdictStalled, diagnosis.VerdictFailed:
		switch {
		case x.Allows(store.ActionRestore) && x.Payment.Order.Prompt == "":
			return customerSentences[diagnosis.VerdictLost]
		case unpaid(x):
			return "This order was not paid, so no {video} was made; nothing was charged."
		case !x.Allows(store.ActionGenerate) && !x.Allows(store.ActionReplay), unverified:
			return lookingIntoIt
		}
		return "Something went wrong while your {video} was being made. We are looking into it and will e-mail you shortly."
	case diagnosis.VerdictCorrupt:
		if x.Allows(store.ActionRestore) && x.Payment.Order.Prompt == "" {
			return customerSentences[diagnosis.VerdictLost]
		}
	case diagnosis.VerdictLost:
		if x.Payment.Order.Prompt != "" {
			return lookingIntoIt
		}
	case diagnosis.VerdictAbandoned:
		if x.Payment.Failed {
			return "Your payment did not go through, so no {video} was made. You are welcome to order again."
		}
	}
	return cmp.Or(customerSentences[x.Verdict], lookingIntoIt)
}
