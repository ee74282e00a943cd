package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"

	"github.com/superduperai/sessionbot/commands"
)

// ofOthers are variables that documents name and that are not the program's.
var ofOthers = []string{"REQUIRE_ALL", "FUZZTIME", "SHOTS", "CGO_ENABLED", "GOFLAGS", "HTTPS_PROXY", "NO_PROXY"}

var (
	inline    = regexp.MustCompile("`([^`\n]+)`")
	variable  = regexp.MustCompile(`^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(=.*)?$`)
	slash     = regexp.MustCompile(`^/(session|redis) ([a-z]+)`)
	programme = regexp.MustCompile(`^(?:go run \./cmd/|\S*/)?sessionbot ([a-z]\S*)(.*)$`)
	flagged   = regexp.MustCompile(`--[a-z-]+`)
	target    = regexp.MustCompile(`^make ([a-z]+)`)
	metric    = regexp.MustCompile(`^sessionbot_[a-z_]+`)
	path      = regexp.MustCompile(`^\.?/?((?:\.ci|bot|cmd|commands|deploy|docs|internal|store|superduper)/[\w./*-]*|[\w.-]+\.(?:go|yml|yaml|md|mod))$`)
)

// TestDocumentsNameWhatThereIs holds the documents' words against the program:
// variables, subcommands, flags, slash commands, metrics, targets and files; and
// their blocks against the shell's grammar.
func TestDocumentsNameWhatThereIs(t *testing.T) {
	for _, d := range documents(t) {
		n := names{t: t, where: d.path}
		for _, match := range inline.FindAllStringSubmatch(d.prose, -1) {
			n.check(match[1])
			n.word(match[1])
		}
		for _, b := range d.blocks {
			n.block(b)
		}
	}
}

// names checks what one document names.
type names struct {
	t     *testing.T
	where string
}

func (n names) missing(what, name string) { n.t.Errorf("%s: there is no %s %s", n.where, what, name) }

// check looks at what is typed as a whole: a command.
func (n names) check(text string) {
	n.t.Helper()
	if m := slash.FindStringSubmatch(text); m != nil && !slices.Contains(slackCommands(), m[1]+" "+m[2]) {
		n.missing("slash command", text)
	}
	if m := target.FindStringSubmatch(text); m != nil && !regexp.MustCompile(`(?m)^`+m[1]+`:`).Match(fileOf(n.t, "Makefile")) {
		n.missing("target of make", m[1])
	}
	if m := programme.FindStringSubmatch(text); m != nil {
		second, _, _ := strings.Cut(strings.TrimSpace(m[2]), " ")
		asked := m[1] == "session" || m[1] == "redis"
		if !strings.Contains(usage, "sessionbot "+m[1]) || asked && !slices.Contains(slackCommands(), m[1]+" "+second) {
			n.missing("subcommand", text)
		}
		for _, flag := range flagged.FindAllString(m[2], -1) {
			if !strings.Contains(usage, flag) && !slices.Contains([]string{"--help"}, flag) {
				n.missing("flag", text)
			}
		}
	}
}

// slackCommands are all there are, such as session debug.
func slackCommands() []string {
	var all []string
	for _, command := range commands.New(commands.Deps{}).Commands() {
		all = append(all, command.Group+" "+command.Name)
	}
	return all
}

// word looks at one word.
func (n names) word(text string) {
	n.t.Helper()
	if m := variable.FindStringSubmatch(text); m != nil && !known(m[1]) {
		n.missing("variable", m[1])
	}
	if name := metric.FindString(text); name != "" && !strings.Contains(sources(n.t, "internal/health"), strings.TrimSuffix(name, "_bucket")) {
		n.missing("metric", name)
	}
	if m := path.FindStringSubmatch(strings.TrimSuffix(text, "/...")); m != nil {
		if found, err := filepath.Glob(filepath.Join(root, m[1])); err != nil || len(found) == 0 {
			n.missing("file", text)
		}
	}
}

func known(name string) bool {
	for _, field := range reflect.VisibleFields(reflect.TypeFor[config]()) {
		if of := field.Tag.Get("envconfig"); of != "" && (of == name || of+"_FILE" == name) {
			return true
		}
	}
	return slices.Contains(ofOthers, name)
}

// block parses a block, and looks at each of its commands.
func (n names) block(b block) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(b.text), n.where)
	if err != nil {
		n.t.Errorf("%s:%d: %v", n.where, b.line, err)
		return
	}
	syntax.Walk(file, func(node syntax.Node) bool {
		switch node := node.(type) {
		case *syntax.Assign:
			n.word(node.Name.Value + "=")
		case *syntax.CallExpr:
			n.call(words(node))
		}
		return true
	})
}

func words(call *syntax.CallExpr) []string {
	var all []string
	for _, arg := range call.Args {
		var text strings.Builder
		_ = syntax.NewPrinter().Print(&text, arg) // a Builder takes everything
		all = append(all, strings.Trim(text.String(), `"'`))
	}
	return all
}

func (n names) call(args []string) {
	for i, arg := range args {
		n.word(arg)
		if base := filepath.Base(arg); base == "sessionbot" || base == "make" && i == 0 {
			n.check(base + " " + strings.Join(args[i+1:], " "))
		}
	}
	if len(args) > 1 && args[0] == "go" && args[1] == "test" {
		n.goTest(args[2:])
	}
}

var testName = regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark|Example)[A-Z]\w*`)

// goTest looks for the tests that are named, in the packages that are.
func (n names) goTest(args []string) {
	var text string
	for _, arg := range args {
		if folder, ok := strings.CutPrefix(arg, "./"); ok {
			text += sources(n.t, strings.TrimSuffix(folder, "..."))
		}
	}
	for _, name := range testName.FindAllString(strings.Join(args, " "), -1) {
		if !strings.Contains(text, "func "+name) {
			n.missing("test", name)
		}
	}
}

func fileOf(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// sources is the Go text of a folder.
func sources(t *testing.T, folder string) string {
	t.Helper()
	var all strings.Builder
	for path, text := range filesUnder(t, folder) {
		if filepath.Ext(path) == ".go" {
			all.WriteString(text)
		}
	}
	return all.String()
}
