package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// demoTerminal is what the demo prints for a terminal: the variables and a session.
var demoTerminal = regexp.MustCompile(`export (REDIS_URL=\S+(?: \S+=\S+)*)\n +sessionbot session debug (cs_live_\w+)\n`)

// terminalOf returns the variables that a demo prints, and the session of its complaint.
func terminalOf(demo *process) (env map[string]string, session string) {
	demo.t.Helper()
	printed := demoTerminal.FindStringSubmatch(demo.awaitOutput(demoTerminal))
	env = map[string]string{}
	for _, set := range strings.Fields(printed[1]) {
		name, value, _ := strings.Cut(set, "=")
		env[name] = value
	}
	return env, printed[2]
}

// reportJSON runs a command of the terminal with --json, and reads its report.
func reportJSON(t *testing.T, env map[string]string, report any, args ...string) {
	t.Helper()
	p := run(t, env, append(args, "--json")...)
	if code := p.exitCode(); code != 0 {
		t.Fatalf("sessionbot %s exited with %d:\n%s", strings.Join(args, " "), code, p.log)
	}
	_, object, _ := strings.Cut(p.log.String(), "{") // below how far it is, where that takes a while
	if err := json.Unmarshal([]byte("{"+object), report); err != nil {
		t.Fatalf("%v in %s", err, p.log)
	}
}

// TestDemoTerminal debugs the demo's complaint in a terminal, with REDIS_URL
// alone, and with all variables that the demo prints.
func TestDemoTerminal(t *testing.T) {
	t.Parallel()
	env, session := terminalOf(run(t, nil, "demo", "--addr", "127.0.0.1:0"))
	for _, c := range []struct {
		env     map[string]string
		payment string
	}{
		{map[string]string{"REDIS_URL": env["REDIS_URL"], "SITE_URL": env["SITE_URL"]}, "unverified"}, // the site has to be on this machine
		{env, "paid"},
	} {
		var report struct{ Verdict, Payment string }
		reportJSON(t, c.env, &report, "session", "debug", session)
		if report.Verdict != "orphaned" || report.Payment != c.payment {
			t.Errorf("it is %s, payment %s; want orphaned, %s", report.Verdict, report.Payment, c.payment)
		}
	}
}
