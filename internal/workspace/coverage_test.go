package workspace

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// covered reads the table of what works from the documents: its names by kind.
func covered(t *testing.T) map[string][]string {
	t.Helper()
	doc, err := os.ReadFile("../../docs/workspace.md")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string][]string{}
	row := regexp.MustCompile("(?m)^\\| (method|envelope|payload|event) \\| `([^`]+)`(?: `([^`]+)`)? \\| (works|partly) \\|")
	for _, m := range row.FindAllStringSubmatch(string(doc), -1) {
		name := m[2]
		if m[3] != "" {
			name += " " + m[3]
		}
		names[m[1]] = append(names[m[1]], name)
	}
	for _, list := range names {
		slices.Sort(list)
	}
	return names
}

// seenFrames are the names of what an app got, by kind.
type seenFrames map[string]map[string]bool

func (s seenFrames) add(kind, name string) {
	if s[kind] == nil {
		s[kind] = map[string]bool{}
	}
	s[kind][name] = true
}

func (s seenFrames) read(t *testing.T, raw []byte) {
	t.Helper()
	var f struct {
		Type    string
		Payload struct {
			Type  string
			Event struct{ Type, Subtype string }
		}
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		t.Fatal(err)
	}
	s.add("envelope", f.Type)
	switch {
	case f.Type == "interactive":
		s.add("payload", f.Payload.Type)
	case f.Type == "events_api" && f.Payload.Event.Subtype != "":
		s.add("event", f.Payload.Event.Type+" "+f.Payload.Event.Subtype)
	case f.Type == "events_api":
		s.add("event", f.Payload.Event.Type)
	}
}

// TestCoverage holds the table of what works against what an app gets when
// everything that people can do is done.
func TestCoverage(t *testing.T) {
	t.Parallel()
	want := covered(t)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(methods)), want["method"]); diff != "" {
		t.Errorf("methods (-there +documented):\n%s", diff)
	}
	s := startFast(t, Config{})
	app := connect(t, s)
	seen := seenFrames{}
	seen.read(t, app.next(t).raw) // hello
	posted := post(t, s, s.BotToken(), "chat.postMessage", object{"channel": "C0SUPPORT", "blocks": json.RawMessage(menus), "text": "x"})
	ts := posted["ts"].(string)
	post(t, s, s.BotToken(), "chat.update", object{"channel": "C0SUPPORT", "ts": ts, "blocks": json.RawMessage(menus), "text": "y"})
	view := with(t, smallModal, object{"notify_on_close": true, "blocks": []object{{"type": "input", "block_id": "b", "optional": true,
		"label": object{"type": "plain_text", "text": "Find"}, "element": object{"type": "external_select", "action_id": "ext"}}}})
	id := modalFor(t, s, view)["id"].(string)
	done := make(chan error, 1)
	for _, do := range []func() error{
		func() error { _, err := s.Command("U0LEAD", "C0SUPPORT", "/x", ""); return err },
		func() error { _, err := s.Write("U0LEAD", "C0SUPPORT", "", "@app hello"); return err },
		func() error { return s.Click(Click{User: "U0LEAD", Channel: "C0SUPPORT", TS: ts, ActionID: "go"}) },
		func() error { return s.Shortcut(Shortcut{User: "U0LEAD", CallbackID: "x"}) },
		func() error {
			return s.Shortcut(Shortcut{User: "U0LEAD", Channel: "C0SUPPORT", TS: ts, CallbackID: "x"})
		},
		func() error { return s.Home("U0LEAD") },
		func() error { return s.Input(Input{User: "U0LEAD", ViewID: id, ActionID: "ext", Value: encode("e")}) },
		func() error { _, _, err := s.SubmitModal("U0LEAD", id); return err },
		func() error {
			return s.CloseModal("U0LEAD", modalFor(t, s, view)["id"].(string), false)
		},
	} {
		go func() { done <- do() }()
		for finished := false; !finished; {
			select {
			case err := <-done:
				if err != nil {
					t.Error(err)
				}
				finished = true
			case f := <-app.frames:
				seen.read(t, f.raw)
				app.ack(t, f, ackFor(f))
			}
		}
	}
	post(t, s, s.BotToken(), "chat.delete", object{"channel": "C0SUPPORT", "ts": ts})
	for len(seen["event"]) < len(want["event"]) || len(seen["payload"]) < len(want["payload"]) { // some are sent later
		f := app.next(t)
		seen.read(t, f.raw)
		app.ack(t, f, nil)
	}
	if err := s.Fault(Fault{Kind: Disconnect}); err != nil {
		t.Fatal(err)
	}
	for {
		f := app.next(t)
		if f.Type == "" { // the connection has ended
			break
		}
		seen.read(t, f.raw)
	}
	for kind, names := range want {
		if kind == "method" {
			continue
		}
		if diff := cmp.Diff(slices.Sorted(maps.Keys(seen[kind])), names); diff != "" {
			t.Errorf("%ss (-there +documented):\n%s", kind, diff)
		}
	}
}

// ackFor is the ack of a frame: one that offers options where they are asked for.
func ackFor(f frame) any {
	if regexp.MustCompile(`"type":"block_suggestion"`).Match(f.raw) {
		return object{"options": []object{{"text": object{"type": "plain_text", "text": "E"}, "value": "e"}}}
	}
	return nil
}
