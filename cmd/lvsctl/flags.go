package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// terraform holds what to use in place of flags of Terraform.
var terraform = map[string]string{
	"backup":              "lvsctl keeps no state file; each node has a record of its own.",
	"backend":             "lvsctl keeps no state file; each node has a record of its own.",
	"chdir":               "Give the topology's folder as the argument: lvsctl plan PATH.",
	"compact-warnings":    "Warnings are one line each already.",
	"concise":             "Nodes with nothing to do are not shown already.",
	"destroy":             "Use the command: lvsctl destroy.",
	"exclude":             "Use --except NODE.",
	"force":               "Use --auto-approve.",
	"generate-config-out": "Use lvsctl import NODE... --out PATH.",
	"input":               "lvsctl asks for nothing but the approval of an apply, and that on a terminal only; --auto-approve leaves it out.",
	"lock":                "A node's lock cannot be left out; it goes when the apply that holds it ends.",
	"lock-timeout":        "lvsctl does not wait for a lock; it names who holds it, and exits with 6.",
	"no-color":            "Use --color=never, or set NO_COLOR.",
	"recursive":           "Give each folder: lvsctl fmt PATH...",
	"refresh":             "Every plan reads the nodes; nothing is kept from the last time.",
	"refresh-only":        "Use lvsctl drift: it shows what was changed since the last apply, and changes nothing.",
	"migrate-state":       "lvsctl keeps no state file; each node has a record of its own.",
	"reconfigure":         "lvsctl keeps no state file; each node has a record of its own.",
	"replace":             "lvsctl changes what differs and nothing else; lvsctl destroy --only NODE takes a node's share away.",
	"state":               "lvsctl keeps no state file; each node has a record of its own.",
	"state-out":           "lvsctl keeps no state file; each node has a record of its own.",
	"target":              "Use --only NODE.",
	"upgrade":             "lvsctl has no providers to fetch; lvsctl version says which one this is.",
	"version":             "Use the command: lvsctl version.",
	"write":               "Use lvsctl fmt --check to write nothing.",
}

// terraformCommands holds what to use in place of commands of Terraform.
var terraformCommands = map[string]string{
	"console":      "lvsctl plan shows what a topology's expressions come to.",
	"force-unlock": "A node's lock ends with the apply that holds it, however that ends; there is nothing to unlock by hand.",
	"get":          "lvsctl has no modules to fetch; a topology is the files of one folder.",
	"init":         "There is nothing to initialise: begin with lvsctl validate, or with lvsctl import for a cluster that runs already.",
	"login":        "lvsctl logs in to the nodes by SSH alone.",
	"output":       "lvsctl status shows what is live, and lvsctl plan --json tells programs.",
	"providers":    "lvsctl has no providers.",
	"refresh":      "Every plan reads the nodes; lvsctl drift shows what was changed since the last apply.",
	"state":        "lvsctl keeps no state file: each node has a record of its own. lvsctl status shows what is live.",
	"taint":        "lvsctl changes what differs and nothing else; lvsctl drain NODE takes a real server out of service.",
	"test":         "lvsctl lab up has a topology's hosts on this machine, and lvsctl apply --lab changes them alone.",
	"untaint":      "lvsctl undrain NODE puts a real server back into service.",
	"workspace":    "Give each topology a folder, or a file, of its own: lvsctl plan PATH.",
}

// flagError adds to an error what to do about a wrong flag.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		if hint := terraform[unknown.GetSpecifiedName()]; hint != "" {
			return fmt.Errorf("%w\n%s", err, hint)
		}
	}
	return fmt.Errorf("%w\nRun '%s --help' for its flags.", err, cmd.CommandPath())
}

// longFlags rewrites -flag and -flag=v, as Terraform's users type them, to --flag, if the
// word is a long flag of any command or of Terraform. It leaves the arguments of lab exec
// alone, which are for another program.
func longFlags(root *cobra.Command, args []string) []string {
	known := map[string]bool{"help": true}
	for name := range terraform {
		known[name] = true
	}
	var collect func(*cobra.Command)
	collect = func(c *cobra.Command) {
		for _, set := range []*pflag.FlagSet{c.Flags(), c.PersistentFlags()} {
			set.VisitAll(func(f *pflag.Flag) { known[f.Name] = true })
		}
		for _, sub := range c.Commands() {
			collect(sub)
		}
	}
	collect(root)
	end := len(args)
	if i := slices.Index(args, "--"); i >= 0 {
		end = i
	}
	for i := range end {
		if i > 0 && args[i-1] == "lab" && args[i] == "exec" {
			end = i
			break
		}
	}
	out := slices.Clone(args)
	for i, arg := range out[:end] {
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		if len(name) > 1 && !strings.HasPrefix(arg, "--") && strings.HasPrefix(arg, "-") && known[name] {
			out[i] = "-" + arg
		}
	}
	return out
}
