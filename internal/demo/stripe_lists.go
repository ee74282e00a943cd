package demo

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// occurrence is an event: something that happened to a session.
type occurrence struct {
	*CheckoutSession
	kind string
	at   time.Time
}

// events lists those of each session that was completed.
func (s *Stripe) events(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	types := array(query, "types")
	if t := query.Get("type"); t != "" {
		types = append(types, t)
	}
	window := span(query)
	var found []occurrence
	for _, cs := range s.known() {
		for _, o := range cs.occurrences() {
			if (len(types) == 0 || slices.Contains(types, o.kind)) && window(o.at) &&
				matches(query, "delivery_success", strconv.FormatBool(!o.undelivered())) {
				found = append(found, o)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b occurrence) int { return b.at.Compare(a.at) })
	writePage(w, query, found, occurrence.id, occurrence.event)
}

// oneEvent answers with an event by its id.
func (s *Stripe) oneEvent(w http.ResponseWriter, r *http.Request) {
	for _, cs := range s.known() {
		for _, o := range cs.occurrences() {
			if o.id() == r.PathValue("id") {
				writeJSON(w, http.StatusOK, o.event())
				return
			}
		}
	}
	stripeError(w, http.StatusNotFound, "resource_missing", "No such event: "+r.PathValue("id"))
}

// occurrences are what Stripe reports events of, the newest first. A delayed payment
// succeeds after the checkout was completed; only the news of that may be
// undelivered then.
func (cs *CheckoutSession) occurrences() []occurrence {
	if cs.Event == store.EventUnknown || cs.Event == store.EventNone {
		return nil
	}
	checkout := occurrence{cs, "checkout.session.completed", cs.ChargedAt}
	if cs.PaidAt.IsZero() {
		return []occurrence{checkout}
	}
	unpaid := *cs
	unpaid.Event, unpaid.PaymentStatus = store.EventDelivered, "unpaid"
	checkout.CheckoutSession = &unpaid
	return []occurrence{{cs, "checkout.session.async_payment_succeeded", cs.PaidAt}, {cs, "payment_intent.succeeded", cs.PaidAt}, checkout}
}

func (o occurrence) undelivered() bool {
	return o.Event == store.EventPending || o.Event == store.EventFailed
}

func (o occurrence) id() string {
	what := "event"
	if !o.PaidAt.IsZero() { // it has several
		what = o.kind
	}
	return "evt_1" + mark(what+" of "+o.ID, 23)
}

// event is the one that notified, or should have notified, the site.
func (o occurrence) event() object {
	pending := 0
	if o.undelivered() {
		pending = 1
	}
	about := o.object(0)
	if o.kind == "payment_intent.succeeded" {
		about = o.intent(1).(object)
	}
	return object{
		"id": o.id(), "object": "event", "api_version": "2025-06-30.basil", "type": o.kind,
		"created": o.at.Unix(), "livemode": o.live(), "pending_webhooks": pending,
		"data": object{"object": about},
	}
}

// intents lists the payment intents of those who paid.
func (s *Stripe) intents(w http.ResponseWriter, r *http.Request) {
	s.paid(w, r, func(cs *CheckoutSession) object { return cs.intent(1).(object) })
}

// charges lists what was charged.
func (s *Stripe) charges(w http.ResponseWriter, r *http.Request) {
	s.paid(w, r, func(cs *CheckoutSession) object { return cs.intent(2).(object)["latest_charge"].(object) })
}

func (s *Stripe) paid(w http.ResponseWriter, r *http.Request, lay func(*CheckoutSession) object) {
	window := span(r.URL.Query())
	found := slices.DeleteFunc(s.byCharge(), func(cs *CheckoutSession) bool { return cs.IntentID == "" || !window(cs.ChargedAt) })
	writePage(w, r.URL.Query(), found, func(cs *CheckoutSession) string { return lay(cs)["id"].(string) }, lay)
}

// byCharge is all sessions, those paid last first.
func (s *Stripe) byCharge() []*CheckoutSession {
	sessions := s.known()
	slices.SortStableFunc(sessions, func(a, b *CheckoutSession) int { return b.ChargedAt.Compare(a.ChargedAt) })
	return sessions
}

// writePage answers with the part of a list that the question's limit,
// starting_after and ending_before ask for.
func writePage[T any](w http.ResponseWriter, query url.Values, list []T, id func(T) string, lay func(T) object) {
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil || limit < 1 || limit > 100 {
		limit = 10
	}
	at := func(wanted string) int {
		return slices.IndexFunc(list, func(item T) bool { return id(item) == wanted })
	}
	from, to, more := 0, len(list), false
	if id := query.Get("starting_after"); id != "" {
		from = at(id) + 1
	}
	if id := query.Get("ending_before"); id != "" {
		if i := at(id); i >= 0 {
			to = i
		}
		if to-limit > from {
			from, more = to-limit, true
		}
	}
	if to-from > limit {
		to, more = from+limit, true
	}
	page := []object{} // an empty list is one, not null
	for _, item := range list[from:to] {
		page = append(page, lay(item))
	}
	writeJSON(w, http.StatusOK, object{"object": "list", "has_more": more, "data": page})
}

// matches reports whether a member has the value of the query, if the query has one.
func matches(query url.Values, name, value string) bool {
	return !query.Has(name) || query.Get(name) == value
}

// span reports whether a time lies between created[gte] and the like.
func span(query url.Values) func(time.Time) bool {
	var limits []func(at int64) bool
	for name, holds := range map[string]func(at, limit int64) bool{
		"created[gte]": func(at, limit int64) bool { return at >= limit },
		"created[gt]":  func(at, limit int64) bool { return at > limit },
		"created[lte]": func(at, limit int64) bool { return at <= limit },
		"created[lt]":  func(at, limit int64) bool { return at < limit },
		"created":      func(at, limit int64) bool { return at == limit },
	} {
		if limit, err := strconv.ParseInt(query.Get(name), 10, 64); err == nil {
			limits = append(limits, func(at int64) bool { return holds(at, limit) })
		}
	}
	return func(at time.Time) bool {
		return !slices.ContainsFunc(limits, func(holds func(int64) bool) bool { return !holds(at.Unix()) })
	}
}

// array reads name[]=, or name[0]= and so on.
func array(query url.Values, name string) []string {
	var values []string
	for key, these := range query {
		if strings.HasPrefix(key, name+"[") {
			values = append(values, these...)
		}
	}
	return values
}
