package bot

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// slackHooks is where Slack itself takes answers.
const slackHooks = "https://hooks.slack.com"

var errForeignURL = errors.New("a response_url that is not Slack's")

// hooks is the only origin that answers are sent to: an envelope is data, and
// the address in it could lead anywhere.
type hooks struct{ scheme, host string }

// hooksFor takes the base URL of the Web API, "" = Slack's own.
func hooksFor(apiURL string) (hooks, error) {
	if apiURL == "" {
		apiURL = slackHooks
	}
	u, err := url.Parse(apiURL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return hooks{}, fmt.Errorf("%q is not the address of a server", apiURL)
	}
	return hooks{scheme: u.Scheme, host: strings.ToLower(u.Host)}, nil
}

// check refuses an address of another origin.
func (h hooks) check(responseURL string) error {
	u, err := url.Parse(responseURL)
	if err != nil || u.Scheme != h.scheme || strings.ToLower(u.Host) != h.host || u.User != nil {
		return errForeignURL
	}
	return nil
}
