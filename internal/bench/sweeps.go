package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
)

// floor is a bare loop of SCAN by the same client.
func floor(ctx context.Context, client *redis.Client, match string, count int64) (time.Duration, error) {
	begun, cursor := time.Now(), uint64(0)
	for {
		_, next, err := client.Scan(ctx, cursor, match, count).Result()
		if err != nil {
			return 0, err
		}
		if cursor = next; cursor == 0 {
			return time.Since(begun), nil
		}
	}
}

// betterCount is the COUNT with which the floor is quicker.
func betterCount(ctx context.Context, client *redis.Client, match string) (int64, error) {
	small, err := floor(ctx, client, match, 1000)
	if err != nil {
		return 0, err
	}
	large, err := floor(ctx, client, match, 3000)
	if small < large {
		return 1000, err
	}
	return 3000, err
}

// sweeping is a sweeper of the product, without its pacing.
type sweeping struct {
	*store.Sweeper
	sessions int
}

func newSweeping(r *store.Redis, sessions int) sweeping {
	return sweeping{store.NewSweeper(r), sessions}
}

// sweep takes the time of one sweep, which has to see every session.
func (s sweeping) sweep(ctx context.Context) (time.Duration, error) {
	begun := time.Now()
	read, rested := 0, 0
	sums, err := s.Sweep(ctx, store.Sweeping{Now: begun,
		Read: func(sessions []store.Session) error { read += len(sessions); return nil },
		Rest: func([]byte, store.Resting) { rested++ }})
	took := time.Since(begun)
	seen := read + rested + sums.Unread
	if err == nil && (seen < s.sessions || sums.Unread == 0 && seen > s.sessions || sums.Sessions != seen) {
		err = fmt.Errorf("a sweep saw %d of %d sessions", sums.Sessions, s.sessions)
	}
	return took, err
}

// sweepTimes is what sweeps, the floor and redis-cli took, in turn.
type sweepTimes struct {
	floors, first, second, later, cli []time.Duration

	bytes []float64 // received by the first, the second and a later sweep
}

func (t sweepTimes) floor() time.Duration { return median(t.floors) }

// measureSweeps runs each so many times, and with no pairs the sweeps alone, once;
// redis-cli only where it is a peer.
func measureSweeps(ctx context.Context, s *server, match string, sessions, pairs int, cli bool) (t sweepTimes, err error) {
	product, err := store.Open(ctx, "redis://"+s.addr)
	if err != nil {
		return t, err
	}
	defer func() { _ = product.Close() }() // nothing hangs on it any more
	client := redis.NewClient(&redis.Options{Addr: s.addr, ReadTimeout: time.Minute})
	defer func() { _ = client.Close() }() // likewise
	known := newSweeping(product, sessions)
	for _, times := range []*[]time.Duration{&t.first, &t.second, &t.later} {
		before, err := info(ctx, client, "stats", "total_net_output_bytes")
		if err != nil {
			return t, err
		}
		took, err := known.sweep(ctx)
		if err != nil {
			return t, err
		}
		after, err := info(ctx, client, "stats", "total_net_output_bytes")
		if err != nil {
			return t, err
		}
		t.bytes, *times = append(t.bytes, after-before), append(*times, took)
	}
	if pairs == 0 {
		return t, nil
	}
	t.first, t.later = nil, nil // what is compared is measured in turn
	count, err := betterCount(ctx, client, match)
	if err != nil {
		return t, err
	}
	type turn struct {
		times *[]time.Duration
		run   func() (time.Duration, error)
	}
	turns := []turn{
		{&t.floors, func() (time.Duration, error) { return floor(ctx, client, match, count) }},
		{&t.first, func() (time.Duration, error) { return newSweeping(product, sessions).sweep(ctx) }},
		{&t.later, func() (time.Duration, error) { return known.sweep(ctx) }},
	}
	if cli {
		turns = append(turns, turn{&t.cli, func() (time.Duration, error) { return scanCLI(ctx, s, match, sessions) }})
	}
	for range pairs {
		for _, turn := range turns {
			took, err := turn.run()
			if err != nil {
				return t, err
			}
			*turn.times = append(*turn.times, took)
		}
	}
	return t, nil
}

// shareOfCLI is how much of redis-cli's work is waited for, as one in so many.
const shareOfCLI = 20

// scanCLI takes the time of redis-cli --scan. It is stopped after a share of the
// keys that match, whose order is random, and its time is told times as many.
func scanCLI(ctx context.Context, s *server, match string, keys int) (time.Duration, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	_, port, _ := strings.Cut(s.addr, ":")
	cli := exec.CommandContext(ctx, "redis-cli", "-p", port, "--scan", "--pattern", match)
	shown, err := cli.StdoutPipe()
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	if err := cli.Start(); err != nil {
		return 0, err
	}
	n := 0
	for lines := bufio.NewScanner(shown); n < keys/shareOfCLI && lines.Scan(); {
		n++
	}
	took := time.Since(begun)
	stop()
	_ = cli.Wait() // killed: an error is what it says
	if n < keys/shareOfCLI {
		return 0, fmt.Errorf("redis-cli showed %d keys", n)
	}
	return shareOfCLI * took, nil
}

// getLoop is one GET per key in a loop, as the script before did, over so many
// of the sessions.
func getLoop(ctx context.Context, s *server, sample int) (time.Duration, error) {
	client := redis.NewClient(&redis.Options{Addr: s.addr})
	defer func() { _ = client.Close() }() // nothing hangs on it any more
	keys := make([]string, sample)
	for n := range keys {
		keys[n] = "prompt:" + id(n)
	}
	begun := time.Now()
	for _, key := range keys {
		if err := client.Get(ctx, key).Err(); err != nil {
			return 0, err
		}
	}
	return time.Since(begun), nil
}

// info reads a number of INFO.
func info(ctx context.Context, c *redis.Client, section, name string) (float64, error) {
	text, err := c.Info(ctx, section).Result()
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+":"); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("INFO tells no %s", name)
}

// memory is what a process takes now, and took at most, in MiB.
func memory(pid int) (now, most float64, err error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(raw)) {
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		kilobytes, _ := strconv.ParseFloat(words[1], 64) // not a number in lines that are not looked at
		switch words[0] {
		case "VmRSS:":
			now = kilobytes / 1024
		case "VmHWM:":
			most = kilobytes / 1024
		}
	}
	return now, most, err
}

func median[T time.Duration | float64](all []T) T {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

func p99(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)-1, len(sorted)*99/100)]
}
