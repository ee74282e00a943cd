package workspace

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Fault is a way in which the workspace misbehaves.
type Fault struct {
	// Kind is one of the FaultKinds.
	Kind string `json:"kind"`
	// Seconds is how long it lasts; 0 means until it is cleared. For slow it is
	// how long each answer takes, until cleared; for disconnect_warning how long
	// after the warning the disconnect comes, 0 meaning ten.
	Seconds float64 `json:"seconds"`
	// Method is the Web API method, or "response_url", that rate_limit,
	// server_error and slow hit. Empty means all.
	Method string `json:"method,omitempty"`
}

// The kinds of faults.
const (
	DropConnections   = "drop_connections"   // cut every socket; refuse new ones while it lasts
	DisconnectWarning = "disconnect_warning" // announce a disconnect, then do it
	HalfOpen          = "half_open"          // the sockets there are stay open but carry nothing
	RateLimit         = "rate_limit"         // answer 429
	ServerError       = "server_error"       // answer 500
	Slow              = "slow"               // answer late
	Clear             = "clear"              // behave again
)

// maxFaultSeconds keeps a fault's time within an hour.
const maxFaultSeconds = 3600

// faults are those that hit Web API calls and new connections.
type faults struct {
	now func() time.Time

	mu          sync.Mutex
	refuseUntil time.Time
	calls       []callFault
	cleared     chan struct{} // closed when the faults are cleared
}

type callFault struct {
	Fault
	until time.Time // zero = until cleared
}

func newFaults(now func() time.Time) *faults {
	return &faults{now: now, cleared: make(chan struct{})}
}

// Fault makes the workspace misbehave.
func (s *Server) Fault(f Fault) error {
	if f.Seconds < 0 || f.Seconds > maxFaultSeconds {
		return fmt.Errorf("seconds must be between 0 and %d", maxFaultSeconds)
	}
	lasting := time.Duration(f.Seconds * float64(time.Second))
	switch f.Kind {
	case DropConnections:
		s.faults.refuse(lasting)
		s.sockets.closeAll()
	case DisconnectWarning:
		s.warn(lasting)
	case HalfOpen:
		s.deafen(lasting)
	case RateLimit, ServerError, Slow:
		s.faults.add(f, lasting)
	case Clear:
		s.faults.clear()
		s.hearAgain()
	default:
		return fmt.Errorf("there is no fault %q", f.Kind)
	}
	s.log.Info("fault", "kind", f.Kind, "seconds", f.Seconds, "method", f.Method)
	return nil
}

// warn announces the disconnect of the connections there are, and carries it out.
func (s *Server) warn(after time.Duration) {
	if after == 0 {
		after = s.timing.refresh
	}
	warned := s.sockets.all()
	for _, c := range warned {
		s.sayDisconnect(c, "warning")
	}
	s.later(after, func() {
		for _, c := range warned {
			s.sayDisconnect(c, "refresh_requested")
			c.bye()
			s.sockets.drop(c)
		}
	})
}

// deafen leaves the connections there are open, but dead.
func (s *Server) deafen(lasting time.Duration) {
	s.setDeaf(true)
	if lasting > 0 {
		s.later(lasting, s.hearAgain)
	}
}

func (s *Server) hearAgain() { s.setDeaf(false) }

func (s *Server) setDeaf(deaf bool) {
	for _, c := range s.sockets.all() {
		if err := c.deafen(deaf); err != nil {
			s.sockets.drop(c) // it has died meanwhile
		}
	}
}

// later runs do after a while, unless the workspace is closed before.
func (s *Server) later(after time.Duration, do func()) {
	s.work.Go(func() {
		if s.pause(after) {
			do()
		}
	})
}

func (f *faults) refuse(lasting time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refuseUntil = f.now().Add(lasting)
}

// refusing reports whether new connections are refused.
func (f *faults) refusing() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now().Before(f.refuseUntil)
}

func (f *faults) add(fault Fault, lasting time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	added := callFault{Fault: fault}
	if lasting > 0 && fault.Kind != Slow {
		added.until = f.now().Add(lasting)
	}
	f.calls = append(f.calls, added)
}

func (f *faults) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls, f.refuseUntil = nil, time.Time{}
	close(f.cleared)
	f.cleared = make(chan struct{})
}

// of lists the faults that hit a method now.
func (f *faults) of(method string) ([]callFault, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var hitting []callFault
	for _, c := range f.calls {
		if (c.Method == "" || c.Method == method) && (c.until.IsZero() || f.now().Before(c.until)) {
			hitting = append(hitting, c)
		}
	}
	return hitting, f.cleared
}

// spoil lets the faults hit a call. It reports whether the call is answered.
func (f *faults) spoil(w http.ResponseWriter, r *http.Request, method string) bool {
	hitting, cleared := f.of(method)
	for _, fault := range hitting {
		switch fault.Kind {
		case Slow:
			timer := time.NewTimer(time.Duration(fault.Seconds * float64(time.Second)))
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-cleared:
			case <-r.Context().Done():
				return true
			}
		case RateLimit:
			limited := &rateLimited{after: f.left(fault)}
			limited.header(w)
			writeFailure(w, http.StatusTooManyRequests, limited)
			return true
		case ServerError:
			http.Error(w, "internal server error", http.StatusInternalServerError)
			return true
		}
	}
	return false
}

// left is how long a fault lasts yet, one second at least.
func (f *faults) left(fault callFault) time.Duration {
	if fault.until.IsZero() {
		return time.Second
	}
	return fault.until.Sub(f.now())
}
