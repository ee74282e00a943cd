package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/superduperai/sessionbot"
	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/workspace"
	"github.com/superduperai/sessionbot/store"
)

// TestDocuments does what the documents say, each document from top to bottom,
// with the built binary, a real Redis, the workspace and the fakes.
func TestDocuments(t *testing.T) {
	t.Parallel()
	programs := programs(t)
	for _, d := range documents(t) {
		if len(d.blocks) == 0 {
			continue
		}
		t.Run(d.path, func(t *testing.T) {
			t.Parallel()
			r := newReader(t, d)
			testscript.Run(t, testscript.Params{
				Files: []string{r.script()},
				Setup: func(env *testscript.Env) error {
					env.Cd, _ = filepath.Abs(root) // fails only where there is no folder at all
					env.Setenv("PATH", programs)
					env.Setenv("STATE", filepath.Join(env.WorkDir, "state"))
					for name, value := range r.preset {
						env.Setenv(name, value)
					}
					return os.WriteFile(filepath.Join(env.WorkDir, "state"), nil, 0o600)
				},
				Cmds: map[string]func(*testscript.TestScript, bool, []string){"does": r.does, "running": r.does, "serves": r.serves},
			})
		})
	}
}

// reader follows one document.
type reader struct {
	t        *testing.T
	document document
	stage    *stage
	page     string            // where demo and workspace listen
	preset   map[string]string // variables that were set before the document was opened
	fill     *strings.Replacer // placeholders and the reader's own values
}

func newReader(t *testing.T, d document) *reader {
	t.Helper()
	s := watched(ownStage(t)) // the documents change what is per server
	ws, err := workspace.Start(workspace.Config{Addr: "127.0.0.1:0", Manifest: sessionbot.Manifest})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	// Not the stage's own, of which a story has to expect every message.
	s.env["SLACK_APP_TOKEN"], s.env["SLACK_BOT_TOKEN"], s.env["SLACK_API_URL"] = ws.AppToken(), ws.BotToken(), ws.APIURL()
	examples := demo.Seed(time.Now())
	if err := demo.Load(t.Context(), s.client, examples); err != nil {
		t.Fatal(err)
	}
	files := demo.NewSuperDuper(time.Now, time.Second)
	demo.Put(s.stripe, files, examples)
	s.env["SUPERDUPERAI_URL"], s.env["HTTP_ADDR"] = s.serve(files), freeAddr(t)
	s.env["OPERATORS"], s.env["ONCALL_MENTION"], s.env["ESCALATE_MENTION"] = "U0LEAD,S0OPS", "S0OPS", "U0LEAD"
	id := exampleWith(t, store.EventDelivered, 0)
	r := &reader{t: t, document: d, stage: s, page: freeAddr(t), preset: map[string]string{"ID": id}}
	for name, value := range s.env {
		// A document that sets the variables finds none but the addresses of the fakes.
		if !d.exports("SLACK_BOT_TOKEN") || strings.HasSuffix(name, "_URL") && name != "REDIS_URL" || name == "HTTP_ADDR" {
			r.preset[name] = value
		}
	}
	r.fill = strings.NewReplacer("localhost:8080", s.env["HTTP_ADDR"], "127.0.0.1:8420", r.page, "cs_live_…", id)
	if slices.ContainsFunc(d.blocks, func(b block) bool { return b.how == "running" }) {
		s.bot = run(t, s.env, "run")
		s.awaitServed("/readyz", `"ready":true`)
	}
	return r
}

func (d document) exports(variable string) bool {
	return slices.ContainsFunc(d.blocks, func(b block) bool { return strings.Contains(b.text, "export "+variable+"=") })
}

// script writes the document as a testscript. Its blocks run one after the other
// and leave their variables to the next.
func (r *reader) script() string {
	var calls, files strings.Builder
	for _, b := range r.document.blocks {
		name := fmt.Sprintf("line%d.sh", b.line)
		how := b.how
		if how == "" {
			how = "does"
		}
		fmt.Fprintf(&calls, "# %s:%d\n%s $WORK/%s\n", r.document.path, b.line, how, name)
		fmt.Fprintf(&files, "-- %s --\nset -eu\n. \"$STATE\"\n%sexport -p >\"$STATE\"\n", name, r.filled(b))
	}
	path := filepath.Join(r.t.TempDir(), "document.txtar")
	if err := os.WriteFile(path, []byte(calls.String()+files.String()), 0o600); err != nil {
		r.t.Fatal(err)
	}
	return path
}

var (
	assignment = regexp.MustCompile(`\b([A-Z][A-Z0-9_]+)=[^\s"']+`)
	comment    = regexp.MustCompile(`(?m)(^|\s)#.*$`)
)

// filled puts this machine's values in the place of the examples.
func (r *reader) filled(b block) string {
	text := assignment.ReplaceAllStringFunc(r.fill.Replace(b.text), func(set string) string {
		name, _, _ := strings.Cut(set, "=")
		if value, ok := r.stage.env[name]; ok {
			return name + "='" + value + "'"
		}
		return set
	})
	if strings.Contains(comment.ReplaceAllString(text, ""), "…") {
		r.t.Errorf("%s:%d: nothing is known to take the place of what is left out: %s", r.document.path, b.line, text)
	}
	return text
}

func (r *reader) does(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec("sh", args...))
	out, errs := ts.ReadFile("stdout"), ts.ReadFile("stderr")
	if strings.Contains(out+errs, "\x1b") {
		ts.Fatalf("colour where there is no terminal")
	}
	if strings.Contains(ts.ReadFile(args[0]), `session generate "$ID" --yes`) && !strings.Contains(errs, "Done: video ready") {
		ts.Fatalf("no video was made")
	}
}

var pageOf = regexp.MustCompile(`(?m)^(.*sessionbot (?:demo|workspace)\b.*)$`)

// serves starts what goes on, waits until it is ready, and stops it at the end as
// Ctrl-C does.
func (r *reader) serves(ts *testscript.TestScript, _ bool, args []string) {
	script := ts.ReadFile(args[0])
	ready := "http://" + r.stage.env["HTTP_ADDR"] + "/readyz"
	if pageOf.MatchString(script) {
		script, ready = pageOf.ReplaceAllString(script, "$1 --addr "+r.page), "http://"+r.page+"/"
	}
	cmd := exec.Command("sh", "-c", "trap : INT\n"+script)
	cmd.Dir, cmd.SysProcAttr = root, &syscall.SysProcAttr{Setpgid: true}
	for _, name := range append([]string{"PATH", "STATE"}, slices.Collect(maps.Keys(r.preset))...) {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	log := &lockedBuffer{}
	cmd.Stdout, cmd.Stderr = log, log
	ts.Check(cmd.Start())
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // what it came to is read from the state
		close(ended)
	}()
	ts.Defer(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) // it may have ended already
		<-ended
		if code := cmd.ProcessState.ExitCode(); code != 0 {
			r.t.Errorf("%s: stopped, it exited with %d:\n%s", r.document.path, code, log)
		}
	})
	if !answers(r.t.Context(), ready, ended) {
		ts.Fatalf("%s never answered:\n%s", ready, log)
	}
}

// answers waits until a page answers 200; false if it never does, or the server
// ended.
func answers(ctx context.Context, url string, ended <-chan struct{}) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return false
		}
		if res, err := http.DefaultClient.Do(req); err == nil {
			_ = res.Body.Close() // only the status matters
			if res.StatusCode == http.StatusOK {
				return true
			}
		}
		select {
		case <-tick.C:
		case <-ended:
			return false
		case <-ctx.Done():
			return false
		}
	}
}
