package main

import (
	"runtime/debug"
	"testing"
)

// TestVersion: a binary knows its version whether make, go install or go run built
// it.
func TestVersion(t *testing.T) {
	t.Parallel()
	of := func(version, revision string) *debug.BuildInfo {
		info := &debug.BuildInfo{Main: debug.Module{Version: version}}
		if revision != "" {
			info.Settings = []debug.BuildSetting{{Key: "vcs.revision", Value: revision}}
		}
		return info
	}
	const revision = "abcdef123456789012345678901234567890abcd"
	for name, c := range map[string]struct {
		info            *debug.BuildInfo
		version, commit string
	}{
		"go install of a tag":    {of("v1.2.3", ""), "v1.2.3", "unknown"},
		"go install of a commit": {of("v1.2.4-0.20260101120000-abcdef123456", ""), "v1.2.4-0.20260101120000-abcdef123456", "abcdef123456"},
		"go build in a clone":    {of("v0.0.0-20260101120000-abcdef123456+dirty", revision), "v0.0.0-20260101120000-abcdef123456+dirty", "abcdef123456"},
		"go test":                {of("(devel)", ""), "dev", "unknown"},
		"no information":         {nil, "dev", "unknown"},
	} {
		if version, commit := versionOf(c.info), commitOf(c.info); version != c.version || commit != c.commit {
			t.Errorf("%s: %s, commit %s", name, version, commit)
		}
	}
}
