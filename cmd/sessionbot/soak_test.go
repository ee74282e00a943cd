package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/store"
)

var (
	soakFor  = flag.Duration("soak", 5*time.Second, "how long TestSoak lasts")
	soakSeed = flag.Uint64("seed", 0, "repeats the faults of a TestSoak; 0 = new ones")
)

// TestSoak: two replicas, people who type and click all the time, and faults at
// random. Nothing that was acked goes unanswered, nothing is done twice, and
// the process stays as small as it was.
func TestSoak(t *testing.T) {
	t.Parallel()
	lasts, seed := *soakFor, *soakSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-soak %v -seed %d", lasts, seed)

	k := newSoak(t)
	listening := make(chan struct{})
	var reading, people, faults sync.WaitGroup
	reading.Go(func() { k.tally.listen(k.workspace, listening) })
	k.until = time.Now().Add(lasts / 10) // in peace, and until the process is as large as it gets
	k.crowd(&people, seed)
	people.Wait()
	before := k.steady.figures(t)
	k.until = time.Now().Add(lasts)
	k.crowd(&people, seed)
	faults.Go(func() { k.breakSlack(rand.New(rand.NewPCG(seed, 1))) })
	faults.Go(func() { k.breakTheRest(rand.New(rand.NewPCG(seed, 2))) })
	faults.Wait()
	people.Wait()
	after := k.steady.settled(t, before)
	peak := peakOf(t, k.steady.process)
	for _, r := range []*replica{k.steady, k.other} {
		r.stop(t)
		k.quiet(r.process, prompt)
	}
	close(listening) // they have sent their last messages
	reading.Wait()
	k.tally.close(t)
	if started, ended := k.files.Started(), k.tally.generated; started > ended {
		t.Errorf("%d videos were started by %d plans", started, ended)
	}
	t.Logf("%v\nfaults       %v\nvideos       %d started", k.tally, k.faults, k.files.Started())
	t.Logf("goroutines   %.0f before, %.0f after\nmemory       %.1f MB before, %.1f MB after, %.1f MB at most",
		before.goroutines, after.goroutines, before.resident/1e6, after.resident/1e6, peak)
	if after.goroutines > before.goroutines+30 {
		t.Error("goroutines were left")
	}
	// At first it grows until it is as large as it gets.
	if lasts >= time.Minute && after.resident > before.resident*1.3+10e6 {
		t.Error("the process grew")
	}
}

const prompt = "A fox runs"

// soak is a stage with two replicas. Only one of them is ended and started
// again: how large the other one is shows whether it leaks.
type soak struct {
	*stage
	steady, other *replica
	until         time.Time
	tally         *tally
	faults        *counts
}

func newSoak(t *testing.T) *soak {
	server := redistest.Start(t)
	s := watched(crashStage(t, server.URL(), server.Client()))
	s.redis = server
	s.files = demo.NewSuperDuper(time.Now, 4*time.Second)
	s.env["SUPERDUPERAI_URL"] = s.serve(s.files)
	s.env["SWEEP_INTERVAL"] = "5s"
	s.env["CONFIRM_TTL"] = "1h"
	k := &soak{stage: s, tally: newTally(), faults: &counts{}}
	k.steady, k.other = k.replica(), k.replica()
	k.bot = k.steady.process
	s.workspace.AwaitConnections(4)
	return k
}

// replica is one process of the bot after the other.
type replica struct {
	env     map[string]string
	process *process
}

func (k *soak) replica() *replica {
	r := &replica{env: map[string]string{}}
	for name, value := range k.env {
		r.env[name] = value
	}
	r.env["HTTP_ADDR"] = freeAddr(k.t)
	r.start(k.t)
	return r
}

// start starts it, and waits until it can be asked to stop.
func (r *replica) start(t testing.TB) {
	t.Helper()
	r.process = start(t, r.env, "run")
	await(t, r.process.log.String, `"msg":"starting"`)
}

// stop ends it in good order.
func (r *replica) stop(t testing.TB) {
	if code := r.process.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}
}

type figures struct{ goroutines, resident float64 }

// figures are the process's own metrics.
func (r *replica) figures(t testing.TB) figures {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.env["HTTP_ADDR"]+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	page := fetched(req)
	return figures{goroutines: metric(t, page, "go_goroutines"), resident: metric(t, page, "process_resident_memory_bytes")}
}

func metric(t testing.TB, page, name string) float64 {
	found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(page)
	if found == nil {
		t.Errorf("no %s in: %s", name, page)
		return 0
	}
	value, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		t.Error(err)
	}
	return value
}

// settled waits until the process has about as few goroutines as before.
func (r *replica) settled(t testing.TB, before figures) (now figures) {
	poll(patience, func() bool {
		now = r.figures(t)
		return now.goroutines <= before.goroutines+30
	})
	return now
}

// counts are how often what happened.
type counts struct {
	mu sync.Mutex
	of map[string]int
}

func (c *counts) add(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]int{}
	}
	c.of[what]++
}

func (c *counts) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []string
	for what, n := range c.of {
		all = append(all, fmt.Sprintf("%d %s", n, what))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// orphan stores a session that was paid for and got no video.
func (k *soak) orphan(id string) error {
	paid := time.Now().Add(-14 * time.Minute)
	k.stripe.Put(demo.CheckoutSession{ID: id, Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "usd",
		Created: paid, Event: store.EventDelivered})
	return k.client.Set(k.t.Context(), "prompt:"+id,
		`{"prompt":"`+prompt+`","timestamp":"`+paid.UTC().Format("2006-01-02T15:04:05.000Z")+`"}`, store.KeyLife).Err()
}
