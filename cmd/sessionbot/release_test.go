//go:build nightly

package main

import (
	"encoding/pem"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/superduperai/sessionbot/internal/testenv"
)

// TestReleaseInAnEmptyRoot runs the release as a container does: a static binary
// and the certificates of authorities in a root folder that nobody may write to,
// as a user without a name, and with no variable but documented ones.
func TestReleaseInAnEmptyRoot(t *testing.T) {
	testenv.NeedRoot(t)
	s := repairStage(t)
	site := httptest.NewTLSServer(s.site)
	t.Cleanup(site.Close)
	root := emptyRoot(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: site.Certificate().Raw}))
	watched(s).env["SITE_URL"] = site.URL

	version := inRoot(t, root, nil, "version")
	if code := version.exitCode(); code != 0 || !strings.HasPrefix(version.log.String(), "sessionbot v9.9.9-release, commit ") {
		t.Errorf("version exits with %d and says %s", code, version.log)
	}
	known := variables()
	for name := range s.env {
		if _, ok := known[name]; !ok {
			t.Errorf("%s is not documented", name)
		}
	}
	for command, says := range map[string]string{"alert test": "The test alert arrived in C0ALERTS: http", "doctor": "All required checks passed"} {
		p := inRoot(t, root, s.env, strings.Fields(command)...)
		if code := p.exitCode(); code != 0 || !strings.Contains(p.log.String(), says) {
			t.Errorf("%s exits with %d and says %s", command, code, p.log)
		}
	}
	s.workspace.As("U0ONCALL").In("C0ALERTS").ExpectMessage(containing("Test alert", "<@U0ONCALL>"))
	s.bot = inRoot(t, root, s.env, "run")
	s.workspace.AwaitConnections(1)
	m := s.ask("/session debug " + repairID)
	if !strings.HasPrefix(m.Text, "Orphaned: ") || !strings.Contains(m.Text, "Customer's page  “not found") {
		t.Errorf("it answers:\n%s", m.Text)
	}
	if code := s.bot.stop(); code != 0 {
		t.Errorf("asked to stop, it exits with %d", code)
	}
	var left []string
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			left = append(left, strings.TrimPrefix(path, root))
		}
		return err
	})
	if want := []string{"/etc/ssl/certs/ca-certificates.crt", "/sessionbot"}; err != nil || !slices.Equal(left, want) {
		t.Errorf("afterwards there are %q, %v", left, err)
	}
}

// emptyRoot is a folder with the release and a list of authorities.
func emptyRoot(t *testing.T, authorities []byte) string {
	t.Helper()
	testenv.Need(t, "make")
	root := t.TempDir()
	build := exec.Command("make", "-C", "../..", "build", "BIN="+filepath.Join(root, "sessionbot"), "VERSION=v9.9.9-release")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the release: %v\n%s", err, out)
	}
	certs := filepath.Join(root, "etc/ssl/certs")
	if err := os.MkdirAll(certs, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(certs, "ca-certificates.crt"), authorities, 0o444); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(root, 0o555); err != nil {
		t.Fatal(err)
	}
	return root
}

// inRoot starts the release there.
func inRoot(t *testing.T, root string, env map[string]string, args ...string) *process {
	t.Helper()
	cmd := exec.Command("/sessionbot", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
	cmd.Dir, cmd.Env = "/", []string{}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		cmd.Env = append(cmd.Env, name+"="+env[name])
	}
	return launch(t, cmd)
}
