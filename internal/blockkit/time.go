package blockkit

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"
)

// TimeStyle is how Slack shows a time, in the zone and the language of each reader.
type TimeStyle string

// The styles.
const (
	TimeOfDay   TimeStyle = "{date_short_pretty} at {time}"
	TimeSeconds TimeStyle = "{date_short_pretty} at {time_secs}"
	TimeAgo     TimeStyle = "{ago} ({date_short_pretty} at {time})" // how long ago stays current
	TimeAgoOnly TimeStyle = "{ago}"                                 // likewise, where there is little room
)

// Time is a time in the reader's own zone. The fallback is what plain text shows,
// where Slack's tokens do nothing.
func Time(at time.Time, style TimeStyle, fallback string) Span {
	fallback = Clean(fallback)
	return slack.NewRichTextSectionDateElement(at.Unix(), string(style), nil, &fallback)
}

// Mrkdwn is a line as mrkdwn, for blocks that take no rich text.
func Mrkdwn(line Line) string {
	var b strings.Builder
	for _, span := range withoutTags(line) {
		switch e := span.(type) {
		case *slack.RichTextSectionTextElement:
			mark := map[string]string{bold: "*", struck: "~", cyan: "`"}[styleOf(e.Style)]
			b.WriteString(mark + Escape(e.Text) + mark)
		case *slack.RichTextSectionLinkElement:
			_, _ = fmt.Fprintf(&b, "<%s|%s>", Escape(e.URL), Escape(e.Text))
		case *slack.RichTextSectionUserElement:
			b.WriteString("<@" + Escape(e.UserID) + ">")
		case *slack.RichTextSectionUserGroupElement:
			b.WriteString("<!subteam^" + Escape(e.UsergroupID) + ">")
		case *slack.RichTextSectionChannelElement:
			b.WriteString("<#" + Escape(e.ChannelID) + ">")
		case *slack.RichTextSectionDateElement:
			_, _ = fmt.Fprintf(&b, "<!date^%d^%s|%s>", int64(e.Timestamp), e.Format, Escape(*e.Fallback))
		}
	}
	return b.String()
}
