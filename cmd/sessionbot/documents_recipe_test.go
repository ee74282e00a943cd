package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRecipe: the command of the recipe in docs/architecture.md can be built
// where it is to stand.
func TestRecipe(t *testing.T) {
	t.Parallel()
	_, rest, found := strings.Cut(textOf(t, "docs/architecture.md"), "```go\n")
	code, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatal("there is no recipe")
	}
	code = strings.ReplaceAll("\n"+code, "\n   ", "\n")
	dir, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	written, overlay := filepath.Join(t.TempDir(), "expires.go"), filepath.Join(t.TempDir(), "overlay.json")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(dir, "commands/expires.go"): written}})
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{written: code, overlay: string(replace)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-overlay", overlay, "./commands")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
}
