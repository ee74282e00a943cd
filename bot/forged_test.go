package bot_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/bot"
	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/ledger"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/repair"
)

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

// forgery is a click that is impossible in Slack.
type forgery struct {
	user          any
	action, value any
	says          string
	app, ts       string // "" = the bot's, and the plan's message
	chosen        any    // the value of a menu's option, nil = a button
	block         string // the id of its block, "" = that of none of ours
	home          bool   // in an App Home, and no message
}

// forgeries are clicks on a plan of this id; U1 is an operator, U2 a reader.
func forgeries(plan string) []forgery {
	const gone, operators, nothing = "This plan is gone", "Only operators", "no such button"
	list := []forgery{
		{user: "U2", action: "confirm.approve", value: plan, says: operators},
		{user: "U2", action: "confirm.cancel", value: plan, says: operators},
		{user: "", action: "confirm.approve", value: plan, says: operators},
		{user: nil, action: "confirm.approve", value: plan, says: operators},
		{user: "U1 ", action: "confirm.approve", value: plan, says: operators},
		{user: "*", action: "confirm.approve", value: plan, says: operators},
		{user: "S0OPS", action: "confirm.approve", value: plan, says: operators},
		{user: "U2", action: "confirm.not_made", value: plan, says: operators},
		{user: "U1", action: "CONFIRM.APPROVE", value: plan, says: nothing},
		{user: "U1", action: "confirm.approve\n", value: plan, says: nothing},
		{user: "U1", action: "confirm.approve\u202e", value: plan, says: nothing},
		{user: "U1", action: "", value: plan, says: nothing},
		{user: "U1", action: strings.Repeat("confirm.approve", 100), value: plan, says: nothing},
		{user: "U1", action: []string{"confirm.approve"}, value: plan, says: "could not be read"},
		{user: "U1", action: "confirm.approve", value: map[string]string{"id": plan}, says: "could not be read"},
	}
	for _, value := range []string{
		"", " ", plan + " ", plan + "\x00", "*", "?", strings.ToLower(plan), plan[:len(plan)-1], "../plan:" + plan, "}:plan:" + plan,
		"x}{y", "\r\nDEL sessionbot:{jobs}:plan:" + plan + "\r\n", "\u202e" + plan, "{\"plan\":\"" + plan + "\"}", strings.Repeat(plan, 500),
	} {
		list = append(list, forgery{user: "U1", action: "confirm.approve", value: value, says: gone}, forgery{user: "U1", action: "confirm.cancel", value: value, says: gone})
	}
	for _, action := range []string{"confirm.approve", "confirm.cancel"} {
		list = append(list, forgery{user: "U1", action: action, value: plan, app: "A2", says: "could not be read"},
			forgery{user: "U1", action: action, value: plan, app: "a1", says: "could not be read"},
			forgery{user: "U1", action: action, value: plan, ts: "1.3", says: "shown in another message"},
			forgery{user: "U1", action: action, value: plan, ts: "1.20", says: "shown in another message"},
			forgery{user: "U1", action: action, value: plan, ts: " ", says: "shown in another message"})
	}
	for _, action := range []string{"alert.ack", "alert.snooze"} { // whose older version was a button
		for _, ts := range []string{"1.3", "1.20", " "} {
			list = append(list, forgery{user: "U1", action: action, value: alertID, ts: ts, says: "This alert is shown in another message"})
		}
		list = append(list, forgery{user: "U1", action: action, value: "inc2", says: "This alert is too old"})
	}
	for _, choice := range []string{"15m", "08:00"} {
		list = append(list, forgery{user: "U1", action: "alert.snooze", chosen: choice, block: alertID + ".1", ts: "1.3", says: "This alert is shown in another message"},
			forgery{user: "U1", action: "alert.snooze", chosen: choice, block: "inc2.1", says: "This alert is too old"},
			forgery{user: "U1", action: "alert.snooze", chosen: choice, says: "This alert is too old"},
			forgery{user: "U2", action: "alert.snooze", chosen: choice, block: alertID + ".1", says: "Only the people and groups listed in READERS"})
	}
	list = append(list, forgery{user: "U1", action: "alert.snooze", chosen: "2h", block: alertID + ".1", says: "This alert is too old"})
	for _, chosen := range []any{
		"", "dismiss", "dismiss:", "dismiss:" + session + " ", "dismiss:*", "Dismiss:" + session, "settle:" + session, "bulk:" + session,
		"debug:" + session + " --limit 3", "debug:" + session + "\nfix " + session, "approve:" + plan, 7, []string{"dismiss:" + session}, strings.Repeat("dismiss:", 500),
	} {
		list = append(list, forgery{user: "U1", action: "session.menu", chosen: chosen, says: "This menu entry is unknown"})
	}
	for _, action := range []string{"confirm.approve", "confirm.cancel", "confirm.not_made"} {
		list = append(list, forgery{home: true, user: "U2", action: action, value: plan, says: operators},
			forgery{home: true, user: nil, action: action, value: plan, says: operators},
			forgery{home: true, user: "U1", action: action, value: plan, app: "A2", says: "could not be read"})
	}
	return append(list,
		forgery{home: true, user: "U1", action: "confirm.approve", value: plan + " ", says: gone},
		forgery{home: true, user: "U2", action: "alert.ack", value: alertID, says: "Only the people and groups listed in READERS"},
		forgery{home: true, user: "U2", action: "session_find.query", value: session, says: "Only the people and groups listed in READERS"},
		forgery{home: true, user: "U2", action: "session.menu", chosen: "dismiss:" + session, says: "Only the people and groups listed in READERS"},
		forgery{user: "U2", action: "session.menu", chosen: "dismiss:" + session, says: "Only the people and groups listed in READERS"},
		forgery{user: "U1", action: "session.menu", chosen: "dismiss:" + session, ts: "1.3", says: "This alert is shown in another message"},
		forgery{user: "U1", action: "session.menu", chosen: "dismiss:cs_live_b2", ts: "1.4", says: "is no longer in an alert"},
		forgery{user: "U2", action: "customer.informed", value: session, says: "Only the people and groups listed in READERS"},
		forgery{user: "U1", action: "customer.informed", value: "*", says: "Nobody has asked about this session"},
		forgery{user: "U1", action: "customer.informed", value: session, says: "Nobody has asked about this session"})
}

// alertID is the incident that is shown in the message 1.2.
const alertID = "inc1"

func openAlert(t *testing.T, r *rdb.Redis) *incident.Records {
	t.Helper()
	w := incident.NewRecords(r)
	testenv.Must(t, w.Begin(t.Context(), time.Now()))
	lead, _, err := w.Lead(t.Context(), "a test")
	testenv.Must(t, err)
	_, err = w.OpenIncident(t.Context(), lead, incident.Incident{ID: alertID, Kind: incident.Degraded, Delivery: incident.Delivery{SlackMessage: store.Message{Channel: "C1", TS: "1.2"}}})
	testenv.Must(t, err)
	_, err = w.OpenIncident(t.Context(), lead, incident.Incident{ID: "inc3", Kind: "orphaned", Cases: []incident.Case{{ID: session}},
		Delivery: incident.Delivery{SlackMessage: store.Message{Channel: "C1", TS: "1.2"}}})
	testenv.Must(t, err)
	return w
}

func (f forgery) frame(i int, responseURL string) []byte {
	block := cmp.Or(f.block, "b")
	action := map[string]any{"type": "button", "block_id": block, "action_id": f.action, "value": f.value}
	if f.chosen != nil {
		action = map[string]any{"type": "overflow", "block_id": block, "action_id": f.action, "selected_option": map[string]any{"value": f.chosen}}
	}
	payload := map[string]any{
		"type": "block_actions", "user": map[string]any{"id": f.user}, "response_url": responseURL, "api_app_id": cmp.Or(f.app, "A1"), "actions": []any{action}}
	if f.home {
		payload["container"], payload["view"] = map[string]any{"type": "view", "view_id": "V1"}, map[string]any{"id": "V1", "type": "home"}
	} else {
		payload["container"], payload["channel"] = map[string]any{"channel_id": "C1", "message_ts": cmp.Or(f.ts, "1.2")}, map[string]any{"id": "C1"}
	}
	frame, err := json.Marshal(map[string]any{"type": "interactive", "envelope_id": fmt.Sprint("e", i), "payload": payload})
	if err != nil {
		panic(err) // only what this file makes is encoded
	}
	return frame
}

// Every forged click is answered, and none of them decides a plan or writes
// anything except the refusal in the audit trail.
func TestForgedClicks(t *testing.T) {
	t.Parallel()
	server := redistest.NewDatabase(t)
	r, err := rdb.Open(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close() //nolint:errcheck // the test's own
	plans := ledger.New(r)
	decisions := ledger.Service{Ledger: plans, Trail: audit.NewTrail(r), Log: slog.New(slog.DiscardHandler), Now: time.Now}
	plan := repair.Plan{ID: "Pl4nPl4nPl4n", Action: store.ActionFix, Session: session, Requester: store.Actor{ID: "U1"},
		Created: time.Now(), Expires: time.Now().Add(time.Hour)}
	if err := plans.SavePlan(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	if err := plans.SetMessage(t.Context(), plan.ID, store.Message{Channel: "C1", TS: "1.2"}); err != nil {
		t.Fatal(err)
	}
	alerts := openAlert(t, r)
	before := contents(t, server.Client())

	slack := newFakeSlack(t)
	slack.answers["users.info"] = `{"ok":true,"user":{"id":"U1","team_id":"T1"}}`
	slack.answers["views.publish"] = `{"ok":true,"view":{"hash":"h1"}}`
	slack.repairs = bot.Repairs{Plans: plans, Decisions: decisions, Operators: []string{"U1"}, Approvals: "none", Wake: func() { t.Error("a job was woken") }}
	slack.alerts = alerts
	forged := forgeries(plan.ID)
	next := make(chan []byte)
	slack.socket = func(conn *websocket.Conn) {
		if conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"hello","num_connections":1,"connection_info":{"app_id":"A1"}}`)) != nil {
			return
		}
		go func() {
			for frame := range next {
				if err := conn.WriteMessage(websocket.TextMessage, frame); err != nil {
					t.Error(err)
				}
			}
		}()
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				return
			}
		}
	}
	slack.run(t, &scripted{action: func(_ context.Context, id, _ string, _ commands.Request) commands.Answer {
		if slices.Contains([]string{"confirm.approve", "confirm.cancel"}, id) {
			t.Errorf("%s was taken for a command", id)
		}
		return commands.Answer{Outcome: commands.Refused, Blocks: says("There is no such button.")}
	}})
	for i, f := range forged {
		next <- f.frame(i, slack.URL+"/response")
		if got := string(await(t, slack.answer)); !strings.Contains(got, f.says) {
			t.Errorf("%.200v was answered %s, want %q in it", f, got, f.says)
		}
	}
	close(next)
	if record, err := plans.LoadPlan(t.Context(), plan.ID, time.Now()); err != nil || record.State != repair.PlanOpen {
		t.Errorf("the plan is %s, %v", record.State, err)
	}
	after := contents(t, server.Client())
	delete(after, "sessionbot:audit") // who tried is on record
	if !maps.Equal(before, after) {
		t.Errorf("Redis held %v, and holds %v", before, after)
	}
}

// contents are the keys of a Redis and what they hold.
func contents(t *testing.T, client *redis.Client) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, key := range client.Keys(t.Context(), "*").Val() {
		if raw, err := client.Dump(t.Context(), key).Result(); err == nil {
			all[key] = raw
		}
	}
	return all
}
