package workspace

import (
	"errors"
	"fmt"
	"slices"
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
	// server_error, slow, refuse and lose_answer affect. Empty means all.
	Method string `json:"method,omitempty"`
	// Error is the code that refuse answers, such as "account_inactive".
	Error string `json:"error,omitempty"`
	// Status is the HTTP status that server_error answers; 0 means 500. 429 is
	// sent without Retry-After.
	Status int `json:"status,omitempty"`
	// Types are the types of blocks, or of elements in them, that refuse_blocks
	// refuses.
	Types []string `json:"types,omitempty"`
	// Reason is the reason of disconnect: refresh_requested (or empty),
	// too_many_websockets, or link_disabled.
	Reason string `json:"reason,omitempty"`
}

// The kinds of faults.
const (
	DropConnections   = "drop_connections"   // cut every socket; refuse new ones while it lasts
	DisconnectWarning = "disconnect_warning" // announce a disconnect, then do it
	Disconnect        = "disconnect"         // disconnect the oldest socket unannounced; link_disabled hits all
	HalfOpen          = "half_open"          // the sockets there are stay open but carry nothing
	Garble            = "garble"             // send payloads that cannot be decoded
	RateLimit         = "rate_limit"         // answer 429
	ServerError       = "server_error"       // answer 500, or another status
	Refuse            = "refuse"             // answer ok false with an error code
	RefuseBlocks      = "refuse_blocks"      // answer messages with some types of blocks invalid_blocks
	LoseAnswer        = "lose_answer"        // carry the call out, but hang up instead of answering
	Slow              = "slow"               // answer late
	Clear             = "clear"              // behave again
)

// disconnectReasons are the reasons a disconnect may have.
var disconnectReasons = []string{"", refreshRequested, "too_many_websockets", linkDisabled}

// Two reasons that do more than end one connection.
const (
	refreshRequested = "refresh_requested"
	linkDisabled     = "link_disabled"
)

// maxFaultSeconds keeps a fault's time within an hour.
const maxFaultSeconds = 3600

// check returns in words what is wrong with a fault.
func (f Fault) check() error {
	switch {
	case f.Seconds < 0 || f.Seconds > maxFaultSeconds:
		return fmt.Errorf("seconds must be between 0 and %d", maxFaultSeconds)
	case f.Kind == Refuse && f.Error == "":
		return errors.New(`refuse needs an error code, such as "account_inactive"`)
	case f.Kind == RefuseBlocks && len(f.Types) == 0:
		return errors.New(`refuse_blocks needs types, such as ["data_table"]`)
	case f.Status != 0 && (f.Status < 400 || f.Status > 599):
		return errors.New("status must be between 400 and 599")
	case !slices.Contains(disconnectReasons, f.Reason):
		return fmt.Errorf("reason must be one of %q", disconnectReasons[1:])
	}
	return nil
}

// Fault makes the workspace misbehave.
func (s *Server) Fault(f Fault) error {
	if err := f.check(); err != nil {
		return err
	}
	lasting := time.Duration(f.Seconds * float64(time.Second))
	switch f.Kind {
	case DropConnections:
		if lasting > 0 {
			s.faults.add(f, lasting)
		}
		s.sockets.closeAll()
	case DisconnectWarning:
		if lasting == 0 {
			lasting = s.timing.refresh
		}
		s.warnDisconnect(s.sockets.all(), lasting)
	case Disconnect:
		s.disconnect(f.Reason)
	case HalfOpen:
		s.setHalfOpen(true)
		if lasting > 0 {
			s.after(lasting, func() { s.setHalfOpen(false) })
		}
	case RateLimit, ServerError, Refuse, RefuseBlocks, LoseAnswer, Slow, Garble:
		s.faults.add(f, lasting)
	case Clear:
		s.faults.clear()
		s.setHalfOpen(false)
	default:
		return fmt.Errorf("there is no fault %q", f.Kind)
	}
	s.log.Info("fault set", "kind", f.Kind, "seconds", f.Seconds, "method", f.Method)
	return nil
}

// faults are those that last.
type faults struct {
	now     func() time.Time
	cleared broadcast

	mu  sync.Mutex
	all []lastingFault
}

type lastingFault struct {
	Fault
	until time.Time // zero = until cleared
}

func (f *faults) add(fault Fault, lasting time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	added := lastingFault{Fault: fault}
	if lasting > 0 && fault.Kind != Slow {
		added.until = f.now().Add(lasting)
	}
	f.all = append(f.all, added)
}

func (f *faults) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = nil
	f.cleared.wake()
}

// of lists the faults that affect a method now, and returns what is closed when
// they are cleared.
func (f *faults) of(method string) ([]lastingFault, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var active []lastingFault
	for _, c := range f.all {
		if (c.Method == "" || c.Method == method) && (c.until.IsZero() || f.now().Before(c.until)) {
			active = append(active, c)
		}
	}
	return active, f.cleared.next()
}

// has reports whether a fault of a kind affects a method now; an empty method is
// affected by faults of all methods.
func (f *faults) has(kind, method string) bool {
	active, _ := f.of(method)
	return slices.ContainsFunc(active, func(c lastingFault) bool { return c.Kind == kind })
}
