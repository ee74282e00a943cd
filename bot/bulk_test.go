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

	"github.com/superduperai/sessionbot/bot/access"
	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/repair"
)

// steered is a job of a bulk plan, and the decisions about it.
type steered struct {
	Plans
	Decisions
	job     repair.Job
	loadErr error
	err     error    // of the decision
	did     []string // what was carried out, refused on record, or woken
}

func (s *steered) LoadJob(context.Context, string) (repair.Job, error) { return s.job, s.loadErr }

func (s *steered) StopBulk(_ context.Context, _ string, by store.Actor, where string) (repair.Job, bool, error) {
	return s.decide("stop", by, where, !s.job.Bulk.Stopped())
}

func (s *steered) ResumeBulk(_ context.Context, _ string, by store.Actor, where string) (repair.Job, bool, error) {
	return s.decide("resume", by, where, s.job.Bulk.Paused())
}

func (s *steered) decide(what string, by store.Actor, where string, possible bool) (repair.Job, bool, error) {
	if s.err == nil && possible {
		s.did = append(s.did, what+" by "+by.ID+" in "+where)
	}
	return s.job, possible, s.err
}

func (s *steered) RecordRefusal(_ context.Context, e audit.Entry) {
	s.did = append(s.did, "refused "+e.Who.ID+": "+e.Detail)
}

// slackEar is a Slack with U1 to U4 as full members, which records what it is sent.
type slackEar struct {
	*httptest.Server
	mu    sync.Mutex
	texts []string
	came  chan struct{}
}

func listeningSlack(t *testing.T) *slackEar {
	t.Helper()
	h := &slackEar{came: make(chan struct{}, 10)}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said := r.FormValue("text")
		switch {
		case strings.HasSuffix(r.URL.Path, "/users.info"):
			_, _ = io.WriteString(w, `{"ok":true,"user":{"id":"U1","team_id":"T1"}}`) // the caller notices what is missing
			return
		case strings.HasSuffix(r.URL.Path, "/chat.update"):
			said = "updated " + r.FormValue("channel") + " " + r.FormValue("ts")
		case r.URL.Path == "/answer":
			var m struct{ Text string }
			if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
				t.Error(err)
			}
			said = m.Text
		}
		h.mu.Lock()
		h.texts = append(h.texts, said)
		h.mu.Unlock()
		h.came <- struct{}{}
		_, _ = io.WriteString(w, `{"ok":true,"channel":"C1","ts":"1.2"}`) // likewise
	}))
	t.Cleanup(h.Close)
	return h
}

// responder returns a responder that calls it.
func (h *slackEar) responder(t *testing.T, cfg Config) *responder {
	t.Helper()
	origin, err := slackapi.OriginForAPI(h.URL + "/api/")
	testenv.Must(t, err)
	log, client := slog.New(slog.DiscardHandler), slackapi.NewHTTPClient(cfg.Deadlines.Call, cfg.Deadlines.Connect)
	api := slack.New("xoxb", slack.OptionHTTPClient(client), slack.OptionAPIURL(h.URL+"/api/"))
	return &responder{log: log, api: api, cfg: cfg,
		outbox:    newOutbox(Config{Log: log, Timings: testenv.Shorten(timings), Deadlines: cfg.Deadlines}, api, client, origin),
		operators: access.List{Variable: "OPERATORS", Listed: []string{"U1", "U2"}, Directory: access.NewDirectory(api, "T1", time.Now, cfg.Deadlines.Lookup)}}
}

// TestStopOrResume: who requested a bulk plan may stop it, and operators may stop and resume
// it, in its own message. Every click is answered, or the message shows it.
func TestStopOrResume(t *testing.T) {
	t.Parallel()
	running := &repair.Bulk{Items: make([]repair.Item, 3)}
	paused := &repair.Bulk{Items: make([]repair.Item, 3), Events: []repair.BulkEvent{{Event: audit.Paused, Cause: repair.CauseBalance}}}
	stopped := &repair.Bulk{Items: make([]repair.Item, 3), Events: []repair.BulkEvent{{Event: audit.Stopped, By: store.Actor{ID: "U2"}}}}
	const stop, resume, shown = message.ActionBulkStop, message.ActionBulkResume, "updated C1 1.2"
	for _, c := range []struct {
		name, user, button, ts string
		bulk                   *repair.Bulk
		err, loadErr           error
		did, says              string // "" = nothing
	}{
		{"an operator stops it", "U1", stop, "1.2", running, nil, nil, "stop by U1 in C1, woken", shown},
		{"who requested it stops it", "U3", stop, "1.2", running, nil, nil, "stop by U3 in C1, woken", shown},
		{"somebody else stops it", "U4", stop, "1.2", running, nil, nil, "refused U4: 3 sessions; not an operator's click on stop", "Only operators may do this"},
		{"an operator resumes it", "U2", resume, "1.2", paused, nil, nil, "resume by U2 in C1, woken", shown},
		{"who requested it resumes it", "U3", resume, "1.2", paused, nil, nil, "refused U3: 3 sessions; not an operator's click on resume", "Only operators may do this"},
		{"somebody else resumes it", "U4", resume, "1.2", paused, nil, nil, "refused U4: 3 sessions; not an operator's click on resume", "Only operators may do this"},
		{"in another message", "U1", stop, "1.3", running, nil, nil, "refused U1: 3 sessions; a click on stop in another message", "shown in another message"},
		{"it runs", "U1", resume, "1.2", running, nil, nil, "", "the plan is not paused"},
		{"it was stopped", "U1", stop, "1.2", stopped, nil, nil, "", "Already stopped by @U2"},
		{"it is paused", "U1", stop, "1.2", paused, nil, nil, "stop by U1 in C1, woken", shown},
		{"a session's job", "U1", stop, "1.2", nil, nil, nil, "", "This plan is gone"},
		{"it is gone", "U1", stop, "1.2", running, nil, repair.ErrUnknownJob, "", "This plan is gone"},
		{"Redis is away", "U1", stop, "1.2", running, nil, io.ErrUnexpectedEOF, "", "Nothing was done. Ref"},
		{"Redis goes away", "U1", stop, "1.2", running, io.ErrUnexpectedEOF, nil, "", "Ref"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &steered{job: requestedBy("U3", c.bulk), err: c.err, loadErr: c.loadErr}
			said := s.clicked(t, c.user, click{button: c.button, value: "P1", message: c.ts})
			if did := strings.Join(s.did, ", "); did != c.did || len(said) != 1 || !strings.Contains(said[0], c.says) {
				t.Errorf("did %q, want %q; said %q, want %q", did, c.did, said, c.says)
			}
		})
	}
}

// TestResumeIsNoApproval: an operator may resume a plan of their own that another one
// approved, where they could not have approved it.
func TestResumeIsNoApproval(t *testing.T) {
	t.Parallel()
	paused := &repair.Bulk{Items: make([]repair.Item, 3), Events: []repair.BulkEvent{{Event: audit.Paused, Cause: repair.CauseBalance}}}
	s := &steered{job: requestedBy("U1", paused)}
	said := s.clicked(t, "U1", click{button: message.ActionBulkResume, value: "P1", message: "1.2"})
	if want := []string{"resume by U1 in C1", "woken"}; !slices.Equal(s.did, want) || len(said) != 1 {
		t.Errorf("did %q, want %q; said %q", s.did, want, said)
	}
}

// requestedBy is the job of a bulk plan for three sessions.
func requestedBy(user string, state *repair.Bulk) repair.Job {
	plan := repair.Plan{ID: "P1", Action: store.ActionGenerate, Requester: store.Actor{ID: user}, Items: make([]repair.Plan, 3), Message: store.Message{Channel: "C1", TS: "1.2"}}
	return repair.Job{ID: "P1", Plan: plan, Approver: store.Actor{ID: "U2"}, Bulk: state}
}

// clicked has a user click, where all plans need a second operator, and returns what
// was said and shown.
func (s *steered) clicked(t *testing.T, user string, c click) []string {
	t.Helper()
	slack := listeningSlack(t)
	a := approvals{slack.responder(t, Config{Commands: outcomes{}, Deadlines: NewDeadlines(24), Now: time.Now, Metrics: &gauge{},
		Repairs: Repairs{Plans: s, Decisions: s, Approvals: "all", Wake: func() { s.did = append(s.did, "woken") }}})}
	a.stopOrResume(t.Context(), requester{arrival: arrival{ref: "r1"}, user: user, channel: "C1", responseURL: slack.URL + "/answer"}, c)
	return slack.texts
}

// TestExaminingNotice: a requester who waits for many sessions to be examined gets a notice,
// and no other requester does.
func TestExaminingNotice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		long   bool
		notice time.Duration
		want   []string
	}{
		{"many sessions", true, time.Millisecond, []string{string(message.NoticeExamining), "the answer"}},
		{"many sessions, examined at once", true, time.Hour, []string{"the answer"}},
		{"one session", false, time.Millisecond, []string{"the answer"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			slack := listeningSlack(t)
			deadlines := NewDeadlines(24)
			deadlines.Notice = c.notice
			a := answers{responder: slack.responder(t, Config{Deadlines: deadlines, Now: time.Now, Metrics: &gauge{}})}
			a.answer(t.Context(), requester{user: "U1", channel: "C1", responseURL: slack.URL + "/answer"}, placement{long: c.long}, func(ctx context.Context) commands.Answer {
				if len(c.want) > 1 {
					<-slack.came
				}
				return commands.Answer{Outcome: commands.Done, Blocks: blockkit.Message(blockkit.PlainLine("the answer"))}
			})
			if !slices.EqualFunc(slack.texts, c.want, strings.Contains) {
				t.Errorf("said %q, want %q", slack.texts, c.want)
			}
		})
	}
}
