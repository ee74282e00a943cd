// Package wstest plays people of a workspace in tests: they type, click, and
// expect messages. It speaks to the workspace's /control over HTTP,
// so the workspace may run in this process or in another. A test fails on every
// message and every update that it did not expect.
package wstest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	patience = 5 * time.Minute        // for what is expected; only what hangs takes longer
	quiet    = 300 * time.Millisecond // without news, before nothing else is believed to come
)

// Message is a message as the workspace shows it over HTTP. It is declared
// again here, so that the workspace's own tests can use this package.
type Message struct {
	Channel   string          `json:"channel"`
	TS        string          `json:"ts"`
	ThreadTS  string          `json:"thread_ts"`
	User      string          `json:"user"`
	Text      string          `json:"text"`
	Blocks    json.RawMessage `json:"blocks"`
	Metadata  json.RawMessage `json:"metadata"`
	Ephemeral bool            `json:"ephemeral"`
	VisibleTo string          `json:"visible_to"`
	Edited    bool            `json:"edited"`
	Deleted   bool            `json:"deleted"`
	Revision  int64           `json:"revision"`
}

// Workspace is a workspace that a test plays in. It belongs to the test's own
// goroutine.
type Workspace struct {
	t        testing.TB
	url, key string
	revision int64              // up to which news have been read
	latest   map[string]Message // by channel and ts, as last read
	expected map[string]int64   // revision of each message up to which it was expected
	optional func(Message) bool // nil = all have to be expected
}

// New connects a test to the workspace at url. What the workspace shows already
// counts as expected. When the test ends, news that it did not expect fail it.
// A test that calls New before it starts its app checks again after the app was
// stopped, when the app has sent its last message.
func New(t testing.TB, url, controlKey string) *Workspace {
	t.Helper()
	w := &Workspace{
		t: t, url: strings.TrimSuffix(url, "/"), key: controlKey,
		latest: map[string]Message{}, expected: map[string]int64{},
	}
	w.poll(0)
	for id, m := range w.latest {
		w.expected[id] = m.Revision
	}
	t.Cleanup(func() {
		if !t.Failed() {
			w.poll(0)
			w.failOnNews()
		}
	})
	return w
}

// AwaitConnections waits until the app has at least so many connections.
func (w *Workspace) AwaitConnections(least int) {
	w.t.Helper()
	w.awaitConnections(url.Values{"least": {strconv.Itoa(least)}}, func(n int) bool { return n >= least })
}

// AwaitNoConnection waits until the app has no connection left.
func (w *Workspace) AwaitNoConnection() {
	w.t.Helper()
	w.AwaitConnectionsLeft(0)
}

// AwaitConnectionsLeft waits until the app has at most so many connections.
func (w *Workspace) AwaitConnectionsLeft(most int) {
	w.t.Helper()
	w.awaitConnections(url.Values{"most": {strconv.Itoa(most)}}, func(n int) bool { return n <= most })
}

// awaitConnections asks until there are enough, since the workspace does not
// wait for so long at a time.
func (w *Workspace) awaitConnections(query url.Values, enough func(int) bool) {
	w.t.Helper()
	var answer struct{ Connections int }
	for deadline := time.Now().Add(patience); ; {
		left := time.Until(deadline)
		query.Set("wait", millis(max(left, 0)))
		w.get("/control/connections", query, &answer)
		if enough(answer.Connections) {
			return
		}
		if left <= 0 {
			w.t.Fatalf("the app has %d connections after %v, expected others: %v", answer.Connections, patience, query)
		}
	}
}

// Fault makes the workspace misbehave for so many seconds. An empty method
// means all.
func (w *Workspace) Fault(kind string, seconds float64, method string) {
	w.t.Helper()
	w.fault(map[string]any{"kind": kind, "seconds": seconds, "method": method})
}

// Refuse answers calls of a method with an error code until the faults are cleared.
func (w *Workspace) Refuse(method, code string) {
	w.t.Helper()
	w.fault(map[string]any{"kind": "refuse", "method": method, "error": code})
}

// RefuseBlocks answers messages that hold blocks of these types, or elements of them,
// invalid_blocks until the faults are cleared.
func (w *Workspace) RefuseBlocks(types ...string) {
	w.t.Helper()
	w.fault(map[string]any{"kind": "refuse_blocks", "types": types})
}

func (w *Workspace) fault(body map[string]any) {
	w.t.Helper()
	if err := w.post("/control/fault", body, nil); err != nil {
		w.t.Fatalf("fault %v: %v", body, err)
	}
}

// Expect waits for a new message that fits, in any channel and visible to anyone.
func (w *Workspace) Expect(fits func(Message) bool) Message {
	w.t.Helper()
	return w.await("such message", func() (Message, bool) {
		unknown := w.sorted(func(m Message) bool { return w.expected[m.id()] == 0 })
		if i := slices.IndexFunc(unknown, fits); i >= 0 {
			return unknown[i], true
		}
		return Message{}, false
	})
}

// Optional declares messages that need not be expected, since it depends on the load
// whether they are posted.
func (w *Workspace) Optional(fits func(Message) bool) { w.optional = fits }

// ExpectNothingElse fails the test on news that it did not expect, after it has
// been quiet for a moment.
func (w *Workspace) ExpectNothingElse() {
	w.t.Helper()
	for w.poll(quiet) {
		w.failOnNews()
	}
	w.failOnNews()
}

// failOnNews reports every message that the test did not expect.
func (w *Workspace) failOnNews() {
	w.t.Helper()
	for _, m := range w.unknown() {
		if w.optional != nil && w.optional(m) {
			continue
		}
		what := "update"
		if w.expected[m.id()] == 0 {
			what = "message"
		}
		w.t.Errorf("unexpected %s: %s", what, m)
		w.expected[m.id()] = m.Revision // reported once
	}
}

// sorted lists the messages that fit, oldest first.
func (w *Workspace) sorted(fits func(Message) bool) []Message {
	var list []Message
	for _, m := range w.latest {
		if fits(m) {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b Message) int { return strings.Compare(a.TS, b.TS) })
	return list
}

// News is what the test does not know yet. It waits for the first of it, and
// returns it, oldest first; it counts as expected. It is for tests that count
// instead of telling a story.
func (w *Workspace) News(wait time.Duration) []Message {
	w.t.Helper()
	news := w.unknown()
	if len(news) == 0 && w.poll(wait) {
		news = w.unknown()
	}
	for _, m := range news {
		w.expected[m.id()] = m.Revision
	}
	return news
}

// unknown lists the messages that the test did not expect yet.
func (w *Workspace) unknown() []Message {
	return w.sorted(func(m Message) bool { return m.Revision > w.expected[m.id()] })
}

// poll reads news, and waits for the first for so long. It reports whether
// there were any.
func (w *Workspace) poll(wait time.Duration) bool {
	w.t.Helper()
	var answer struct {
		Messages []Message
		Revision int64
	}
	w.get("/control/messages", url.Values{
		"after": {strconv.FormatInt(w.revision, 10)}, "wait": {millis(wait)},
	}, &answer)
	for _, m := range answer.Messages {
		w.latest[m.id()] = m
	}
	w.revision = answer.Revision
	return len(answer.Messages) > 0
}

// await polls until find succeeds. It fails the test when patience ends.
func (w *Workspace) await(what string, find func() (Message, bool)) Message {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		if m, ok := find(); ok {
			w.expected[m.id()] = m.Revision
			return m
		}
		left := time.Until(deadline)
		if left <= 0 {
			w.t.Fatalf("no %s within %v; there are:\n%s", what, patience, w.listing())
		}
		w.poll(left)
	}
}

// listing shows all messages, for a failed test.
func (w *Workspace) listing() string {
	var b strings.Builder
	for _, m := range w.sorted(func(Message) bool { return true }) {
		fmt.Fprintf(&b, "  %s\n", m)
	}
	return b.String()
}

// post sends a control. The error is what the workspace answered in words.
func (w *Workspace) post(path string, body, into any) error {
	w.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		w.t.Fatalf("%s: %v", path, err)
	}
	return w.do(http.MethodPost, path, raw, into)
}

func (w *Workspace) get(path string, query url.Values, into any) {
	w.t.Helper()
	if err := w.do(http.MethodGet, path+"?"+query.Encode(), nil, into); err != nil {
		w.t.Fatalf("%s: %v", path, err)
	}
}

func (w *Workspace) do(method, path string, body []byte, into any) error {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, w.url+path, bytes.NewReader(body))
	if err != nil {
		w.t.Fatalf("%s: %v", path, err)
	}
	req.Header.Set("X-Control-Key", w.key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatalf("%s: %v", path, err)
	}
	defer func() { _ = res.Body.Close() }() // it has been read
	var answer struct {
		OK    bool
		Error string
	}
	raw, err := io.ReadAll(res.Body)
	if err == nil {
		err = json.Unmarshal(raw, &answer)
	}
	if err == nil && answer.OK && into != nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		w.t.Fatalf("%s: HTTP %d: %v", path, res.StatusCode, err)
	}
	if !answer.OK {
		return errors.New(answer.Error)
	}
	return nil
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

func (m Message) id() string { return m.Channel + " " + m.TS }

// String is the message in one line, for failed tests.
func (m Message) String() string {
	kind := ""
	if m.Ephemeral {
		kind = ", only for " + m.VisibleTo
	}
	return fmt.Sprintf("%s in %s%s: %q blocks %s", m.User, m.Channel, kind, m.Text, m.Blocks)
}
