// Command bench measures what the bot costs the Redis that it watches and how
// quick it is, prints a table and writes docs/performance.md. Run it with make
// bench; QUICK=1 takes a tenth of the sessions. It panics where it cannot measure.
package main

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/sweep"
)

const (
	rounds = 2      // of what is measured in turns
	sample = 20_000 // keys that are read with one GET each
)

var (
	//go:embed performance.md.tmpl
	document string
	ctx      = context.Background()
	started  []*exec.Cmd // programs that end with this one
)

// report is what was measured.
type report struct {
	Sessions    int
	Machine     string
	Rows, Notes []string
}

// add adds a figure and its goal: at most limit, which is in times of another
// figure where there is one.
func (r *report) add(what string, got float64, unit string, limit float64, other string, base float64) {
	figure, goal := fmt.Sprintf("%.2f %s | | ", got, unit), fmt.Sprintf("under %g %s", limit, unit)
	if other != "" {
		figure = fmt.Sprintf("%.2f %s | %s: %.2f %[2]s | %.2[5]f ×", got, unit, other, base, got/base)
		goal, limit = fmt.Sprintf("at most %g ×", limit), limit*base
	}
	r.Rows = append(r.Rows, fmt.Sprintf("| %s | %s | %s: %s |", what, figure, goal, map[bool]string{true: "reached", false: "**missed**"}[got <= limit]))
	fmt.Println(r.Rows[len(r.Rows)-1])
}

func (r *report) note(format string, values ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, values...))
	fmt.Println(r.Notes[len(r.Notes)-1])
}

func main() {
	defer func() { end(started...) }()
	r, began := &report{Sessions: 1_000_000}, time.Now()
	if os.Getenv("QUICK") != "" {
		r.Sessions /= 10
	}
	load, _, _ := strings.Cut(string(must(os.ReadFile("/proc/loadavg"))), " ")
	s := r.load("three-key")
	r.Machine = fmt.Sprintf("%d cores, %s, Redis %s, load average %s at the start", runtime.NumCPU(), runtime.Version(),
		must(s.InfoMap(ctx, "server").Result())["Server"]["redis_version"], load)
	r.bots(s) // that on the SDK reads three keys
	r.sweeps(s, "three-key", "prompt:*", 6)
	end(s.cmd)
	r.sweeps(r.load("one-key"), "one-key", "session:*", 10)
	r.note("All of it took %s.", time.Since(began).Round(time.Second))
	file := must(os.Create("docs/performance.md"))
	must(0, template.Must(template.New("").Parse(document)).Execute(file, r))
	must(0, file.Close())
}

// server is a redis-server of our own, with sessions.
type server struct {
	*redis.Client
	opened *rdb.Redis
	cmd    *exec.Cmd
}

// load starts a server and stores sessions, and of 97 of 100 that their file is
// finished, as store/sweep.Files does: the first sweep checks that it finds those.
func (r *report) load(layout string) *server {
	free := must(net.Listen("tcp", "127.0.0.1:0"))
	addr := free.Addr().String()
	must(0, free.Close())
	cmd := start(exec.Command("redis-server", "--port", strings.TrimPrefix(addr, "127.0.0.1:"), "--bind", "127.0.0.1", "--save", ""))
	s := &server{redis.NewClient(&redis.Options{Addr: addr, ReadTimeout: time.Minute, MaxRetries: 50}), must(rdb.Open(ctx, "redis://"+addr)), cmd}
	began, pipe, hash := time.Now(), s.Pipeline(), ""
	for n := range r.Sessions {
		created := began.Add(-time.Hour - time.Duration(n)*(26*24*time.Hour/time.Duration(r.Sessions)))
		for key, value := range session(n, layout, created) {
			pipe.Set(ctx, key+sessionID(n), "{"+value+"}", store.KeyLife-began.Sub(created))
		}
		if n%100 < 97 {
			key := sha256.Sum256([]byte(sessionID(n)))
			uuid, _ := store.FileUUID(fileID(n)) // it is one
			hash = fmt.Sprintf("sessionbot:finished:%d:%d", created.Unix()/(24*60*60), key[0]>>1)
			pipe.HSet(ctx, hash, key[:8], uuid[:])
		}
		if pipe.Len() > 1000 || n == r.Sessions-1 {
			must(pipe.Exec(ctx))
		}
	}
	r.note("%d sessions in the %s layout were loaded in %.0f s. To remember that a file is finished takes %d bytes of Redis.", r.Sessions, layout,
		time.Since(began).Seconds(), must(s.MemoryUsage(ctx, hash).Result())/must(s.HLen(ctx, hash).Result()))
	return s
}

// session is the n-th one as the site stores it: values by the prefixes of keys.
func session(n int, layout string, created time.Time) map[string]string {
	status, file := "processing", `"fileId":"`+fileID(n)+`",`
	switch n % 100 {
	case 97, 98:
		status, file = "pending", ""
	case 99:
		status, file = "error", `"error":"The video could not be made.",`
	}
	at := created.UTC().Format(`"2006-01-02T15:04:05.000Z"`)
	stamp, tool := `"timestamp":`+at, `"toolSlug":"veo3-prompt-generator","toolTitle":"Free VEO3 Viral Prompt Generator",`
	prompt := `"prompt":"` + strings.Repeat("A fox runs through fresh snow. ", 2+n%8) + `",`
	switch {
	case layout == "one-key":
		return map[string]string{"session:": prompt + `"videoCount":1,"duration":8,"resolution":"1280x720","style":"cinematic",` +
			tool + `"createdAt":` + at + `,"status":"` + status + `",` + file + stamp}
	case n%100 == 97: // not paid: no webhook came
		return map[string]string{"prompt:": prompt + stamp}
	}
	return map[string]string{"prompt:": prompt + stamp, "webhook:": `"status":"` + status + `",` + file + tool + stamp, "session:": file + stamp}
}

func sessionID(n int) string { return fmt.Sprintf("cs_live_a1%x", sha256.Sum224(fmt.Append(nil, n))) }

func fileID(n int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", n, n) }

// sweeps measures bare loops of commands and sweeps, in turns.
func (r *report) sweeps(s *server, layout, match string, fullLimit float64) {
	sweeper, files := sweep.New(s.opened), sweep.NewFiles(s.opened, time.Now)
	var bare, incremental, full, list, gets costs
	for range rounds {
		sweeper.Missed()
		s.measure(&full, func() { r.sweep(sweeper, files, true) })
		s.measure(&bare, func() {
			keys := s.Scan(ctx, 0, match, 1000).Iterator()
			for keys.Next(ctx) {
				_ = keys.Val()
			}
			must(0, keys.Err())
		})
		s.measure(&incremental, func() { r.sweep(sweeper, files, false) })
		var keys []string
		s.measure(&list, func() { keys = must(s.Keys(ctx, match).Result()) })
		s.measure(&gets, func() {
			for _, key := range keys[:sample] {
				must(s.Get(ctx, key).Result())
			}
		})
	}
	r.add("Redis' processor time of an incremental sweep, "+layout, median(incremental.cpu), "s", 1.5, "SCAN", median(bare.cpu))
	r.add("full sweep and recount, "+layout, median(full.wall), "s", fullLimit, "SCAN", median(bare.wall))
	r.add("the same", median(full.wall), "s", 0.1, "KEYS and GETs", median(list.wall)+median(gets.wall)*float64(r.Sessions)/sample)
	share := func(c costs) float64 { return 100 * median(c.cpu) / max(60, 11*median(c.wall)) } // see sweepPause in internal/watch
	r.add("share of Redis' time that sweeps take, "+layout, max(share(full), share(incremental)), "%", 10, "", 0)
	r.note("Redis' processor time, %s: %.2f s for a full sweep, %.2f s for an incremental one, %.2f s for the SCANs. The last two took %.2f s and %.2f s.",
		layout, median(full.cpu), median(incremental.cpu), median(bare.cpu), median(incremental.wall), median(bare.wall))
}

// sweep sweeps as the watch does, and checks what it found.
func (r *report) sweep(s *sweep.Sweeper, files *sweep.Files, full bool) {
	evidence := func(ctx context.Context, sessions []store.Session) ([]diagnosis.Evidence, error) {
		states, err := files.States(ctx, sessions)
		all := make([]diagnosis.Evidence, len(states))
		for i, state := range states {
			all[i].File, all[i].Finished = state.File, state.Finished
		}
		return all, err
	}
	found := must(s.Sweep(ctx, sweep.Options{Now: time.Now(), Limits: diagnosis.Thresholds{OrphanGrace: 10 * time.Minute, StallAfter: 30 * time.Minute}, Evidence: evidence}))
	if n := found.Count.Verdicts[diagnosis.VerdictCompleted]; n != r.Sessions/100*97 || found.Full != full {
		panic(fmt.Sprintf("a sweep (full: %t) found %d finished sessions", found.Full, n))
	}
}

// costs are the seconds that something took, and those that Redis computed for it.
type costs struct{ wall, cpu []float64 }

func (s *server) measure(c *costs, do func()) {
	before, began := s.cpu(), time.Now()
	do()
	c.wall = append(c.wall, time.Since(began).Seconds())
	c.cpu = append(c.cpu, s.cpu()-before)
}

// cpu is the processor time of Redis' main thread in seconds.
func (s *server) cpu() float64 {
	figures := must(s.InfoMap(ctx, "cpu").Result())["CPU"]
	return must(strconv.ParseFloat(figures["used_cpu_sys_main_thread"], 64)) + must(strconv.ParseFloat(figures["used_cpu_user_main_thread"], 64))
}

func start(cmd *exec.Cmd) *exec.Cmd {
	cmd.Stderr = os.Stderr
	must(0, cmd.Start())
	started = append(started, cmd)
	return cmd
}

func end(commands ...*exec.Cmd) {
	for _, cmd := range commands {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()         // it was killed
	}
}

// quantile is the value that a part of all do not exceed.
func quantile(all []float64, part float64) float64 {
	return slices.Sorted(slices.Values(all))[int(part*float64(len(all)))]
}

func median(all []float64) float64 { return (quantile(all, 0.49) + quantile(all, 0.5)) / 2 }

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
