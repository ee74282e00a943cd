package commands

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
)

// paymentFacts tells what was paid and where Stripe's event stands.
func (d Deps) paymentFacts(x store.Examination) []blockkit.Line {
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
		event = append(event, blockkit.Plain(" · "), blockkit.Link(stripePage(p.Live, "events/"+x.Event.ID), "look at it or resend it"))
	}
	return []blockkit.Line{payment, event}
}

// stripePage is a page of Stripe's dashboard.
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

func eventText(x store.Examination) string {
	e, now, text := x.Event, x.At, ""
	switch e.State {
	case store.EventNone:
		return "none: Stripe did not send one"
	case store.EventPending:
		text = "being delivered, created " + ago(e.Created, now)
	case store.EventFailed:
		text = "undelivered at one endpoint at least, created " + ago(e.Created, now)
	case store.EventDelivered:
		return "delivered and answered, created " + ago(e.Created, now)
	default:
		return "could not be seen"
	}
	if x.SiteTold() {
		text += "; the site has it"
	}
	return text
}

// redisFacts tells what Redis holds.
func redisFacts(x store.Examination) []blockkit.Line {
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
	lines := []blockkit.Line{blockkit.Fact("Redis ("+layoutText(s.Layout())+")", blockkit.Plain(strings.Join(keys, " · ")))}
	if current := s.Current(); current.Status != nil {
		status := "Status"
		text := blockkit.Cut(blockkit.OneLine(*current.Status), 60)
		if !current.Timestamp.IsZero() && !current.Timestamp.After(x.At) {
			text += " since " + span(x.At.Sub(current.Timestamp)) + " (" + clock(current.Timestamp, x.At) + ")"
		}
		if current.Error != nil && *current.Error != "" {
			text += ": " + blockkit.Cut(blockkit.OneLine(*current.Error), 300)
		}
		lines = append(lines, blockkit.Fact(status, blockkit.Plain(text)))
	}
	if prompt := s.PromptText(); prompt != "" {
		text := fmt.Sprintf("“%s” (%s)", blockkit.Cut(blockkit.OneLine(prompt), 200), count(store.Length(prompt), "character"))
		lines = append(lines, blockkit.Fact("Prompt", blockkit.Plain(text)))
	}
	return lines
}

func layoutText(l store.Layout) string {
	if l == store.LayoutNone {
		return "nothing stored"
	}
	return string(l)
}

func keyText(key store.Key, now time.Time) string {
	switch {
	case !key.Exists:
		return key.Kind + " missing"
	case key.Fault != "":
		return key.Kind + " cannot be read: " + string(key.Fault)
	}
	var parts []string
	at := key.Value.Timestamp
	if at.IsZero() {
		at = key.Value.CreatedAt
	}
	if !at.IsZero() && !at.After(now) {
		parts = append(parts, span(now.Sub(at))+" old")
	}
	if key.TTL > 0 {
		parts = append(parts, "expires in "+span(key.TTL))
	} else {
		parts = append(parts, "never expires")
	}
	return key.Kind + " " + strings.Join(parts, ", ")
}

// fileFacts tells how far the file is.
func (d Deps) fileFacts(x store.Examination) []blockkit.Line {
	id := x.Session.FileID()
	if id == "" {
		text := "none"
		if named := x.Session.NamedFile(); named != "" {
			text = "none: “" + blockkit.Cut(blockkit.OneLine(named), 60) + "” is not a file id"
		}
		return append([]blockkit.Line{blockkit.Fact("File", blockkit.Plain(text))}, d.hiddenFile(x)...)
	}
	text := map[store.FileState]string{
		store.FileInProgress: "in progress", store.FileFinalizing: "made, being put in place",
		store.FileCompleted: "ready", store.FileFailed: "failed",
	}[x.File.State]
	switch {
	case text == "":
		text = "not seen: " + fileErrorText(x.FileErr)
	case x.File.State == store.FileFailed && x.File.Error != "":
		text += ": " + blockkit.Cut(blockkit.OneLine(x.File.Error), 300)
	}
	line := blockkit.Fact("File", blockkit.Code(blockkit.Cut(id, 60)), blockkit.Plain(" "+text))
	if x.File.State == store.FileCompleted {
		line = append(line, blockkit.Plain(" · "), blockkit.Link(d.filePage(id), x.Session.Kind().Tell("open the video")))
	}
	return append([]blockkit.Line{line}, d.hiddenFile(x)...)
}

// hiddenFile names the finished file that a fix would show, where it is another
// than the session names.
func (d Deps) hiddenFile(x store.Examination) []blockkit.Line {
	if x.Deliver == "" || strings.EqualFold(x.Deliver, x.Session.FileID()) {
		return nil
	}
	return []blockkit.Line{blockkit.Fact("Finished file", blockkit.Code(x.Deliver), blockkit.Plain(" ready · "),
		blockkit.Link(d.filePage(x.Deliver), x.Session.Kind().Tell("open the video")))}
}

// filePage is where a customer sees a finished file.
func (d Deps) filePage(id string) string { return d.SiteURL + "/en/file/" + url.PathEscape(id) }

// repairText tells of the latest repair.
func repairText(x store.Examination) string {
	r := x.Repair
	switch {
	case x.JobErr != nil:
		return "could not be seen, nor whether one is running"
	case r.ID == "":
		return "none"
	case r.Outcome == "":
		return string(r.Action) + " is running, approved " + ago(r.At, x.At)
	}
	return string(r.Action) + ", " + words(string(r.Outcome)) + " " + ago(r.At, x.At) + "; all of them: /session history " + x.Session.ID
}

// siteFact tells what the customer's page goes by and whether it fits Redis.
func siteFact(x store.Examination) blockkit.Line {
	var text string
	switch {
	case x.Site == nil:
		text = "unknown: " + siteErrorText(x.SiteErr)
	case !x.Site.Found:
		text = "“not found or processing not yet started”"
	case x.Site.Status == "":
		text = "an answer without a status"
	default:
		text = "status " + blockkit.Cut(blockkit.OneLine(x.Site.Status), 60)
	}
	if x.Site != nil && !x.RedisSilent {
		switch {
		case x.SiteAgrees():
			text += " (agrees with Redis)"
		case x.Deliver != "":
			text += " (it does not show the video)"
		case x.Reads == store.LayoutOneKey && x.Session.Layout() == store.LayoutThreeKey:
			text += " (the site reads session:… alone; a repair writes that, too)"
		default:
			text += " (does not agree with Redis: tell the engineer on call)"
		}
	}
	return blockkit.Fact("Customer sees", blockkit.Plain(text))
}
