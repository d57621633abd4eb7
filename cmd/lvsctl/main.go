// Command lvsctl plans and applies Linux Virtual Server topologies over SSH.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/lvsctl/lvsctl/internal/lab"
)

// commands lists the commands. Each has a file of its own.
var commands = []func(*app) *cobra.Command{
	validateCommand,
	fmtCommand,
	planCommand,
	driftCommand,
	applyCommand,
	destroyCommand,
	drainCommand,
	undrainCommand,
	failoverCommand,
	showCommand,
	importCommand,
	graphCommand,
	statusCommand,
	labCommand,
	versionCommand,
}

func main() {
	if lab.InGuest() {
		os.Exit(lab.Guest())
	}
	os.Exit(run(os.Args[1:], newApp(os.Stdin, os.Stdout, os.Stderr)))
}

// run runs one command line and returns the exit code.
func run(args []string, a *app) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// After the first interrupt the signal has its default effect again: a second one ends
	// the program at once.
	go func() { <-ctx.Done(); stop() }()
	// If the reader of the output ends, an apply must go on all the same. signal.Notify and
	// not Ignore, because programs that lvsctl starts would inherit that.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)

	root := rootCommand(a)
	root.SetArgs(longFlags(root, args))
	return a.written(a.exitCode(ctx, root.ExecuteContext(ctx)))
}

// exitCode prints a command's error and returns its exit code.
func (a *app) exitCode(ctx context.Context, err error) int {
	var exit exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		if exit.err != nil {
			a.fail(exit.err)
		}
		return exit.code
	case err == a.stdout.failure():
		return exitFailed // written prints the error
	case ctx.Err() != nil:
		a.fail(errors.New("interrupted"))
		return exitInterrupted
	}
	a.fail(err)
	return exitFailed
}

// written returns the exit code of a command whose output could not be written: exitFailed
// in place of success. Codes that tell what happened to nodes stay as they are.
func (a *app) written(code int) int {
	if err := a.stdout.failure(); err != nil && !gone(err) {
		a.fail(fmt.Errorf("cannot write the output: %w", err))
	}
	if a.stdout.failure() == nil && a.stderr.failure() == nil {
		return code
	}
	switch code {
	case 0, exitChanges, exitUnreadable:
		return exitFailed
	}
	return code
}

// knownCommand refuses a word that is no command, and names those that are most like it.
func knownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := "Run 'lvsctl --help' for the commands."
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf("Did you mean %s?", strings.Join(near, " or "))
	}
	if instead := terraformCommands[args[0]]; instead != "" {
		hint = instead
	}
	return fmt.Errorf("unknown command %q\n%s", args[0], hint)
}

func rootCommand(a *app) *cobra.Command {
	root := &cobra.Command{
		SuggestionsMinimumDistance: 2,
		Use:                        "lvsctl",
		Short:                      "Plan and apply Linux Virtual Server topologies over SSH",
		Example: `  lvsctl validate                      # is it a topology?
  lvsctl lab up                        # try it on hosts of this machine
  lvsctl apply --lab
  lvsctl plan                          # what would change on the real nodes?
  lvsctl apply`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          knownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(flagError)
	a.globalFlags(root.PersistentFlags())
	for _, c := range commands {
		root.AddCommand(c(a))
	}
	return root
}
