package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/superduperai/sessionbot/internal/testenv"
)

const deploy = "../../deploy/"

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// known checks that a variable exists, and that no secret is handed on but as a
// file's name.
func known(t *testing.T, where, name string) {
	t.Helper()
	names := variables()
	bare, file := strings.CutSuffix(name, "_FILE")
	if secret, ok := names[bare]; !ok || file && !secret {
		t.Errorf("%s: there is no variable %s", where, name)
	} else if secret && !file && name != "STATE_REDIS_URL" { // that one has no password
		t.Errorf("%s: %s is a secret, and is not read from a file", where, name)
	}
}

// dockerInstruction is one instruction of a Dockerfile.
var dockerInstruction = regexp.MustCompile(
	`^(ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|RUN|STOPSIGNAL|USER|VOLUME|WORKDIR) (.+)$`)

// TestDockerfile: the image is built from scratch, needs no shell, and runs the
// binary as an unprivileged user. It is built where there is a Docker.
func TestDockerfile(t *testing.T) {
	t.Parallel()
	dockerfile := string(readFile(t, deploy+"Dockerfile"))
	base, user, entry := "", "", ""
	stages := map[string]bool{}
	for line := range strings.Lines(strings.ReplaceAll(dockerfile, "\\\n", " ")) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		m := dockerInstruction.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("no instruction of a Dockerfile: %q", line)
		}
		switch instruction, rest := m[1], m[2]; instruction {
		case "FROM":
			base, user, entry = rest, "", ""
			if _, name, ok := strings.Cut(rest, " AS "); ok {
				stages[name] = true
			}
		case "RUN", "HEALTHCHECK":
			if base == "scratch" {
				t.Errorf("%s needs a shell, which is not there", instruction)
			}
		case "USER":
			user = rest
		case "ENTRYPOINT":
			entry = rest
		}
	}
	if base != "scratch" {
		t.Errorf("the image begins with %s", base)
	}
	if !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(user) || entry != `["/sessionbot"]` {
		t.Errorf("it runs %s as %q", entry, user)
	}
	if !strings.Contains(dockerfile, "make build VERSION=$VERSION") {
		t.Error("the image is not of the release's build")
	}
	for _, from := range []string{"built", releaser(t).Images[0].BuildArgs["BINARY"]} {
		if !stages[from] {
			t.Errorf("there is no stage %q to take the binary from", from)
		}
	}
}

func TestCompose(t *testing.T) {
	t.Parallel()
	type service struct {
		ReadOnly    bool     `yaml:"read_only"`
		CapDrop     []string `yaml:"cap_drop"`
		Security    []string `yaml:"security_opt"`
		Environment map[string]string
		Secrets     []string
	}
	var compose struct {
		Services map[string]service
		Secrets  map[string]struct{ File string }
	}
	if err := yaml.Unmarshal(readFile(t, deploy+"compose.yaml"), &compose); err != nil {
		t.Fatal(err)
	}
	for name, s := range compose.Services {
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.Security, "no-new-privileges:true") {
			t.Errorf("%s is not hardened: %+v", name, s)
		}
	}
	bot := compose.Services["sessionbot"]
	if len(bot.Environment) == 0 {
		t.Error("the bot is set by nothing")
	}
	for name, value := range bot.Environment {
		known(t, "compose.yaml", name)
		secret, isFile := strings.CutPrefix(value, "/run/secrets/")
		if _, declared := compose.Secrets[secret]; isFile && (!declared || !slices.Contains(bot.Secrets, secret)) {
			t.Errorf("%s is read from a secret that is not given: %s", name, secret)
		}
	}
}

// TestSystemdUnit has systemd read the unit and judge how open it is.
func TestSystemdUnit(t *testing.T) {
	t.Parallel()
	analyze := testenv.Need(t, "systemd-analyze")
	unit := string(readFile(t, deploy+"sessionbot.service"))
	assigned := regexp.MustCompile(`(?m)^Environment=(\w+)=(.*)$`).FindAllStringSubmatch(unit, -1)
	if len(assigned) < 5 {
		t.Errorf("it sets %q", assigned)
	}
	for _, a := range assigned {
		known(t, "sessionbot.service", a[1])
		if credential, ok := strings.CutPrefix(a[2], "%d/"); ok && !strings.Contains(unit, "LoadCredential="+credential+":") {
			t.Errorf("%s is read from a credential that is not loaded", a[1])
		}
	}
	path, err := exec.LookPath("sessionbot")
	if err != nil {
		t.Fatal(err)
	}
	here := filepath.Join(t.TempDir(), "sessionbot.service")
	if err := os.WriteFile(here, []byte(strings.Replace(unit, "ExecStart=sessionbot", "ExecStart="+path, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"verify", "--man=no", here},
		{"security", "--offline=true", "--threshold=15", here}, // of 100, which is all open
	} {
		if out, err := exec.Command(analyze, args...).CombinedOutput(); err != nil {
			t.Errorf("systemd-analyze %q: %v\n%s", args, err, out)
		}
	}
}
