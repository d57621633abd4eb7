package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lvsctl/lvsctl/internal/plural"
	"github.com/lvsctl/lvsctl/topology"
)

func validateCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "validate [PATH]",
		Short: "Check a topology, without any node",
		Long: `Reads the topology in the folder or file PATH, the current folder by default,
and reports everything that is wrong with it. No node is contacted.

Exit codes: 0 it is valid; 1 it is not.`,
		Example: `  lvsctl validate
  lvsctl validate clusters/shop --var-file production.hcl`,
		Args: atMost(1, "one PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := a.load(cmd.Context(), args)
			if err != nil {
				return err
			}
			fmt.Fprintln(a.stdout, validLine(l.Topology))
			return nil
		},
	}
}

// validLine is a line that counts the parts of a valid topology.
func validLine(t *topology.Topology) string {
	byRole := map[topology.Role]int{}
	for _, n := range t.Nodes {
		byRole[n.Role]++
	}
	var parts []string
	add := func(n int, noun string) {
		if n > 0 {
			parts = append(parts, plural.Of(n, noun))
		}
	}
	add(byRole[topology.Director], "director")
	add(byRole[topology.RealServer], "real server")
	add(byRole[topology.Router], "router")
	add(byRole[topology.Client], "client")
	add(len(t.Services), "virtual server")
	add(len(t.VRRP), "VRRP instance")
	if len(parts) == 0 {
		parts = []string{"nothing in it"}
	}
	return fmt.Sprintf("topology %q is valid: %s", t.Name, strings.Join(parts, ", "))
}
