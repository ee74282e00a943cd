package message

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/commands/remedy"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/internal/redact"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/stats"
)

// paymentFacts are what was paid and the state of Stripe's event.
func paymentFacts(x diagnosis.Examination) []blockkit.Line {
	p := x.Payment
	payment := blockkit.Fact("Payment", PaymentLine(p, x.PaidAt, x.At)...)
	if strings.HasPrefix(x.Session.ID, "cs_test_") {
		payment = append(payment, blockkit.Plain(" · test mode, no real money"))
	}
	if p.IntentID != "" {
		payment = append(payment, blockkit.Plain(" · "), blockkit.Link(remedy.StripePage(p.Live, "payments/"+p.IntentID), "open in Stripe"))
	}
	switch p.State {
	case store.PaymentUnverified, store.PaymentMissing, store.PaymentUnpaid, store.PaymentExpired:
		return []blockkit.Line{payment} // no event is to be expected
	}
	event := blockkit.Fact("Stripe event", eventLine(x)...)
	if x.Event.ID != "" && x.Event.State != store.EventNone {
		label := "view in Stripe"
		if situationOf(x, 0).Advises(remedy.Resend) {
			label = "view or resend in Stripe"
		}
		event = append(event, blockkit.Plain(" · "), eventLink(p.Live, x.Event.ID, label))
	}
	return []blockkit.Line{payment, event}
}

func eventLink(live bool, id, label string) blockkit.Span {
	return blockkit.Link(remedy.StripePage(live, "events/"+id), label)
}

// PaymentLine is what was paid and when.
func PaymentLine(p store.Payment, paidAt, now time.Time) blockkit.Line {
	var text string
	amount := humanize.Money(p.Amount, p.Currency)
	switch p.State {
	case store.PaymentPaid:
		text = "paid " + amount
	case store.PaymentPartiallyRefunded:
		text = fmt.Sprintf("paid %s, of which %s was refunded", amount, humanize.Money(p.AmountRefunded, p.Currency))
	case store.PaymentRefunded:
		text = amount + " refunded in full"
	case store.PaymentNotRequired:
		text = "no payment due (coupon)"
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
		text = "unverified: " + unverifiedText(p)
	}
	line := blockkit.L(blockkit.Plain(text))
	if (p.State == store.PaymentPaid || p.State == store.PaymentPartiallyRefunded) && !paidAt.IsZero() {
		line = append(line, blockkit.Plain(" · "), humanize.AgoTime(paidAt, now))
	}
	if p.Disputed {
		line = append(line, blockkit.Plain(" · disputed by the customer"))
	}
	if p.VideoCount > 1 && !p.Disputed && (p.State == store.PaymentPaid || p.State == store.PaymentPartiallyRefunded) {
		line = append(line, blockkit.Plain(fmt.Sprintf(" · paid for %d, but a session makes only one: %s", p.VideoCount, othersRefund(p))))
	}
	return line
}

// othersRefund says what becomes of what was paid beyond the first video.
func othersRefund(p store.Payment) string {
	others := p.VideoCount - 1
	if p.State == store.PaymentPartiallyRefunded {
		return fmt.Sprintf("refund the other %d in Stripe, unless that was the refund", others)
	}
	return fmt.Sprintf("refund the other %d in Stripe (%d/%d of what was paid)", others, others, p.VideoCount)
}

// eventLine is what Stripe says of its event.
func eventLine(x diagnosis.Examination) blockkit.Line {
	until := repair.RetriesUntil(x.Event, x.At)
	received := x.SiteShowsOutcome() && x.Event.State != store.EventDelivered
	var text, suffix string
	switch x.Event.State {
	case store.EventNone:
		return blockkit.PlainLine("none found in Stripe")
	case store.EventDelivered:
		text = "delivered"
	case store.EventPending:
		text = "still being delivered"
	case store.EventFailed:
		text, suffix = "not delivered yet", ": at least one endpoint has not accepted it (Stripe shows which)"
		switch {
		case received:
			text = "not delivered to every endpoint"
		case until.IsZero():
			text, suffix = "not delivered", suffix+"; Stripe no longer retries"
		}
	}
	switch {
	case received:
		suffix = "; the site has received it"
	case !until.IsZero():
		suffix += "; Stripe retries until " + humanize.Clock(until, x.At)
	}
	if text == "" {
		return blockkit.PlainLine("could not be read: Stripe may still be retrying it" + suffix)
	}
	return blockkit.L(blockkit.Plain(text+", created "), humanize.AgoTime(x.Event.Created, x.At), blockkit.Plain(suffix))
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
	held := strings.Join(keys, " · ")
	if s.Layout() == store.LayoutNone {
		held = "nothing stored"
	}
	lines := []blockkit.Line{blockkit.Fact("Redis", blockkit.Plain(held))}
	if current := s.Current(); current.Status != nil {
		line := blockkit.Fact("Status", blockkit.Plain(blockkit.Cut(blockkit.OneLine(*current.Status), 60)))
		if at := current.Timestamp; !at.IsZero() && !at.After(x.At) {
			line = append(line, blockkit.Plain(", written "), humanize.AgoTime(at, x.At))
		}
		if current.Error != nil && *current.Error != "" {
			line = append(line, blockkit.Plain(": "+humanize.Quoted(*current.Error)))
		}
		lines = append(lines, line)
	}
	if prompt := s.PromptText(); prompt != "" {
		text := fmt.Sprintf("“%s” (%s)", blockkit.Cut(blockkit.OneLine(redact.Emails(prompt)), 200), humanize.Count(stats.Length(prompt), "character"))
		lines = append(lines, blockkit.Fact("Prompt", blockkit.Plain(text)))
	}
	return lines
}

// missingKeys say that a key is not there.
var missingKeys = map[string]string{"prompt": "no prompt", "webhook": "no webhook status", "session": "no session record"}

func keyText(key store.Key, now time.Time) string {
	switch {
	case !key.Exists:
		return missingKeys[key.Kind]
	case key.Fault != "":
		return key.Kind + " cannot be read: " + string(key.Fault)
	}
	age := ""
	at := cmp.Or(key.Value.Timestamp, key.Value.CreatedAt)
	if !at.IsZero() && !at.After(now) {
		age = humanize.Duration(now.Sub(at)) + " old, "
	}
	expiry := "never expires"
	if key.TTL > 0 {
		expiry = "expires in " + humanize.Duration(key.TTL)
	}
	return key.Kind + " " + age + expiry
}

var fileStateTexts = map[store.FileState]string{
	store.FileInProgress: "in progress", store.FileFinalizing: "finished, being published",
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
		switch {
		case x.RedisSilent:
			text = "unknown: Redis could not be read"
		case x.Job == store.JobRunning && repair.MakesVideo(x.Repair.Action):
			text = "not started yet: the repair is running"
		case x.Deliver != "":
			text = "the session names none"
		}
		if named := x.Session.NamedFile(); named != "" {
			text = "none: “" + blockkit.Cut(blockkit.OneLine(named), 60) + "” is not a file id"
		}
		return blockkit.Fact("File", blockkit.Plain(text))
	}
	text := fileStateTexts[x.File.State]
	switch {
	case text == "":
		text = "not checked: " + FileErrorText(x.FileErr)
	case x.File.State == store.FileFailed && x.File.Error != "":
		text += "; SuperDuperAI says: “" + humanize.Quoted(x.File.Error) + "”"
	}
	line := blockkit.Fact("File", blockkit.Code(blockkit.Cut(id, 60)), blockkit.Plain(" "+text))
	if x.File.State == store.FileCompleted {
		line = append(line, blockkit.Plain(" · "), s.fileLink(x.Session.Kind(), id))
	}
	return line
}

func (s site) fileLink(kind store.Kind, id string) blockkit.Span {
	return blockkit.Link(s.filePage(id), humanize.WithNoun(kind, "open the {video}"))
}

// site is the address of the product's site.
type site string

// filePage is where a customer sees a finished file.
func (s site) filePage(id string) string { return string(s) + "/en/file/" + url.PathEscape(id) }

// sessionPage is where a customer waits for it.
func (s site) sessionPage(id string) string { return string(s) + "/en/session/" + url.PathEscape(id) }

// repairLine is the latest repair.
func repairLine(x diagnosis.Examination) blockkit.Line {
	r := x.Repair
	switch {
	case x.JobErr != nil:
		return blockkit.PlainLine("could not be read; one may be running")
	case r.ID == "":
		return blockkit.PlainLine("none")
	case r.Outcome == "":
		return blockkit.L(blockkit.Plain("“"+string(r.Action)+"” is running, approved "), humanize.AgoTime(r.At, x.At))
	}
	return blockkit.L(blockkit.Plain("“"+string(r.Action)+"” "), humanize.AgoTime(r.At, x.At),
		blockkit.Plain(": "+endTexts[r.Outcome]+" · all repairs: /session history "+x.Session.ID))
}

// endTexts are how a repair ended.
var endTexts = map[store.Outcome]string{
	store.OutcomeDone: "done", store.OutcomeRefused: "not done", store.OutcomeFailed: "failed", store.OutcomeUnclear: "result unknown",
	store.OutcomeGaveUp: "stopped waiting", store.OutcomeCancelled: "cancelled",
}

const siteNotFound = "“not found or processing not yet started”"

// siteFact is what the customer's page shows, and whether that fits Redis.
func (s site) siteFact(x diagnosis.Examination) blockkit.Line {
	var text string
	open := blockkit.L(blockkit.Plain(" · "), blockkit.Link(s.sessionPage(x.Session.ID), "open"))
	switch {
	case x.Site == nil:
		return blockkit.Fact("Customer's page", append(blockkit.PlainLine("unknown: "+siteErrorText(x.SiteErr)), open...)...)
	case !x.Site.Found:
		text = siteNotFound
	case x.Site.Status == "":
		text = "an answer without a status"
	default:
		text = "status " + blockkit.Cut(blockkit.OneLine(x.Site.Status), 60)
	}
	switch {
	case x.RedisSilent:
		text += " (cannot be compared: Redis could not be read)"
	case x.SiteAgrees():
		text += " (matches Redis)"
	case x.Deliver != "":
		text += " (it does not show the video)"
	case x.SiteLayout == store.LayoutOneKey && x.Session.Layout() == store.LayoutThreeKey:
		text += " (the site reads another format of the record; a repair writes both)"
	case x.Verdict.InTrouble() && siteCompleted(x): // which the next step is about
		text += " (differs from Redis)"
	default:
		text += " (differs from Redis: check the site's log, and that it uses this Redis)"
	}
	return blockkit.Fact("Customer's page", append(blockkit.PlainLine(text), open...)...)
}
