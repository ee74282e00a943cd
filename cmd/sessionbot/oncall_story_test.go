package main

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot"
	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/internal/workspace"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/incident"
)

// incidentPrefix and openIncidents are where incidents lie.
const (
	incidentPrefix = "sessionbot:{watch}:incident:"
	openIncidents  = "sessionbot:{watch}:open"
)

// onlyIncident returns the record of the one incident there is, without its cases.
func (s *stage) onlyIncident() (i incident.Incident) {
	s.t.Helper()
	keys := s.client.Keys(s.t.Context(), incidentPrefix+"*").Val()
	if len(keys) != 1 {
		s.t.Fatalf("there are %d incidents", len(keys))
	}
	testenv.Must(s.t, json.Unmarshal([]byte(s.client.HGet(s.t.Context(), keys[0], "incident").Val()), &i))
	return i
}

// age moves all recorded times of the one incident into the past.
func (s *stage) age(by time.Duration) {
	s.t.Helper()
	testenv.Until(s.t, "what was posted is recorded", func() bool {
		i := s.onlyIncident()
		return i.Posting == "" && i.Shown == i.Revision
	})
	ctx, id := s.t.Context(), s.onlyIncident().ID
	key := incidentPrefix + id
	earlier := func(times ...*time.Time) {
		for _, at := range times {
			if !at.IsZero() {
				*at = at.Add(-by)
			}
		}
	}
	for {
		err := s.client.Watch(ctx, func(tx *redis.Tx) error {
			var i incident.Incident
			if err := json.Unmarshal([]byte(tx.HGet(ctx, key, "incident").Val()), &i); err != nil {
				return err
			}
			earlier(&i.Opened, &i.PostedAt, &i.ShownAt, &i.RemindedAt, &i.RemindedBefore, &i.EscalatedAt, &i.ActiveAt)
			for _, a := range []*incident.Acknowledgement{i.Acknowledged, i.Snoozed} {
				if a != nil {
					earlier(&a.At, &a.Until)
				}
			}
			raw, err := json.Marshal(i)
			if err != nil {
				return err
			}
			_, err = tx.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
				pipe.HSet(ctx, key, "incident", raw)
				pipe.HIncrBy(ctx, key, "version", 1)
				pipe.ZIncrBy(ctx, openIncidents, 1, id)
				return nil
			})
			return err
		}, key)
		if !errors.Is(err, redis.TxFailedErr) { // the leader was quicker
			testenv.Must(s.t, err)
			return
		}
	}
}

// replicas starts two bots, and returns the first.
func (s *stage) replicas() (first *process) {
	s.t.Helper()
	s.startBot()
	first = s.bot
	s.startBot()
	s.workspace.AwaitConnections(2)
	return first
}

// inThread fits messages in the thread of another.
func inThread(of wstest.Message) func(wstest.Message) bool {
	return func(m wstest.Message) bool { return m.ThreadTS == of.TS }
}

func all(fits ...func(wstest.Message) bool) func(wstest.Message) bool {
	return func(m wstest.Message) bool {
		for _, fit := range fits {
			if !fit(m) {
				return false
			}
		}
		return true
	}
}

// TestAcknowledgedIsNotForgotten: the person who acknowledged is reminded, later by the other
// replica, and the alert is escalated once, since no one answers.
func TestAcknowledgedIsNotForgotten(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.env["ESCALATE_MENTION"] = "U0LEAD"
	first := s.replicas()
	s.pays(watchID(1), pastGrace(), store.EventFailed)
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	alert := oncall.ExpectMessage(containing("A paid session got no video.", "So far: 1 customer waited 1", ", and paid $1.00"))
	support := s.workspace.As("U0SUPPORT").In("C0ALERTS")
	support.Click(alert, "alert.ack")
	alert = oncall.ExpectUpdate(alert, containing("Acknowledged by"))

	s.age(time.Hour)
	support.ExpectMessage(all(inThread(alert), containing("<@U0SUPPORT>", "after it was acknowledged", "1 customer has been waiting for 1", "(paid: $1.00)")))
	if code := first.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}
	s.age(2 * time.Hour)
	support.ExpectMessage(all(inThread(alert), containing("<@U0SUPPORT>", "after it was acknowledged")))
	s.age(15 * time.Minute)
	support.ExpectMessage(all(inThread(alert), containing("<@U0LEAD>", "Still open", "after two reminders")))
	if code := s.bot.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}
	s.startBot()
	s.age(4 * time.Hour)
	support.ExpectMessage(all(inThread(alert), containing("<@U0SUPPORT>", "after it was acknowledged")))
	s.age(8 * time.Hour)
	support.ExpectMessage(all(inThread(alert), containing("<@U0SUPPORT>", "after it was acknowledged")))
	s.age(15 * time.Minute) // nobody is called a second time
	s.webhook(watchID(1), store.StatusProcessing)
	oncall.ExpectUpdate(alert, containing("Resolved after", "1 customer waited 1", ", and paid $1.00."))
	s.workspace.ExpectNothingElse()
}

// TestAnsweredReminders: a reply in the thread, and a press of a button, prevent the
// escalation.
func TestAnsweredReminders(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.env["ESCALATE_MENTION"] = "U0LEAD"
	s.startBot()
	s.pays(watchID(1), pastGrace(), store.EventFailed)
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	alert := oncall.ExpectMessage(containing("A paid session got no video."))
	remind := func(after time.Duration) {
		t.Helper()
		s.age(after)
		oncall.ExpectMessage(all(inThread(alert), containing("<@U0ONCALL>", "Still open after")))
	}
	remind(15 * time.Minute)
	remind(30 * time.Minute)
	oncall.Reply(alert, "I am looking at it")
	replied := time.Now().Add(-time.Minute) // Slack's clock counts seconds
	s.age(15 * time.Minute)
	testenv.Until(t, "the reply is read", func() bool { return s.onlyIncident().ActiveAt.After(replied) })

	s.age(45 * time.Minute)
	oncall.ExpectMessage(all(inThread(alert), containing("<@U0ONCALL>", "Still open after")))
	oncall.Choose(alert, "session.menu", "debug:"+watchID(1))
	s.workspace.As("U0ONCALL").ExpectModal(func(v wstest.View) bool { return v.Shows("Orphaned: ") })
	testenv.Until(t, "the press is recorded", func() bool { return s.onlyIncident().ActiveAt.After(s.onlyIncident().RemindedAt) })
	remind(2 * time.Hour)
	s.age(15 * time.Minute)
	remind(4 * time.Hour) // the person on call alone
	if i := s.onlyIncident(); !i.EscalatedAt.IsZero() {
		t.Errorf("somebody was called at %v", i.EscalatedAt)
	}
	s.workspace.ExpectNothingElse()
}

// TestSnoozeStory: until the next morning in the person's time zone, with a note; another
// choice replaces it, and the other replica says once when it ends.
func TestSnoozeStory(t *testing.T) {
	t.Parallel()
	kathmandu, err := time.LoadLocation("Asia/Kathmandu")
	testenv.Must(t, err)
	d := redistest.NewDatabase(t)
	s := watched(stageIn(t, workspace.Config{Manifest: sessionbot.Manifest, AckWithin: ackWithin,
		Seed: []byte(`users: [{id: U0ONCALL, name: ona, real_name: Ona Oncall, tz: Asia/Kathmandu}]`)}, redistest.Patient(t, d.URL()), d.Client()))
	s.env["READERS"] = "U0ONCALL" // whom nobody has to look up
	first := s.replicas()
	s.pays(watchID(1), pastGrace(), store.EventFailed)
	ona := s.workspace.As("U0ONCALL")
	oncall := ona.In("C0ALERTS")
	alert := oncall.ExpectMessage(containing("A paid session got no video.", `"15m"`, `"1h"`, `"4h"`, `"08:00"`))

	oncall.Choose(alert, "alert.snooze", "08:00")
	alert = oncall.ExpectUpdate(alert, containing("Snoozed until", `"alert.note"`))
	morning := s.onlyIncident().Snoozed.Until
	if local := morning.In(kathmandu); local.Format("15:04:05") != "08:00:00" || time.Until(morning) > 24*time.Hour {
		t.Errorf("it is snoozed until %v", local)
	}
	oncall.Click(alert, "alert.note")
	window := ona.ExpectModal(func(v wstest.View) bool { return v.Shows("Add a note") })
	ona.Fill(window, "note", "Stripe is down: <!channel> & ann@example.com will call")
	if wrong, err := ona.Submit(window); err != nil || wrong != nil {
		t.Errorf("%v, %v", wrong, err)
	}
	ona.ExpectNoModal()
	oncall.ExpectMessage(withText("Note saved"))
	alert = oncall.ExpectUpdate(alert, containing("Snoozed until", "“Stripe is down: &lt;!channel&gt; &amp; (address) will call”"), without(`"alert.note"`, "ann@example.com"))

	oncall.Choose(alert, "alert.snooze", "4h")
	alert = oncall.ExpectUpdate(alert, containing("Snoozed until"), without("Stripe is down"))
	if lasts := time.Until(s.onlyIncident().Snoozed.Until); lasts > 4*time.Hour || lasts < 3*time.Hour {
		t.Errorf("it is silent for %v more", lasts)
	}
	if code := first.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}
	s.age(4 * time.Hour)
	oncall.ExpectMessage(all(inThread(alert), containing("<@U0ONCALL>", "The snooze has ended", "1 customer has been waiting")))
	alert = oncall.ExpectUpdate(alert, without("Snoozed until"))
	if code := s.bot.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}
	s.startBot()
	s.workspace.Refuse("users.info", "user_not_found")
	oncall.Choose(alert, "alert.snooze", "08:00")
	oncall.ExpectMessage(withText("does not report your time zone"))
	s.workspace.ExpectNothingElse()
}

// TestClicksRaceWithTheResolution: with two replicas, an acknowledgement or a snooze while
// the sessions recover, or after that, opens nothing again, nor does a restart afterwards.
func TestClicksRaceWithTheResolution(t *testing.T) {
	t.Parallel()
	for name, race := range map[string]func(wstest.Place, wstest.Message) error{ // only one: what raced may change nothing later
		"acknowledge": func(by wstest.Place, alert wstest.Message) error { return by.TryClick(alert, "alert.ack", "") },
		"snooze":      func(by wstest.Place, alert wstest.Message) error { return by.TryChoose(alert, "alert.snooze", "15m") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := watched(newStage(t))
			first := s.replicas()
			s.workspace.AwaitConnections(4) // two of each
			s.pays(watchID(1), pastGrace(), store.EventFailed)
			oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
			alert := oncall.ExpectMessage(containing("A paid session got no video."))
			s.clickWhileResolved(alert,
				func() error { return race(oncall, alert) },
				func() error { return oncall.TryChoose(alert, "session.menu", "debug:"+watchID(1)) })
			s.age(0) // the resolution is shown
			closed := s.onlyIncident()
			s.redraw(alert)
			alert = oncall.ExpectUpdate(alert, wstest.Saying("alert.ack"))
			s.clickTooLate(oncall, alert)
			s.age(48 * time.Hour) // neither a reminder nor the end of a snooze is due
			s.workspace.ExpectNothingElse()
			second := s.bot
			s.bot = first
			s.expectCleanStop()
			s.workspace.AwaitConnectionsLeft(2)
			s.clickTooLate(oncall, alert)
			s.bot = second
			s.expectCleanStop()
			s.workspace.AwaitNoConnection()
			s.startBot()
			s.clickTooLate(oncall, alert)
			s.workspace.ExpectNothingElse()
			if i := s.onlyIncident(); i.Closed.IsZero() || i.Revision != closed.Revision {
				t.Errorf("a late click changed it from %+v to %+v", closed, i)
			}
		})
	}
}

// clickWhileResolved clicks while the only session of an alert recovers. Then the alert
// shows that and nothing else.
func (s *stage) clickWhileResolved(alert wstest.Message, clicks ...func() error) {
	s.t.Helper()
	var people sync.WaitGroup
	people.Go(func() { s.webhook(watchID(1), store.StatusProcessing) })
	for _, click := range clicks {
		people.Go(func() {
			if err := click(); err != nil && !strings.Contains(err.Error(), "no ") { // the buttons may be gone by then
				s.t.Error(err)
			}
		})
	}
	people.Wait()
	s.workspace.As("U0ONCALL").In(alert.Channel).ExpectUpdate(alert, containing("Resolved after"))
	s.drain(func(m wstest.Message) {
		if !m.Ephemeral && (m.TS != alert.TS || !containing("Resolved after")(m)) {
			s.t.Errorf("got %s", m)
		}
	})
}

// clickTooLate presses the buttons that a client still shows after the resolution.
func (s *stage) clickTooLate(by wstest.Place, alert wstest.Message) {
	s.t.Helper()
	by.Click(alert, "alert.ack")
	by.ExpectMessage(withText("Already resolved"))
	by.Choose(alert, "alert.snooze", "15m")
	by.ExpectMessage(withText("Already resolved"))
}

// redraw gives a message back the content that it had, as an old client may show it still.
func (s *stage) redraw(before wstest.Message) {
	s.t.Helper()
	var blocks slack.Blocks
	testenv.Must(s.t, json.Unmarshal(before.Blocks, &blocks))
	api := slack.New(s.env["SLACK_BOT_TOKEN"], slack.OptionAPIURL(s.env["SLACK_API_URL"]))
	_, _, _, err := api.UpdateMessageContext(s.t.Context(), before.Channel, before.TS, slack.MsgOptionText(before.Text, false), slack.MsgOptionBlocks(blocks.BlockSet...))
	testenv.Must(s.t, err)
}
