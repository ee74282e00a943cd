package main

import (
	"net"
	"strings"
	"testing"
)

// TestAddressIsTaken: a process whose health address is taken ends with an error.
func TestAddressIsTaken(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.env["HTTP_ADDR"] = strings.TrimPrefix(s.env["SITE_URL"], "http://")
	s.bot = run(t, s.env, "run")
	if code := s.bot.exitCode(); code != 1 {
		t.Errorf("it exited with %d", code)
	}
	if want := "listen on " + s.env["HTTP_ADDR"] + ", set by HTTP_ADDR: "; !strings.Contains(s.bot.log.String(), want) {
		t.Errorf("it does not say %q", want)
	}
	s.workspace.ExpectNothingElse()
}

// TestPageIsTaken: a second demo or workspace on the same address says what to do.
func TestPageIsTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for _, name := range []string{"demo", "workspace"} {
		p := run(t, nil, name, "--addr", taken.Addr().String())
		if code := p.exitCode(); code != 1 || !strings.Contains(p.log.String(), "--addr 127.0.0.1:0") {
			t.Errorf("%s exits with %d", name, code)
		}
	}
}
