package commands

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
)

func TestSpan(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Second:                    "0 s",
		59 * time.Second:                "59 s",
		14*time.Minute + 40*time.Second: "14 min",
		time.Hour:                       "1 h",
		90 * time.Minute:                "1 h 30 min",
		29*24*time.Hour + 23*time.Hour:  "29 d 23 h",
		48 * time.Hour:                  "2 d",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestQuoted(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"No such customer: ann@example.com":            "No such customer: (address)",
		"<Ann.B+x@shop.example>, and\nb@c.example\x00": "<(address)>, and (address)",
		"at 12:00 @here":         "at 12:00 @here",
		strings.Repeat("x", 400): strings.Repeat("x", 299) + "…",
	} {
		if got := quoted(text); got != want {
			t.Errorf("%q is quoted as %q, want %q", text, got, want)
		}
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 0, 10, 0, 0, time.UTC)
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{now.Add(-5 * time.Minute), "00:05 UTC"},
		{now.Add(-20 * time.Hour), "1 Jan 04:10 UTC"},
		{now.Add(-30 * time.Hour), "31 Dec 2025 18:10 UTC"},
		{now.Add(-5 * time.Minute).In(time.FixedZone("", 3600)), "00:05 UTC"},
	} {
		if got := clock(c.at, now); got != c.want {
			t.Errorf("clock(%v) = %q, want %q", c.at, got, c.want)
		}
	}
}

func TestMoney(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		amount   int64
		currency string
		want     string
	}{
		{100, "usd", "$1.00"}, {1, "usd", "$0.01"}, {2450, "eur", "€24.50"}, {500, "jpy", "500 JPY"}, {5000, "kwd", "5.000 KWD"}, {50000, "ugx", "500.00 UGX"}, {1205, "chf", "12.05 CHF"},
	} {
		if got := money(c.amount, c.currency); got != c.want {
			t.Errorf("money(%d, %s) = %q, want %q", c.amount, c.currency, got, c.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 12481: "12\u00a0481", 1234567: "1\u00a0234\u00a0567"} {
		if got := thousands(n); got != want {
			t.Errorf("grouped(%d) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{999: "999 B", 1500: "1.5 kB", 2_340_000: "2.3 MB", 5_000_000_000_000_000: "5000.0 TB"} {
		if got := bytes(n); got != want {
			t.Errorf("bytes(%d) = %q, want %q", n, got, want)
		}
	}
	if got := percent(0.9996); got != "99.9%" {
		t.Errorf("a rate short of 1 must not read as 100%%: %s", got)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"debug", "find", "fix", "generate", "history", "help"}
	for word, want := range map[string]string{
		"debgu": "debug", "degub": "debug", "gen": "generate", "hlep": "help", "fnd": "find", "xyzzy": "", "": "",
	} {
		if got := nearest(word, names); got != want {
			t.Errorf("nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

// TestFixTexts: the watch recognises what a plan writes by these texts.
func TestFixTexts(t *testing.T) {
	t.Parallel()
	for _, kind := range []store.Kind{store.KindVideo, store.KindImage} {
		if text := kind.Reword(FixText); !slices.Contains(FixTexts(), text) {
			t.Errorf("a plan for an %s writes %q, which is not in FixTexts", kind, text)
		}
	}
}
