package main

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/superduperai/sessionbot/commands"
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
	build := fmt.Sprintf("%s, commit %s, %s", version, commit(), runtime.Version())
	root := &cobra.Command{
		Use: "sessionbot", Short: "Finds out why a paying customer got no video, and repairs it",
		Version: build, SilenceErrors: true, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SetOut(p.errs)
			return errors.Join(exitCode(exitUsage), cmd.Help())
		},
	}
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.errs)
	root.SetVersionTemplate("sessionbot {{.Version}}\n")
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	root.AddCommand(
		&cobra.Command{Use: "run", Short: "Run the bot until it is stopped", Args: noArgs,
			Long: "Run the bot until it is stopped. It is configured by environment variables.",
			RunE: func(cmd *cobra.Command, _ []string) error { return p.runBot(cmd.Context()) }},
		p.demoCommand(),
		p.workspaceCommand(),
		p.doctorCommand(),
		p.groupCommand("session", "Ask about a customer's session, or repair it"),
		p.groupCommand("redis", "Ask about all sessions and about Redis"),
		&cobra.Command{Use: "version", Short: "Print the version, the commit and the version of Go", Args: noArgs,
			RunE: func(*cobra.Command, []string) error {
				_, err := fmt.Fprintf(p.out, "sessionbot %s\n", build)
				return err
			}},
	)
	return root
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes no arguments, only flags", cmd.CommandPath())
	}
	return nil
}

// groupCommand offers the commands of a slash command in the terminal. As in
// Slack, the words behind it may name none of them: an id means debug.
func (p program) groupCommand(group, short string) *cobra.Command {
	var o terminalOptions
	run := func(name string) func(*cobra.Command, []string) error {
		return func(cmd *cobra.Command, args []string) error {
			if name == "" && (len(args) == 0 || len(args) == 1 && args[0] == "help") {
				return cmd.Help()
			}
			text := strings.Join(append([]string{name}, args...), " ")
			if cmd.Flags().Changed("limit") {
				text += fmt.Sprintf(" --limit %d", o.limit)
			}
			return p.runTerminal(cmd.Context(), commands.Request{Command: "/" + group, Text: text}, o)
		}
	}
	parent := &cobra.Command{Use: group, Short: short, RunE: run("")}
	parent.PersistentFlags().BoolVar(&o.json, "json", false, "print JSON, for scripts")
	if group == "redis" {
		parent.PersistentFlags().IntVar(&o.limit, "limit", 0, "`number` of prompts to show")
	}
	for _, command := range commands.New(commands.Deps{}).Commands() {
		if command.Group != group || command.Name == "help" {
			continue
		}
		cmd := &cobra.Command{Use: command.Name + " " + command.Args, Short: command.Summary, RunE: run(command.Name)}
		if command.Repairs != "" && !command.Operators {
			cmd.Flags().BoolVar(&o.yes, "yes", false, "carry the plan out without asking")
		}
		parent.AddCommand(cmd)
	}
	return parent
}

// commit returns the revision that the binary was built from.
func commit() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				return setting.Value[:min(12, len(setting.Value))]
			}
		}
	}
	return "unknown"
}
