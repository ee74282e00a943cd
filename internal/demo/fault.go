// Package demo holds example sessions and fakes of Stripe, SuperDuperAI
// and the site, for the demo and for tests. The fakes answer as the real
// ones do, over HTTP, and can be made to misbehave. Nothing of the product
// itself lives here.
package demo

import (
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Fault is how a fake misbehaves. One of Hang, Cut and Status says it.
type Fault struct {
	Hang       bool // gives no answer for as long as the client waits
	Cut        bool // hangs up without an answer
	Status     int  // answers this HTTP status with Body
	Body       string
	RetryAfter time.Duration // sent along with Status; 0 = not
	Late       bool          // the request is carried out first: only the answer goes wrong
}

// faults is what each fake has: the faults set and the requests counted.
type faults struct {
	mu    sync.Mutex
	all   *Fault
	of    map[string]Fault
	calls int
}

// Break makes every request meet the fault, until Heal.
func (f *faults) Break(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = &fault
}

// BreakFor makes the requests for one id meet the fault, until Heal.
func (f *faults) BreakFor(id string, fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of == nil {
		f.of = map[string]Fault{}
	}
	f.of[id] = fault
}

// Heal takes all faults away.
func (f *faults) Heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all, f.of = nil, nil
}

// Calls is the number of requests so far.
func (f *faults) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// fault counts a request and returns what it meets.
func (f *faults) fault(id string) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if fault, ok := f.of[id]; ok {
		return fault, true
	}
	if f.all != nil {
		return *f.all, true
	}
	return Fault{}, false
}

// serve applies the fault.
func (f Fault) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case f.Hang:
		<-r.Context().Done()
	case f.Cut:
		panic(http.ErrAbortHandler)
	default:
		if f.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(f.RetryAfter.Seconds())))
		}
		writeRaw(w, f.Status, f.Body)
	}
}

// writeJSON answers with an object.
func writeJSON(w http.ResponseWriter, status int, body any) {
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err) // only what this package makes is encoded
	}
	writeRaw(w, status, string(raw))
}

func writeRaw(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) // who asked has hung up, and notices by itself
}
