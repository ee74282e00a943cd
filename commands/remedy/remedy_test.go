package remedy

import (
	"slices"
	"strings"
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
	orphan := Situation{Verdict: diagnosis.VerdictOrphaned, Payment: store.PaymentPaid, Amount: 100, Currency: "usd", Cents: 2400,
		Allowed: []store.Action{store.ActionFix, store.ActionGenerate, store.ActionReplay}, Event: store.EventDelivered, EventPage: "https://e", PaymentPage: "https://p"}
	with := func(s Situation, change func(*Situation)) Situation { change(&s); return s }
	generateOnly := func(s *Situation) { s.Allowed = []store.Action{store.ActionFix, store.ActionGenerate} }
	const fix, replay, generate = "session.fix", "session.replay", "session.generate"
	for _, c := range []struct {
		name      string
		situation Situation
		want      []advised
		buttons   []string // !: it stands out
		says      string
	}{
		{"delivered, and the site lost it", orphan, []advised{{Replay, ""}, {Generate, ""}, {Refund, ""}}, []string{"!" + replay, generate, fix},
			"Replay the webhook: we pay about $24 for a $1.00 order. If that starts nothing (its message says so), generate the video instead.\nIf the customer would rather have a refund: refund in Stripe (https://p), then mark as error, so that the customer's page says that it was refunded."},
		{"Stripe still delivers", with(orphan, func(s *Situation) { s.RetriesUntil = now.Add(40 * time.Minute) }),
			[]advised{{Resend, becauseStripeRetries}, {Replay, ""}, {Generate, ""}, {Refund, ""}}, []string{replay, generate, fix},
			"Wait for Stripe's next retry, which costs least: Stripe retries until 12:40 UTC, and once one gets through, the site makes the video: we pay about $24 for a $1.00 order.\nIf the customer cannot wait: resend the event in Stripe (https://e). The retries go on, and the next one can make a second video (about $24 more).\nIf Stripe shows that the site accepted the event, and no video has started 15 min after that: replay the webhook (the bot then sends the event; about $24); if that starts nothing (its message says so), generate the video instead. Stripe may still be retrying: for another endpoint or, if the site accepted a resend, for the site as well, which can make a second video.\nIf the customer would rather have a refund: refund in Stripe (https://p), then mark as error, so that the customer's page says that it was refunded. A retry can still make the video."},
		{"its first delivery", with(orphan, func(s *Situation) {
			s.Event, s.RetriesUntil = store.EventPending, now.Add(40*time.Minute)
		}), []advised{{Resend, becauseStripeRetries}, {Replay, ""}, {Generate, ""}, {Refund, ""}}, []string{replay, generate, fix},
			"Wait: Stripe is still delivering the event, and retries until 12:40 UTC. The site then makes the video: we pay about $24 for a $1.00 order.\nIf no video has started in 15 min: resend the event in Stripe (https://e). The retries go on, and can make a second video (about $24 more).\nIf that starts nothing either: replay the webhook (the bot then sends the event; about $24; a retry can still make a second video); if that starts nothing (its message says so), generate the video instead.\nIf the customer would rather have a refund: refund in Stripe (https://p), then mark as error, so that the customer's page says that it was refunded. A retry can still make the video."},
		{"the site cannot read it", with(orphan, func(s *Situation) { generateOnly(s); s.Unread, s.RetriesUntil = true, now.Add(time.Hour) }),
			[]advised{{Generate, ""}, {Refund, ""}}, []string{"!" + generate, fix},
			"The site cannot read this session, so generate the video: we pay about $24 for a $1.00 order.\nIf the customer would rather have a refund: refund in Stripe (https://p), then mark as error, so that the customer's page says that it was refunded."},
		{"no replay", with(orphan, generateOnly), []advised{{Generate, ""}, {Refund, ""}}, []string{"!" + generate, fix},
			"Generate the video: we pay about $24 for a $1.00 order.\nIf the customer would rather have a refund: refund in Stripe (https://p), then mark as error, so that the customer's page says that it was refunded."},
		{"no event", with(orphan, func(s *Situation) { generateOnly(s); s.Event, s.EventPage = store.EventNone, "" }), []advised{{Generate, ""}, {Refund, ""}}, []string{"!" + generate, fix},
			"Stripe has no event to resend, so generate the video: we pay about $24 for a $1.00 order.\nIf the customer would rather have a refund: refund in Stripe (https://p), then mark as error, so that the customer's page says that it was refunded."},
		{"made from a picture", with(orphan, func(s *Situation) { s.Allowed, s.Picture = []store.Action{store.ActionFix, store.ActionReplay}, true }),
			[]advised{{Replay, ""}, {Refund, ""}}, []string{"!" + replay, fix}, "Replay the webhook, since only the site has the customer's picture: we pay about $24 for a $1.00 order.\nIf the customer would rather have a refund: refund in Stripe (https://p), then mark as error, so that the customer's page says that it was refunded."},
		{"made from a picture, and no replay", with(orphan, func(s *Situation) { s.Allowed, s.Picture = []store.Action{store.ActionFix}, true }),
			[]advised{{Resend, becauseOnlyTheSite}, {Refund, ""}}, []string{fix},
			"Resend the event in Stripe (https://e): only the site has the customer's picture, and then makes the video: we pay about $24 for a $1.00 order.\nIf the customer would rather have a refund: refund in Stripe (https://p), then mark as error, so that the customer's page says that it was refunded."},
		{"a finished video", with(orphan, func(s *Situation) { s.Verdict, s.Shows, s.Disputed = diagnosis.VerdictUndelivered, true, true }),
			[]advised{{Show, ""}}, []string{"!" + fix}, "Show the video on the customer's page (no cost), then send the customer the link."},
		{"disputed", with(orphan, func(s *Situation) { s.Disputed = true }), []advised{{Dispute, ""}, {Replay, ""}, {Generate, ""}}, []string{replay, generate, fix},
			"Answer the dispute in Stripe (https://p), if it is still open. If the customer's page shows the video when you answer: contest it. If not: accept it (the customer gets the money back, and is owed nothing else), then mark as error. Do not resend or generate before it is decided (we would pay about $24 for a $1.00 order). If Stripe shows that it is decided already: if the customer won it, they are owed nothing else; if we won it, ask the customer which they want, the money or the video."},
		{"disputed, and Stripe retries", with(orphan, func(s *Situation) { s.Disputed, s.RetriesUntil = true, now.Add(40*time.Minute) }), []advised{{Dispute, ""}, {Replay, ""}, {Generate, ""}}, []string{replay, generate, fix},
			"Answer the dispute in Stripe (https://p), if it is still open, before its deadline (Stripe shows it). The site may still make the video by itself: Stripe retries until 12:40 UTC, so answer after that if there is time. If the customer's page shows the video when you answer: contest it. If not: accept it (the customer gets the money back, and is owed nothing else), then mark as error. Do not resend or generate before it is decided (we would pay about $24 for a $1.00 order). If Stripe shows that it is decided already: if the customer won it, they are owed nothing else; if we won it, ask the customer which they want, the money or the video."},
		{"disputed, and delivered", with(orphan, func(s *Situation) { s.Verdict, s.Allowed, s.Disputed = diagnosis.VerdictCompleted, nil, true }),
			[]advised{{Dispute, becauseDelivered}}, nil, "Answer the dispute in Stripe (https://p): the finished video is your evidence."},
		{"refunded in part", with(orphan, func(s *Situation) { s.Payment = store.PaymentPartiallyRefunded }), []advised{{Replay, ""}, {Generate, ""}, {Refund, ""}},
			[]string{"!" + replay, generate, fix}, "Replay the webhook: we pay about $24 for a $1.00 order, part of which was refunded. If that starts nothing (its message says so), generate the video instead.\nIf the customer would rather have a refund: refund the rest in Stripe (https://p), then mark as error, so that the customer's page says that it was refunded."},
		{"refunded", with(orphan, func(s *Situation) { s.Verdict, s.Allowed = diagnosis.VerdictRefunded, []store.Action{store.ActionFix} }), nil, []string{fix}, ""},
		{"unverified", with(orphan, func(s *Situation) {
			s.Payment, s.Amount, s.Verify, s.RetriesUntil = store.PaymentUnverified, 0, "Refresh in a minute.", now.Add(time.Hour)
		}), []advised{{Verify, ""}, {Replay, ""}, {Generate, ""}}, []string{replay, generate, fix},
			"Refresh in a minute.\nThe order may be unpaid: if you generate now, we may pay about $24 for nothing."},
		{"no payment due", with(orphan, func(s *Situation) { s.Payment, s.Amount = store.PaymentNotRequired, 0 }), []advised{{Replay, ""}, {Generate, ""}},
			[]string{"!" + replay, generate, fix}, "Replay the webhook: we pay about $24 for an order that a coupon covers, owed like a paid one. If that starts nothing (its message says so), generate the video instead."},
		{"failed", with(orphan, func(s *Situation) { s.Verdict = diagnosis.VerdictFailed }), []advised{{Replay, ""}, {Generate, ""}, {Refund, ""}},
			[]string{"!" + replay, generate, fix}, "Replay the webhook: we pay about $24 for a $1.00 order. If that starts nothing (its message says so), generate the video instead.\nIf the customer would rather have a refund: mark as error, then refund in Stripe (https://p) (in this order: once refunded, an order that was started cannot be marked)."},
		{"failed for a reason", with(orphan, func(s *Situation) { s.Verdict, s.Explained = diagnosis.VerdictFailed, true }), []advised{{Replay, ""}, {Generate, ""}, {Refund, ""}},
			[]string{"!" + replay, generate, fix}, "Read the reason below (File) first. If the prompt was not refused, replay the webhook: we pay about $24 for a $1.00 order. If that starts nothing (its message says so), generate the video instead. If it was refused, it would be refused again: mark as error, so that the customer's page stops waiting, then refund in Stripe (https://p)."},
		{"stalled", with(orphan, func(s *Situation) { generateOnly(s); s.Verdict = diagnosis.VerdictStalled }), []advised{{Check, ""}, {Generate, ""}, {Refund, ""}}, []string{generate, fix},
			"Check SuperDuperAI first (its editor shows the file that Debug names). If it is finished there, debug the session again: if the customer's page does not show it, the bot then offers to put it there (no cost). If it makes progress within 5 min, wait, and debug the session again later.\nOtherwise generate the video again: we pay about $24 for a $1.00 order; should the first video finish as well, about $48 in all.\nIf the customer would rather have a refund: mark as error, then refund in Stripe (https://p) (in this order: once refunded, an order that was started cannot be marked)."},
		{"its event could not be read", with(orphan, func(s *Situation) { generateOnly(s); s.Event, s.EventPage = store.EventUnknown, "" }), []advised{{Generate, ""}, {Refund, ""}}, []string{"!" + generate, fix},
			"Check the payment's events in Stripe (https://p) first: the bot could not read them. If Stripe is still retrying one, wait for that, or resend it there: the site then makes the video. Otherwise generate the video. Either way we pay about $24 for a $1.00 order, or about $48 in all if a retry makes one as well.\nIf the customer would rather have a refund: refund in Stripe (https://p), then mark as error, so that the customer's page says that it was refunded."},
		{"lost, and it can be restored", with(orphan, func(s *Situation) { s.Verdict, s.Allowed = diagnosis.VerdictLost, []store.Action{store.ActionRestore} }), []advised{{Ask, ""}, {Refund, ""}}, []string{"session.restore"},
			"Ask the customer for the prompt, then store it (no cost): press Restore prompt…, or type /session restore <id>. Afterwards /session debug says how to have the video made: we pay about $24 for a $1.00 order.\nIf the customer would rather have a refund: refund in Stripe (https://p)."},
		{"lost", with(orphan, func(s *Situation) {
			s.Verdict, s.Allowed, s.RetriesUntil = diagnosis.VerdictLost, nil, now.Add(time.Hour)
		}),
			[]advised{{Ask, ""}, {Refund, ""}}, nil, "Ask the customer for the prompt, without which no video can be made.\nIf the customer would rather have a refund: refund in Stripe (https://p)."},
		{"completed", with(orphan, func(s *Situation) { s.Verdict, s.Allowed = diagnosis.VerdictCompleted, nil }), nil, nil, ""},
		{"an image of unknown price", with(orphan, func(s *Situation) { generateOnly(s); s.Kind, s.Cents = store.KindImage, 0 }), []advised{{Generate, ""}, {Refund, ""}},
			[]string{"!" + generate, fix}, "Generate the image: we pay an unknown amount for a $1.00 order.\nIf the customer would rather have a refund: refund in Stripe (https://p), then mark as error, so that the customer's page says that it was refunded."},
		{"several", with(orphan, func(s *Situation) {
			s.Sessions, s.EventPage, s.PaymentPage, s.RetriesUntil = 37, "", "", now.Add(time.Hour)
		}),
			[]advised{{Resend, becauseStripeRetries}, {Replay, ""}, {Generate, ""}, {Refund, ""}}, []string{replay, generate, fix},
			"Wait for Stripe's next retries, which costs least: Stripe retries until 13:00 UTC, and as they get through, the site makes the videos: we pay about $24 each, about $888 in all.\nIf a customer cannot wait: resend their event in Stripe. The retries go on, and the next one can make a second video (about $24 more for each).\nIf Stripe shows that the site accepted the events, and some videos have not started 15 min after that: replay the webhooks (the bot then sends the events; about $24 for each); if that starts nothing (its message says so), generate the videos instead. Stripe may still be retrying: for another endpoint or, if the site accepted a resend, for the site as well, which can make a second video.\nIf a customer would rather have a refund: refund in Stripe, then mark as error, so that the customer's page says that it was refunded. A retry can still make the videos."},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := c.situation.remedies(); !slices.Equal(got, c.want) {
				t.Errorf("advised %v, want %v", got, c.want)
			}
			var buttons []string
			for _, element := range c.situation.Buttons("cs_live_1") {
				button, _ := element.(*slack.ButtonBlockElement)
				mark := map[slack.Style]string{slack.StylePrimary: "!"}[button.Style]
				buttons = append(buttons, mark+button.ActionID)
			}
			if !slices.Equal(buttons, c.buttons) {
				t.Errorf("buttons %q, want %q", buttons, c.buttons)
			}
			advice := c.situation.Advice(now)
			for _, span := range advice {
				if link, ok := span.(*slack.RichTextSectionLinkElement); ok && !strings.HasSuffix(link.Text, " in Stripe") || ok && strings.Contains(link.Text, ",") {
					t.Errorf("a link to Stripe is labelled %q", link.Text)
				}
			}
			if got := blockkit.Text(blockkit.Message(advice)); got != c.says {
				t.Errorf("it says\n%s\nwant\n%s", got, c.says)
			}
		})
	}
}
