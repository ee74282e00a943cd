package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"mvdan.cc/sh/v3/syntax"

	"github.com/superduperai/sessionbot/commands"
)

// ofOthers are variables that documents name and that are not the program's.
var ofOthers = []string{"REQUIRE_ALL", "FUZZTIME", "SHOTS", "SSL_CERT_FILE", "NO_COLOR", "TAP_TOKEN",
	"OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"}

// toBeMade are files that documents have their readers create.
var toBeMade = []string{"session expires", "commands/expires.go", "deploy/secrets/", "deploy/.env", "kustomization.yaml"}

// What words are taken for.
var (
	inlineCode = regexp.MustCompile("`([^`\n]+)`")
	isVariable = regexp.MustCompile(`^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=.*)?$`)
	isSlash    = regexp.MustCompile(`^/(session|redis) ([a-z]+)`)
	isProgram  = regexp.MustCompile(`^sessionbot ([a-z]\S*)(.*)$`)
	isFlag     = regexp.MustCompile(`--[a-z-]+`)
	isTarget   = regexp.MustCompile(`^make ([a-z]+)`)
	isMetric   = regexp.MustCompile(`^(sessionbot_[a-z_]+?)(?:_bucket|_sum|_count)?(?:[^a-z_]|$)`)
	isMessage  = regexp.MustCompile(`^[A-Za-z]+(?:[ :][ A-Za-z']+){3,}$`) // of the log
	isTest     = regexp.MustCompile(`^(?:Test|Fuzz|Benchmark)[A-Z]\w*$`)
	isPath     = regexp.MustCompile(`^(?:\./)?((?:\.ci|bot|cmd|commands|deploy|docs|internal|store|superduper)/[\w./*-]*|[\w.-]+\.(?:go|yml|yaml|md|mod))$`)
)

// TestDocumentsNameWhatThereIs checks the names in the documents against the program:
// variables, subcommands, flags, slash commands, metrics, messages of the log,
// targets, tests and files; and their blocks against the shell's grammar.
func TestDocumentsNameWhatThereIs(t *testing.T) {
	t.Parallel()
	for _, d := range documents(t) {
		n := nameChecker{t: t, where: d.path}
		for _, match := range inlineCode.FindAllStringSubmatch(d.prose, -1) {
			n.command(match[1])
			n.word(match[1])
			program, _, _ := strings.Cut(match[1], " ")
			if _, ok := elsewhere[program]; ok {
				n.block(block{text: match[1]})
			}
		}
		for _, line := range d.slack {
			n.command(line)
		}
		for _, b := range d.blocks {
			n.block(b)
		}
	}
}

// nameChecker looks for what one document names.
type nameChecker struct {
	t     *testing.T
	where string
}

func (n nameChecker) missing(what, name string) {
	n.t.Errorf("%s: there is no %s %s", n.where, what, name)
}

// command looks at what is typed as a whole.
func (n nameChecker) command(text string) {
	if m := isSlash.FindStringSubmatch(text); m != nil && !slices.Contains(slackCommands(), m[1]+" "+m[2]) {
		n.missing("slash command", text)
	}
	if m := isTarget.FindStringSubmatch(text); m != nil && !strings.Contains("\n"+textOf(n.t, "Makefile"), "\n"+m[1]+":") {
		n.missing("target of make", m[1])
	}
	m := isProgram.FindStringSubmatch(text)
	if m == nil {
		return
	}
	first, _, _ := strings.Cut(text, "|") // of several
	args := strings.Fields(first)[1:]
	root := program{}.rootCommand()
	root.InitDefaultCompletionCmd()
	cmd, rest, err := root.Find(args)
	if err != nil || cmd.HasSubCommands() && len(rest) > 0 && rest[0] != "help" && !strings.HasPrefix(rest[0], "-") && !slices.Contains(toBeMade, args[0]+" "+args[1]) {
		n.missing("subcommand", text)
		return
	}
	for _, flag := range isFlag.FindAllString(text, -1) {
		if flag != "--help" && cmd.Flag(strings.TrimPrefix(flag, "--")) == nil {
			n.missing("flag", text)
		}
	}
}

// slackCommands are all there are, such as session debug.
func slackCommands() []string {
	var all []string
	for _, command := range commands.New(commands.Deps{}).Commands() {
		all = append(all, command.Group+" "+command.Name)
	}
	return append(all, toBeMade...)
}

// word looks at one word.
func (n nameChecker) word(text string) {
	if m := isVariable.FindStringSubmatch(text); m != nil && !isKnown(m[1]) {
		n.missing("variable", m[1])
	}
	if m := isMetric.FindStringSubmatch(text); m != nil && !strings.Contains(goText(n.t), `"`+m[1]+`"`) {
		n.missing("metric", m[1])
	}
	if isMessage.MatchString(text) && !strings.Contains(goText(n.t), text) {
		n.missing("message", text)
	}
	if isTest.MatchString(text) && !strings.Contains(goText(n.t), "func "+text+"(") {
		n.missing("test", text)
	}
	if m := isPath.FindStringSubmatch(strings.TrimSuffix(text, "/...")); m != nil && !n.exists(m[1]) {
		n.missing("file", text)
	}
}

// exists: a file may be named from the root or, in a document's own words, from
// the folder of the document.
func (n nameChecker) exists(path string) bool {
	for _, from := range []string{"", filepath.Dir(n.where)} {
		if found, err := filepath.Glob(filepath.Join(root, from, path)); err == nil && len(found) > 0 {
			return true
		}
	}
	return slices.Contains(toBeMade, path)
}

func isKnown(name string) bool {
	for _, field := range reflect.VisibleFields(reflect.TypeFor[config]()) {
		if of := field.Tag.Get("envconfig"); of != "" && (of == name || of+"_FILE" == name) {
			return true
		}
	}
	return slices.Contains(ofOthers, name)
}

// block parses a block, and looks at each of its commands.
func (n nameChecker) block(b block) {
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
			n.call(wordsOf(node))
		}
		return true
	})
}

func wordsOf(call *syntax.CallExpr) []string {
	var all []string
	for _, arg := range call.Args {
		var text strings.Builder
		_ = syntax.NewPrinter().Print(&text, arg) // a Builder takes everything
		all = append(all, strings.Trim(text.String(), `"'`))
	}
	return all
}

// call looks at a command, also at one that another program is to run.
func (n nameChecker) call(args []string) {
	for i, arg := range args {
		n.word(arg)
		if program := filepath.Base(arg); program == "sessionbot" || program == "make" && i == 0 {
			n.command(program + " " + strings.Join(args[i+1:], " "))
		}
		for part := range strings.SplitSeq(arg, "|") { // of -run
			if isTest.MatchString(part) && !strings.Contains(goText(n.t), "func "+part) {
				n.missing("test", part)
			}
		}
	}
}

func textOf(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// goText is every Go file of the project.
func goText(t *testing.T) string {
	t.Helper()
	text, err := goFiles()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

var goFiles = sync.OnceValues(func() (string, error) {
	var all strings.Builder
	files, err := filesUnder(".", ".go")
	for _, text := range files {
		all.WriteString(text)
	}
	return all.String(), err
})
