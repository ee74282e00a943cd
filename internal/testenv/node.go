package testenv

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// NodeModules returns the node_modules directory of a package.json with pinned
// dependencies. It is installed once, in the user's cache.
func NodeModules(t testing.TB, packageJSON []byte) string {
	t.Helper()
	npm := Need(t, "npm")
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir() // the user has no home
	}
	cache = filepath.Join(cache, "sessionbot-tests")
	sum := sha256.Sum256(packageJSON)
	installed := filepath.Join(cache, hex.EncodeToString(sum[:8]))
	modules := filepath.Join(installed, "node_modules")
	if _, err := os.Stat(modules); err == nil {
		return modules
	}
	if err := os.MkdirAll(cache, 0o700); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(cache, "installing")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // a rename may have moved it
	if err := os.WriteFile(filepath.Join(dir, "package.json"), packageJSON, 0o600); err != nil {
		t.Fatal(err)
	}
	install := exec.CommandContext(t.Context(), npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--silent")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		skip(t, "npm to install packages: "+err.Error()+"\n"+string(out))
	}
	// Atomic; another test may have been quicker.
	if err := os.Rename(dir, installed); err != nil {
		if _, missing := os.Stat(modules); missing != nil {
			t.Fatal(err)
		}
	}
	return modules
}
