package main

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"

	"github.com/spf13/cobra"
)

func labExecCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "exec [PATH] NODE [-- COMMAND ARG...]",
		Short: "Run a command on a lab's host",
		Long: `Runs COMMAND on a host of a lab, its words passed on as they are; without one, a
login shell. Standard input, output and the exit code are the command's own. PATH
may be left out where there is one lab.

The process id of a host's sshd is in /run/sshd.pid there, so that you can end it and
see what lvsctl makes of a host that cannot be reached.

Exit codes: those of COMMAND; 1 there is no such lab or host.`,
		Example: `  lvsctl lab exec lvs           # a login shell
  lvsctl lab exec lvs -- ipvsadm -L -n
  lvsctl lab exec web-1 -- sh -c 'kill $(cat /run/sshd.pid)'   # SSH to it ends`,
		Args: from(1, "the host"),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, node, argv := splitExec(args)
			l, err := a.openLab(cmd.Context(), path)
			if err != nil {
				return err
			}
			if l == nil || !l.Running() {
				return errors.New("no lab is up here\nBring it up with: lvsctl lab up")
			}
			var flags []string
			if a.interactive() {
				flags = append(flags, "-t")
			}
			ssh, err := l.Command(cmd.Context(), node, argv, flags...)
			if err != nil {
				return err
			}
			ssh.Stdin, ssh.Stdout, ssh.Stderr = a.stdin, a.stdout.w, a.stderr.w
			err = ssh.Run()
			var exit *exec.ExitError
			switch {
			case cmd.Context().Err() != nil:
				return cmd.Context().Err()
			case errors.As(err, &exit):
				return exitError{code: exit.ExitCode()}
			case err != nil:
				return fmt.Errorf("cannot run ssh: %w", err)
			}
			return nil
		},
	}
	// Everything after NODE belongs to the command, also flags.
	cmd.Flags().SetInterspersed(false)
	return cmd
}

// splitExec splits [PATH] NODE [--] COMMAND... . If there is a PATH, the dashes are needed.
func splitExec(args []string) (path []string, node string, argv []string) {
	switch dash := slices.Index(args, "--"); dash {
	case 1, 2:
		return args[:dash-1], args[dash-1], args[dash+1:]
	}
	return nil, args[0], args[1:]
}

// interactive reports whether standard input and output are terminals.
func (a *app) interactive() bool {
	_, in := asTerminal(a.stdin)
	_, out := a.stdout.terminal()
	return in && out
}
