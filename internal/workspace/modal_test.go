package workspace

import (
	"encoding/json"
	"strings"
	"testing"
)

// acked has a person do something while the app acknowledges what comes with a
// payload each, and returns the payloads that came and the error.
func acked(t *testing.T, app *client, do func() error, acks ...any) ([]string, error) {
	t.Helper()
	result := make(chan error, 1)
	go func() { result <- do() }()
	var got []string
	for {
		select {
		case f := <-app.frames:
			var payload any
			if len(acks) > 0 {
				payload, acks = acks[0], acks[1:]
			}
			got = append(got, string(changing.ReplaceAll(f.raw, []byte(`"$1":"…"`))))
			app.ack(t, f, payload)
		case err := <-result:
			return got, err
		}
	}
}

// stack lists the titles of the modals that Lea has open, the top last.
func stack(t *testing.T, s *Server) string {
	t.Helper()
	_, modals, _ := s.views.of("U0LEAD")
	var titles []string
	for _, v := range modals {
		var title struct{ Text string }
		if err := json.Unmarshal(v.Title, &title); err != nil {
			t.Fatal(err)
		}
		titles = append(titles, title.Text)
	}
	return strings.Join(titles, " ")
}

// titled is the small modal with another title.
func titled(t *testing.T, title string) json.RawMessage {
	t.Helper()
	return with(t, smallModal, object{"title": object{"type": "plain_text", "text": title}})
}

// TestSubmit: a submission carries what was filled in, and the app's answer
// decides what is open afterwards.
func TestSubmit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		ack      any
		want     string // what is open
		action   string
		err      string
		hasError bool
	}{
		{"empty", nil, "Below", "", "", false},
		{"clear", object{"response_action": "clear"}, "", "clear", "", false},
		{"update", object{"response_action": "update", "view": titled(t, "Updated")}, "Below Updated", "update", "", false},
		{"push", object{"response_action": "push", "view": titled(t, "Pushed")}, "Below Small Pushed", "push", "", false},
		{"errors", object{"response_action": "errors", "errors": object{"name": "Too short"}}, "Below Small", "errors", "", true},
		{"an error at nothing", object{"response_action": "errors", "errors": object{"pick": "x"}}, "Below Small", "", `there is no input block "pick" for an error`, false},
		{"no errors", object{"response_action": "errors"}, "Below Small", "", "errors is empty", false},
		{"nonsense", object{"response_action": "dance"}, "Below Small", "", `response_action "dance" is none`, false},
		{"an invalid view", object{"response_action": "update", "view": object{"type": "modal"}}, "Below Small", "", "invalid_arguments", false},
		{"a text", "hello", "Below Small", "", "it is no object", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := startFast(t, Config{})
			app := connected(t, s)
			below := modalFor(t, s, titled(t, "Below"))["id"].(string)
			top, _ := callViews(t, s, "push", object{"trigger_id": s.triggerID("U0LEAD", below), "view": json.RawMessage(smallModal)})
			id := top["id"].(string)

			got, err := acked(t, app, func() error { _, _, err := s.SubmitModal("U0LEAD", id); return err })
			if err == nil || !strings.Contains(err.Error(), `required field: block_id "name"`) || got != nil {
				t.Errorf("an empty field: %v, sent %s", err, got)
			}
			if err := s.Input(Input{User: "U0LEAD", ViewID: id, BlockID: "name", ActionID: "text", Value: encode("Ann")}); err != nil {
				t.Fatal(err)
			}
			var action string
			var wrong map[string]string
			got, err = acked(t, app, func() (err error) { action, wrong, err = s.SubmitModal("U0LEAD", id); return err }, c.ack)
			if len(got) != 1 || !strings.Contains(got[0], `"type":"view_submission"`) || !strings.Contains(got[0], `"accepts_response_payload":true`) ||
				!strings.Contains(got[0], `"state":{"values":{"name":{"text":{"type":"plain_text_input","value":"Ann"}},"pick":{"who":{"selected_user":null,"type":"users_select"}}}}`) {
				t.Errorf("sent %s", got)
			}
			if (err == nil) != (c.err == "") || (err != nil && !strings.HasSuffix(err.Error(), c.err)) {
				t.Errorf("error %v, want %q", err, c.err)
			}
			if action != c.action || (wrong["name"] == "Too short") != c.hasError {
				t.Errorf("answer %q %v", action, wrong)
			}
			if got := stack(t, s); got != c.want {
				t.Errorf("open are %q, want %q", got, c.want)
			}
		})
	}
}

// TestSubmitWithoutAnAnswer: the modal stays where nobody answers.
func TestSubmitWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	modalFor(t, s, with(t, smallModal, object{"blocks": []object{{"type": "divider"}}}))
	_, modals, _ := s.views.of("U0LEAD")
	if _, _, err := s.SubmitModal("U0LEAD", modals[0].ID); err != ErrDispatchFailed { //nolint:errorlint // it is not wrapped
		t.Errorf("without a connection: %v", err)
	}
	if stack(t, s) != "Small" {
		t.Error("the modal is gone")
	}
	for name, err := range map[string]error{
		"somebody else's": second(s.SubmitModal("U0SUPPORT", modals[0].ID)),
		"not open":        second(s.SubmitModal("U0LEAD", "V0")),
	} {
		if err == nil || !strings.Contains(err.Error(), " has no view ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second(_ string, _ map[string]string, err error) error { return err }

// TestClose: closing takes one modal, or all where the modal or the person says
// so, and tells the app of those that ask for it.
func TestClose(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		clearing   bool
		all        bool
		want, sent string // titles
	}{
		{"one", false, false, "Below", `"title":{"text":"Top","type":"plain_text"} "is_cleared":false`},
		{"one that clears", true, false, "", `"is_cleared":true "is_cleared":true`},
		{"all", false, true, "", `"is_cleared":true "is_cleared":true`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := startFast(t, Config{})
			app := connected(t, s)
			notifying := func(title string) json.RawMessage {
				return with(t, string(titled(t, title)), object{"notify_on_close": true, "clear_on_close": c.clearing})
			}
			below := modalFor(t, s, notifying("Below"))["id"].(string)
			top, _ := callViews(t, s, "push", object{"trigger_id": s.triggerID("U0LEAD", below), "view": notifying("Top")})
			if err := s.CloseModal("U0LEAD", top["id"].(string), c.all); err != nil {
				t.Fatal(err)
			}
			if got := stack(t, s); got != c.want {
				t.Errorf("open are %q, want %q", got, c.want)
			}
			var sent strings.Builder
			for range strings.Count(c.sent, "is_cleared") {
				f := app.next(t)
				app.ack(t, f, nil)
				sent.Write(f.raw)
			}
			for _, part := range strings.Split(c.sent, " ") {
				if !strings.Contains(sent.String(), part) {
					t.Errorf("no %s in %s", part, sent.String())
				}
			}
			app.nothingYet(t)
		})
	}
}

// TestActionsInViews: what is pressed and chosen in a modal reaches the app with
// the view, and its trigger opens further modals.
func TestActionsInViews(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	app := connected(t, s)
	id := modalFor(t, s, json.RawMessage(smallModal))["id"].(string)
	got, err := acked(t, app, func() error {
		return s.Input(Input{User: "U0LEAD", ViewID: id, BlockID: "pick", ActionID: "who", Value: encode("U0GUEST")})
	})
	if err != nil || len(got) != 1 {
		t.Fatalf("%v, sent %s", err, got)
	}
	for _, part := range []string{
		`"type":"block_actions"`, `"container":{"type":"view","view_id":"` + id + `"}`,
		`"actions":[{"action_id":"who","action_ts":"…","block_id":"pick","selected_user":"U0GUEST","type":"users_select"}]`,
		`"state":{"values":{"name":{"text":{"type":"plain_text_input","value":null}},"pick":{"who":{"selected_user":"U0GUEST","type":"users_select"}}}}`,
	} {
		if !strings.Contains(got[0], part) {
			t.Errorf("no %s in %s", part, got[0])
		}
	}
	for _, absent := range []string{`"response_url"`, `"channel"`, `"message"`} {
		if strings.Contains(got[0], absent) {
			t.Errorf("%s in %s", absent, got[0])
		}
	}
	pressed := make(chan error, 1)
	go func() {
		pressed <- s.Click(Click{User: "U0LEAD", ViewID: id, BlockID: "more", ActionID: "push"})
	}()
	f := app.next(t)
	var sent struct {
		Payload struct {
			TriggerID string `json:"trigger_id"`
		}
	}
	if err := json.Unmarshal(f.raw, &sent); err != nil {
		t.Fatal(err)
	}
	if _, code := callViews(t, s, "push", object{"trigger_id": sent.Payload.TriggerID, "view": titled(t, "More")}); code != nil {
		t.Errorf("views.push: %v", code)
	}
	app.ack(t, f, nil)
	if err := <-pressed; err != nil || stack(t, s) != "Small More" {
		t.Errorf("%v, open are %q", err, stack(t, s))
	}
}
