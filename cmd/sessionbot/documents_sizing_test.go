package main

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	quantity = regexp.MustCompile(`([\d.]+) (s|min|MiB|GiB|MB|bytes)`)
	unitSize = map[string]float64{"s": 1, "min": 60, "MiB": 1 << 20, "GiB": 1 << 30, "MB": 1e6, "bytes": 1}
)

// quantities are the figures in a text.
func quantities(text string) (all []float64) {
	for _, match := range quantity.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.ParseFloat(match[1], 64) // of digits
		all = append(all, n*unitSize[match[2]])
	}
	return all
}

// TestSizing: docs/sizing.md says what docs/performance.md measured at a million
// sessions, and calculates from that.
func TestSizing(t *testing.T) {
	t.Parallel()
	measured, sizing := textOf(t, "docs/performance.md"), textOf(t, "docs/sizing.md")
	const idle, sessions = `memory when idle \| ([\d.]+ MiB)`, 1e6
	find := func(pattern string) float64 {
		t.Helper()
		match := regexp.MustCompile(pattern).FindStringSubmatch(measured)
		if match == nil {
			t.Fatalf("nothing was measured like %s", pattern)
		}
		return quantities(match[1])[0]
	}
	for row, c := range map[string]struct {
		figures []string
		fixed   string // what does not grow with the sessions
	}{
		"incremental sweep":                      {[]string{`processor time, three-key: .* The last two took ([\d.]+ s)`, `processor time, one-key: .* The last two took ([\d.]+ s)`}, ""},
		"full sweep":                             {[]string{`full sweep and recount, three-key \| ([\d.]+ s)`, `full sweep and recount, one-key \| ([\d.]+ s)`}, ""},
		"memory of the leading process, at most": {[]string{`memory of the process during a full sweep \| ([\d.]+ MiB)`}, idle},
		"memory of Redis for what is finished, 33 bytes a session": {[]string{`takes ([\d.]+ bytes) of Redis`}, ""},
	} {
		_, cells, ok := strings.Cut(sizing, "| "+row+" | ")
		now, cells, _ := strings.Cut(cells, " | ")
		later, _, _ := strings.Cut(cells, "|")
		if !ok {
			t.Errorf("there is no row %s", row)
			continue
		}
		for n, pattern := range c.figures {
			want, fixed := find(pattern), 0.0
			if strings.HasSuffix(pattern, "of Redis") {
				want *= sessions
			}
			if c.fixed != "" {
				fixed = find(c.fixed)
			}
			for said, want := range map[string]float64{now: want, later: fixed + 10*(want-fixed)} {
				if got := quantities(said)[n]; got < want*0.7 || got > want*1.3 {
					t.Errorf("%s: %s, but measurement and calculation say %.3g", row, said, want)
				}
			}
		}
	}
}
