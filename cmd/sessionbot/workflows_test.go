package main

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// workflow is a file of .github/workflows.
type workflow struct {
	Jobs map[string]struct {
		Minutes  int `yaml:"timeout-minutes"`
		Strategy struct {
			Matrix struct{ Part []string }
		}
		Steps []struct{ Run, Uses string }
	}
}

// TestWorkflows: the CI calls the same targets as people, all of them exist, and third-party
// actions are pinned.
func TestWorkflows(t *testing.T) {
	t.Parallel()
	called := string(readFile(t, "../../.ci/run"))
	var parts []string // of .ci/run, that the CI calls
	pinned := regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40}$`)
	for path, text := range mustRead(t, ".github/workflows", ".yml") {
		var w workflow
		if err := yaml.Unmarshal([]byte(text), &w); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for name, job := range w.Jobs {
			if job.Minutes == 0 {
				t.Errorf("%s: nothing ends the job %s", path, name)
			}
			parts = append(parts, job.Strategy.Matrix.Part...)
			for _, step := range job.Steps {
				called += "\n" + step.Run
				if part, ok := strings.CutPrefix(step.Run, ".ci/run "); ok && !strings.Contains(part, "matrix") {
					parts = append(parts, part)
				}
				if step.Uses != "" && !pinned.MatchString(step.Uses) {
					t.Errorf("%s: %s is not pinned to a commit", path, step.Uses)
				}
			}
		}
	}
	for _, whole := range []string{".ci/run", "make nightly", "make image", "make release"} {
		if !strings.Contains(called, "\n"+whole) {
			t.Errorf("the CI does not call %s", whole)
		}
	}
	offered := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^  ([a-z0-9-]+)\)`).FindAllStringSubmatch(called, -1) {
		offered[match[1]] = true
	}
	slices.Sort(parts)
	delete(offered, "race") // which is packages, the stories and fuzz
	if all := slices.Sorted(maps.Keys(offered)); !slices.Equal(parts, all) {
		t.Errorf("the CI calls the parts %q of .ci/run, which are %q", parts, all)
	}
	targets := regexp.MustCompile(`(?m)\bmake (?:-s )?([a-z][a-z-]*)`).FindAllStringSubmatch(called, -1)
	if len(targets) < 5 {
		t.Errorf("it calls %q", targets)
	}
	for _, target := range targets {
		if !regexp.MustCompile(`(?m)^` + target[1] + `:`).Match(readFile(t, "../../Makefile")) {
			t.Errorf("there is no make %s", target[1])
		}
	}
	for _, script := range regexp.MustCompile(`\.ci/[a-z]+`).FindAllString(called+string(readFile(t, "../../Makefile")), -1) {
		if info, err := os.Stat("../../" + script); err != nil || info.Mode()&0o111 == 0 {
			t.Errorf("%s cannot be run: %v", script, err)
		}
	}
}
