package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// program is one run of sessionbot: its streams, and where its configuration
// comes from.
type program struct {
	in        io.Reader
	out, errs io.Writer
	load      func(slack bool) (config, error) // see loadConfig
}

// rootCommand returns the tree of subcommands. Building it needs no variable.
func (p program) rootCommand() *cobra.Command {
	info, _ := debug.ReadBuildInfo() // nil = unknown
	build := fmt.Sprintf("%s, commit %s, %s", versionOf(info), commitOf(info), runtime.Version())
	root := &cobra.Command{
		Use: "sessionbot", Short: "Finds out why a paying customer got no video, and repairs it",
		Version: build, SilenceErrors: true, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SetOut(p.errs)
			return errors.Join(exitUsage, cmd.Help())
		},
	}
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.errs)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		out := cmd.OutOrStdout()
		screen, _ := screenOf(out)
		_, _ = fmt.Fprint(out, screen.List(helpText(cmd))) // a terminal that is gone reads nothing
	})
	root.SetVersionTemplate("sessionbot {{.Version}}\n")
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	root.AddCommand(
		&cobra.Command{Use: "run", Short: "Run the bot until it is stopped", Args: noArgs,
			Long: "Run the bot until it is stopped. It is configured by environment variables.",
			RunE: func(cmd *cobra.Command, _ []string) error { return p.runBot(cmd.Context()) }},
		p.demoCommand(),
		p.workspaceCommand(),
		p.doctorCommand(),
		p.alertCommand(),
		p.groupCommand("session", "Ask about a customer's session, or repair it"),
		p.groupCommand("redis", "Ask about all sessions and about Redis"),
		p.auditCommand(),
		&cobra.Command{Use: "version", Short: "Print the version, the commit and the version of Go", Args: noArgs,
			RunE: func(*cobra.Command, []string) error {
				_, err := fmt.Fprintf(p.out, "sessionbot %s\n", build)
				return err
			}},
	)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Args = func(_ *cobra.Command, args []string) error {
				if _, rest, err := root.Find(args); err != nil || len(rest) > 0 {
					return fmt.Errorf("there is no command %q", strings.Join(args, " "))
				}
				return nil
			}
		case "completion": // with RunE it takes no other shell
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
	return root
}

// terminalFlag matches the flags that only the terminal has, as keyboards leave
// them: any dashes before the name, and invisible characters.
var terminalFlag = regexp.MustCompile(`^[\p{Pd}\x{2212}]+(?i:(help|h|json|yes))(?:=true)?$`)

// flagOf returns the flag of the terminal that an argument is, "" = none.
func flagOf(arg string) string {
	if match := terminalFlag.FindStringSubmatch(store.Visible(arg)); match != nil {
		return strings.ToLower(match[1])
	}
	return ""
}

// flagValue returns the value of the flag that arguments begin with, and how many of them
// it takes; 0 = they begin with something else.
func flagValue(name string, args []string) (value string, n int) {
	if value, ok := strings.CutPrefix(args[0], "--"+name+"="); ok {
		return value, 1
	}
	if args[0] == "--"+name && len(args) > 1 {
		return args[1], 2
	}
	return "", 0
}

// helpText is what --help shows of a command.
func helpText(cmd *cobra.Command) string {
	text := strings.TrimSpace(cmp.Or(cmd.Long, cmd.Short))
	if cmd.Runnable() || cmd.HasSubCommands() {
		text += "\n\n" + cmd.UsageString()
	}
	return text
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes no arguments, only flags", cmd.CommandPath())
	}
	return nil
}

// groupCommand offers the commands of a slash command in the terminal. What people
// paste may begin with a dash, or name no command at all, so everything but the
// flags that only the terminal has is parsed by the commands, as in Slack. The
// flags are declared for help and completion.
func (p program) groupCommand(group, short string) *cobra.Command {
	parent := p.terminalCommand(group, "")
	parent.Use, parent.Short = group, short
	parent.PersistentFlags().Bool("json", false, "print JSON, for scripts")
	if group == "session" {
		parent.PersistentFlags().Bool("yes", false, "carry out the plan of a repair without asking")
	} else {
		parent.PersistentFlags().Int("limit", 0, "`number` of prompts to show")
	}
	for _, command := range commands.New(commands.Deps{}).Commands() {
		if command.Group != group || command.Name == "help" {
			continue
		}
		cmd := p.terminalCommand(group, command.Name)
		cmd.Use, cmd.Short = command.Name+" "+command.Args, command.Summary
		if command.Repairs == store.ActionRestore {
			cmd.Use = command.Name + " <id>"
			cmd.Flags().String("prompt-file", "", "`file` with the prompt; without it the prompt is read from standard input")
			if err := cmd.MarkFlagFilename("prompt-file"); err != nil {
				panic(err) // there is no such flag
			}
		}
		if command.Repairs != "" || command.Bulk {
			cmd.Flags().String("note", "", "`text` to keep with the decision, for the audit trail")
		}
		if strings.Contains(command.Args, "[verdict]") {
			cmd.Flags().String("since", "", "only sessions paid within this `time`, such as 2h or 7d")
			cmd.Flags().Int("limit", 0, "`number` of sessions, those that have waited longest")
			for _, v := range diagnosis.TroubleVerdicts {
				cmd.ValidArgs = append(cmd.ValidArgs, string(v))
			}
		}
		parent.AddCommand(cmd)
	}
	return parent
}

// terminalCommand runs one command of a group, or where name is empty the one
// that the arguments name.
func (p program) terminalCommand(group, name string) *cobra.Command {
	return &cobra.Command{
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			var o terminalOptions
			words := []string{name}
			for i := 0; i < len(args); i++ {
				arg := args[i]
				if file, n := flagValue("prompt-file", args[i:]); n > 0 && name == restoreName {
					o.promptFile = file
					i += n - 1
					continue
				}
				if note, n := flagValue("note", args[i:]); n > 0 && group == "session" {
					o.note = note
					i += n - 1
					continue
				}
				switch flagOf(arg) {
				case "h", "help":
					return cmd.Help()
				case "json":
					o.json = true
				case "yes":
					o.yes = true
				default:
					words = append(words, arg)
				}
			}
			text := strings.TrimSpace(strings.Join(words, " "))
			if text == "" || text == "help" {
				return cmd.Help()
			}
			if topic, ok := strings.CutPrefix(text, "help "); ok {
				if found, rest, err := cmd.Find(strings.Fields(topic)); err == nil && found != cmd && len(rest) == 0 {
					found.InitDefaultHelpFlag() // as --help does
					return found.Help()
				}
			}
			o.readsPrompt = name == restoreName && group == "session" && len(words) > 1
			return p.runTerminal(cmd.Context(), commands.Request{Command: "/" + group, Text: text}, o)
		},
	}
}
