// Command bench measures what the bot costs the Redis that it watches and how
// quick it is, prints a table and writes docs/performance.md. Run it with make
// bench; QUICK=1 takes a tenth of the sessions. It panics where it cannot measure.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/sweep"
)

const (
	rounds = 3      // of what is measured in turns
	sample = 20_000 // keys that are read with one GET each
)

//go:embed performance.md.tmpl
var document string

// report is what was measured.
type report struct {
	Sessions    int
	Machine     string
	Rows, Notes []string
}

// under adds a figure that has to stay under a limit.
func (r *report) under(what string, got, limit float64, unit string) {
	r.add(got < limit, "%s | %.2f %s | | | under %g %[3]s", what, got, unit, limit)
}

// atMost adds a figure that has to be at most so many times another one.
func (r *report) atMost(what string, got float64, other string, base, limit float64, unit string) {
	r.add(got <= limit*base, "%s | %.2f %s | %s: %.2f %[3]s | %.2[6]f × | at most %[7]g ×", what, got, unit, other, base, got/base, limit)
}

func (r *report) add(reached bool, format string, values ...any) {
	row := "| " + fmt.Sprintf(format, values...) + map[bool]string{true: ": reached |", false: ": **missed** |"}[reached]
	r.Rows = append(r.Rows, row)
	fmt.Println(row)
}

func (r *report) note(format string, values ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, values...))
	fmt.Println(r.Notes[len(r.Notes)-1])
}

func main() {
	r, began := &report{Sessions: 1_000_000}, time.Now()
	if os.Getenv("QUICK") != "" {
		r.Sessions /= 10
	}
	load, _, _ := strings.Cut(string(must(os.ReadFile("/proc/loadavg"))), " ")
	version := strings.Fields(string(must(exec.Command("redis-server", "--version").Output())))[2]
	r.Machine = fmt.Sprintf("%d cores, %s, Redis %s, load average %s at the start", runtime.NumCPU(), runtime.Version(), version[2:], load)
	r.measure(layout{"three-key", "prompt:*", 6})
	r.measure(layout{"one-key", "session:*", 10})
	r.note("All of it took %s.", time.Since(began).Round(time.Second))
	file := must(os.Create("docs/performance.md"))
	must(0, template.Must(template.New("").Parse(document)).Execute(file, r))
	must(0, file.Close())
}

func (r *report) measure(l layout) {
	s := startRedis()
	defer s.stop()
	r.load(s, l)
	if l.name == "three-key" { // the keys that the bot on the SDK reads
		r.bots(s)
	}
	r.sweeps(s, l)
}

// sweeps measures bare loops of commands and sweeps, in turns.
func (r *report) sweeps(s *server, l layout) {
	sweeper, files := sweep.New(s.opened), sweep.NewFiles(s.opened, time.Now)
	r.sweep(sweeper, files, true) // does not count
	var bare, incremental, full, list, gets costs
	for range rounds {
		s.measure(&bare, func() {
			for cursor, more := uint64(0), true; more; more = cursor != 0 {
				page := s.Scan(ctx, cursor, l.match, 1000)
				must(0, page.Err())
				_, cursor = page.Val()
			}
		})
		s.measure(&incremental, func() { r.sweep(sweeper, files, false) })
		sweeper.Missed()
		s.measure(&full, func() { r.sweep(sweeper, files, true) })
		var keys []string
		s.measure(&list, func() { keys = must(s.Keys(ctx, l.match).Result()) })
		s.measure(&gets, func() {
			for _, key := range keys[:sample] {
				must(s.Get(ctx, key).Result())
			}
		})
	}
	r.atMost("Redis' processor time of an incremental sweep, "+l.name, median(incremental.cpu), "SCAN", median(bare.cpu), 1.5, "s")
	r.atMost("full sweep and recount, "+l.name, median(full.wall), "SCAN", median(bare.wall), l.fullLimit, "s")
	r.atMost("the same", median(full.wall), "KEYS and GETs", median(list.wall)+median(gets.wall)*float64(r.Sessions)/sample, 0.1, "s")
	share := func(c costs) float64 { return 100 * median(c.cpu) / max(60, 11*median(c.wall)) } // see sweepPause in internal/watch
	r.under("share of Redis' time that sweeps take, "+l.name, max(share(full), share(incremental)), 10, "%")
	r.note("Redis' processor time, %s: %.2f s for a full sweep, %.2f s for an incremental one, %.2f s for the SCANs. The last two took %.2f s and %.2f s.",
		l.name, median(full.cpu), median(incremental.cpu), median(bare.cpu), median(incremental.wall), median(bare.wall))
}

// sweep sweeps as the watch does, and checks what it found.
func (r *report) sweep(s *sweep.Sweeper, files *sweep.Files, full bool) {
	evidence := func(ctx context.Context, sessions []store.Session) ([]store.Evidence, error) {
		states, err := files.States(ctx, sessions)
		all := make([]store.Evidence, len(states))
		for i, state := range states {
			all[i].File = state
		}
		return all, err
	}
	found := must(s.Sweep(ctx, sweep.Options{Now: time.Now(), Limits: store.Thresholds{OrphanGrace: 10 * time.Minute, StallAfter: 30 * time.Minute}, Evidence: evidence}))
	if n := found.Count.Verdicts[store.VerdictCompleted]; n != r.Sessions/100*97 || found.Full != full {
		panic(fmt.Sprintf("a sweep (full: %t) found %d finished sessions", found.Full, n))
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// quantile is the value that a part of all do not exceed.
func quantile(all []float64, part float64) float64 {
	return slices.Sorted(slices.Values(all))[int(part*float64(len(all)))]
}

func median(all []float64) float64 { return quantile(all, 0.5) }
