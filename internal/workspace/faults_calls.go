package workspace

import (
	"net/http"
	"time"
)

// spoilt lets the faults hit the calls that a handler answers.
func (s *Server) spoilt(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("method")
		if name == "" {
			name = "response_url"
		}
		switch {
		case s.faults.spoil(w, r, name):
			s.frames.add("in", "call", name+": spoilt by a fault", nil)
		case s.faults.has(LoseAnswer, name):
			next(unheard{}, r)
			panic(http.ErrAbortHandler)
		default:
			next(w, r)
		}
	}
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
			status := http.StatusInternalServerError
			if fault.Status != 0 {
				status = fault.Status
			}
			http.Error(w, http.StatusText(status), status)
			return true
		case Refuse:
			writeFailure(w, http.StatusOK, fail(fault.Error))
			return true
		}
	}
	return false
}

// unheard takes an answer that is lost on its way.
type unheard struct{}

func (unheard) Header() http.Header           { return http.Header{} }
func (unheard) Write(raw []byte) (int, error) { return len(raw), nil }
func (unheard) WriteHeader(int)               {}
