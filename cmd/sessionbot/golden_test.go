package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/requestid"
	"github.com/superduperai/sessionbot/internal/workspace/blockcheck"
	"github.com/superduperai/sessionbot/store/rdb"
)

var update = flag.Bool("update", false, "update the golden files")

// volatileText is what differs from run to run: the clock and the fakes' ports.
var volatileText = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`\b(\d{1,2} [A-Z][a-z]{2} (\d{4} )?)?\d{2}:\d{2}(:\d{2})? UTC`), "[time]"},
	{regexp.MustCompile(`(\[time\]|Stored) {2,}`), "$1  "}, // wider where it has the date, after midnight
	{regexp.MustCompile(`20\d\d-\d\d-\d\dT[0-9:.]+Z`), "[timestamp]"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "[host]"},
	{regexp.MustCompile(`\d+\.\d ms`), "[n] ms"},
	{regexp.MustCompile(`Clients connected +\d+`), "Clients connected [n]"},
	{regexp.MustCompile(`expires in \d+ d \d+ h`), "expires in [rest]"},
}

// TestTexts compares the texts for every example, and of the other commands, with the golden
// files, and with Slack's limits. It has the process to
// itself: ages are in the texts, and commands have deadlines of their own.
func TestTexts(t *testing.T) {
	started := time.Now()
	w, err := startSandbox(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	all := demo.Examples(started)
	if err := demo.Load(t.Context(), w.client, all); err != nil { // those that the demo leaves out, too
		t.Fatal(err)
	}
	demo.Put(w.stripe, w.files, all)
	redis, err := rdb.Open(t.Context(), w.config.RedisURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = redis.Close() })
	registry := newDeps(w.config, redis, redis, slog.New(slog.DiscardHandler)).registry
	var debug strings.Builder
	for _, example := range all {
		fmt.Fprintf(&debug, "== %s (%s)\n", example.Title, example.Verdict)
		debug.WriteString(text(t, registry, "/session", "debug "+example.ID) + "\n\n")
	}
	golden(t, "debug", debug.String(), started)
	var rest strings.Builder
	for _, request := range [][2]string{
		{"/session", "help"}, {"/session", "debgu x"}, {"/session", "debug"}, {"/session", "fix cs_live_x1"},
		{"/session", "find ann@example.com"}, {"/session", "find nobody@example.com"},
		{"/session", "list"}, {"/session", "list undelivered"},
		{"/redis", "help"}, {"/redis", "prompts --limit 3"}, {"/redis", "memory"}, {"/redis", "ping"},
	} {
		rest.WriteString("== " + request[0] + " " + request[1] + "\n" + text(t, registry, request[0], request[1]) + "\n\n")
	}
	golden(t, "rest", rest.String(), started)
	text(t, registry, "/redis", "stats") // by Slack's limits alone: its hours go on
	var repairs strings.Builder
	for _, example := range demo.Examples(time.Now()) {
		for _, action := range []string{"fix", "generate"} {
			fmt.Fprintf(&repairs, "== %s (%s): %s\n", example.Title, example.Verdict, action)
			repairs.WriteString(text(t, registry, "/session", action+" "+example.ID) + "\n\n")
		}
	}
	golden(t, "repairs", repairs.String(), started)
}

// text asks, checks the answer's blocks as Slack does and returns them as plain
// text.
func text(t *testing.T, registry *commands.Registry, command, request string) string {
	t.Helper()
	answer := registry.Parse(commands.Request{Command: command, Text: request, User: "U0SUPPORT"}).Run(requestid.NewContext(t.Context(), "k3f9-2d"))
	raw, err := json.Marshal(answer.Blocks)
	if err != nil {
		t.Fatal(err)
	}
	for _, violation := range blockcheck.Check(raw) {
		t.Errorf("%s %s: Slack would refuse it: %v", command, request, violation)
	}
	return blockkit.Text(answer.Blocks)
}

// agesHold is how long after the start the examples are still as old as the golden
// files say. On a machine that is busier their ages are not compared; the
// storybook, whose clock stands, has them all.
const agesHold = 20 * time.Second

var age = regexp.MustCompile(`\d+ h( \d+ min)?|\d+ min|\d+ s\b`)

func golden(t *testing.T, name, got string, started time.Time) {
	t.Helper()
	for _, m := range volatileText {
		got = m.pattern.ReplaceAllString(got, m.with)
	}
	path := "testdata/" + name + ".golden"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if time.Since(started) > agesHold {
		want, got = age.ReplaceAll(want, []byte("[age]")), age.ReplaceAllString(got, "[age]")
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s differs from the golden file (-want +got); go test ./cmd/sessionbot -run TestTexts -update updates it:\n%s", name, diff)
	}
}
