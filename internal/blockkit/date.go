package blockkit

import (
	"fmt"
	"regexp"
	"time"
)

// MrkdwnDate is a time in mrkdwn that Slack shows in the reader's own zone, by one of
// its formats such as {ago}, which stays current. Whatever does not know dates shows
// the fallback, in which data must be escaped.
func MrkdwnDate(at time.Time, format, fallback string) string {
	return fmt.Sprintf("<!date^%d^%s|%s>", at.Unix(), format, fallback)
}

var mrkdwnDate = regexp.MustCompile(`<!date\^[^<>|]*\|([^<>]*)>`)
