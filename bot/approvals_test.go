package bot

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// laterPlans return the state of a plan and its job after an update was under way.
type laterPlans struct {
	Plans
	state repair.PlanState
	jobs  []store.Outcome // as they are loaded, the last one for ever
}

func (p *laterPlans) LoadPlan(context.Context, string, time.Time) (repair.PlanRecord, error) {
	return repair.PlanRecord{Plan: planAt, State: p.state, By: store.Actor{ID: "U2"}}, nil
}

func (p *laterPlans) LoadJob(context.Context, string) (repair.Job, error) {
	job := repair.Job{Plan: planAt, Outcome: p.jobs[0]}
	if len(p.jobs) > 1 {
		p.jobs = p.jobs[1:]
	}
	return job, nil
}

// planAt is a plan and where it is shown.
var planAt = repair.Plan{ID: "P1", Session: "cs_live_a1", Action: store.ActionFix, Message: store.Message{Channel: "C1", TS: "1.2"}}

// outcomes are commands that show the outcome of a job.
type outcomes struct{ plain }

func (outcomes) ProgressBlocks(p repair.Progress) []slack.Block {
	return []slack.Block{slack.NewMarkdownBlock("", "job "+string(p.Job.Outcome))}
}

// TestDecided: after a claim the runner alone writes the message of the plan, unless an
// update on the way before may have hidden what it wrote; then the present state is
// shown. Who pressed gets an answer of their own where the message says nothing.
func TestDecided(t *testing.T) {
	t.Parallel()
	running, done := store.Outcome(""), store.OutcomeDone
	nowhere := planAt
	nowhere.Message = store.Message{}
	for _, c := range []struct {
		name    string
		verdict repair.ClaimVerdict
		plan    repair.Plan
		later   laterPlans
		refuse  bool // Slack refuses updates
		shown   []string
		woken   int
	}{
		{"approved", repair.Claimed, planAt, laterPlans{}, false, nil, 1},
		{"approved, where the plan is shown is not known", repair.Claimed, nowhere, laterPlans{}, false, []string{"to the clicker: Your press was registered: approved."}, 1},
		{"the first press", repair.NeedsSecondPress, planAt, laterPlans{state: repair.PlanOpen}, false, []string{"pressed once"}, 0},
		{"the first press, approved meanwhile", repair.NeedsSecondPress, planAt, laterPlans{state: repair.PlanClaimed, jobs: []store.Outcome{running}}, false, []string{"pressed once", "job "}, 0},
		{"the first press, done meanwhile", repair.NeedsSecondPress, planAt, laterPlans{state: repair.PlanClaimed, jobs: []store.Outcome{done}}, false, []string{"pressed once", "job done"}, 0},
		{"the first press, done while that was shown", repair.NeedsSecondPress, planAt, laterPlans{state: repair.PlanClaimed, jobs: []store.Outcome{running, done}}, false,
			[]string{"pressed once", "job ", "job done"}, 0},
		{"the first press, cancelled meanwhile", repair.NeedsSecondPress, planAt, laterPlans{state: repair.PlanCancelled}, false, []string{"pressed once", "Cancelled, nothing was changed"}, 0},
		{"the first press, which cannot be shown", repair.NeedsSecondPress, planAt, laterPlans{}, true, []string{"to the clicker: Your press was the first of two"}, 0},
		{"a job that waited, cancelled", repair.JobCancelled, planAt, laterPlans{jobs: []store.Outcome{running}}, false, []string{"job "}, 1},
		{"cancelled", repair.Cancelled, planAt, laterPlans{}, false, []string{"Cancelled, nothing was changed"}, 0},
		{"cancelled, which cannot be shown", repair.Cancelled, planAt, laterPlans{}, true, []string{"to the clicker: Your press was registered: cancelled."}, 0},
		{"too late", repair.Expired, planAt, laterPlans{}, false, []string{"Expired", "to the clicker: This plan expired"}, 0},
		{"somebody was quicker", repair.AlreadyClaimed, planAt, laterPlans{}, false, []string{"to the clicker: Already approved by"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var shown []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				if strings.HasSuffix(r.URL.Path, "/chat.update") {
					if c.refuse {
						_, _ = io.WriteString(w, `{"ok":false,"error":"internal_error"}`) // the caller notices what is missing
						return
					}
					shown = append(shown, r.FormValue("blocks"))
				} else {
					body, _ := io.ReadAll(r.Body)
					var m struct{ Text string }
					_ = json.Unmarshal(body, &m)
					shown = append(shown, "to the clicker: "+m.Text)
				}
				_, _ = io.WriteString(w, `{"ok":true,"channel":"C1","ts":"1.2"}`)
			}))
			t.Cleanup(server.Close)
			origin, err := slackapi.OriginForAPI(server.URL + "/api/")
			if err != nil {
				t.Fatal(err)
			}
			woken, deadlines, log := 0, NewDeadlines(24), slog.New(slog.DiscardHandler)
			client := slackapi.NewHTTPClient(deadlines.Call, deadlines.Connect)
			api := slack.New("xoxb", slack.OptionHTTPClient(client), slack.OptionAPIURL(server.URL+"/api/"))
			a := approvals{&responder{log: log, api: api, cfg: Config{Commands: outcomes{}, Deadlines: deadlines, Now: time.Now, Repairs: Repairs{Plans: &c.later, Wake: func() { woken++ }}},
				outbox: newOutbox(Config{Log: log, Timings: testenv.Shorten(timings), Deadlines: deadlines}, api, client, origin)}}
			a.decided(t.Context(), requester{user: "U1", channel: "C1", responseURL: server.URL + "/answer"}, repair.ClaimResult{Verdict: c.verdict, Plan: repair.PlanRecord{Plan: c.plan}})
			if woken != c.woken || !slices.EqualFunc(shown, c.shown, strings.Contains) {
				t.Errorf("woken %d times, want %d; shown\n%s\nwant\n%s", woken, c.woken, strings.Join(shown, "\n"), strings.Join(c.shown, "\n"))
			}
		})
	}
}

// TestMayDecide: operators approve, a second one where that is required; a plan is
// cancelled by its requester and by operators. U1 and U2 are operators.
func TestMayDecide(t *testing.T) {
	t.Parallel()
	const notOperator, own = "not an operator's click on ", "the asker's own click on "
	slack := listeningSlack(t)
	for _, c := range []struct {
		user, requester, button, approvals string
		action                             store.Action
		why                                string // "" = they may
	}{
		{"U1", "U2", message.ActionApprove, "all", store.ActionFix, ""},
		{"U1", "U3", message.ActionApprove, "all", store.ActionGenerate, ""},
		{"U1", "U1", message.ActionApprove, "none", store.ActionGenerate, ""},
		{"U1", "U1", message.ActionApprove, "generate", store.ActionFix, ""},
		{"U1", "U1", message.ActionApprove, "generate", store.ActionGenerate, own},
		{"U1", "U1", message.ActionApprove, "all", store.ActionFix, own},
		{"U3", "U1", message.ActionApprove, "none", store.ActionFix, notOperator},
		{"U3", "U3", message.ActionApprove, "none", store.ActionFix, notOperator},
		{"", "", message.ActionApprove, "none", store.ActionFix, notOperator},
		{"U3", "U3", message.ActionCancel, "all", store.ActionFix, ""},
		{"U1", "U3", message.ActionCancel, "all", store.ActionFix, ""},
		{"U1", "U1", message.ActionCancel, "all", store.ActionFix, ""},
		{"U3", "U1", message.ActionCancel, "none", store.ActionFix, notOperator},
	} {
		a := approvals{slack.responder(t, Config{Deadlines: NewDeadlines(24), Repairs: Repairs{Approvals: c.approvals}})}
		plan := repair.PlanRecord{Plan: repair.Plan{Action: c.action, Requester: store.Actor{ID: c.requester}}}
		refused, why := a.mayDecide(t.Context(), requester{user: c.user}, plan, c.button)
		if (refused == nil) != (c.why == "") || refused != nil && why != c.why {
			t.Errorf("%+v: %+v, %q", c, refused, why)
		}
	}
}
