package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lvsctl/lvsctl/internal/lab"
)

func labDownCommand(a *app) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "down [PATH]",
		Short: "End a lab and remove its files",
		Long: `Ends a lab's virtual machine and removes its folder. PATH may be left out where
there is one lab. A lab that is not up is no error.`,
		Example: `  lvsctl lab down
  lvsctl lab down --all`,
		Args: atMost(1, "one PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if all && len(args) > 0 {
				return errors.New("--all takes no PATH")
			}
			names, err := lab.Names()
			if err != nil {
				return err
			}
			if !all {
				name, err := a.labName(cmd.Context(), args)
				if err != nil {
					return err
				}
				names = nil
				if name != "" {
					names = []string{name}
				}
			}
			if len(names) == 0 {
				fmt.Fprintln(a.stdout, "no lab is up here")
			}
			var errs []error
			for _, name := range names {
				if err := lab.Down(name); err != nil {
					errs = append(errs, err)
					continue
				}
				fmt.Fprintf(a.stdout, "lab %s is down\n", name)
			}
			return errors.Join(errs...)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "end every lab of this folder")
	return cmd
}
