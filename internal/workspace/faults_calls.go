package workspace

import (
	"net/http"
	"time"
)

// withFaults applies the faults to the calls that a handler answers.
func (s *Server) withFaults(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("method")
		if name == "" {
			name = "response_url"
		}
		switch {
		case s.faults.answer(w, r, name):
			s.frames.add("in", "call", name+": spoilt by a fault", nil)
		case s.faults.has(LoseAnswer, name):
			next(discard{}, r)
			panic(http.ErrAbortHandler)
		default:
			next(w, r)
		}
	}
}

// answer delays a call, or answers it in its method's place, as the faults have
// it. It reports whether the call needs no other answer.
func (f *faults) answer(w http.ResponseWriter, r *http.Request, method string) bool {
	active, cleared := f.of(method)
	for _, fault := range active {
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
			remaining := time.Second
			if !fault.until.IsZero() {
				remaining = fault.until.Sub(f.now())
			}
			writeError(w, http.StatusOK, rateLimited(remaining))
			return true
		case ServerError:
			status := http.StatusInternalServerError
			if fault.Status != 0 {
				status = fault.Status
			}
			http.Error(w, http.StatusText(status), status)
			return true
		case Refuse:
			writeError(w, http.StatusOK, fail(fault.Error))
			return true
		}
	}
	return false
}

// discard takes an answer that is lost on its way.
type discard struct{}

func (discard) Header() http.Header           { return http.Header{} }
func (discard) Write(raw []byte) (int, error) { return len(raw), nil }
func (discard) WriteHeader(int)               {}
