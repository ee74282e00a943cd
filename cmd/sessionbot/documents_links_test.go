package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var (
	link    = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+?)\s*$`)
	code    = regexp.MustCompile("`[^`]*`")
	labels  = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)

	// runbookLink is how files that are no documents lead to one.
	runbookLink = regexp.MustCompile(`docs/[a-z./-]+\.md#[\w-]+`)
)

// anchors are the places of a document that links may lead to, named as GitHub
// does.
func anchors(d document) map[string]bool {
	found := map[string]bool{}
	for _, match := range heading.FindAllStringSubmatch(d.prose, -1) {
		name := anchor(labels.ReplaceAllString(match[1], "$1"))
		unique := name
		for n := 1; found[unique]; n++ {
			unique = fmt.Sprintf("%s-%d", name, n)
		}
		found[unique] = true
	}
	return found
}

func anchor(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, title)
}

func TestAnchors(t *testing.T) {
	t.Parallel()
	d, _ := readDocument("x.md", "# A `b_c`: d-e?\n## Twice\n```sh\n# no heading\n```\n## Twice\n## [Linked](y.md) 2")
	for _, want := range []string{"a-b_c-d-e", "twice", "twice-1", "linked-2"} {
		if !anchors(d)[want] {
			t.Errorf("no anchor %s in %v", want, anchors(d))
		}
	}
	if len(anchors(d)) != 4 {
		t.Errorf("got %v", anchors(d))
	}
}

// TestDocumentLinks follows every link that does not leave the project, those of
// files that lead to a runbook too. Pictures have to exist, unused
// ones are not kept, and all of them together stay small.
func TestDocumentLinks(t *testing.T) {
	t.Parallel()
	all := map[string]map[string]bool{}
	for _, d := range documents(t) {
		all[d.path] = anchors(d)
	}
	linked := map[string]bool{}
	follow := func(from, target string) {
		path, place, _ := strings.Cut(target, "#")
		to := filepath.Join(filepath.Dir(from), path)
		if path == "" {
			to = from
		}
		linked[to] = true
		if _, err := os.Stat(filepath.Join(root, to)); err != nil {
			t.Errorf("%s leads to %s, which is not there", from, target)
		} else if place != "" && !all[to][place] {
			t.Errorf("%s leads to %s, which has no such heading", from, target)
		}
	}
	for _, d := range documents(t) {
		for _, match := range link.FindAllStringSubmatch(code.ReplaceAllString(d.prose, ""), -1) {
			if !strings.Contains(match[1], "://") {
				follow(d.path, match[1])
			}
		}
	}
	for path, text := range mustRead(t, "deploy", "") {
		for _, target := range runbookLink.FindAllString(text, -1) {
			follow(path, filepath.Join(strings.Repeat("../", strings.Count(path, "/")), target))
		}
	}
	var size int
	for path, picture := range mustRead(t, "docs", ".png") {
		if size += len(picture); !linked[path] {
			t.Errorf("no document shows %s", path)
		}
	}
	if size > 1<<20 {
		t.Errorf("the pictures take %d bytes", size)
	}
}

// filesUnder reads the files of a folder, which may be missing, that end so.
func filesUnder(folder, ending string) (map[string]string, error) {
	files := map[string]string{}
	err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == ".git" {
			return fs.SkipDir
		}
		if err != nil || !d.Type().IsRegular() || !strings.HasSuffix(path, ending) {
			return err
		}
		raw, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, root+"/")] = string(raw)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return files, err
}

func mustRead(t *testing.T, folder, ending string) map[string]string {
	t.Helper()
	files, err := filesUnder(folder, ending)
	if err != nil {
		t.Fatal(err)
	}
	return files
}
