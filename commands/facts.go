package commands

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/stats"
)

// paymentFacts are what was paid and the state of Stripe's event.
func paymentFacts(x diagnosis.Examination) []blockkit.Line {
	p := x.Payment
	payment := blockkit.Fact("Payment", blockkit.Plain(paymentText(p, x.PaidAt, x.At)))
	if strings.HasPrefix(x.Session.ID, "cs_test_") {
		payment = append(payment, blockkit.Plain(" · test mode, no real money"))
	}
	if p.IntentID != "" {
		payment = append(payment, blockkit.Plain(" · "), blockkit.Link(stripePage(p.Live, "payments/"+p.IntentID), "open in Stripe"))
	}
	switch p.State {
	case store.PaymentUnverified, store.PaymentMissing, store.PaymentUnpaid, store.PaymentExpired:
		return []blockkit.Line{payment} // no event is to be expected
	}
	event := blockkit.Fact("Stripe event", blockkit.Plain(eventText(x)))
	if x.Event.ID != "" {
		event = append(event, blockkit.Plain(" · "), eventLink(p.Live, x.Event.ID, "look at it or resend it"))
	}
	return []blockkit.Line{payment, event}
}

func eventLink(live bool, id, label string) blockkit.Span {
	return blockkit.Link(stripePage(live, "events/"+id), label)
}

// stripePage is the address of a page of Stripe's dashboard.
func stripePage(live bool, path string) string {
	if live {
		return "https://dashboard.stripe.com/" + path
	}
	return "https://dashboard.stripe.com/test/" + path
}

func paymentText(p store.Payment, paidAt, now time.Time) string {
	var text string
	amount := money(p.Amount, p.Currency)
	switch p.State {
	case store.PaymentPaid:
		text = "paid " + amount
	case store.PaymentPartiallyRefunded:
		text = fmt.Sprintf("paid %s, of which %s was refunded", amount, money(p.AmountRefunded, p.Currency))
	case store.PaymentRefunded:
		text = amount + " refunded in full"
	case store.PaymentNotRequired:
		text = "nothing to pay (coupon)"
	case store.PaymentUnpaid:
		text = amount + " not paid yet"
		if p.Failed {
			text = amount + " not paid: the payment failed"
		}
	case store.PaymentExpired:
		text = "the checkout expired unpaid"
	case store.PaymentMissing:
		text = "Stripe does not know this id"
	default:
		text = "unverified: " + unverifiedText(p.Why, p.Since)
	}
	if (p.State == store.PaymentPaid || p.State == store.PaymentPartiallyRefunded) && !paidAt.IsZero() {
		text += " · " + ago(paidAt, now)
	}
	if p.Disputed {
		text += " · disputed by the customer"
	}
	if p.VideoCount > 1 {
		text += fmt.Sprintf(" · paid for %d videos, the product makes one", p.VideoCount)
	}
	return text
}

func eventText(x diagnosis.Examination) string {
	created := ", created " + ago(x.Event.Created, x.At)
	text := "could not be seen"
	switch x.Event.State {
	case store.EventNone:
		return "none: Stripe did not send one"
	case store.EventDelivered:
		return "delivered and answered" + created
	case store.EventPending:
		text = "being delivered" + created
	case store.EventFailed:
		text = "undelivered at one endpoint at least" + created
	}
	if x.SiteShowsOutcome() {
		text += "; the site has it"
	}
	return text
}

// redisFacts are what Redis holds.
func redisFacts(x diagnosis.Examination) []blockkit.Line {
	if x.RedisSilent {
		return []blockkit.Line{blockkit.Fact("Redis", blockkit.Plain("could not be read"))}
	}
	s := x.Session
	var keys []string
	for _, key := range s.Keys() {
		if s.Layout() != store.LayoutOneKey || key.Exists {
			keys = append(keys, keyText(key, x.At))
		}
	}
	layout := string(s.Layout())
	if s.Layout() == store.LayoutNone {
		layout = "nothing stored"
	}
	lines := []blockkit.Line{blockkit.Fact("Redis ("+layout+")", blockkit.Plain(strings.Join(keys, " · ")))}
	if current := s.Current(); current.Status != nil {
		text := blockkit.Cut(blockkit.OneLine(*current.Status), 60)
		if at := current.Timestamp; !at.IsZero() && !at.After(x.At) {
			text += " since " + span(x.At.Sub(at)) + " (" + clock(at, x.At) + ")"
		}
		if current.Error != nil && *current.Error != "" {
			text += ": " + blockkit.Cut(blockkit.OneLine(*current.Error), 300)
		}
		lines = append(lines, blockkit.Fact("Status", blockkit.Plain(text)))
	}
	if prompt := s.PromptText(); prompt != "" {
		text := fmt.Sprintf("“%s” (%s)", blockkit.Cut(blockkit.OneLine(prompt), 200), count(stats.Length(prompt), "character"))
		lines = append(lines, blockkit.Fact("Prompt", blockkit.Plain(text)))
	}
	return lines
}

func keyText(key store.Key, now time.Time) string {
	switch {
	case !key.Exists:
		return key.Kind + " missing"
	case key.Fault != "":
		return key.Kind + " cannot be read: " + string(key.Fault)
	}
	age := ""
	at := cmp.Or(key.Value.Timestamp, key.Value.CreatedAt)
	if !at.IsZero() && !at.After(now) {
		age = span(now.Sub(at)) + " old, "
	}
	expiry := "never expires"
	if key.TTL > 0 {
		expiry = "expires in " + span(key.TTL)
	}
	return key.Kind + " " + age + expiry
}

var fileStateTexts = map[store.FileState]string{
	store.FileInProgress: "in progress", store.FileFinalizing: "made, being put in place",
	store.FileCompleted: "ready", store.FileFailed: "failed",
}

// fileFacts are the session's file, and the finished file that a fix would show.
func (s site) fileFacts(x diagnosis.Examination) []blockkit.Line {
	lines := []blockkit.Line{s.fileFact(x)}
	if x.Deliver != "" && !strings.EqualFold(x.Deliver, x.Session.FileID()) {
		lines = append(lines, blockkit.Fact("Finished file", blockkit.Code(x.Deliver), blockkit.Plain(" ready · "),
			s.fileLink(x.Session.Kind(), x.Deliver)))
	}
	return lines
}

func (s site) fileFact(x diagnosis.Examination) blockkit.Line {
	id := x.Session.FileID()
	if id == "" {
		text := "none"
		if named := x.Session.NamedFile(); named != "" {
			text = "none: “" + blockkit.Cut(blockkit.OneLine(named), 60) + "” is not a file id"
		}
		return blockkit.Fact("File", blockkit.Plain(text))
	}
	text := fileStateTexts[x.File.State]
	switch {
	case text == "":
		text = "not seen: " + fileErrorText(x.FileErr)
	case x.File.State == store.FileFailed && x.File.Error != "":
		text += ": " + blockkit.Cut(blockkit.OneLine(x.File.Error), 300)
	}
	line := blockkit.Fact("File", blockkit.Code(blockkit.Cut(id, 60)), blockkit.Plain(" "+text))
	if x.File.State == store.FileCompleted {
		line = append(line, blockkit.Plain(" · "), s.fileLink(x.Session.Kind(), id))
	}
	return line
}

func (s site) fileLink(kind store.Kind, id string) blockkit.Span {
	return blockkit.Link(s.filePage(id), withNoun(kind, "open the {video}"))
}

// site is the address of the product's site.
type site string

// filePage is where a customer sees a finished file.
func (s site) filePage(id string) string { return string(s) + "/en/file/" + url.PathEscape(id) }

func repairText(x diagnosis.Examination) string {
	r := x.Repair
	switch {
	case x.JobErr != nil:
		return "could not be seen, nor whether one is running"
	case r.ID == "":
		return "none"
	case r.Outcome == "":
		return string(r.Action) + " is running, approved " + ago(r.At, x.At)
	}
	return string(r.Action) + ", " + humanize(string(r.Outcome)) + " " + ago(r.At, x.At) + "; all of them: /session history " + x.Session.ID
}

const siteNotFound = "“not found or processing not yet started”"

// siteFact is what the customer's page shows, and whether that fits Redis.
func siteFact(x diagnosis.Examination) blockkit.Line {
	var text string
	switch {
	case x.Site == nil:
		return blockkit.Fact("Customer sees", blockkit.Plain("unknown: "+siteErrorText(x.SiteErr)))
	case !x.Site.Found:
		text = siteNotFound
	case x.Site.Status == "":
		text = "an answer without a status"
	default:
		text = "status " + blockkit.Cut(blockkit.OneLine(x.Site.Status), 60)
	}
	switch {
	case x.RedisSilent:
	case x.SiteAgrees():
		text += " (agrees with Redis)"
	case x.Deliver != "":
		text += " (it does not show the video)"
	case x.Reads == store.LayoutOneKey && x.Session.Layout() == store.LayoutThreeKey:
		text += " (the site reads session:… alone; a repair writes that, too)"
	default:
		text += " (does not agree with Redis: tell the engineer on call)"
	}
	return blockkit.Fact("Customer sees", blockkit.Plain(text))
}
