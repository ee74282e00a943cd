package commands

import (
	"slices"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// TestRemedies: the cheapest comes first, in the same order for every message, and the
// buttons follow it.
func TestRemedies(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	orphan := situation{verdict: diagnosis.VerdictOrphaned, payment: store.PaymentPaid, amount: 100, currency: "usd", cents: 2400,
		allowed: []store.Action{store.ActionFix, store.ActionGenerate, store.ActionReplay}, event: store.EventDelivered, eventPage: "https://e", paymentPage: "https://p"}
	with := func(s situation, change func(*situation)) situation { change(&s); return s }
	generateOnly := func(s *situation) { s.allowed = []store.Action{store.ActionFix, store.ActionGenerate} }
	const fix, replay, generate = "session.fix", "session.replay", "session.generate"
	for _, c := range []struct {
		name      string
		situation situation
		want      []advised
		buttons   []string // !: it stands out
		says      string
	}{
		{"delivered, and the site lost it", orphan, []advised{{remedyReplay, ""}, {remedyGenerate, ""}, {remedyRefund, ""}}, []string{"!" + replay, generate, fix},
			"Replay the webhook or generate the video: about $24 for a $1.00 order. Or refund in Stripe (https://p)."},
		{"Stripe still delivers", with(orphan, func(s *situation) { s.retriesUntil = now.Add(40 * time.Minute) }),
			[]advised{{remedyResend, becauseStripeRetries}, {remedyReplay, ""}, {remedyGenerate, ""}, {remedyRefund, ""}}, []string{replay, generate, fix},
			"Resend the event in Stripe (https://e), or wait: Stripe retries until 12:40 UTC. If that takes too long, replay the webhook or generate the video: about $24 for a $1.00 order, twice that if Stripe's retry arrives as well. Or refund in Stripe (https://p)."},
		{"the site cannot read it", with(orphan, func(s *situation) { generateOnly(s); s.unread, s.retriesUntil = true, now.Add(time.Hour) }),
			[]advised{{remedyGenerate, ""}, {remedyRefund, ""}}, []string{"!" + generate, fix},
			"The site cannot read this one, so generate the video: about $24 for a $1.00 order. Or refund in Stripe (https://p)."},
		{"no replay", with(orphan, generateOnly), []advised{{remedyGenerate, ""}, {remedyRefund, ""}}, []string{"!" + generate, fix},
			"Generate the video: about $24 for a $1.00 order. Or refund in Stripe (https://p)."},
		{"no event", with(orphan, func(s *situation) { generateOnly(s); s.event, s.eventPage = store.EventNone, "" }), []advised{{remedyGenerate, ""}, {remedyRefund, ""}}, []string{"!" + generate, fix},
			"Stripe holds no event to resend, so generate the video: about $24 for a $1.00 order. Or refund in Stripe (https://p)."},
		{"made from a picture", with(orphan, func(s *situation) { s.allowed, s.picture = []store.Action{store.ActionFix, store.ActionReplay}, true }),
			[]advised{{remedyReplay, ""}, {remedyRefund, ""}}, []string{"!" + replay, fix}, "Replay the webhook: about $24 for a $1.00 order. Or refund in Stripe (https://p)."},
		{"made from a picture, and no replay", with(orphan, func(s *situation) { s.allowed, s.picture = []store.Action{store.ActionFix}, true }),
			[]advised{{remedyResend, becauseOnlyTheSite}, {remedyRefund, ""}}, []string{fix},
			"Resend the event in Stripe (https://e): the customer's own picture is needed, and only the site has it. Or refund in Stripe (https://p)."},
		{"a finished video", with(orphan, func(s *situation) { s.verdict, s.shows, s.disputed = diagnosis.VerdictUndelivered, true, true }),
			[]advised{{remedyShow, ""}}, []string{"!" + fix}, "Show the video (no cost), then send the customer the link."},
		{"disputed", with(orphan, func(s *situation) { s.disputed = true }), []advised{{remedyDispute, ""}, {remedyReplay, ""}, {remedyGenerate, ""}}, []string{replay, generate, fix},
			"Answer the dispute in Stripe (https://p) first: the money may go back to the customer. Otherwise replay the webhook or generate the video: about $24 for a $1.00 order."},
		{"disputed, and delivered", with(orphan, func(s *situation) { s.verdict, s.allowed, s.disputed = diagnosis.VerdictCompleted, nil, true }),
			[]advised{{remedyDispute, becauseDelivered}}, nil, "Answer the dispute in Stripe (https://p): the finished video is your evidence."},
		{"refunded in part", with(orphan, func(s *situation) { s.payment = store.PaymentPartiallyRefunded }), []advised{{remedyReplay, ""}, {remedyGenerate, ""}, {remedyRefund, ""}},
			[]string{"!" + replay, generate, fix}, "Replay the webhook or generate the video: about $24 for a $1.00 order, part of which was refunded. Or refund the rest in Stripe (https://p)."},
		{"refunded", with(orphan, func(s *situation) { s.verdict, s.allowed = diagnosis.VerdictRefunded, []store.Action{store.ActionFix} }), nil, []string{fix}, ""},
		{"unverified", with(orphan, func(s *situation) {
			s.payment, s.amount, s.verify, s.retriesUntil = store.PaymentUnverified, 0, "Refresh in a minute.", now.Add(time.Hour)
		}), []advised{{remedyVerify, ""}, {remedyReplay, ""}, {remedyGenerate, ""}}, []string{replay, generate, fix},
			"Refresh in a minute. A video started now may be unpaid, and costs about $24."},
		{"nothing to pay", with(orphan, func(s *situation) { s.payment, s.amount = store.PaymentNotRequired, 0 }), []advised{{remedyReplay, ""}, {remedyGenerate, ""}},
			[]string{"!" + replay, generate, fix}, "Replay the webhook or generate the video: about $24 for an order without a payment."},
		{"failed", with(orphan, func(s *situation) { s.verdict = diagnosis.VerdictFailed }), []advised{{remedyReplay, ""}, {remedyGenerate, ""}, {remedyRefund, ""}},
			[]string{"!" + replay, generate, fix}, "Replay the webhook or generate the video again: about $24 for a $1.00 order. Or refund in Stripe (https://p)."},
		{"lost", with(orphan, func(s *situation) {
			s.verdict, s.allowed, s.retriesUntil = diagnosis.VerdictLost, nil, now.Add(time.Hour)
		}),
			[]advised{{remedyAsk, ""}, {remedyRefund, ""}}, nil, "Ask the customer for the prompt: without it no video can be made. Or refund in Stripe (https://p)."},
		{"completed", with(orphan, func(s *situation) { s.verdict, s.allowed = diagnosis.VerdictCompleted, nil }), nil, nil, ""},
		{"an image of unknown price", with(orphan, func(s *situation) { generateOnly(s); s.kind, s.cents = store.KindImage, 0 }), []advised{{remedyGenerate, ""}, {remedyRefund, ""}},
			[]string{"!" + generate, fix}, "Generate the image: cost unknown, for a $1.00 order. Or refund in Stripe (https://p)."},
		{"several", with(orphan, func(s *situation) {
			s.sessions, s.eventPage, s.paymentPage, s.retriesUntil = 37, "", "", now.Add(time.Hour)
		}),
			[]advised{{remedyResend, becauseStripeRetries}, {remedyReplay, ""}, {remedyGenerate, ""}, {remedyRefund, ""}}, []string{replay, generate, fix},
			"Resend the events in Stripe, or wait: Stripe retries until 13:00 UTC. If that takes too long, replay the webhooks or generate the videos: about $24 each, twice that if Stripe's retry arrives as well. Or refund in Stripe."},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := c.situation.remedies(); !slices.Equal(got, c.want) {
				t.Errorf("advised %v, want %v", got, c.want)
			}
			var buttons []string
			for _, element := range c.situation.buttons("cs_live_1") {
				button, _ := element.(*slack.ButtonBlockElement)
				mark := map[slack.Style]string{slack.StylePrimary: "!"}[button.Style]
				buttons = append(buttons, mark+button.ActionID)
			}
			if !slices.Equal(buttons, c.buttons) {
				t.Errorf("buttons %q, want %q", buttons, c.buttons)
			}
			if got := blockkit.Text(blockkit.Message(c.situation.advice(now))); got != c.says {
				t.Errorf("it says\n%s\nwant\n%s", got, c.says)
			}
		})
	}
}
