package bot

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/slack-go/slack"
)

// slackDomains are those that Slack itself is at. Each takes answers at its hooks,
// whichever of its hosts the Web API is asked at.
var slackDomains = []string{"slack.com", "slack-gov.com"}

var errForeignURL = errors.New("a response_url that is not Slack's")

// hooks is the only origin that answers are sent to: an envelope is data, and
// the address in it could lead anywhere.
type hooks struct{ scheme, host string }

// hooksFor takes the base URL of the Web API, "" = Slack's own.
func hooksFor(apiURL string) (hooks, error) {
	u, err := url.Parse(cmp.Or(apiURL, slack.APIURL))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return hooks{}, fmt.Errorf("%q is not the address of a server", apiURL)
	}
	at := originOf(u)
	for _, domain := range slackDomains {
		host := strings.TrimSuffix(at.host, ".")
		if at.scheme == "https" && (host == domain || strings.HasSuffix(host, "."+domain)) {
			return hooks{scheme: at.scheme, host: "hooks." + domain}, nil
		}
	}
	return at, nil
}

// originOf is where a URL leads; the port that its scheme implies is left out.
func originOf(u *url.URL) hooks {
	port := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	return hooks{scheme: u.Scheme, host: strings.TrimSuffix(strings.ToLower(u.Host), port)}
}

// check refuses an address of another origin.
func (h hooks) check(responseURL string) error {
	u, err := url.Parse(responseURL)
	if err != nil || u.Host == "" || originOf(u) != h || u.User != nil {
		return errForeignURL
	}
	return nil
}
