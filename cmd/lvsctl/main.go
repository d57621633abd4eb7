// Command lvsctl plans and applies Linux Virtual Server topologies over SSH.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/lvsctl/lvsctl/internal/lab"
)

// commands is every command there is; each has a file of its own.
var commands = []func(*app) *cobra.Command{
	validateCommand,
	fmtCommand,
	planCommand,
	applyCommand,
	destroyCommand,
	showCommand,
	labCommand,
	versionCommand,
}

func main() {
	if lab.InGuest() {
		os.Exit(lab.Guest())
	}
	os.Exit(run(os.Args[1:], newApp(os.Stdin, os.Stdout, os.Stderr)))
}

// run executes one command line and returns the process's exit code.
func run(args []string, a *app) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The second interrupt is the system's: it ends the program at once.
	go func() { <-ctx.Done(); stop() }()

	root := rootCommand(a)
	root.SetArgs(longFlags(root, args))
	err := root.ExecuteContext(ctx)

	var exit exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		if exit.err != nil {
			a.fail(exit.err)
		}
		return exit.code
	case ctx.Err() != nil:
		a.fail(errors.New("interrupted"))
		return exitInterrupted
	}
	a.fail(err)
	return exitFailed
}

func rootCommand(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:           "lvsctl",
		Short:         "Plan and apply Linux Virtual Server topologies over SSH",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w\nRun '%s --help' for its flags.", err, cmd.CommandPath())
	})
	a.globalFlags(root.PersistentFlags())
	for _, c := range commands {
		root.AddCommand(c(a))
	}
	return root
}
