package main

import (
	"strings"
	"testing"
	"time"
)

// TestAddressIsTaken: who cannot be asked whether it is well does not run, nor
// watch, but says so and ends.
func TestAddressIsTaken(t *testing.T) {
	s := watched(newStage(t))
	s.env["HTTP_ADDR"] = strings.TrimPrefix(s.env["SITE_URL"], "http://")
	s.bot = start(t, s.env, "run")
	if code := s.bot.exitCode(10 * time.Second); code != 1 {
		t.Errorf("it exited with %d", code)
	}
	if want := "listen on " + s.env["HTTP_ADDR"] + ", set by HTTP_ADDR: "; !strings.Contains(s.bot.log.String(), want) {
		t.Errorf("it does not say %q", want)
	}
	s.workspace.ExpectNothingElse()
}
