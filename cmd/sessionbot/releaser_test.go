package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// releases is what the tests read of .goreleaser.yaml. Its schema is checked by
// goreleaser itself, and what it builds by .ci/snapshot: see make snapshot.
type releases struct {
	Builds []struct {
		Main                  string
		Env, Flags            []string
		LDFlags, GOOS, GOARCH []string
	}
	Archives []struct{ Files []string }
	SBOMs    []struct{ Artifacts string }
	Packages []struct {
		Formats  []string
		Contents []struct{ Src, Dst string }
		Scripts  map[string]string
	} `yaml:"nfpms"`
	Images []struct {
		Dockerfile string
		BuildArgs  map[string]string `yaml:"build_args"`
		Platforms  []string
	} `yaml:"dockers_v2"`
	Casks []struct{ Homepage string } `yaml:"homebrew_casks"`
}

func releaser(t *testing.T) (r releases) {
	t.Helper()
	if err := yaml.Unmarshal(readFile(t, "../../.goreleaser.yaml"), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Builds) != 1 || len(r.Archives) != 1 || len(r.SBOMs) != 1 || len(r.Packages) != 1 || len(r.Images) != 1 || len(r.Casks) != 1 {
		t.Fatalf("a part of the release is missing: %+v", r)
	}
	return r
}

// TestReleaser: a release is of make's build, for every platform, and the files
// that it takes along exist.
func TestReleaser(t *testing.T) {
	t.Parallel()
	r := releaser(t)
	build, packages := r.Builds[0], r.Packages[0]
	makes := regexp.MustCompile(`(?m)^\t(CGO_ENABLED=0) go build (-trimpath) -ldflags "(.*)\$\(VERSION\)"`).FindSubmatch(readFile(t, "../../Makefile"))
	if makes == nil {
		t.Fatal("make build is another one than this test knows")
	}
	if !slices.Equal(build.Env, []string{string(makes[1])}) || !slices.Equal(build.Flags, []string{string(makes[2])}) ||
		!slices.Equal(build.LDFlags, []string{string(makes[3]) + "v{{ .Version }}"}) {
		t.Errorf("make builds with %q, the release with %+v", makes[1:], build)
	}
	if !slices.Equal(build.GOOS, []string{"linux", "darwin", "windows"}) || !slices.Equal(build.GOARCH, []string{"amd64", "arm64"}) {
		t.Errorf("it is built for %q on %q", build.GOOS, build.GOARCH)
	}
	if !slices.Equal(packages.Formats, []string{"deb", "rpm"}) || !slices.Equal(r.Images[0].Platforms, []string{"linux/amd64", "linux/arm64"}) {
		t.Errorf("there are packages %q and images %q", packages.Formats, r.Images[0].Platforms)
	}
	unit := false
	files := append(slices.Clone(r.Archives[0].Files), r.Images[0].Dockerfile)
	for _, script := range packages.Scripts {
		files = append(files, script)
	}
	for _, c := range packages.Contents {
		if c.Src != "" {
			files = append(files, c.Src)
		}
		unit = unit || c.Src == strings.TrimPrefix(deploy, "../../")+"sessionbot.service" && c.Dst == "/usr/lib/systemd/system/sessionbot.service"
	}
	if !unit {
		t.Error("the packages have no unit")
	}
	for _, file := range files {
		if _, err := os.Stat("../../" + file); err != nil {
			t.Errorf("the release takes along %s, which is not there", file)
		}
	}
}
