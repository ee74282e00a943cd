package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/store"
)

var shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// TestTerminalPage runs every command of the page about the terminal, block by
// block, as a person would who follows it from top to bottom.
func TestTerminalPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/terminal.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := shellBlock.FindAllSubmatch(page, -1)
	if len(blocks) < 8 {
		t.Fatalf("the page has %d blocks of commands", len(blocks))
	}
	var script strings.Builder
	for n, block := range blocks {
		fmt.Fprintf(&script, "exec sh -e block%d.sh\n! stdout '\\x1b'\n! stderr '\\x1b'\n", n)
		if strings.Contains(string(block[1]), "generate") && !strings.Contains(string(block[1]), "unknown") {
			script.WriteString("stderr 'Done: video ready'\n")
		}
		if strings.Contains(string(block[1]), "grep -o '\"webhook") {
			script.WriteString("stdout '^\"webhook_success_rate\":0'\n")
		}
	}
	for n, block := range blocks {
		fmt.Fprintf(&script, "-- block%d.sh --\n%s", n, block[1])
	}
	file := filepath.Join(t.TempDir(), "page.txtar")
	if err := os.WriteFile(file, []byte(script.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	w, err := startWorld(context.Background()) // it outlives what testscript gives a script
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	testscript.Run(t, testscript.Params{Files: []string{file}, Setup: func(env *testscript.Env) error {
		for name, value := range map[string]string{
			"ID": orphanIn(t), "REDIS_URL": w.config.RedisURL, "STRIPE_SECRET_KEY": w.config.StripeKey, "STRIPE_API_URL": w.config.StripeAPIURL,
			"SUPERDUPERAI_TOKEN": w.config.SuperDuperToken, "SUPERDUPERAI_URL": w.config.SuperDuperURL, "SITE_URL": w.config.SiteURL,
		} {
			env.Setenv(name, value)
		}
		return nil
	}})
}

// orphanIn is an orphaned session of the examples.
func orphanIn(t *testing.T) string {
	t.Helper()
	for _, e := range demo.Examples(time.Now()) {
		if e.Verdict == store.VerdictOrphaned {
			return e.ID
		}
	}
	t.Fatal("no example is orphaned")
	return ""
}
