//go:build nightly

package main

import (
	"encoding/pem"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/superduperai/sessionbot/internal/testenv"
)

// TestReleaseInAnEmptyRoot runs the release as a container does: a static binary
// and the certificates of authorities in a read-only root folder,
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

// TestGoInstall: the command of docs/getting-started.md installs the newest version, which
// the binary knows. The proxies are folders: of this commit, and of what was downloaded.
func TestGoInstall(t *testing.T) {
	command := regexp.MustCompile("`go (install [^`]*@latest)`").FindStringSubmatch(textOf(t, "docs/getting-started.md"))
	if command == nil {
		t.Fatal("docs/getting-started.md does not say how to install it")
	}
	const module, version = "github.com/superduperai/sessionbot", "v1.999.0"
	dir := t.TempDir()
	proxy := filepath.Join(dir, module, "@v")
	if err := os.MkdirAll(proxy, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"list": version, version + ".info": `{"Version":"` + version + `","Time":"2026-01-01T00:00:00Z"}`, version + ".mod": textOf(t, "go.mod"),
	} {
		if err := os.WriteFile(filepath.Join(proxy, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(cmd *exec.Cmd) string {
		t.Helper()
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	run(exec.Command(testenv.Need(t, "git"), "-C", root, "archive", "--format=zip", "--prefix="+module+"@"+version+"/",
		"--output="+filepath.Join(proxy, version+".zip"), "HEAD", ":!deploy/rules", ":!deploy/kubernetes")) // which are modules of their own
	install := exec.Command("go", strings.Fields(command[1])...)
	install.Dir = dir
	install.Env = append(os.Environ(), "GOPROXY=file://"+dir+",file://"+run(exec.Command("go", "env", "GOMODCACHE"))+"/cache/download",
		"GOSUMDB=off", "GOFLAGS=-modcacherw -trimpath", "CGO_ENABLED=0", "GOMODCACHE="+filepath.Join(dir, "mod"), "GOBIN="+filepath.Join(dir, "bin"))
	run(install)
	if got := run(exec.Command(filepath.Join(dir, "bin", "sessionbot"), "version")); !strings.HasPrefix(got, "sessionbot "+version+", commit ") {
		t.Errorf("it calls itself %q", got)
	}
}
