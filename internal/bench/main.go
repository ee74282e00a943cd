// Command bench measures what the product costs and what it feels like, beside
// what a server can physically do. It loads a redis-server of its own, prints
// what it measured and writes docs/performance.md. make bench runs it; QUICK=1
// takes a tenth of the sessions.
package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// plan is how much is measured.
type plan struct {
	sessions, pairs, growTo, sample, commands int
	steady                                    time.Duration
	interval                                  string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) > 1 && os.Args[1] == "bare" {
		if err := bare(ctx); err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "the bare bot:", err)
		}
		return
	}
	p := plan{sessions: 1_000_000, pairs: 5, growTo: 3_000_000, sample: 50_000, commands: 250, steady: time.Minute, interval: "1m"}
	if os.Getenv("QUICK") != "" {
		p = plan{sessions: 100_000, pairs: 3, growTo: 100_000, sample: 20_000, commands: 50, steady: 6 * time.Second, interval: "3s"}
	}
	if err := p.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (p plan) run(ctx context.Context) error {
	r := &report{sessions: p.sessions}
	s, err := newStage(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	resting, err := newStage(ctx)
	if err != nil {
		return err
	}
	defer resting.close()
	if err := p.small(ctx, r, s); err != nil {
		return err
	}
	if err := p.product(ctx, r, resting); err != nil {
		return err
	}
	// A bot has next to nothing to do while sessions rest, and what it does is only
	// counted: all else is measured meanwhile, on other servers.
	group, beside := errgroup.WithContext(ctx)
	var none, ten int
	group.Go(func() (err error) {
		none, ten, err = p.steadily(beside, resting)
		return err
	})
	group.Go(func() error {
		for _, part := range []func(context.Context, *report, *stage) error{p.grow, p.answers, p.threeKey, p.oneKey, p.beyond} {
			if err := part(beside, r, s); err != nil {
				return err
			}
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	r.add("commands a minute while notified, none new", "", "", fmt.Sprint(none), "", "whatever rests")
	r.add("the same, 10 new sessions a minute", "", "", fmt.Sprint(ten), "", "by what is new")
	on, err := p.machine(ctx)
	if err != nil {
		return err
	}
	r.notes = append(r.notes, fmt.Sprintf("redis-cli was stopped after one of %d prompts, and the time it took is told times %[1]d.", shareOfCLI))
	r.notes = append(r.notes, "Growth is of three runs below a million sessions, and of one above, without a floor; a second sweep is run once.")
	return r.write("docs/performance.md", on)
}

// machine tells what it was measured on.
func (p plan) machine(ctx context.Context) (string, error) {
	version, err := exec.CommandContext(ctx, "redis-server", "--version").Output()
	if err != nil {
		return "", err
	}
	words := strings.Fields(string(version))
	on := fmt.Sprintf("%d cores, %s, Redis %s, medians of %d runs", runtime.NumCPU(), runtime.Version(), strings.TrimPrefix(words[2], "v="), p.pairs)
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		on += ", load average " + strings.Fields(string(load))[1]
	}
	return on, nil
}

// small is what does not depend on sessions.
func (p plan) small(ctx context.Context, r *report, s *stage) error {
	stat, err := os.Stat(s.binary)
	if err != nil {
		return fmt.Errorf("%w: make build makes it", err)
	}
	r.add("size of the binary", "", "", fmt.Sprintf("%.1f MB", float64(stat.Size())/1e6), "", "under 40 MB")
	d := &dataset{}
	if err := d.add(ctx, s.redis, 0, 1000); err != nil {
		return err
	}
	begun := time.Now()
	if err := s.run(); err != nil {
		return err
	}
	answered, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	first := map[string]time.Time{id(0): begun}
	for answered.Err() == nil {
		if _, err := s.Command("U0SUPPORT", "C0SUPPORT", "/session", "debug "+id(0)); err == nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	took := s.answered(first)
	for ; len(took) == 0 && answered.Err() == nil; took = s.answered(first) {
		time.Sleep(time.Millisecond)
	}
	if len(took) == 0 {
		return fmt.Errorf("the bot never answered")
	}
	r.add("start to first answer", "", "", millis(took[0]), "", "under 1 s")
	cancel()
	time.Sleep(3 * time.Second)
	now, _, err := memory(s.bot.Process.Pid)
	r.add("memory when idle", "", "", fmt.Sprintf("%.1f MiB", now), "", "under 40 MiB")
	s.end()
	return err
}

// grow loads sessions step by step, and takes the time of sweeps and answers.
func (p plan) grow(ctx context.Context, r *report, s *stage) error {
	d := &dataset{}
	if err := s.redis.client.FlushAll(ctx).Err(); err != nil {
		return err
	}
	at := 0
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		if n > p.sessions {
			break
		}
		if err := d.add(ctx, s.redis, at, n); err != nil {
			return err
		}
		at = n
		if n == p.sessions {
			break // measured at length
		}
		if err := p.growth(ctx, r, s, n); err != nil {
			return err
		}
	}
	return nil
}

func (p plan) growth(ctx context.Context, r *report, s *stage, n int) error {
	pairs := 3
	if n > p.sessions {
		pairs = 0 // each would take minutes
	}
	t, err := measureSweeps(ctx, s.redis, "prompt:*", n, pairs, false)
	if err != nil {
		return err
	}
	return p.grew(ctx, r, s, n, t)
}

var grown []point

type point struct {
	sessions int
	later    time.Duration
}

// grew notes how sweeps and answers stand at so many sessions.
func (p plan) grew(ctx context.Context, r *report, s *stage, n int, t sweepTimes) error {
	if err := s.run(); err != nil {
		return err
	}
	defer s.end()
	if err := s.await(ctx, "sessionbot_socket_connections"); err != nil {
		return err
	}
	acks, took, err := s.debugs(ctx, from(0), 50, 50)
	if err != nil {
		return err
	}
	grown = append(grown, point{n, median(t.later)})
	exponent := ""
	if last := len(grown) - 1; last > 0 {
		exponent = fmt.Sprintf(", exponent %.2f", math.Log(float64(grown[last].later)/float64(grown[0].later))/
			math.Log(float64(grown[last].sessions)/float64(grown[0].sessions)))
	}
	bare, ratio := "", ""
	if len(t.floors) > 0 {
		bare, ratio = seconds(t.floor()), times(median(t.later), t.floor())
	}
	r.growth = append(r.growth, row{grouped(n) + " sessions", bare, "",
		fmt.Sprintf("first %s, later %s%s", seconds(median(t.first)), seconds(median(t.later)), exponent), ratio,
		fmt.Sprintf("answers p50 %s, acks p50 %s", millis(median(took)), millis(median(acks)))})
	l := r.growth[len(r.growth)-1]
	fmt.Printf("%-20s floor %s %s (%s) %s\n", l.what, l.floor, l.ours, l.ratio, l.reach)
	return nil
}

// threeKey is the sweeps and the recount over the three-key layout.
func (p plan) threeKey(ctx context.Context, r *report, s *stage) error {
	t, err := measureSweeps(ctx, s.redis, "prompt:*", p.sessions, p.pairs, true)
	if err != nil {
		return err
	}
	r.add("first sweep, three-key layout", seconds(t.floor()), "", seconds(median(t.first)), times(median(t.first), t.floor()), "1.5 × the floor")
	r.add("the same beside redis-cli --scan", "", seconds(median(t.cli)), seconds(median(t.first)), times(median(t.cli), median(t.first))+" faster", "5 × faster")
	r.add("second sweep, which reads everything once", seconds(t.floor()), "", seconds(t.second[0]), times(t.second[0], t.floor()), "")
	r.add("every later sweep", seconds(t.floor()), "", seconds(median(t.later)), times(median(t.later), t.floor()), "1.25 × the floor")
	if err := p.grew(ctx, r, s, p.sessions, t); err != nil {
		return err
	}
	loop, err := getLoop(ctx, s.redis, p.sample)
	if err != nil {
		return err
	}
	loop = time.Duration(float64(loop) * float64(p.sessions) / float64(p.sample))
	begun := time.Now()
	recount := exec.CommandContext(ctx, s.binary, "redis", "stats", "--json")
	recount.Env = []string{"REDIS_URL=redis://" + s.redis.addr}
	if out, err := recount.CombinedOutput(); err != nil || !strings.Contains(string(out), `"complete":true`) && !strings.Contains(string(out), `"complete": true`) {
		return fmt.Errorf("redis stats: %w: %s", err, out)
	}
	counted := time.Since(begun)
	keys, err := s.redis.client.DBSize(ctx).Result()
	if err != nil {
		return err
	}
	all := loop * time.Duration(keys) / time.Duration(p.sessions)
	r.add("full recount from the terminal, of all keys", seconds(t.floor()), seconds(all), seconds(counted), times(all, counted)+" faster", "10 × faster than one GET per key")
	r.add("the same beside one GET per prompt alone", "", seconds(loop), seconds(counted), times(loop, counted)+" faster", "")
	r.notes = append(r.notes, fmt.Sprintf("The loop of one GET after the other was measured over %s keys.", grouped(p.sample)))
	return nil
}

// beyond is more sessions than the table is about.
func (p plan) beyond(ctx context.Context, r *report, s *stage) error {
	if p.growTo <= p.sessions {
		return nil
	}
	d := &dataset{}
	held, err := s.redis.client.DBSize(ctx).Result()
	if err != nil {
		return err
	}
	d.keys = held
	if err := d.add(ctx, s.redis, p.sessions, p.growTo); err != nil {
		return err
	}
	return p.growth(ctx, r, s, p.growTo)
}

// oneKey is the sweeps over the one-key layout.
func (p plan) oneKey(ctx context.Context, r *report, _ *stage) error {
	redis, err := startRedis(ctx)
	if err != nil {
		return err
	}
	defer redis.stop()
	d := &dataset{oneKey: true}
	if err := d.add(ctx, redis, 0, p.sessions); err != nil {
		return err
	}
	t, err := measureSweeps(ctx, redis, "session:*", p.sessions, p.pairs, false)
	if err != nil {
		return err
	}
	r.add("first sweep, one-key layout", seconds(t.floor()), "", seconds(median(t.first)), times(median(t.first), t.floor()), "7 × the floor")
	r.add("second sweep, which reads everything once", seconds(t.floor()), "", seconds(t.second[0]), times(t.second[0], t.floor()), "")
	r.add("every later sweep", seconds(t.floor()), "", seconds(median(t.later)), times(median(t.later), t.floor()), "1.5 × the floor")
	for n, share := range t.bytes {
		r.add([]string{"bytes received by the first sweep", "by the second", "by a later one"}[n], "", "",
			fmt.Sprintf("%.0f MB of %.0f MB", share/1e6, float64(d.size)/1e6), fmt.Sprintf("%.1f %%", 100*share/float64(d.size)), "25 %")
	}
	return nil
}
