package access

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slack-go/slack"
)

const lookupTimeout = time.Minute

// directoryServer is a Slack that knows people; calls counts its requests.
func directoryServer(t *testing.T, people map[string]string) (api *slack.Client, calls *atomic.Int32) {
	t.Helper()
	calls = new(atomic.Int32)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		body := people[r.FormValue("user")+r.FormValue("usergroup")]
		if body == "" {
			body = `{"ok":false,"error":"user_not_found"}`
		}
		_, _ = fmt.Fprint(w, body) // the caller notices what is missing
	}))
	t.Cleanup(server.Close)
	return slack.New("xoxb", slack.OptionAPIURL(server.URL+"/")), calls
}

func user(members string) string {
	if members != "" {
		members = "," + members
	}
	return `{"ok":true,"user":{"id":"U1","team_id":"T1"` + members + `}}`
}

func TestWhoMayAsk(t *testing.T) {
	t.Parallel()
	answers := map[string]string{
		"UFULL":     user(""),
		"UGONE":     user(`"deleted":true`),
		"UBOT":      user(`"is_bot":true`),
		"UGUEST":    user(`"is_restricted":true`),
		"UONE":      user(`"is_ultra_restricted":true`),
		"USTRANGER": user(`"is_stranger":true`),
		"UOTHER":    `{"ok":true,"user":{"id":"U1","team_id":"T2"}}`,
		"UGRID":     `{"ok":true,"user":{"id":"U1","team_id":"T2","enterprise_user":{"teams":["T3","T1"]}}}`,
		"UORG":      `{"ok":true,"user":{"id":"U1","team_id":"E1","enterprise_user":{"enterprise_id":"E1","teams":["T1"]}}}`,
		"USISTER":   `{"ok":true,"user":{"id":"U1","team_id":"T2","enterprise_user":{"enterprise_id":"E1","teams":["T2"]}}}`,
		"UNOTEAMS":  `{"ok":true,"user":{"id":"U1","team_id":"E1","enterprise_user":{"teams":null}}}`,
		"USCOPE":    `{"ok":false,"error":"missing_scope","needed":"users:read"}`,
		"SOPS":      `{"ok":true,"users":["UFULL","UGUEST"]}`,
		"SPAID":     `{"ok":false,"error":"plan_upgrade_required"}`,
	}
	for _, c := range []struct {
		readers, user string
		says          string // "" = may ask
	}{
		{"*", "UFULL", ""},
		{"*", "UGRID", ""},
		{"*", "UORG", ""},
		{"*", "USISTER", "Only full members"},
		{"*", "UNOTEAMS", "Only full members"},
		{"*", "UGONE", "Only full members"},
		{"*", "UBOT", "Only full members"},
		{"*", "UGUEST", "Only full members"},
		{"*", "UONE", "Only full members"},
		{"*", "USTRANGER", "Only full members"},
		{"*", "UOTHER", "Only full members"},
		{"*", "USCOPE", "Add the scope users:read"},
		{"*", "UNKNOWN", "could not identify you (user_not_found)"},
		{"*", "", "could not identify you"},
		{"UGUEST", "UGUEST", ""},
		{"UGUEST", "UFULL", "listed in READERS"},
		{"SOPS", "UGUEST", ""},
		{"SOPS", "UBOT", "listed in READERS"},
		{"SPAID", "UFULL", "SPAID of READERS could not be read (plan_upgrade_required), so nobody in it may do this now. User groups need a paid Slack plan"},
		{"SPAID,UFULL", "UFULL", ""},
		{"SPAID,SOPS", "UFULL", ""},
		{"*,UGUEST", "UGUEST", ""},
		{"", "UFULL", "listed in READERS"},
		{"", "", "listed in READERS"},
	} {
		t.Run(c.readers+" "+c.user, func(t *testing.T) {
			api, _ := directoryServer(t, answers)
			var listed []string
			if c.readers != "" {
				listed = strings.Split(c.readers, ",")
			}
			p := List{Variable: "READERS", Listed: listed, Directory: NewDirectory(api, "T1", time.Now, lookupTimeout)}
			refused := p.Admit(t.Context(), c.user)
			switch {
			case c.says == "" && refused != nil:
				t.Errorf("refused: %+v", refused)
			case c.says != "" && (refused == nil || !strings.Contains(refused.Text, c.says)):
				t.Errorf("got %+v, want %q", refused, c.says)
			}
		})
	}
}

// TestWhoMayApprove: only full members who are listed, and no one if no one is.
func TestWhoMayApprove(t *testing.T) {
	t.Parallel()
	answers := map[string]string{"UFULL": user(""), "UGUEST": user(`"is_restricted":true`), "SOPS": `{"ok":true,"users":["UFULL","UGUEST"]}`,
		"SPAID": `{"ok":false,"error":"plan_upgrade_required"}`, "UONE": user(`"is_ultra_restricted":true`)}
	for _, c := range []struct {
		operators []string
		user      string
		says      string // "" = may approve
	}{
		{nil, "UFULL", "OPERATORS is empty"},
		{nil, "", "OPERATORS is empty"},
		{[]string{"UFULL"}, "UFULL", ""},
		{[]string{"SOPS"}, "UFULL", ""},
		{[]string{"*"}, "UFULL", ""},
		{[]string{"UONCALL"}, "UFULL", "operators"},
		{[]string{"UFULL"}, "", "operators"},
		{[]string{"UGUEST"}, "UGUEST", "full members"},
		{[]string{"SOPS"}, "UGUEST", "full members"},
		{[]string{"UONE"}, "UONE", "full members"},
		{[]string{"*"}, "UGUEST", "operators"},
		{[]string{"SPAID"}, "UFULL", "nobody in it may"},
		{[]string{"UNKNOWN"}, "UNKNOWN", "user_not_found"},
	} {
		t.Run(strings.Join(c.operators, ",")+" "+c.user, func(t *testing.T) {
			api, _ := directoryServer(t, answers)
			p := List{Variable: "OPERATORS", Listed: c.operators, Directory: NewDirectory(api, "T1", time.Now, lookupTimeout)}
			refused := p.AdmitOperator(t.Context(), c.user)
			switch {
			case c.says == "" && refused != nil:
				t.Errorf("refused: %+v", refused)
			case c.says != "" && (refused == nil || !strings.Contains(refused.Text, c.says)):
				t.Errorf("got %+v, want %q", refused, c.says)
			}
		})
	}
}

// TestUnknownWorkspaceHasNoMembers, not even people of whom no workspace is known.
func TestUnknownWorkspaceHasNoMembers(t *testing.T) {
	t.Parallel()
	if FullMember(&slack.User{ID: "U1"}, "") {
		t.Error("somebody is a member")
	}
}

func TestDirectoryIsCached(t *testing.T) {
	t.Parallel()
	api, calls := directoryServer(t, map[string]string{"U1": user(""), "S1": `{"ok":true,"users":["U1"]}`})
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	d := NewDirectory(api, "T1", func() time.Time { return now }, lookupTimeout)
	ask := func(want int32) {
		t.Helper()
		full, err := d.fullMember(t.Context(), "U1")
		members, groupErr := d.members(t.Context(), "S1")
		if !full || err != nil || len(members) != 1 || groupErr != nil {
			t.Errorf("got %v %v %v %v", full, err, members, groupErr)
		}
		if n := calls.Load(); n != want {
			t.Errorf("Slack was asked %d times, want %d", n, want)
		}
	}
	ask(2)
	now = now.Add(lookupTTL - time.Second)
	ask(2)
	now = now.Add(time.Second)
	ask(4)
}

func TestFailedLookupIsRepeatedSoon(t *testing.T) {
	t.Parallel()
	api, calls := directoryServer(t, nil)
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	d := NewDirectory(api, "T1", func() time.Time { return now }, lookupTimeout)
	for _, want := range []int32{1, 1, 2} {
		if _, err := d.fullMember(t.Context(), "U1"); err == nil {
			t.Error("nobody was found, and no error")
		}
		if n := calls.Load(); n != want {
			t.Errorf("asked %d times, want %d", n, want)
		}
		now = now.Add(failedLookupTTL/2 + time.Second/2)
	}
}
