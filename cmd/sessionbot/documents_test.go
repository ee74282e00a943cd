package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// root is where the documents' commands are typed.
const root = "../.."

// document is a file that people read.
type document struct {
	path   string   // from the root
	prose  string   // without the blocks; the lines stay where they are
	slack  []string // what is to be typed in Slack
	blocks []block
}

// block is a block of commands in a document. Behind the language,
// its fence may say how they are to be run:
//
//	serves  the last one goes on until it is stopped
//	running they need a bot that runs
type block struct {
	line int
	how  string
	text string
}

// documents reads all of them.
func documents(t *testing.T) []document {
	t.Helper()
	paths := []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md"}
	for _, folder := range []string{"docs", "deploy"} {
		paths = slices.AppendSeq(paths, maps.Keys(mustRead(t, folder, ".md")))
	}
	slices.Sort(paths)
	var all []document
	for _, path := range paths {
		d, ok := readDocument(path, textOf(t, path))
		if !ok {
			t.Errorf("%s: a block is not closed", path)
		}
		all = append(all, d)
	}
	return all
}

// readDocument splits prose and commands. Of blocks in other languages only what
// is typed in Slack is kept. False where a block is not closed.
func readDocument(path, text string) (document, bool) {
	d := document{path: path}
	var prose strings.Builder
	var open *block
	fence, shell := "", false
	for n, line := range strings.Split(text, "\n") {
		bare := strings.TrimLeft(line, " ")
		switch {
		case open == nil && strings.HasPrefix(bare, "```"):
			language, how, _ := strings.Cut(strings.Trim(bare, "` "), " ")
			open, shell = &block{line: n + 1, how: how}, language == "sh"
			fence = line[:len(line)-len(bare)]
		case open != nil && bare == "```":
			if shell {
				d.blocks = append(d.blocks, *open)
			}
			open = nil
		case open != nil:
			open.text += strings.TrimPrefix(line, fence) + "\n"
			if !shell && strings.HasPrefix(bare, "/") {
				d.slack = append(d.slack, bare)
			}
		default:
			prose.WriteString(line)
		}
		prose.WriteString("\n")
	}
	d.prose = prose.String()
	return d, open == nil
}

func TestReadDocument(t *testing.T) {
	t.Parallel()
	d, closed := readDocument("x.md", "Type\n\n1. so:\n\n   ```sh serves\n   one\n     two\n   ```\n```text\n/redis ping\n```\nend")
	if !closed || len(d.blocks) != 1 || d.blocks[0] != (block{line: 5, how: "serves", text: "one\n  two\n"}) {
		t.Errorf("got %+v, %v", d, closed)
	}
	if !slices.Equal(d.slack, []string{"/redis ping"}) {
		t.Errorf("typed in Slack is %q", d.slack)
	}
	if want := "Type\n\n1. so:\n\n\n\n\n\n\n\n\nend\n"; d.prose != want {
		t.Errorf("prose is %q, want %q", d.prose, want)
	}
	if _, closed := readDocument("x.md", "```sh\none"); closed {
		t.Error("a block that is not closed was taken for one that is")
	}
}
