package demo

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// CheckoutSession is a session of the fake of Stripe.
type CheckoutSession struct {
	ID            string
	Status        string // open, complete or expired
	PaymentStatus string // paid, unpaid or no_payment_required
	Amount        int64  // in the currency's smallest unit
	Currency      string
	Refunded      int64 // of Amount; all of it = fully refunded
	Disputed      bool
	Email         string
	IntentID      string    // pi_…; empty = derived from the id where money came in
	Created       time.Time // of the session
	ChargedAt     time.Time // zero = Created
	PaidAt        time.Time // of a delayed payment that succeeded; zero = paid when it was charged
	Failed        bool      // a delayed payment that failed for good
	Other         bool      // a subscription, which is not the product's
	VideoCount    int       // 0 = not said
	Prompt        string    // in the metadata, as of older sessions
	Seconds       string    // likewise
	Event         store.EventState
}

// Stripe is a fake of Stripe: Checkout Sessions and their events, to
// read. Any bearer key is accepted.
type Stripe struct {
	faults
	mux      *http.ServeMux
	sessions []*CheckoutSession // newest first, then by id; none is changed
}

// NewStripe makes one that knows nothing.
func NewStripe() *Stripe {
	s := &Stripe{mux: http.NewServeMux()}
	s.mux.HandleFunc("GET /v1/checkout/sessions/{id}", s.session)
	s.mux.HandleFunc("GET /v1/checkout/sessions", s.list)
	s.mux.HandleFunc("GET /v1/events", s.events)
	s.mux.HandleFunc("GET /v1/events/{id}", s.oneEvent)
	s.mux.HandleFunc("GET /v1/payment_intents", s.intents)
	s.mux.HandleFunc("GET /v1/charges", s.charges)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		stripeError(w, http.StatusNotFound, "", "Unrecognized request URL ("+r.Method+": "+r.URL.Path+").")
	})
	return s
}

// ServeHTTP answers as Stripe does.
func (s *Stripe) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if fault, ok := s.fault(r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]); ok {
		fault.serve(w, r)
		return
	}
	if key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "); key == "" {
		stripeError(w, http.StatusUnauthorized, "", "You did not provide an API key.")
		return
	}
	s.mux.ServeHTTP(w, r)
}

// Put adds sessions, or replaces those of the same ids.
func (s *Stripe) Put(sessions ...CheckoutSession) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := map[string]bool{}
	for _, cs := range sessions {
		fresh[cs.ID] = true
	}
	s.sessions = slices.DeleteFunc(s.sessions, func(old *CheckoutSession) bool { return fresh[old.ID] })
	for _, cs := range sessions {
		if cs.ChargedAt.IsZero() {
			cs.ChargedAt = cs.Created
		}
		if cs.IntentID == "" && cs.PaymentStatus == "paid" {
			cs.IntentID = "pi_3" + mark(cs.ID, 23)
		}
		s.sessions = append(s.sessions, &cs)
	}
	slices.SortFunc(s.sessions, func(a, b *CheckoutSession) int {
		return cmp.Or(b.Created.Compare(a.Created), strings.Compare(a.ID, b.ID))
	})
}

// known is a copy of the list of all sessions, newest first.
func (s *Stripe) known() []*CheckoutSession {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sessions)
}

func (s *Stripe) session(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	for _, cs := range s.known() {
		if cs.ID == id {
			writeJSON(w, http.StatusOK, cs.object(expansion(r.URL.Query(), "")))
			return
		}
	}
	stripeError(w, http.StatusNotFound, "resource_missing", "No such checkout.session: "+id)
}

func (s *Stripe) list(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	depth := expansion(query, "data.")
	window := span(query)
	found := slices.DeleteFunc(s.known(), func(cs *CheckoutSession) bool {
		return !matches(query, "customer_details[email]", cs.Email) || !matches(query, "payment_intent", cs.IntentID) ||
			!matches(query, "status", cs.Status) || !window(cs.Created)
	})
	writePage(w, query, found, func(cs *CheckoutSession) string { return cs.ID }, func(cs *CheckoutSession) object { return cs.object(depth) })
}

// object is one as Stripe answers it.
type object map[string]any

// object lays the session out, with its payment intent as an id (depth 0), as
// an object (1) or with the latest charge, too (2).
func (cs CheckoutSession) object(depth int) object {
	o := object{
		"id": cs.ID, "object": "checkout.session", "mode": "payment", "livemode": cs.live(),
		"status": cs.Status, "payment_status": cs.PaymentStatus,
		"amount_total": cs.Amount, "currency": cs.Currency, "created": cs.Created.Unix(),
		"customer_details": nil, "payment_intent": nil, "metadata": object{"tool": "veo3-generator"},
	}
	if cs.Other {
		o["mode"], o["metadata"] = "subscription", object{}
	}
	if cs.Email != "" {
		o["customer_details"] = object{"email": cs.Email}
	}
	if cs.VideoCount > 0 {
		o["metadata"].(object)["video_count"] = strconv.Itoa(cs.VideoCount)
	}
	for member, text := range map[string]string{"prompt": cs.Prompt, "duration": cs.Seconds} {
		if text != "" && !cs.Other {
			o["metadata"].(object)[member] = text
		}
	}
	if cs.IntentID != "" {
		o["payment_intent"] = cs.intent(depth)
	}
	return o
}

func (cs CheckoutSession) intent(depth int) any {
	if depth == 0 {
		return cs.IntentID
	}
	charge := "ch_3" + mark(cs.IntentID, 23)
	o := object{"id": cs.IntentID, "object": "payment_intent", "livemode": cs.live(), "status": "succeeded", "latest_charge": charge}
	switch {
	case cs.Failed:
		o["status"] = "requires_payment_method"
	case cs.PaymentStatus == "unpaid":
		o["status"] = "processing"
	}
	if depth > 1 {
		o["latest_charge"] = object{
			"id": charge, "object": "charge", "livemode": cs.live(), "created": cs.ChargedAt.Unix(),
			"amount": cs.Amount, "currency": cs.Currency, "amount_refunded": cs.Refunded,
			"refunded": cs.Refunded > 0 && cs.Refunded >= cs.Amount, "disputed": cs.Disputed,
		}
	}
	return o
}

func (cs CheckoutSession) live() bool { return !strings.HasPrefix(cs.ID, "cs_test_") }

// expansion is how deep the question wants payment intents laid out.
func expansion(query url.Values, prefix string) int {
	depth := 0
	for _, path := range array(query, "expand") {
		switch path {
		case prefix + "payment_intent":
			depth = max(depth, 1)
		case prefix + "payment_intent.latest_charge":
			depth = 2
		}
	}
	return depth
}

func stripeError(w http.ResponseWriter, status int, code, message string) {
	e := object{"type": "invalid_request_error", "message": message}
	if code != "" {
		e["code"] = code
	}
	writeJSON(w, status, object{"error": e})
}
