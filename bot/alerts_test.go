package bot

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands/alert"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/watch"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/incident"
)

// TestNotificationError: how each fault affects the next attempt.
func TestNotificationError(t *testing.T) {
	t.Parallel()
	dial := &url.Error{Op: "Post", URL: "https://slack", Err: &net.OpError{Op: "dial", Err: errors.New("refused")}}
	read := &url.Error{Op: "Post", URL: "https://slack", Err: &net.OpError{Op: "read", Err: errors.New("reset")}}
	answered := func(code string) error { return slack.SlackErrorResponse{Err: code} }
	for _, c := range []struct {
		name string
		err  error
		want watch.DeliveryError
	}{
		{"never sent", dial, watch.DeliveryError{}},
		{"never sent to the proxy", &url.Error{Op: "Post", URL: "https://slack", Err: &net.OpError{Op: "proxyconnect", Err: dial.Err}}, watch.DeliveryError{}},
		{"sent, and no answer", read, watch.DeliveryError{Unclear: true}},
		{"a pause", &slack.RateLimitedError{RetryAfter: 30 * time.Second}, watch.DeliveryError{After: 30 * time.Second}},
		{"Slack stumbles", slack.StatusCodeError{Code: http.StatusBadGateway}, watch.DeliveryError{Unclear: true}},
		{"Slack stumbles and says so", answered("fatal_error"), watch.DeliveryError{Unclear: true}},
		{"not a member", answered("not_in_channel"), watch.DeliveryError{NeedsPerson: true}},
		{"no such channel", answered("channel_not_found"), watch.DeliveryError{NeedsPerson: true}},
		{"not allowed to post", answered("restricted_action"), watch.DeliveryError{NeedsPerson: true}},
		{"unheard of", answered("of_tomorrow"), watch.DeliveryError{NeedsPerson: true}},
	} {
		var got *watch.DeliveryError
		if !errors.As(deliveryErrorOf(c.err, false), &got) {
			t.Fatalf("%s: %v", c.name, deliveryErrorOf(c.err, false))
		}
		if got.Unclear != c.want.Unclear || got.MessageGone != c.want.MessageGone || got.NeedsPerson != c.want.NeedsPerson || got.After != c.want.After {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	if deliveryErrorOf(nil, false) != nil {
		t.Error("no error became one")
	}
}

// TestChangeError: a message that can no longer be edited is replaced by another one, and
// after no other fault.
func TestChangeError(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]watch.DeliveryError{
		"message_not_found": {MessageGone: true}, "thread_not_found": {MessageGone: true},
		"edit_window_closed": {NotEditable: true}, "cant_update_message": {NotEditable: true}, "block_mismatch": {NotEditable: true},
		"cannot_reply_to_message": {NotEditable: true}, "restricted_action_thread_locked": {NotEditable: true},
		"is_archived": {NotEditable: true}, "channel_not_found": {NotEditable: true}, "not_in_channel": {NotEditable: true},
		"is_inactive": {NotEditable: true}, "restricted_action": {NotEditable: true}, "of_tomorrow": {NotEditable: true},
		"ratelimited": {}, "update_failed": {}, "service_unavailable": {}, "team_added_to_org": {}, "too_many_websockets": {},
		"internal_error": {Unclear: true}, "request_timeout": {Unclear: true},
		"org_login_required": {}, "method_not_supported_for_channel_type": {NotEditable: true}, "invalid_arguments": {NeedsPerson: true},
		"token_revoked": {NeedsPerson: true}, "missing_scope": {NeedsPerson: true}, "invalid_blocks": {NeedsPerson: true},
	} {
		var got *watch.DeliveryError
		if err := deliveryErrorOf(slack.SlackErrorResponse{Err: code}, true); !errors.As(err, &got) {
			t.Fatalf("%s: %v", code, err)
		}
		if got.MessageGone != want.MessageGone || got.NotEditable != want.NotEditable || got.NeedsPerson != want.NeedsPerson || got.Unclear != want.Unclear {
			t.Errorf("%s: %+v, want %+v", code, got, want)
		}
	}
	var away *watch.DeliveryError
	if err := deliveryErrorOf(&url.Error{Op: "Post", Err: errors.New("reset")}, true); !errors.As(err, &away) || away.MessageGone || away.NotEditable || !away.Unclear {
		t.Errorf("no answer: %+v", away)
	}
	if deliveryErrorOf(nil, true) != nil {
		t.Error("no error became one")
	}
}

// TestAlertMovesWithTheAlertChannel: what is shown in another channel than the
// one configured now is neither changed nor replied to there.
func TestAlertMovesWithTheAlertChannel(t *testing.T) {
	t.Parallel()
	a := Alerts{Channel: "C2"} // without a bot: nothing may be asked of Slack
	i := incident.Incident{Delivery: incident.Delivery{SlackMessage: store.Message{Channel: "C1", TS: "1.2"}}}
	for name, err := range map[string]error{
		"update": a.Update(t.Context(), i), "reply": a.Reply(t.Context(), i, watch.Decision{Act: watch.Reply}, "mark"),
	} {
		var r *watch.DeliveryError
		if !errors.As(err, &r) || !r.NotEditable || r.NeedsPerson || r.Unclear {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// clicked is an incident that takes every click.
type clicked struct {
	Incidents
	incident incident.Incident
}

func (c clicked) Outline(context.Context, string) (incident.Incident, error) { return c.incident, nil }

func (c clicked) Acknowledge(context.Context, string, string, time.Time) (incident.Incident, bool, error) {
	return c.incident, true, nil
}

// TestPressInAnOldMessage: only a message that was left behind is called out of date. One
// that is posted but not yet recorded is not.
func TestPressInAnOldMessage(t *testing.T) {
	t.Parallel()
	pressed, other := store.Message{Channel: "C1", TS: "1.2"}, store.Message{Channel: "C1", TS: "1.3"}
	for name, c := range map[string]struct {
		delivery incident.Delivery
		want     []string
	}{
		"in its message":               {incident.Delivery{SlackMessage: pressed}, nil},
		"before it is recorded":        {incident.Delivery{Posting: "mark"}, nil},
		"left behind":                  {incident.Delivery{SlackMessage: other, Former: []store.Message{pressed}}, []string{string(message.NoticeAlertMoved)}},
		"left behind, before the post": {incident.Delivery{Former: []store.Message{pressed}}, []string{string(message.NoticeAlertMoved)}},
		"another is left behind":       {incident.Delivery{Former: []store.Message{other}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			slack := listeningSlack(t)
			incidents := clicked{incident: incident.Incident{ID: "i", Delivery: c.delivery}}
			a := answers{responder: slack.responder(t, Config{Deadlines: NewDeadlines(24), Now: time.Now, Incidents: incidents})}
			a.acknowledge(t.Context(), requester{user: "U1", channel: pressed.Channel, responseURL: slack.URL + "/answer"},
				click{button: alert.ActionAcknowledge, value: "i", message: pressed.TS})
			if !slices.EqualFunc(slack.texts, c.want, strings.Contains) {
				t.Errorf("said %q, want %q", slack.texts, c.want)
			}
		})
	}
}
