package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the Makefile when it builds lvsctl.
var version = "dev"

func versionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Long:    `Prints the version of lvsctl and of the Go that built it.`,
		Example: `  lvsctl version`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			goVersion := ""
			if info, ok := debug.ReadBuildInfo(); ok {
				goVersion = " (" + info.GoVersion + ")"
			}
			fmt.Fprintf(a.stdout, "lvsctl %s%s\n", version, goVersion)
			return nil
		},
	}
}
