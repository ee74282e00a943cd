package main

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/watch"
	"github.com/superduperai/sessionbot/store"
)

// digestNow makes the digest due since this minute, in a time zone where it is about
// noon, so that no midnight comes between.
func digestNow(s *stage) {
	now := time.Now().UTC()
	zone := fmt.Sprintf("Etc/GMT%+d", now.Hour()-12) // POSIX counts west of Greenwich as positive
	local, err := time.LoadLocation(zone)
	if err != nil {
		s.t.Fatal(err)
	}
	s.env["DIGEST_AT"], s.env["DIGEST_TZ"] = now.In(local).Format(clockLayout), zone
}

// TestDigestStory: two replicas post one digest, which lists what is open; neither posts
// another one after a restart.
func TestDigestStory(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	digestNow(s)
	s.pays(watchID(1), pastGrace(), store.EventFailed)
	other := run(t, s.env, "run")
	s.startBot()
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	shown := func(text string) (n int) {
		for _, m := range oncall.All() {
			if containing(text)(m) {
				n++
				s.checkMessage(m)
			}
		}
		return n
	}
	await(t, func() string { return fmt.Sprint(shown("1 session in trouble now")) }, "1")
	other.stop()
	s.bot.stop()
	s.startBot()
	s.pays(watchID(2), pastGrace(), store.EventFailed)
	await(t, func() string { return fmt.Sprint(len(s.alertsOf(watchID(2)))) }, "1") // the leader has looked for a digest by then
	if n := shown("Digest of"); n != 1 {
		t.Errorf("%d digests after a restart", n)
	}
	oncall.All()
	s.expectCleanLog("A fox runs")
}

// TestDigestVariables: what DIGEST_AT and DIGEST_TZ may be.
func TestDigestVariables(t *testing.T) {
	for _, c := range []struct {
		at, zone string
		wrong    string
	}{
		{"09:00", "UTC", ""}, {"23:59", "Europe/Berlin", ""}, {"", "UTC", ""}, {"9:05", "Asia/Tokyo", ""},
		{"24:00", "UTC", "DIGEST_AT"}, {"9 am", "UTC", "DIGEST_AT"}, {"09:00:30", "UTC", "DIGEST_AT"},
		{"09:00", "Middle/Earth", "DIGEST_TZ"}, {"09:00", "Local", "DIGEST_TZ"}, {"09:00", "../etc/passwd", "DIGEST_TZ"},
	} {
		got, err := configFrom(map[string]string{"REDIS_URL": "redis://127.0.0.1:6379", "DIGEST_AT": c.at, "DIGEST_TZ": c.zone}, false)
		faults, _ := err.(configError) //nolint:errorlint // it is returned as it is
		switch {
		case c.wrong == "" && err != nil:
			t.Errorf("%q in %s: %v", c.at, c.zone, err)
		case c.wrong != "" && (len(faults) != 1 || faults[0].variable != c.wrong):
			t.Errorf("%q in %s: %v", c.at, c.zone, err)
		case c.wrong == "" && (got.digestTime() == watch.DigestTime{}) != (c.at == ""):
			t.Errorf("%q in %s: %+v", c.at, c.zone, got.digestTime())
		}
	}
	if _, set := os.LookupEnv("DIGEST_AT"); set {
		t.Error("the environment was changed")
	}
}
