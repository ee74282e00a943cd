package bot

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/slack-go/slack"
)

// slackDomains are Slack's own. Each takes answers at its hooks, whichever of its
// hosts serves the Web API.
var slackDomains = []string{"slack.com", "slack-gov.com"}

var errForeignURL = errors.New("a response_url that is not Slack's")

// origin is where answers may be sent to: an envelope is data, and the address in
// it could lead anywhere.
type origin struct{ scheme, host string }

// originForAPI returns the origin of response_url that belongs to a base URL of
// the Web API, "" = Slack's own.
func originForAPI(apiURL string) (origin, error) {
	u, err := url.Parse(cmp.Or(apiURL, slack.APIURL))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return origin{}, fmt.Errorf("%q is not the address of a server", apiURL)
	}
	o := originOf(u)
	for _, domain := range slackDomains {
		host := strings.TrimSuffix(o.host, ".")
		if o.scheme == "https" && (host == domain || strings.HasSuffix(host, "."+domain)) {
			return origin{scheme: o.scheme, host: "hooks." + domain}, nil
		}
	}
	return o, nil
}

// originOf leaves out the port that the scheme implies.
func originOf(u *url.URL) origin {
	port := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	return origin{scheme: u.Scheme, host: strings.TrimSuffix(strings.ToLower(u.Host), port)}
}

// check returns errForeignURL for an address of another origin.
func (o origin) check(responseURL string) error {
	u, err := url.Parse(responseURL)
	if err != nil || u.Host == "" || originOf(u) != o || u.User != nil {
		return errForeignURL
	}
	return nil
}
