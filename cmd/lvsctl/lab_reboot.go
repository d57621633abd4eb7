package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/lvsctl/lvsctl/internal/lab"
)

func labRebootCommand(a *app) *cobra.Command {
	var cut bool
	cmd := &cobra.Command{
		Use:   "reboot [PATH] NODE...",
		Short: "Reboot hosts of a lab brought up with --systemd",
		Long: `Reboots hosts of a lab whose hosts are whole Debian systems, all at once, and
returns when each has booted anew and answers SSH: to see what of a node's work a
reboot leaves. With --power-cut a host is not told: what it has not yet written to
its disk is lost. PATH, a file or folder that exists, may be left out where there is
one lab.

Exit codes: 0 every host is running; 1 one is not, or units of it failed.`,
		Example: `  lvsctl lab reboot web-1
  lvsctl lab reboot --power-cut clusters/shop lvs web-1`,
		Args: from(1, "the hosts that are to be rebooted"),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, nodes := splitPath(args)
			l, err := a.openLab(cmd.Context(), path)
			if err != nil {
				return err
			}
			if l == nil || !l.Running() {
				return errors.New("no lab is up here\nBring it up with: lvsctl lab up --systemd")
			}
			reboot := l.Reboot
			if cut {
				reboot = l.PowerCut
			}
			return a.labReboot(cmd.Context(), l, nodes, reboot)
		},
	}
	cmd.Flags().BoolVar(&cut, "power-cut", false, "reset the hosts without a warning")
	return cmd
}

// labReboot reboots the nodes and prints for each how its boot ended.
func (a *app) labReboot(ctx context.Context, l *lab.Lab, nodes []string, reboot func(context.Context, string) (string, error)) error {
	errs := make([]error, len(nodes))
	outcomes := make([]string, len(nodes))
	w := a.waiting()
	w.step("rebooting: waiting for " + strings.Join(nodes, ", "))
	var mu sync.Mutex
	left := slices.Clone(nodes)
	var all sync.WaitGroup
	for n, node := range nodes {
		all.Go(func() {
			outcomes[n], errs[n] = reboot(ctx, node)
			mu.Lock()
			defer mu.Unlock()
			left = slices.DeleteFunc(left, func(l string) bool { return l == node })
			if len(left) > 0 {
				w.step(fmt.Sprintf("rebooting: %s is through; waiting for %s", node, strings.Join(left, ", ")))
			}
		})
	}
	all.Wait()
	w.end()
	good := true
	for n, node := range nodes {
		if errs[n] == nil {
			fmt.Fprintf(a.stdout, "%s is %s\n", node, outcomes[n])
			good = good && outcomes[n] == "running"
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if !good {
		return exitError{code: exitFailed}
	}
	return nil
}
