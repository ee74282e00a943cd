package humanize

import (
	"strings"
	"testing"
	"time"
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
		if got := Duration(d); got != want {
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
		if got := Quoted(text); got != want {
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
		if got := Clock(c.at, now); got != c.want {
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
		if got := Money(c.amount, c.currency); got != c.want {
			t.Errorf("money(%d, %s) = %q, want %q", c.amount, c.currency, got, c.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 12481: "12\u00a0481", 1234567: "1\u00a0234\u00a0567"} {
		if got := Thousands(n); got != want {
			t.Errorf("grouped(%d) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{999: "999 B", 1500: "1.5 kB", 2_340_000: "2.3 MB", 5_000_000_000_000_000: "5000.0 TB"} {
		if got := Bytes(n); got != want {
			t.Errorf("bytes(%d) = %q, want %q", n, got, want)
		}
	}
	if got := Percent(0.9996); got != "99.9%" {
		t.Errorf("a rate short of 1 must not read as 100%%: %s", got)
	}
}
