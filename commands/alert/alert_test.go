package alert

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/workspace/blockcheck"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// orphans is an incident with n paid sessions whose delivery failed, the first
// an hour ago.
func orphans(n int, change ...func(*incident.Incident)) incident.Incident {
	i := incident.Incident{ID: "inc1", Kind: "orphaned", Opened: noon.Add(-time.Hour), LastJoinedAt: noon, Since: noon.Add(-time.Hour),
		Delivery: incident.Delivery{PostedAt: noon.Add(-time.Hour)}}
	for k := range n {
		at := noon.Add(-time.Hour + time.Duration(k)*time.Second)
		i.Cases = append(i.Cases, incident.Case{
			ID: fmt.Sprintf("cs_live_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y%05d", k), Verdict: diagnosis.VerdictOrphaned,
			At: at, Payment: store.PaymentPaid, Amount: 100, Currency: "usd", Live: true, IntentID: "pi_1",
			Event: store.EventFailed, EventID: "evt_1", EventAt: at, Allowed: []store.Action{store.ActionFix, store.ActionGenerate},
		})
	}
	for _, c := range change {
		c(&i)
	}
	return i
}

func leaving(ending incident.Ending, from, to int) func(*incident.Incident) {
	return func(i *incident.Incident) {
		for k := from; k < to; k++ {
			i.Cases[k].Gone, i.Cases[k].Ending = noon, ending
		}
	}
}

func TestAlertTexts(t *testing.T) {
	t.Parallel()
	over := func(i *incident.Incident) { i.Closed = noon }
	of := func(kind incident.Kind) func(*incident.Incident) {
		return func(i *incident.Incident) {
			i.Kind = kind
			for k := range i.Cases {
				i.Cases[k].Verdict, i.Cases[k].Event = diagnosis.Verdict(kind), ""
				i.Cases[k].Shows = kind == "undelivered"
			}
		}
	}
	event := func(e store.EventState) func(*incident.Incident) {
		return func(i *incident.Incident) {
			for k := range i.Cases {
				i.Cases[k].Event = e
			}
		}
	}
	unverified := func(i *incident.Incident) {
		for k := range i.Cases {
			i.Cases[k].Payment, i.Cases[k].Amount, i.Cases[k].Event, i.Cases[k].EventID = store.PaymentUnverified, 0, "", ""
		}
	}
	for _, c := range []struct {
		name  string
		i     incident.Incident
		head  string // the first line
		next  string // begins the second
		parts []string
	}{
		{"one", orphans(1), "A paid session got no video.", "→ Stripe could not deliver the event to at least one endpoint",
			[]string{"Wait for Stripe's next retry, which costs least: Stripe retries until 7 Mar 11:00 UTC, and once one gets through, the site makes the video: we pay about $24 for a $1.00 order.\nIf the customer cannot wait: resend the event in Stripe (https://dashboard.stripe.com/events/evt_1). The retries go on, and the next one can make a second video (about $24 more).\nIf Stripe shows that the site accepted the event, and no video has started 15 min after that: generate the video (about $24). Stripe may still be retrying: for another endpoint or, if the site accepted a resend, for the site as well, which can make a second video.\nIf the customer would rather have a refund: refund in Stripe", "A retry can still make the video.",
				"cs_live_a1B2…0000 · $1.00 (https://dashboard.stripe.com/payments/pi_1) · paid 1 h ago (11:00 UTC) · event (https://dashboard.stripe.com/events/evt_1)"}},
		{"many", orphans(37), "37 paid sessions have had no video since 11:00 UTC ($37.00).",
			"→ Stripe has not been able to deliver the events to at least one endpoint since 11:00 UTC: probably the site's webhook is failing.", []string{"1. Fix it (Stripe shows the HTTP status). 2. Wait for Stripe's next retries, which costs least: Stripe retries until 7 Mar 11:00 UTC, and as they get through, the site makes the videos: we pay about $24 each, about $888 in all.\nIf a customer cannot wait: resend their event in Stripe.", "generate the videos (about $24 for each)", "a second video (about $24 more for each).", "cs_live_a1B2…0000 · ", "cs_live_a1B2…0009 · ", "and 27 more", "So far: 37 customers waited 59 min on average, and paid $37.00, as of 12:00 UTC."}},
		{"still pending", orphans(1, event(store.EventPending)), "A paid session got no video.", "→ Wait: Stripe is still delivering the event", nil},
		{"the site lost it", orphans(1, event(store.EventDelivered)), "A paid session got no video.", "→ Stripe delivered the event, so the site lost it.", nil},
		{"no event", orphans(1, event(store.EventNone)), "A paid session got no video.", "→ Stripe has no event to resend, so generate the video: we pay about $24 for a $1.00 order.", nil},
		{"unverified", orphans(2, unverified), "2 sessions have had no video (payment unverified) since 11:00 UTC.", "→ Check in Stripe which were paid", []string{"stored 59 min ago", "So far: 2 customers waited 1 h on average, as of"}},
		{"some put right", orphans(3, leaving(incident.EndLate, 0, 1)), "2 paid sessions have had no video since 11:00 UTC ($2.00).", "→ Stripe has not been able to deliver the events",
			[]string{"3 sessions in all; 1 webhook came late.", "So far: 3 customers waited 59 min on average, and paid $3.00, as of", "cs_live_a1B2…0000 · the webhook came late 12:00 UTC"}},
		{"all put right", orphans(37, leaving(incident.EndLate, 0, 31), leaving(incident.EndGenerated, 31, 36), leaving(incident.EndFixed, 36, 37), over),
			"Resolved after 1 h: 37 sessions.", "31 webhooks came late, 5 generated, 1 marked as error.", []string{"37 customers waited 59 min on average, and paid $37.00."}},
		{"paid in two currencies", orphans(2, func(i *incident.Incident) { i.Cases[0].Currency = "eur" }), "2 paid sessions have had no video since 11:00 UTC (€1.00 + $1.00).", "→ ",
			[]string{"So far: 2 customers waited 1 h on average, and paid €1.00 + $1.00, as of"}},
		{"stalled", orphans(1, of("stalled")), "Stalled: a video is taking too long.", "→ Check SuperDuperAI first (its editor shows the file that Debug names). If it is finished there, debug the session again: if the customer's page does not show it, the bot then offers to put it there (no cost). If it makes progress within 5 min, wait, and debug the session again later.", []string{"started 1 h ago (11:00 UTC)"}},
		{"lost", orphans(2, of("lost")), "2 paid sessions have had no prompt to make a video from since 11:00 UTC ($2.00).", "→ Ask the customers", nil},
		{"lost, one restored", orphans(2, func(i *incident.Incident) { i.Kind, i.Cases[0].Verdict = "lost", diagnosis.VerdictLost }), "2 paid sessions have had no prompt to make a video from since 11:00 UTC ($2.00).",
			"→ Ask the customers", []string{"cs_live_a1B2…0001 · $1.00 (https://dashboard.stripe.com/payments/pi_1) · paid 59 min ago (11:00 UTC) · prompt restored · event"}},
		{"lost, all restored", orphans(2, func(i *incident.Incident) { i.Kind = "lost" }), "2 paid sessions have had no video since 11:00 UTC ($2.00).", "→ Stripe has not been able to deliver the events", []string{"prompt restored"}},
		{"failed", orphans(2, of("failed")), "2 videos have failed since 11:00 UTC ($2.00).", "→ Debug one or two: they show the reason", []string{"failed 1 h ago (11:00 UTC)"}},
		{"two stalled", orphans(2, of("stalled")), "2 videos have stalled since 11:00 UTC ($2.00).", "→ Check SuperDuperAI first (its editor shows the files that Debug names). If one is finished there, debug its session again: if the customer's page does not show it, the bot then offers to put it there (no cost). If one makes progress within 5 min, wait, and debug its session again later.", nil},
		{"no common cause", orphans(3, func(i *incident.Incident) { i.Cases[0].Event = store.EventNone }), "3 paid sessions have had no video since 11:00 UTC ($3.00).",
			"→ No common cause; Stripe's events: 2 not delivered, 1 without an event.", []string{" · no event (https", " · event not delivered (https"}},
		{"delivered, but for one", orphans(10, event(store.EventDelivered), func(i *incident.Incident) { i.Cases[0].Event = store.EventFailed }),
			"10 paid sessions have had no video since 11:00 UTC ($10.00).", "→ Stripe delivered the events, so the site lost them. Stripe is still retrying 1 of them. Generate the videos: we pay about $24 each, about $240 in all.\nIf a customer would rather have a refund: ", nil},
		{"made from a picture", orphans(1, func(i *incident.Incident) { i.Cases[0].Allowed = []store.Action{store.ActionFix} }), "A paid session got no video.",
			"→ Stripe could not deliver the event to at least one endpoint, probably the site's: Stripe shows which, and why. If it is the site's, fix that first. Wait for Stripe's next retry", []string{"The bot cannot make it: Debug shows why."}},
		{"no payment due", orphans(1, func(i *incident.Incident) { i.Cases[0].Payment, i.Cases[0].Amount = store.PaymentNotRequired, 0 }), "A paid session got no video.",
			"→ ", []string{"no payment due · ordered 1 h ago"}},
		{"corrupt", orphans(1, of("corrupt")), "A session is corrupt.", "→ Press Debug", nil},
		{"undelivered", orphans(2, of("undelivered")), "2 finished videos have not been shown to their customers since 11:00 UTC ($2.00).", "→ Show the videos on the customer's page (no cost), then send the customers the links.", nil},
		{"replayed or generated", orphans(1, event(store.EventDelivered), func(i *incident.Incident) {
			i.Cases[0].Allowed = []store.Action{store.ActionReplay, store.ActionGenerate}
		}), "A paid session got no video.", "→ Stripe delivered the event, so the site lost it. Replay the webhook: we pay about $24 for a $1.00 order. If that starts nothing (its message says so), generate the video instead.\nIf the customer would rather have a refund: ", nil},
		{"acknowledged and silenced", orphans(1, func(i *incident.Incident) {
			i.Acknowledged = &incident.Acknowledgement{By: "U1", At: noon}
			i.Snoozed = &incident.Acknowledgement{By: "U2", At: noon, Until: noon.Add(2 * time.Hour)}
		}), "A paid session got no video.", "→ ", []string{"Acknowledged by @U1 12:00 UTC · Snoozed until 14:00 UTC by @U2"}},
		{"silenced, with a note", orphans(1, func(i *incident.Incident) {
			i.Snoozed = &incident.Acknowledgement{By: "U2", At: noon, Until: noon.Add(20 * time.Hour), Note: "Stripe <!here>"}
		}), "A paid session got no video.", "→ ", []string{"Snoozed until 5 Mar 08:00 UTC by @U2: “Stripe <!here>”"}},
		{"one handled, with a note", orphans(2, leaving(incident.EndHandled, 0, 1), func(i *incident.Incident) {
			i.Cases[0].HandledBy, i.Cases[0].Note = "U1", "refunded"
		}), "A paid session got no video.", "→ ", []string{"handled by @U1 12:00 UTC: “refunded”"}},
		{"before the watch", orphans(3, func(i *incident.Incident) {
			i.Kind, i.Sessions, i.Cases[0].Verdict = incident.Backlog, 3, diagnosis.VerdictFailed
			i.Sums = map[diagnosis.Verdict]incident.Sum{diagnosis.VerdictFailed: incident.SumOf(i.Cases[:1]), diagnosis.VerdictOrphaned: incident.SumOf(i.Cases[1:])}
		}), "From before monitoring started: 3 sessions older than 24 h without a video.", "→ Not urgent",
			[]string{"By verdict: 2 orphaned ($2.00), 1 failed ($1.00)."}},
		{"before the watch, many", orphans(incident.ShownCases, unverified, func(i *incident.Incident) {
			i.Kind, i.Sessions = incident.Backlog, 30_000
			i.Sums = map[diagnosis.Verdict]incident.Sum{diagnosis.VerdictOrphaned: {Sessions: 29_999, Unverified: 29_999}, diagnosis.VerdictFailed: {Sessions: 1, Unverified: 1}}
		}), "From before monitoring started: 30\u00a0000 sessions older than 24 h without a video.", "→ Not urgent",
			[]string{"By verdict: 29\u00a0999 orphaned, 1 failed.", "payments are unverified", "and 29\u00a0990 more"}},
		{"Stripe silent", incident.Incident{Kind: incident.PaymentsUnverified, Since: noon.Add(-time.Hour), LastJoinedAt: noon, Sessions: 12},
			"The payments of 12 sessions cannot be verified (since 11:00 UTC): Stripe does not answer.", "→ Check Stripe's status page", nil},
		{"Stripe refuses the key", incident.Incident{Kind: incident.PaymentsUnverified, Since: noon.Add(-time.Hour), LastJoinedAt: noon, Sessions: 1, Why: store.StripeKeyRefused},
			"The payment of 1 session cannot be verified (since 11:00 UTC): Stripe rejects the key.", "→ Set STRIPE_SECRET_KEY to a valid key", nil},
		{"a key that may not read", incident.Incident{Kind: incident.PaymentsUnverified, Since: noon.Add(-time.Hour), LastJoinedAt: noon, Sessions: 2, Why: store.StripeForbidden},
			"The payments of 2 sessions cannot be verified (since 11:00 UTC): the Stripe key lacks permissions.", "→ Allow the key", nil},
		{"a key of the other mode", incident.Incident{Kind: incident.PaymentsUnverified, Since: noon.Add(-time.Hour), LastJoinedAt: noon, Sessions: 2, Why: store.StripeWrongMode},
			"The payments of 2 sessions cannot be verified (since 11:00 UTC): the sessions are from test mode, the bot's Stripe key is live.", "→ They are worth no real money", nil},
		{"a test key, and live sessions", incident.Incident{Kind: incident.PaymentsUnverified, Since: noon.Add(-time.Hour), LastJoinedAt: noon, Sessions: 2, Why: store.StripeWrongMode, Live: true},
			"The payments of 2 sessions cannot be verified (since 11:00 UTC): the sessions are live, the bot's Stripe key is a test key.", "→ Set STRIPE_SECRET_KEY to a live key", nil},
		{"Stripe back", incident.Incident{Kind: incident.PaymentsUnverified, Since: noon.Add(-time.Hour), Sessions: 12, Closed: noon},
			"Stripe answers again after 1 h.", "→ Nothing to do", nil},
		{"blind", incident.Incident{Kind: incident.Degraded, Since: noon.Add(-time.Hour), LastJoinedAt: noon, Parts: []string{"Stripe", "sweep"}},
			"Monitoring has been impaired since 11:00 UTC: payments cannot be read from Stripe; the sessions in Redis cannot be read. The last three checks failed.", "→ Check Stripe's status page", nil},
		{"events may not be listed", incident.Incident{Kind: incident.Degraded, Since: noon.Add(-time.Hour), LastJoinedAt: noon, Parts: []string{"events"}},
			"Monitoring has been impaired since 11:00 UTC: the Stripe key has no permission to list events. The last three checks failed.", "→ Allow the key in STRIPE_SECRET_KEY to read Events.", nil},
		{"no notifications", incident.Incident{Kind: incident.Degraded, Since: noon.Add(-time.Hour), LastJoinedAt: noon, Parts: []string{"notifications"}},
			"Monitoring has been impaired since 11:00 UTC: Redis sends no notifications any more. The last three checks failed.", "→ Not urgent", nil},
		{"inspections fail", incident.Incident{Kind: incident.Degraded, Since: noon.Add(-time.Hour), LastJoinedAt: noon, Parts: []string{incident.PartInspection}},
			"Monitoring has been impaired since 11:00 UTC: sessions cannot be examined. The last three checks failed.", "→ Check the bot's log", nil},
		{"sees again", incident.Incident{Kind: incident.Degraded, Since: noon.Add(-time.Hour), Closed: noon, Parts: []string{"sweep"}},
			"Monitoring is restored after 1 h.", "→ Nothing to do", nil},
		{"SuperDuperAI silent", incident.Incident{Kind: incident.FilesUnchecked, Since: noon.Add(-time.Hour), LastJoinedAt: noon, Trouble: store.FileNoAnswer},
			"Files cannot be checked (since 11:00 UTC): SuperDuperAI does not answer.", "→ Check SuperDuperAI's status", nil},
		{"no token", incident.Incident{Kind: incident.FilesUnchecked, Since: noon.Add(-time.Hour), LastJoinedAt: noon, Trouble: store.FileNoToken},
			"Files cannot be checked (since 11:00 UTC): no token is configured.", "→ Set SUPERDUPERAI_TOKEN", nil},
		{"the wrong host", incident.Incident{Kind: incident.FilesUnchecked, Since: noon.Add(-time.Hour), LastJoinedAt: noon, Trouble: store.FileNotFound},
			"Files cannot be checked (since 11:00 UTC): SuperDuperAI knows none of them.", "→ Set SUPERDUPERAI_URL", nil},
		{"SuperDuperAI back", incident.Incident{Kind: incident.FilesUnchecked, Since: noon.Add(-time.Hour), Closed: noon},
			"Files can be checked again after 1 h.", "→ Nothing to do", nil},
		{"an empty Redis", incident.Incident{Kind: incident.NoSessions, Since: noon, LastJoinedAt: noon},
			"Redis holds no sessions, although Stripe lists sales.", "→ Check that REDIS_URL", nil},
		{"Redis filled again", incident.Incident{Kind: incident.NoSessions, Since: noon.Add(-time.Hour), Closed: noon},
			"Redis holds sessions again after 1 h.", "→ Nothing to do", nil},
		{"a gap", incident.Incident{Kind: incident.Degraded, Since: noon.Add(-time.Hour), Closed: noon},
			"Monitoring was down from 11:00 UTC to 12:00 UTC.", "→ Nothing to do", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			alert := New(c.i, Options{VideoCents: 2400}, noon)
			checkBlocks(t, alert)
			first, rest, _ := strings.Cut(alert.Text, "\n")
			if first != c.head || !strings.HasPrefix(rest, c.next) {
				t.Errorf("begins:\n%s\n%s", first, rest)
			}
			shown := blockkit.Text(alert.Blocks)
			for _, part := range c.parts {
				if !strings.Contains(shown, part) {
					t.Errorf("does not say %q:\n%s", part, shown)
				}
			}
		})
	}
}

// checkBlocks checks an alert against Slack's limits.
func checkBlocks(t *testing.T, a Message) {
	t.Helper()
	raw, err := json.Marshal(a.Blocks)
	if err != nil {
		t.Fatal(err)
	}
	for _, violation := range blockcheck.Check(raw) {
		t.Errorf("Slack would refuse it: %v", violation)
	}
	if n := len([]rune(a.Text)); n == 0 || n >= 4000 {
		t.Errorf("the text has %d characters", n)
	}
}

// TestAlertMention: in the blocks and in the text, and nobody else.
func TestAlertMention(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{"U0ONCALL": "<@U0ONCALL>", "S0OPS": "<!subteam^S0OPS>", "": ""} {
		alert := New(orphans(1000), Options{Mention: id}, noon)
		checkBlocks(t, alert)
		section, ok := alert.Blocks[0].(*slack.SectionBlock)
		if !ok || !strings.Contains(section.Text.Text, want) || !strings.HasPrefix(alert.Text, want) {
			t.Errorf("%q is not called: %s", id, alert.Text)
		}
		if id == "" && (strings.Contains(section.Text.Text, "<") || strings.Contains(alert.Text, "<")) {
			t.Errorf("somebody is called: %s", alert.Text)
		}
	}
}

func TestAlertReplies(t *testing.T) {
	t.Parallel()
	owned := func(i *incident.Incident) {
		i.Acknowledged = &incident.Acknowledgement{By: "U2", At: noon.Add(-50 * time.Minute)}
	}
	silenced := func(i *incident.Incident) {
		i.Snoozed = &incident.Acknowledgement{By: "U3", At: noon.Add(-15 * time.Minute), Until: noon, Note: "lunch"}
	}
	const five, waiting = "5 paid sessions have had no video since 11:00 UTC ($5.00).", "5 customers have been waiting, the longest for 1 h (paid: $5.00)."
	for _, c := range []struct {
		reason string
		i      incident.Incident
		want   string // the first line, after the mention
		next   string // begins the second
		parts  []string
	}{
		{"reopened", orphans(5), "Open again: " + five, "→ Follow the advice in the alert above", nil},
		{"threshold", orphans(5), "Growing: " + five, "→ Follow the advice in the alert above", nil},
		{"reminder", orphans(5), "Still open after 1 h: " + five, "→ Nobody has acknowledged it", []string{waiting}},
		{"reminder", orphans(2, leaving(incident.EndLate, 0, 1)), "Still open after 1 h: a paid session got no video.", "→ Nobody has acknowledged it",
			[]string{"1 customer has been waiting for 59 min. With those already resolved: 2 customers waited 1 h on average, and paid $2.00."}},
		{"unresolved", orphans(5, owned), "Still open, 50 min after it was acknowledged: " + five, "→ In the alert above, repair what is left", []string{waiting, "Acknowledged by @U2 50 min ago"}},
		{"snooze_ended", orphans(5, silenced), "The snooze has ended: " + five, "→ @U3 snoozed it: “lunch”. Ask them what they found. If they do not answer, press Acknowledge", []string{waiting}},
		{"snooze_ended", orphans(5, silenced, owned), "The snooze has ended: " + five, "→ @U3 snoozed it: “lunch”. Ask them what they found. In the alert above, repair what is left", []string{"Acknowledged by @U2"}},
		{"escalated", orphans(5), "Two reminders went unanswered: " + five, "→ Nobody has acknowledged it", []string{waiting}},
		{"escalated", orphans(5, owned), "Still open, 50 min after it was acknowledged, and after two reminders: " + five, "→ In the alert above, repair what is left", []string{waiting, "Acknowledged by @U2"}},
	} {
		reply := Reply(c.i, c.reason, Options{Mention: "U1"}, noon)
		checkBlocks(t, reply)
		if first, next, _ := strings.Cut(reply.Text, "\n"); first != "<@U1> "+c.want || !strings.HasPrefix(next, c.next) {
			t.Errorf("%s: %s", c.reason, reply.Text)
		}
		for _, part := range c.parts {
			if !strings.Contains(blockkit.Text(reply.Blocks), part) {
				t.Errorf("%s does not say %q: %s", c.reason, part, reply.Text)
			}
		}
	}
}

func TestPressedLine(t *testing.T) {
	t.Parallel()
	for want, i := range map[string]incident.Incident{
		"This alert is too old":          {},
		"Already resolved, 1 h ago":      {ID: "i", Closed: noon.Add(-time.Hour)},
		"Already acknowledged, 1 h ago ": {ID: "i", Acknowledged: &incident.Acknowledgement{By: "U1", At: noon.Add(-time.Hour)}},
	} {
		got := blockkit.Text([]slack.Block{blockkit.Paragraph(ClickReply(i, noon))})
		if !strings.HasPrefix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestAlertOfAnOverlongID: a key in Redis may be longer than the value of an option
// may be. It has no menu.
func TestAlertOfAnOverlongID(t *testing.T) {
	t.Parallel()
	alert := New(orphans(2, func(i *incident.Incident) { i.Cases[1].ID = strings.Repeat("ü<!channel>", 400) }), Options{}, noon)
	checkBlocks(t, alert)
	if strings.Contains(alert.Text, "<!channel>") {
		t.Errorf("it mentions people: %s", alert.Text)
	}
	if menus := menusOf(alert); len(menus) != 1 {
		t.Errorf("the menus are %q", menus)
	}
}

// TestEndingOfAStalledVideo: its webhook was not late.
func TestEndingOfAStalledVideo(t *testing.T) {
	t.Parallel()
	alert := New(orphans(2, leaving(incident.EndLate, 0, 2), func(i *incident.Incident) {
		i.Kind, i.Closed = incident.Kind(diagnosis.VerdictStalled), noon
	}), Options{}, noon)
	if shown := blockkit.Text(alert.Blocks); strings.Contains(shown, "webhook") || !strings.Contains(shown, "2 recovered.") {
		t.Errorf("it says:\n%s", shown)
	}
}
