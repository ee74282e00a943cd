package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
)

// orders counts the requests to SuperDuperAI by prompt, and refuses some.
type orders struct {
	http.Handler
	mu      sync.Mutex
	asked   map[string]int
	refuse  map[string]int // HTTP status by prompt, "" = of all that follow after so many
	allowed int
}

func (o *orders) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		o.Handler.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	var order struct{ Config struct{ Prompt string } }
	if err == nil {
		err = json.Unmarshal(body, &order)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	o.mu.Lock()
	o.asked[order.Config.Prompt]++
	status := o.refuse[order.Config.Prompt]
	if status == 0 && len(o.asked) > o.allowed {
		status = o.refuse[""]
	}
	o.mu.Unlock()
	if status != 0 {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"detail":"no"}`) // who asked has hung up
		return
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	o.Handler.ServeHTTP(w, r)
}

// once checks that no video was requested twice, and returns the sessions.
func (o *orders) once(t *testing.T) []string {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for prompt, n := range o.asked {
		if n != 1 {
			t.Errorf("%q was requested %d times", prompt, n)
		}
	}
	return slices.Sorted(maps.Keys(o.asked))
}

func (o *orders) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.asked)
}

// deliveries counts the events that reach the site by session, and whether it takes
// them.
type deliveries struct {
	mu             sync.Mutex
	site           http.Handler
	refuse         string // a session whose signature alone is not accepted
	taken, refused map[string]int
}

func (d *deliveries) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	site, refuse := d.site, d.refuse
	d.mu.Unlock()
	if r.Method != http.MethodPost {
		site.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	id := eventSession.FindString(string(body))
	if err != nil || id == "" {
		http.Error(w, "no event", http.StatusInternalServerError)
		return
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	if id == refuse {
		r.Header.Set("Stripe-Signature", "t=1,v1=00")
	}
	answer := httptest.NewRecorder()
	site.ServeHTTP(answer, r)
	counted := d.taken
	if answer.Code != http.StatusOK {
		counted = d.refused
	}
	d.mu.Lock()
	counted[id]++
	d.mu.Unlock()
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // who asked has hung up
}

// eventSession finds the session that an event is about.
var eventSession = regexp.MustCompile(`cs_live_[0-9A-Za-z]+`)

// once checks that the site accepted no event twice, nor refused it twice. It returns how many it took and how many it refused.
func (d *deliveries) once(t *testing.T) (taken, refused int) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, counts := range []map[string]int{d.taken, d.refused} {
		for id, n := range counts {
			if n != 1 {
				t.Errorf("the event of %s came %d times", id, n)
			}
		}
	}
	return len(d.taken), len(d.refused)
}

// bulkID is the id of the nth customer, who paid the longer ago the smaller n is.
func bulkID(n int) string {
	return fmt.Sprintf("cs_live_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3bu%04d", n)
}

func bulkPrompt(n int) string { return fmt.Sprintf("A fox for %04d", n) }

// outage has the webhook's endpoint down for an hour: n customers paid and got
// nothing, of whom the last three have their session under three keys.
func outage(s *stage, n int) *orders {
	s.t.Helper()
	s.env["OPERATORS"], s.env["SITE_LAYOUT"], s.env["BULK_PARALLEL"] = "S0OPS", "one-key", "4"
	o := &orders{Handler: s.files, asked: map[string]int{}, refuse: map[string]int{}}
	s.env["SUPERDUPERAI_URL"] = s.serve(o)
	for k := range n {
		at := time.Now().Add(-2*time.Hour + time.Duration(k)*time.Minute)
		s.stripe.Put(paid(bulkID(k), at, store.EventDelivered))
		text := at.UTC().Format("2006-01-02T15:04:05.000Z")
		if k >= n-3 {
			s.put("prompt:"+bulkID(k), fmt.Sprintf(`{"prompt":%q,"timestamp":%q}`, bulkPrompt(k), text))
			continue
		}
		s.put("session:"+bulkID(k), fmt.Sprintf(`{"prompt":%q,"videoCount":1,"duration":8,"resolution":"1280x720","status":"pending","createdAt":%q,"timestamp":%q}`, bulkPrompt(k), text, text))
	}
	return o
}

// webhookLate delivers the event of a payment to the site after all.
func (s *stage) webhookLate(n int) {
	s.t.Helper()
	value := s.value("session:" + bulkID(n))
	value["status"], value["fileId"], value["timestamp"] = "processing", fmt.Sprintf("6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b%04d", n), time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	raw, err := json.Marshal(value)
	testenv.Must(s.t, err)
	s.put("session:"+bulkID(n), string(raw))
}

// expireLeases acts as if the life of all jobs' leases had gone by.
func (s *stage) expireLeases() {
	s.t.Helper()
	pending, err := s.client.ZRange(s.t.Context(), "sessionbot:{jobs}:pending", 0, -1).Result()
	testenv.Must(s.t, err)
	for _, id := range pending {
		testenv.Must(s.t, s.client.Del(s.t.Context(), "sessionbot:{jobs}:lease:"+id).Err())
	}
}

// eachAccountedFor checks that every session that was requested is completed, or an
// error if it was refused, and that nothing was written to the others.
func (s *stage) eachAccountedFor(o *orders, n int) {
	s.t.Helper()
	for k := range n {
		asked, refused := o.asked[bulkPrompt(k)] == 1, o.refuse[bulkPrompt(k)] != 0
		value := s.value("session:" + bulkID(k))
		switch status := value["status"]; {
		case refused && status == "error", asked && !refused && (status == "completed" || status == "processing"): // the site never writes completed
		case !asked && (status == "pending" || status == nil || status == "processing"):
		default:
			s.t.Errorf("%s: requested %v, refused %v, status %v", bulkID(k), asked, refused, status)
		}
	}
}
