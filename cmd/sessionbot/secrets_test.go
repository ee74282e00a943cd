package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/testenv"
)

// TestSecretFilesAreRegular: any other file is refused at once. Opening a pipe would block
// until another process writes to it, and a signal would not end that.
func TestSecretFilesAreRegular(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe, link, secret := filepath.Join(dir, "pipe"), filepath.Join(dir, "link"), filepath.Join(dir, "secret")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(pipe, link); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(secret, []byte("xoxb-1\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	mounted := filepath.Join(dir, "mounted") // as Kubernetes mounts secrets
	if err := os.Symlink(secret, mounted); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		pipe: "a pipe", link: "a pipe", dir: "a folder", "/dev/zero": "a device", "/dev/null": "a device",
		filepath.Join(dir, "none"): "cannot be opened", secret: "", mounted: "",
	} {
		type answer struct{ secret, fault string }
		read := make(chan answer, 1)
		go func() {
			secret, fault, _ := readSecret(path)
			read <- answer{secret, fault}
		}()
		select {
		case got := <-read:
			if !strings.Contains(got.fault, want) || (want == "") != (got.secret == "xoxb-1") || (want == "") != (got.fault == "") {
				t.Errorf("%s: %q, want %q in it", path, got.fault, want)
			}
		case <-time.After(testenv.Patience):
			t.Fatalf("%s is waited for", path)
		}
	}
}

// TestStrayCharactersAreNamed: an invisible character in a token is named, with its place;
// the token is not.
func TestStrayCharactersAreNamed(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"xoxb-secret ": "ends with a space", " xoxb-secret": "begins with a space", "xoxb-secret\t": "ends with a tab", "xoxb-secret\n": "ends with a line break",
		"xoxb-secret\r": "ends with a line break", "xoxb-secret\u00a0": "ends with an unusual space", "xoxb-\u200bsecret": "contains an invisible character",
		"\ufeffxoxb-secret": "begins with an invisible character", "xoxb- secret": "contains a space", "xoxb-\nsecret": "contains a line break",
		`"xoxb-secret"`: "is in quotes", "'xoxb-secret'": "is in quotes", "“xoxb-secret”": "is in quotes",
		"xoxb-secret": "", "": "is missing", "xapp-secret": "this is an app-level token", "xoxb-sécret": "does not look like one",
	} {
		var faults configError
		c := config{SlackAppToken: "xapp-1", SlackBotToken: value, StripeKey: strings.ReplaceAll(value, "xoxb-", "rk_"), WebhookSecret: strings.ReplaceAll(value, "xoxb-", "whsec_"), SuperDuperToken: value}
		c.checkSlack(&faults)
		text := strings.Join(strings.Split(faults.Error(), "\n"), "|")
		if !strings.Contains(text, want) || (want == "") != (text == "") || strings.Contains(text, "secret") {
			t.Errorf("%q: %q, want %q", value, text, want)
		}
		faults = nil
		c.checkServices(&faults)
		for _, variable := range []string{"STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "SUPERDUPERAI_TOKEN"} {
			if want := variable + " " + want; strings.HasSuffix(want, "space") && !strings.Contains(faults.Error(), want) {
				t.Errorf("%q: %q, want %q", value, faults, want)
			}
		}
	}
}

// TestManifestIsARegularFile: any other is refused and not waited for.
func TestManifestIsARegularFile(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	testenv.Must(t, syscall.Mkfifo(pipe, 0o600))
	for path, want := range map[string]string{pipe: "a pipe", t.TempDir(): "a folder", "/dev/zero": "a device", "/dev/null": "a device"} {
		testenv.Returns(t, path, func() {
			if _, err := readSmallFile(path, "the manifest"); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q in it", path, err, want)
			}
		})
	}
	if raw, err := readSmallFile("../../manifest.yml", "the manifest"); err != nil || len(raw) == 0 {
		t.Errorf("the manifest itself: %v", err)
	}
}
