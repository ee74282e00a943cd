package ledger

import (
	"context"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

var (
	thresholds = diagnosis.Thresholds{OrphanGrace: 10 * time.Minute, StallAfter: 30 * time.Minute}
	ann        = store.Actor{ID: "U0ANN"}
	bob        = store.Actor{ID: "U0BOB"}
)

// orphan is the examination of a session that was paid and has no video.
func orphan(s store.Session) diagnosis.Examination {
	e := diagnosis.Evidence{Session: s, Payment: store.Payment{State: store.PaymentPaid, ChargedAt: storetest.At.Add(-time.Hour)},
		Event: store.Event{State: store.EventDelivered, Created: storetest.At.Add(-time.Hour)}}.Complete(storetest.At)
	return diagnosis.Examination{Evidence: e, Diagnosis: diagnosis.Diagnose(e, storetest.At, thresholds), At: storetest.At}
}

// generation is a plan of one.
func generation(t *testing.T, x diagnosis.Examination) repair.Plan {
	t.Helper()
	o := repair.PlanOptions{TTL: planLife, Models: repair.Models{Video: "google-cloud/veo3-text2video"}, Prices: repair.ListPrices}
	p, err := repair.MakePlan(store.ActionGenerate, x, ann, o, storetest.At)
	testenv.Must(t, err)
	return p
}

const planLife = 10 * time.Minute

// saved is a stored plan to generate for the session.
func saved(t *testing.T, l *Ledger, session string) repair.Plan {
	t.Helper()
	s := storetest.Held(storetest.FoxPrompt, "", "")
	s.ID = session
	p := generation(t, orphan(s))
	if err := l.SavePlan(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	return p
}

func click(t *testing.T, do func(context.Context, string, store.Actor, time.Time) (repair.ClaimResult, error), id string, by store.Actor, now time.Time) repair.ClaimResult {
	t.Helper()
	a, err := do(t.Context(), id, by, now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// approve presses a plan's button as it is first shown.
func approve(l *Ledger) func(context.Context, string, store.Actor, time.Time) (repair.ClaimResult, error) {
	return func(ctx context.Context, id string, by store.Actor, now time.Time) (repair.ClaimResult, error) {
		return l.Claim(ctx, id, "", by, now)
	}
}

func TestPlanIsKept(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		l := New(r)
		p := saved(t, l, "cs_live_kept")
		p.Message = store.Message{Channel: "C1", TS: "1.2"}
		if err := l.SetMessage(t.Context(), p.ID, p.Message); err != nil {
			t.Fatal(err)
		}
		got, err := l.LoadPlan(t.Context(), p.ID, storetest.At)
		if diff := cmp.Diff(repair.PlanRecord{Plan: p, State: repair.PlanOpen}, got); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		if got, err = l.LoadPlan(t.Context(), p.ID, storetest.At.Add(time.Hour)); got.State != repair.PlanExpired || err != nil {
			t.Errorf("after an hour it is %s, %v", got.State, err)
		}
		ttl := client.PTTL(t.Context(), planKey(p.ID)).Val()
		if want := planLife + 24*time.Hour; ttl > want || ttl < want-time.Minute {
			t.Errorf("it lives for %s", ttl)
		}
		if _, err := l.LoadPlan(t.Context(), "none", storetest.At); !errors.Is(err, repair.ErrUnknownPlan) {
			t.Errorf("of no plan: %v", err)
		}
		if err := l.SetMessage(t.Context(), "none", p.Message); !errors.Is(err, repair.ErrUnknownPlan) {
			t.Errorf("of no plan: %v", err)
		}
	})
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		l := New(r)
		first, second := saved(t, l, "cs_live_one"), saved(t, l, "cs_live_one")
		cancelled, late := saved(t, l, "cs_live_two"), saved(t, l, "cs_live_three")
		soon := storetest.At.Add(4 * time.Second)
		for _, c := range []struct {
			name string
			do   func(context.Context, string, store.Actor, time.Time) (repair.ClaimResult, error)
			id   string
			by   store.Actor
			now  time.Time
			want repair.ClaimVerdict
			who  store.Actor
		}{
			{"claim", approve(l), first.ID, ann, soon, repair.Claimed, ann},
			{"again", approve(l), first.ID, ann, soon, repair.AlreadyClaimed, ann},
			{"by another, late", approve(l), first.ID, bob, storetest.At.Add(time.Hour), repair.AlreadyClaimed, ann},
			{"cancel what is claimed", l.Cancel, first.ID, bob, soon, repair.AlreadyClaimed, ann},
			{"another plan of the session", approve(l), second.ID, bob, soon, repair.Busy, store.Actor{}},
			{"cancel that", l.Cancel, second.ID, bob, soon, repair.Cancelled, bob},
			{"cancel", l.Cancel, cancelled.ID, bob, soon, repair.Cancelled, bob},
			{"cancel again", l.Cancel, cancelled.ID, ann, soon, repair.AlreadyCancelled, bob},
			{"claim what is cancelled", approve(l), cancelled.ID, ann, soon, repair.AlreadyCancelled, bob},
			{"claim late", approve(l), late.ID, ann, late.Expires.Add(time.Millisecond), repair.Expired, store.Actor{}},
			{"cancel late", l.Cancel, late.ID, ann, late.Expires.Add(time.Millisecond), repair.Expired, store.Actor{}},
			{"claim nothing", approve(l), "none", ann, soon, repair.Unknown, store.Actor{}},
			{"cancel nothing", l.Cancel, "none", ann, soon, repair.Unknown, store.Actor{}},
		} {
			got := click(t, c.do, c.id, c.by, c.now)
			if got.Verdict != c.want || got.By != c.who || got.At.IsZero() != (c.who == store.Actor{}) {
				t.Errorf("%s: %s by %v at %s; want %s by %v", c.name, got.Verdict, got.By, got.At, c.want, c.who)
			}
			if (got.Job.ID != "") != (c.want == repair.Claimed || c.want == repair.AlreadyClaimed) {
				t.Errorf("%s: job %q", c.name, got.Job.ID)
			}
			if c.want == repair.Busy && (got.Other != first.ID || got.Doing != store.JobRunning) {
				t.Errorf("%s: busy with %q, %q", c.name, got.Other, got.Doing)
			}
		}
	})
}

// TestSecondClick: two presses by one person, apart in time, the second of the
// button that was redrawn for the first.
func TestSecondClick(t *testing.T) {
	t.Parallel()
	type press struct {
		by    store.Actor
		after time.Duration
		of    int // the button: 0 = as first shown, n = as redrawn after the nth press
	}
	const late = 3 * time.Second
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		l, n := New(r), 0
		for name, presses := range map[string][]press{ // only the last may count
			"on purpose":                           {{ann, 0, 0}, {ann, late, 1}},
			"a double click first":                 {{ann, 0, 0}, {ann, 300 * time.Millisecond, 0}, {ann, late, 1}},
			"a double click on both":               {{ann, 0, 0}, {ann, 300 * time.Millisecond, 1}, {ann, late, 2}},
			"an old copy is a first press":         {{ann, 0, 0}, {ann, late, 0}, {ann, late + time.Second, 1}, {ann, 2 * late, 2}},
			"somebody else's is their first":       {{ann, 0, 0}, {bob, late, 1}, {bob, 2 * late, 2}},
			"and the first one begins again":       {{ann, 0, 0}, {bob, late, 1}, {ann, 2 * late, 2}, {ann, 3 * late, 2}, {ann, 4 * late, 3}},
			"a button redrawn for somebody else":   {{ann, 0, 0}, {bob, time.Second, 1}, {bob, 2 * late, 1}, {bob, 3 * late, 2}},
			"nobody's double click is the other's": {{ann, 0, 0}, {bob, time.Second, 0}, {ann, 1500 * time.Millisecond, 1}, {ann, 2 * late, 3}},
		} {
			p := saved(t, l, "cs_live_"+strconv.Itoa(n))
			n++
			p.Risk = "Stripe delivers"
			if err := l.SavePlan(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			names := []string{""}
			for i, c := range presses {
				want := repair.NeedsSecondPress
				if i == len(presses)-1 {
					want = repair.Claimed
				}
				got, err := l.Claim(t.Context(), p.ID, names[c.of], c.by, storetest.At.Add(c.after))
				if err != nil || got.Verdict != want || (got.Press != "") != (want == repair.NeedsSecondPress) {
					t.Errorf("%s, press %d: %s (%q), %v; want %s", name, i+1, got.Verdict, got.Press, err, want)
				}
				names = append(names, got.Press)
			}
		}
		p := saved(t, l, "cs_live_terminal")
		p.Risk = "Stripe delivers"
		if err := l.SavePlan(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if got := click(t, approve(l), p.ID, store.Actor{ID: "root", Terminal: true}, storetest.At); got.Verdict != repair.Claimed {
			t.Errorf("a terminal asks twice by itself, and gets %s", got.Verdict)
		}
	})
}

// TestTwoClaimersRace: two replicas race over one plan, or over two plans of
// one session: every round has one winner and one job.
func TestTwoClaimersRace(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		l := New(r)
		for round := range 200 {
			session := "cs_live_race" + strconv.Itoa(round)
			first := saved(t, l, session)
			ids := []string{first.ID, first.ID}
			if round%2 == 1 {
				ids[1] = saved(t, l, session).ID
			}
			var verdicts [2]repair.ClaimVerdict
			var claimers sync.WaitGroup
			for i, by := range []store.Actor{ann, bob} {
				claimers.Go(func() {
					a, err := l.Claim(t.Context(), ids[i], "", by, storetest.At)
					if err != nil {
						t.Error(err)
					}
					verdicts[i] = a.Verdict
				})
			}
			claimers.Wait()
			slices.Sort(verdicts[:])
			want := [2]repair.ClaimVerdict{repair.AlreadyClaimed, repair.Claimed}
			if ids[0] != ids[1] {
				want[0] = repair.Busy
			}
			if verdicts != want {
				t.Fatalf("round %d: %v", round, verdicts)
			}
		}
		if pending, err := l.Pending(t.Context()); len(pending) != 200 || err != nil {
			t.Errorf("%d jobs, %v", len(pending), err)
		}
	})
}

// TestClaimExpires: a claim whose job is never saved leaves nothing behind.
func TestClaimExpires(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		l := New(r)
		p := saved(t, l, "cs_live_expires")
		if a, err := l.Claim(t.Context(), p.ID, "", ann, storetest.At); err != nil || a.Verdict != repair.Claimed {
			t.Fatal(a, err)
		}
		for _, key := range []string{planKey(p.ID), jobKey(p.ID), jobOfKey(subject(p)), pendingKey} {
			if ttl := client.PTTL(t.Context(), key).Val(); ttl <= jobLife-time.Minute || ttl > jobLife {
				t.Errorf("%s expires in %s", key, ttl)
			}
		}
	})
}

// TestAClaimedPlanLivesAsLongAsItsJob: a click on an old copy of its message is
// never answered that nothing was changed.
func TestAClaimedPlanLivesAsLongAsItsJob(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		l := New(r)
		p := saved(t, l, "cs_live_kept")
		click(t, approve(l), p.ID, ann, storetest.At.Add(time.Second))
		if plan, job := client.PTTL(t.Context(), planKey(p.ID)).Val(), client.PTTL(t.Context(), jobKey(p.ID)).Val(); plan < job-time.Minute {
			t.Errorf("the plan lives for %s, its job for %s", plan, job)
		}
	})
}

// TestAFileThatFailedIsNotNoted: it cannot become a video.
func TestAFileThatFailedIsNotNoted(t *testing.T) {
	t.Parallel()
	for state, want := range map[store.FileState]int{store.FileFailed: 0, store.FileMissing: 0, store.FileInProgress: 2, store.FileFinalizing: 2} {
		p := repair.Plan{Action: store.ActionGenerate, Seen: repair.Snapshot{FileID: storetest.File1, FileState: state}}
		if got := sessionFields(p); len(got) != want {
			t.Errorf("%s: %v", state, got)
		}
	}
}

// TestWhatAPlanOverwritesIsNoted: that the site may have started a video, and which file a
// generation replaced, is known after the session was overwritten.
func TestWhatAPlanOverwritesIsNoted(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		l, doubt := New(r), "The site's own request timed out."
		p := saved(t, l, "cs_live_noted")
		p.Action, p.Doubt, p.Seen.FileID, p.Seen.FileState = store.ActionGenerate, doubt, storetest.File1, store.FileInProgress
		testenv.Must(t, l.SavePlan(t.Context(), p))
		if a := click(t, approve(l), p.ID, bob, storetest.At); a.Verdict != repair.Claimed {
			t.Fatal(a.Verdict)
		}
		latest, err := l.JobOf(t.Context(), p.Session)
		if err != nil || latest.Doubt != doubt || !slices.Equal(latest.Replaced, []string{storetest.File1}) {
			t.Errorf("%+v, %v", latest, err)
		}
		job, err := l.LoadJob(t.Context(), p.ID)
		testenv.Must(t, err)
		job.FileID, job.Sent, job.Plan.Order = storetest.File2, storetest.At, &repair.Order{Cents: 2400}
		held := leased(t, l, p.ID, "one")
		testenv.Must(t, l.SaveJob(t.Context(), held, job))
		latest, err = l.JobOf(t.Context(), p.Session)
		if want := []diagnosis.Generation{{FileID: storetest.File2, At: storetest.At, Cents: 2400}}; err != nil || !slices.Equal(latest.Made, want) || latest.Doubt != doubt {
			t.Errorf("%+v, %v; want %+v made", latest, err, want)
		}
		x := orphan(storetest.Held(storetest.FoxPrompt, "", ""))
		x.Repair = latest
		x.Repair.State = store.JobNone
		again := generation(t, x)
		list, risk := again.Warnings, again.Risk
		for _, want := range []string{storetest.File2, "$24.00", storetest.File1, doubt} {
			if !strings.Contains(strings.Join(list, " "), want) || risk == "" {
				t.Errorf("%q is not among the warnings %q", want, list)
			}
		}
	})
}
