package workspace

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// maxWait bounds how long one request may wait for news.
const maxWait = 60 * time.Second

// controlRoutes are thin wrappers of the Server's methods, for tests in any
// language.
func (s *Server) controlRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /control/command", s.controlCommand)
	mux.HandleFunc("POST /control/click", s.controlClick)
	mux.HandleFunc("POST /control/message", s.controlMessage)
	mux.HandleFunc("POST /control/fault", s.controlFault)
	mux.HandleFunc("GET /control/messages", s.controlMessages)
	mux.HandleFunc("GET /control/connections", s.controlConnections)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !same(r.Header.Get("X-Control-Key"), s.controlKey) {
			writeJSON(w, http.StatusForbidden, object{"ok": false, "error": "the header X-Control-Key is missing or wrong"})
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (s *Server) controlCommand(w http.ResponseWriter, r *http.Request) {
	var in struct{ User, Channel, Command, Text string }
	if !readControl(w, r, &in) {
		return
	}
	id, err := s.Command(in.User, in.Channel, in.Command, in.Text)
	writeControl(w, object{"envelope_id": id}, err)
}

func (s *Server) controlClick(w http.ResponseWriter, r *http.Request) {
	var in Click
	if readControl(w, r, &in) {
		writeControl(w, object{}, s.Click(in))
	}
}

func (s *Server) controlMessage(w http.ResponseWriter, r *http.Request) {
	var in struct {
		User, Channel, Text string
		ThreadTS            string `json:"thread_ts"`
	}
	if !readControl(w, r, &in) {
		return
	}
	ts, err := s.Write(in.User, in.Channel, in.ThreadTS, in.Text)
	writeControl(w, object{"ts": ts}, err)
}

func (s *Server) controlFault(w http.ResponseWriter, r *http.Request) {
	var in Fault
	if readControl(w, r, &in) {
		writeControl(w, object{}, s.Fault(in))
	}
}

// Messages lists what a person sees in a channel, oldest first, and the
// revision of the workspace that this shows. An empty channel means every one,
// an empty user means everybody's messages.
func (s *Server) Messages(channel, user string) ([]Message, int64) {
	return s.world.seen(channel, user, 0)
}

// controlMessages lists messages. With after=REVISION only those that changed
// since, and with wait=MILLISECONDS it waits for the first of them.
func (s *Server) controlMessages(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	after, err := number(q.Get("after"))
	if err != nil {
		writeControl(w, nil, err)
		return
	}
	ctx, cancel, err := patience(r)
	if err != nil {
		writeControl(w, nil, err)
		return
	}
	defer cancel()
	list, revision := s.world.await(ctx, q.Get("channel"), q.Get("user"), after)
	writeControl(w, object{"messages": list, "revision": revision}, nil)
}

// controlConnections counts the app's connections. With least=N or most=N, and
// wait=MILLISECONDS, it waits until there are that many.
func (s *Server) controlConnections(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	least, err := number(q.Get("least"))
	if err != nil {
		writeControl(w, nil, err)
		return
	}
	most := int64(maxSockets)
	if q.Has("most") {
		if most, err = number(q.Get("most")); err != nil {
			writeControl(w, nil, err)
			return
		}
	}
	ctx, cancel, err := patience(r)
	if err != nil {
		writeControl(w, nil, err)
		return
	}
	defer cancel()
	for {
		count, changed := s.sockets.count()
		if n := int64(count); (n >= least && n <= most) || ctx.Err() != nil {
			writeControl(w, object{"connections": count}, nil)
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// patience is a context that ends when the request's wait is over.
func patience(r *http.Request) (context.Context, context.CancelFunc, error) {
	millis, err := number(r.URL.Query().Get("wait"))
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), min(time.Duration(millis)*time.Millisecond, maxWait))
	return ctx, cancel, nil
}

// number reads a number of a query; none is 0.
func number(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	return strconv.ParseInt(text, 10, 32)
}

// readControl reads the body. Where it cannot, it has answered.
func readControl(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		writeJSON(w, http.StatusBadRequest, object{"ok": false, "error": "the body is not JSON of the right shape"})
		return false
	}
	return true
}

// writeControl answers with what was done, or with what went wrong in words.
func writeControl(w http.ResponseWriter, done object, err error) {
	if err != nil {
		writeJSON(w, http.StatusOK, object{"ok": false, "error": err.Error()})
		return
	}
	done["ok"] = true
	writeJSON(w, http.StatusOK, done)
}
