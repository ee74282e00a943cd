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

// events lists the event of each session that was completed.
func (s *Stripe) events(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	types := array(query, "types")
	if t := query.Get("type"); t != "" {
		types = append(types, t)
	}
	var objects []object
	for _, cs := range s.byCharge() {
		undelivered := cs.Event == store.EventPending || cs.Event == store.EventFailed
		if cs.Event == store.EventUnknown || cs.Event == store.EventNone ||
			len(types) > 0 && !slices.Contains(types, "checkout.session.completed") ||
			!matches(query, "delivery_success", strconv.FormatBool(!undelivered)) || !within(query, cs.ChargedAt) {
			continue
		}
		pending := 0
		if undelivered {
			pending = 1
		}
		objects = append(objects, object{
			"id": "evt_1" + mark("event of "+cs.ID, 23), "object": "event", "type": "checkout.session.completed",
			"created": cs.ChargedAt.Unix(), "livemode": cs.live(), "pending_webhooks": pending,
			"data": object{"object": cs.object(0)},
		})
	}
	writePage(w, query, objects)
}

// intents lists the payment intents of those who paid.
func (s *Stripe) intents(w http.ResponseWriter, r *http.Request) {
	s.paid(w, r, func(cs CheckoutSession) object { return cs.intent(1).(object) })
}

// charges lists what was charged.
func (s *Stripe) charges(w http.ResponseWriter, r *http.Request) {
	s.paid(w, r, func(cs CheckoutSession) object { return cs.intent(2).(object)["latest_charge"].(object) })
}

func (s *Stripe) paid(w http.ResponseWriter, r *http.Request, lay func(CheckoutSession) object) {
	var objects []object
	for _, cs := range s.byCharge() {
		if cs.IntentID != "" && within(r.URL.Query(), cs.ChargedAt) {
			objects = append(objects, lay(cs))
		}
	}
	writePage(w, r.URL.Query(), objects)
}

// byCharge is all sessions, those paid last first.
func (s *Stripe) byCharge() []CheckoutSession {
	sessions := s.known()
	slices.SortStableFunc(sessions, func(a, b CheckoutSession) int { return b.ChargedAt.Compare(a.ChargedAt) })
	return sessions
}

// writePage answers with the part of a list that the question's limit,
// starting_after and ending_before ask for.
func writePage(w http.ResponseWriter, query url.Values, objects []object) {
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil || limit < 1 || limit > 100 {
		limit = 10
	}
	at := func(id string) int { return slices.IndexFunc(objects, func(o object) bool { return o["id"] == id }) }
	from, to, more := 0, len(objects), false
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
	page := append([]object{}, objects[from:to]...) // an empty list is one, not null
	writeJSON(w, http.StatusOK, object{"object": "list", "has_more": more, "data": page})
}

// matches tells whether a member is what the question wants, if it wants any.
func matches(query url.Values, name, value string) bool {
	return !query.Has(name) || query.Get(name) == value
}

// within tells whether a time lies between created[gte] and the like.
func within(query url.Values, at time.Time) bool {
	for name, holds := range map[string]func(at, limit int64) bool{
		"created[gte]": func(at, limit int64) bool { return at >= limit },
		"created[gt]":  func(at, limit int64) bool { return at > limit },
		"created[lte]": func(at, limit int64) bool { return at <= limit },
		"created[lt]":  func(at, limit int64) bool { return at < limit },
		"created":      func(at, limit int64) bool { return at == limit },
	} {
		limit, err := strconv.ParseInt(query.Get(name), 10, 64)
		if err == nil && !holds(at.Unix(), limit) {
			return false
		}
	}
	return true
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
