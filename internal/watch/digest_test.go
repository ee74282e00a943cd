package watch

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the tests' time zones

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/incident"
)

// TestDigestDue: by the clock of a time zone, whatever it does to the clock, for some
// hours and never on another day.
func TestDigestDue(t *testing.T) {
	t.Parallel()
	const none = ""
	for _, c := range []struct {
		zone, at, now string
		from, until   string // none = not due
	}{
		{"UTC", "09:00", "2026-03-04T08:59:59Z", none, none},
		{"UTC", "09:00", "2026-03-04T09:00:00Z", "2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z"},
		{"UTC", "09:00", "2026-03-04T14:59:59Z", "2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z"}, // a late start
		{"UTC", "09:00", "2026-03-04T15:00:00Z", none, none},                                     // too late
		{"UTC", "22:00", "2026-03-04T23:59:59Z", "2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z"},
		{"UTC", "22:00", "2026-03-05T00:30:00Z", none, none}, // another day
		{"UTC", "00:00", "2026-03-01T00:00:00Z", "2026-02-28T00:00:00Z", "2026-03-01T00:00:00Z"},
		{"Asia/Tokyo", "09:00", "2026-03-04T00:00:00Z", "2026-03-02T15:00:00Z", "2026-03-03T15:00:00Z"},
		{"America/New_York", "09:00", "2026-03-04T13:59:59Z", none, none},
		{"America/New_York", "09:00", "2026-03-04T14:00:00Z", "2026-03-03T05:00:00Z", "2026-03-04T05:00:00Z"},
		// Clocks go forward: the day has 23 hours, and 02:30 does not exist.
		{"Europe/Berlin", "09:00", "2026-03-29T06:59:59Z", none, none},
		{"Europe/Berlin", "09:00", "2026-03-29T07:00:00Z", "2026-03-27T23:00:00Z", "2026-03-28T23:00:00Z"},
		{"Europe/Berlin", "09:00", "2026-03-30T07:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
		{"Europe/Berlin", "02:30", "2026-03-29T00:29:59Z", none, none},
		{"Europe/Berlin", "02:30", "2026-03-29T01:30:00Z", "2026-03-27T23:00:00Z", "2026-03-28T23:00:00Z"},
		// They go back: the day has 25 hours, and 02:30 comes twice.
		{"Europe/Berlin", "02:30", "2026-10-25T00:29:59Z", none, none},
		{"Europe/Berlin", "02:30", "2026-10-25T01:30:00Z", "2026-10-23T22:00:00Z", "2026-10-24T22:00:00Z"},
		{"Europe/Berlin", "09:00", "2026-10-26T08:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse("15:04", c.at)
		if err != nil {
			t.Fatal(err)
		}
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		from, until, due := DigestTime{Hour: at.Hour(), Minute: at.Minute(), Zone: zone}.due(now)
		if due != (c.from != none) {
			t.Errorf("%s in %s at %s: due %v", c.at, c.zone, c.now, due)
		} else if due && (from.UTC().Format(time.RFC3339) != c.from || until.UTC().Format(time.RFC3339) != c.until) {
			t.Errorf("%s in %s at %s: from %s until %s", c.at, c.zone, c.now, from.UTC(), until.UTC())
		}
	}
	if _, _, due := (DigestTime{}).due(time.Now()); due {
		t.Error("due though it is off")
	}
}

// digesting is a simulation whose digest is due now.
func digesting(t *testing.T) *simulation {
	h := newSimulation(t)
	year, month, day := h.at.Date()
	h.at = time.Date(year, month, day, 9, 0, 0, 0, h.at.Location())
	h.checkAt = h.at
	h.cfg.Digest = DigestTime{Hour: 9, Zone: h.at.Location()}
	h.channel.readable = true
	return h
}

// digests are the notifications that are digests.
func (h *simulation) digests(d time.Duration) int {
	h.t.Helper()
	for end := h.at.Add(d); h.at.Before(end); {
		h.advance(time.Minute)
		h.must(h.term.digester.open(h.t.Context()))
		h.must(h.term.dispatcher.notifyAll(h.t.Context()))
	}
	return len(slices.DeleteFunc(h.notified(), func(news string) bool { return !strings.HasPrefix(news, string(Digest)) }))
}

// TestDigestIsPostedOnce a day: whichever process leads, and even if Slack's answer is lost.
func TestDigestIsPostedOnce(t *testing.T) {
	t.Parallel()
	h := digesting(t)
	h.channel.lostAnswers = 1
	h.lead()
	h.must(h.term.digester.open(t.Context())) // before the first sweep nobody knows what is open
	h.must(h.term.dispatcher.notifyAll(t.Context()))
	if news := h.notified(); len(news) > 0 {
		t.Errorf("notified %q before the first sweep", news)
	}
	if n := h.digests(3 * time.Minute); n != 1 {
		t.Errorf("%d digests", n)
	}
	h.lead() // another replica
	if n := h.digests(3 * time.Minute); n != 0 {
		t.Errorf("%d more from another replica", n)
	}
	h.at = h.at.Add(24*time.Hour - 6*time.Minute)
	if n := h.digests(3 * time.Minute); n != 1 {
		t.Errorf("%d digests on the next day", n)
	}
	open, err := h.records.OpenIncidents(t.Context(), nil)
	if err != nil || len(open) > 0 {
		t.Errorf("open: %+v, %v", open, err)
	}
}

// TestKilledBeforeTheDigestIsRecorded: the next leader finds it in the channel.
func TestKilledBeforeTheDigestIsRecorded(t *testing.T) {
	t.Parallel()
	h := digesting(t)
	h.lead()
	h.channel.onPost = func() { // nothing is noted from here on
		h.must(h.client.HSet(t.Context(), "sessionbot:{watch}:state", "token", "another").Err())
	}
	h.must(h.term.sweeps.sweep(t.Context()))
	h.must(h.term.digester.open(t.Context()))
	_ = h.term.dispatcher.notifyAll(t.Context()) // it cannot record the post
	h.channel.onPost = nil
	if news := h.notified(); !slices.Equal(news, []string{"digest 0"}) {
		t.Fatalf("notified %q", news)
	}
	h.lead()
	for range 3 {
		h.advance(time.Minute)
		h.must(h.term.dispatcher.notifyAll(t.Context()))
	}
	if news := h.notified(); len(news) > 0 { // an update would show an incident in its place
		t.Errorf("the next leader notified %q", news)
	}
	if n := h.digests(3 * time.Minute); n != 0 {
		t.Errorf("%d more", n)
	}
}

// TestDigestThatCouldNotBePosted is given up for that of the next day.
func TestDigestThatCouldNotBePosted(t *testing.T) {
	t.Parallel()
	h := digesting(t)
	h.lead()
	h.channel.down = &DeliveryError{NeedsPerson: true, Err: errUnavailable}
	if n := h.digests(3 * time.Minute); n != 0 {
		t.Errorf("%d digests in a channel that is down", n)
	}
	h.at = h.at.Add(24*time.Hour - 3*time.Minute)
	if n := h.digests(3 * time.Minute); n != 0 {
		t.Errorf("%d digests in a channel that is down", n)
	}
	h.channel.down = nil
	if n := h.digests(5 * time.Minute); n != 1 {
		t.Errorf("%d digests of two days", n)
	}
}

// TestArchive: an incident that is over is known for the digest.
func TestArchive(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.stride = time.Minute
	h.lead()
	h.orphan("cs_test_1")
	h.advance(2 * time.Minute)
	h.put("webhook:cs_test_1", `{"status":"completed","fileId":"`+fileID(1)+`","timestamp":"`+h.at.UTC().Format(time.RFC3339)+`"}`)
	began := h.at
	h.advance(Window + 10*time.Minute)
	open, err := h.records.OpenIncidents(t.Context(), nil)
	h.must(err)
	every, err := h.records.EverySince(t.Context(), began)
	h.must(err)
	if len(open) != 0 || len(every) != 1 || len(every[0].Cases) != 1 || every[0].Cases[0].Ending != incident.EndLate {
		t.Errorf("open: %+v, since then: %+v", open, every)
	}
}

// TestPermalinkIsKept of an alert, for debug.
func TestPermalinkIsKept(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.cfg.Permalink = func(_ context.Context, m store.Message) string { return "https://x/" + m.TS }
	h.lead()
	h.orphan("cs_test_1")
	h.advance(time.Minute)
	if got := h.only().Permalink; got != "https://x/1" {
		t.Errorf("the alert is at %q", got)
	}
}
