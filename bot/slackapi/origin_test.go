package slackapi

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestResponseURLMayOnlyBeSlacks(t *testing.T) {
	t.Parallel()
	const own = "http://127.0.0.1:8420/api/"
	for _, c := range []struct {
		apiURL, url string
		allowed     bool
	}{
		{"", "https://hooks.slack.com/commands/T1/2/x", true},
		{"", "https://HOOKS.slack.com/commands/T1/2/x", true},
		{"", "http://hooks.slack.com/commands/T1/2/x", false},
		{"", "https://hooks.slack.com.example.com/x", false},
		{"", "https://hooks.slack.com@example.com/x", false},
		{"", "https://user@hooks.slack.com/x", false},
		{"", "https://hooks.slack.com:8443/x", false},
		{"", "https://example.com/https://hooks.slack.com/", false},
		{"", "//hooks.slack.com/x", false},
		{"", "http://127.0.0.1:8420/response/x", false},
		{"", "", false},
		{"", "https://hooks.slack.com/%zz", false},
		{"", "https://hooks.slack.com:443/commands/T1/2/x", true},
		{"", "https://hooks.slack.com:80/commands/T1/2/x", false},
		{"", "https://hooks.slack-gov.com/commands/T1/2/x", false},
		{"https://slack.com/api/", "https://hooks.slack.com/commands/T1/2/x", true},
		{"https://slack.com/api/", "https://slack.com/commands/T1/2/x", false},
		{"https://slack.com/api/", "https://hooks.slack-gov.com/commands/T1/2/x", false},
		{"https://Slack.com:443/api/", "https://hooks.slack.com/actions/T1/2/x", true},
		{"https://www.slack.com/api/", "https://hooks.slack.com/app/T1/2/x", true},
		{"https://acme.enterprise.slack.com/api/", "https://hooks.slack.com/commands/T1/2/x", true},
		{"https://slack.com./api/", "https://hooks.slack.com/commands/T1/2/x", true},
		{"https://slack-gov.com/api/", "https://hooks.slack-gov.com/commands/T1/2/x", true},
		{"https://acme.slack-gov.com/api/", "https://hooks.slack-gov.com/commands/T1/2/x", true},
		{"https://slack-gov.com/api/", "https://hooks.slack.com/commands/T1/2/x", false},
		{"https://notslack.com/api/", "https://hooks.slack.com/commands/T1/2/x", false},
		{"https://slack.com.example.com/api/", "https://hooks.slack.com/commands/T1/2/x", false},
		{"http://slack.com/api/", "https://hooks.slack.com/commands/T1/2/x", false},
		{"https://slack.example:443/api/", "https://slack.example/response/x", true},
		{"https://slack.example/api/", "https://slack.example:443/response/x", true},
		{"https://slack.example/api/", "https://slack.example:80/response/x", false},
		{own, "http://127.0.0.1:8420/response/x", true},
		{own, "https://127.0.0.1:8420/response/x", false},
		{own, "http://127.0.0.1:6379/", false},
		{own, "http://localhost:8420/response/x", false},
		{own, "https://hooks.slack.com/commands/T1/2/x", false},
	} {
		allowed, err := OriginForAPI(c.apiURL)
		if err != nil {
			t.Fatal(err)
		}
		if err := allowed.check(c.url); (err == nil) != c.allowed || err != nil && !errors.Is(err, errForeignURL) {
			t.Errorf("SLACK_API_URL %q, response_url %q: %v", c.apiURL, c.url, err)
		}
	}
	for _, wrong := range []string{"slack.com/api/", "ftp://slack.com/", "http://", ":"} {
		if _, err := OriginForAPI(wrong); err == nil {
			t.Errorf("%q was taken for a server", wrong)
		}
	}
}

func TestForeignURLIsNotPostedTo(t *testing.T) {
	t.Parallel()
	o, _, posts := hookServer(t)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was posted to") }))
	defer elsewhere.Close()
	if err := o.Respond(t.Context(), elsewhere.URL, hello); !errors.Is(err, errForeignURL) || len(posts.all()) != 0 {
		t.Errorf("respond: %v", err)
	}
}

func FuzzResponseURL(f *testing.F) {
	for _, seed := range []string{"https://hooks.slack.com/x", "https://hooks.slack.com\\@example.com/", "https://hooks.slack.com%2f@x/"} {
		f.Add(seed)
	}
	allowed, err := OriginForAPI("")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, url string) {
		if allowed.check(url) != nil {
			return
		}
		// What passes is where the HTTP client would really go.
		req, err := http.NewRequest(http.MethodPost, url, nil)
		if err != nil {
			return
		}
		if !strings.EqualFold(req.URL.Hostname(), "hooks.slack.com") || req.URL.Port() != "" && req.URL.Port() != "443" || req.URL.Scheme != "https" {
			t.Errorf("%q leads to %s", url, req.URL.Host)
		}
	})
}
