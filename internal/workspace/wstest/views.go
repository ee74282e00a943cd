package wstest

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// View is a modal or a home tab as the workspace shows it over HTTP.
type View struct {
	ID         string          `json:"id"`
	Type       string          `json:"type"`
	CallbackID string          `json:"callback_id"`
	Title      json.RawMessage `json:"title"`
	Blocks     json.RawMessage `json:"blocks"`
	Hash       string          `json:"hash"`
	State      struct {
		Values map[string]map[string]json.RawMessage `json:"values"`
	} `json:"state"`
}

// Shows reports whether the view contains all the parts.
func (v View) Shows(parts ...string) bool {
	for _, part := range parts {
		if !strings.Contains(string(v.Title), part) && !strings.Contains(string(v.Blocks), part) {
			return false
		}
	}
	return true
}

// Views are what a person has open: the home tab, nil where none was published,
// and the modals, the top of the stack last.
type Views struct {
	Home    *View  `json:"home"`
	Modals  []View `json:"modals"`
	Changes int64  `json:"changes"`
}

// Shortcut uses a global shortcut. The error is what Slack would show.
func (p Person) Shortcut(callbackID string) error {
	p.w.t.Helper()
	return p.w.post("/control/shortcut", map[string]any{"user": p.id, "callback_id": callbackID}, nil)
}

// Shortcut uses a shortcut of a message. The error is what Slack would show.
func (p Place) Shortcut(m Message, callbackID string) error {
	p.w.t.Helper()
	return p.w.post("/control/shortcut", map[string]any{
		"user": p.user, "channel": m.Channel, "ts": m.TS, "callback_id": callbackID,
	}, nil)
}

// OpenHome opens the app's home tab.
func (p Person) OpenHome() {
	p.w.t.Helper()
	if err := p.w.post("/control/home", map[string]any{"user": p.id}, nil); err != nil {
		p.w.t.Fatalf("opening the home tab: %v", err)
	}
}

// Views are what the person has open now.
func (p Person) Views() Views {
	p.w.t.Helper()
	return p.views(0, 0)
}

func (p Person) views(after int64, wait time.Duration) Views {
	p.w.t.Helper()
	var v Views
	p.w.get("/control/views", url.Values{"user": {p.id}, "after": {strconv.FormatInt(after, 10)}, "wait": {millis(wait)}}, &v)
	return v
}

// ExpectModal waits until the modal on top fits. A nil fits takes any.
func (p Person) ExpectModal(fits func(View) bool) View {
	p.w.t.Helper()
	v := p.awaitViews("modal", func(v Views) bool {
		return len(v.Modals) > 0 && (fits == nil || fits(v.Modals[len(v.Modals)-1]))
	})
	return v.Modals[len(v.Modals)-1]
}

// ExpectNoModal waits until no modal is open.
func (p Person) ExpectNoModal() {
	p.w.t.Helper()
	p.awaitViews("end of the modals", func(v Views) bool { return len(v.Modals) == 0 })
}

// ExpectHome waits until the home tab fits. A nil fits takes any.
func (p Person) ExpectHome(fits func(View) bool) View {
	p.w.t.Helper()
	return *p.awaitViews("home tab", func(v Views) bool { return v.Home != nil && (fits == nil || fits(*v.Home)) }).Home
}

func (p Person) awaitViews(what string, fits func(Views) bool) Views {
	p.w.t.Helper()
	v := p.views(0, 0)
	for deadline := time.Now().Add(patience); !fits(v); {
		left := time.Until(deadline)
		if left <= 0 {
			p.w.t.Fatalf("no such %s within %v; %s has open: %+v", what, patience, p.id, v)
		}
		v = p.views(v.Changes, left)
	}
	return v
}

// Press presses the first button of a view with this action_id.
func (p Person) Press(v View, actionID string) {
	p.w.t.Helper()
	if err := p.w.post("/control/click", map[string]any{"user": p.id, "view_id": v.ID, "action_id": actionID}, nil); err != nil {
		p.w.t.Fatalf("pressing %s: %v", actionID, err)
	}
}

// Fill fills a field of a view, or chooses there. It fails the test where that is
// not possible. value is a string, or a []string where several may be chosen.
func (p Person) Fill(v View, actionID string, value any) {
	p.w.t.Helper()
	if err := p.TryFill(v, actionID, value); err != nil {
		p.w.t.Fatalf("filling %s with %v: %v", actionID, value, err)
	}
}

// TryFill is Fill for tests that expect an error.
func (p Person) TryFill(v View, actionID string, value any) error {
	p.w.t.Helper()
	return p.w.post("/control/input", map[string]any{"user": p.id, "view_id": v.ID, "action_id": actionID, "value": value}, nil)
}

// Upload uploads a file, and returns its id, with which a file input is filled.
func (p Person) Upload(name string, content []byte) string {
	p.w.t.Helper()
	var answer struct {
		FileID string `json:"file_id"`
	}
	if err := p.w.post("/control/file", map[string]any{"user": p.id, "name": name, "content": content}, &answer); err != nil {
		p.w.t.Fatalf("uploading %s: %v", name, err)
	}
	return answer.FileID
}

// Submit submits a modal, and returns the errors that the app answers by block_id.
// The error is what Slack would show.
func (p Person) Submit(v View) (map[string]string, error) {
	p.w.t.Helper()
	var answer struct{ Errors map[string]string }
	err := p.w.post("/control/submit", map[string]any{"user": p.id, "view_id": v.ID}, &answer)
	return answer.Errors, err
}

// Close closes a modal.
func (p Person) Close(v View) {
	p.w.t.Helper()
	if err := p.w.post("/control/close", map[string]any{"user": p.id, "view_id": v.ID}, nil); err != nil {
		p.w.t.Fatalf("closing the modal: %v", err)
	}
}
