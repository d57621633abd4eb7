package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/fatih/color"
	"github.com/spf13/cobra"
)

func labStatusCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "status [PATH]",
		Short: "Show a lab's hosts",
		Long: `Shows every host of a lab with its addresses, the port of this machine that leads
to its sshd, and whether that answers; of a whole Debian, what sets up its network.
PATH may be left out where there is one lab.

Exit codes: 0 every host is up; 1 one is not, or there is no lab.`,
		Example: `  lvsctl lab status
  lvsctl lab status clusters/shop`,
		Args: atMost(1, "one PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := a.openLab(cmd.Context(), args)
			if err != nil {
				return err
			}
			if l == nil {
				fmt.Fprintln(a.stdout, "no lab is up here")
				return exitError{code: exitFailed}
			}
			up := l.Answering(cmd.Context())
			all := true
			var table strings.Builder
			w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
			states := []span{painted("STATE")}
			fmt.Fprintln(w, "HOST\tROLE\tADDRESSES\tSSH\t")
			for i, h := range l.Hosts {
				var addresses []string
				for _, p := range h.Addresses {
					addresses = append(addresses, p.String())
				}
				role := h.Role
				if h.System != "" {
					role += ", " + string(h.System)
				}
				state := painted("up", color.FgGreen)
				if !up[i] {
					state, all = painted("down", color.FgRed), false
				}
				states = append(states, state)
				fmt.Fprintf(w, "%s\t%s\t%s\t127.0.0.1:%d\t\n", h.Name, role, strings.Join(addresses, ", "), h.Port)
			}
			if err := w.Flush(); err != nil {
				return fmt.Errorf("cannot print the hosts: %w", err)
			}
			for i, row := range strings.Split(strings.TrimSuffix(table.String(), "\n"), "\n") {
				a.stdout.line(painted(row), states[i])
			}
			if !all {
				return exitError{code: exitFailed}
			}
			return nil
		},
	}
}
