package workspace

import (
	"context"
	"encoding/json"
	"errors"
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
	mux.HandleFunc("POST /control/command", controlBody(s.controlCommand))
	mux.HandleFunc("POST /control/message", controlBody(s.controlMessage))
	mux.HandleFunc("POST /control/click", controlBody(func(in Click) (object, error) { return object{}, s.Click(in) }))
	mux.HandleFunc("POST /control/input", controlBody(func(in Input) (object, error) { return object{}, s.Input(in) }))
	mux.HandleFunc("POST /control/file", controlBody(s.controlFile))
	mux.HandleFunc("POST /control/shortcut", controlBody(func(in Shortcut) (object, error) { return object{}, s.Shortcut(in) }))
	mux.HandleFunc("POST /control/home", controlBody(func(in usedView) (object, error) { return object{}, s.Home(in.User) }))
	mux.HandleFunc("POST /control/submit", controlBody(s.controlSubmit))
	mux.HandleFunc("POST /control/close", controlBody(func(in usedView) (object, error) {
		return object{}, s.CloseModal(in.User, in.ViewID, false)
	}))
	mux.HandleFunc("POST /control/reset", controlBody(s.controlReset))
	mux.HandleFunc("GET /control/frames", controlQuery(s.controlFrames))
	mux.HandleFunc("GET /control/views", controlQuery(s.controlViews))
	mux.HandleFunc("POST /control/fault", controlBody(func(in Fault) (object, error) { return object{}, s.Fault(in) }))
	mux.HandleFunc("GET /control/messages", controlQuery(s.controlMessages))
	mux.HandleFunc("GET /control/connections", controlQuery(s.controlConnections))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !equalSecrets(r.Header.Get("X-Control-Key"), s.controlKey) {
			writeJSON(w, http.StatusForbidden, object{"ok": false, "error": "the header X-Control-Key is missing or wrong"})
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// controlBody makes a handler that reads the JSON body and answers with what was
// done, or in words with what went wrong.
func controlBody[T any](do func(T) (object, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in T
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			writeJSON(w, http.StatusBadRequest, object{"ok": false, "error": "the body is not JSON of the right shape"})
			return
		}
		controlQuery(func(*http.Request) (object, error) { return do(in) })(w, r)
	}
}

// controlQuery is controlBody for requests without a body.
func controlQuery(do func(*http.Request) (object, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		done, err := do(r)
		if err != nil {
			writeJSON(w, http.StatusOK, object{"ok": false, "error": err.Error()})
			return
		}
		done["ok"] = true
		writeJSON(w, http.StatusOK, done)
	}
}

type typedCommand struct{ User, Channel, Command, Text string }

func (s *Server) controlCommand(in typedCommand) (object, error) {
	id, err := s.Command(in.User, in.Channel, in.Command, in.Text)
	return object{"envelope_id": id}, err
}

type typedMessage struct {
	User, Channel, Text string
	ThreadTS            string `json:"thread_ts"`
}

func (s *Server) controlMessage(in typedMessage) (object, error) {
	ts, err := s.Write(in.User, in.Channel, in.ThreadTS, in.Text)
	return object{"ts": ts}, err
}

// Messages lists what a person sees in a channel, oldest first, and the
// revision of the workspace that this shows. An empty channel means every one,
// an empty user means everybody's messages.
func (s *Server) Messages(channel, user string) ([]Message, int64) {
	return s.world.seen(channel, user, 0)
}

// controlMessages lists messages. With after=REVISION only those that changed
// since, and with wait=MILLISECONDS it waits for the first of them.
func (s *Server) controlMessages(r *http.Request) (object, error) {
	after, err := number(r, "after", 0)
	wait, waitErr := number(r, "wait", 0)
	if err := errors.Join(err, waitErr); err != nil {
		return nil, err
	}
	ctx, cancel := waitContext(r, wait)
	defer cancel()
	list, revision := s.world.await(ctx, r.FormValue("channel"), r.FormValue("user"), after)
	return object{"messages": list, "revision": revision}, nil
}

// controlConnections counts the app's connections. With least=N or most=N, and
// wait=MILLISECONDS, it waits until there are that many.
func (s *Server) controlConnections(r *http.Request) (object, error) {
	least, err := number(r, "least", 0)
	most, mostErr := number(r, "most", maxSockets)
	wait, waitErr := number(r, "wait", 0)
	if err := errors.Join(err, mostErr, waitErr); err != nil {
		return nil, err
	}
	ctx, cancel := waitContext(r, wait)
	defer cancel()
	for {
		count, changed := s.sockets.count()
		if n := int64(count); (n >= least && n <= most) || ctx.Err() != nil {
			return object{"connections": count}, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// waitContext is a context that ends when the request's wait is over.
func waitContext(r *http.Request, millis int64) (context.Context, context.CancelFunc) {
	return context.WithTimeout(r.Context(), min(time.Duration(millis)*time.Millisecond, maxWait))
}

// number reads a number of the query.
func number(r *http.Request, name string, absent int64) (int64, error) {
	text := r.FormValue(name)
	if text == "" {
		return absent, nil
	}
	return strconv.ParseInt(text, 10, 32)
}
