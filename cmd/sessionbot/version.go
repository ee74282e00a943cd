package main

import (
	"regexp"
	"runtime/debug"
)

// version is set by the linker, see the Makefile; "" where go install built the
// binary.
var version string

// versionOf returns the version of the binary with this build information, which
// may be nil.
func versionOf(info *debug.BuildInfo) string {
	switch {
	case version != "":
		return version
	case info != nil && info.Main.Version != "" && info.Main.Version != "(devel)":
		return info.Main.Version
	}
	return "dev"
}

// pseudoVersion matches the version of a module at a commit without a tag.
var pseudoVersion = regexp.MustCompile(`[.-]\d{14}-([0-9a-f]{12})(?:\+|$)`)

// commitOf returns the revision that the binary was built from.
func commitOf(info *debug.BuildInfo) string {
	if info == nil {
		return "unknown"
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return setting.Value[:min(12, len(setting.Value))]
		}
	}
	if match := pseudoVersion.FindStringSubmatch(info.Main.Version); match != nil {
		return match[1]
	}
	return "unknown"
}
