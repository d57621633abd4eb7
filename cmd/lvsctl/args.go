package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lvsctl/lvsctl/internal/plural"
)

// atMost refuses more arguments than n. what says what a command takes: "one PATH".
func atMost(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > n {
			return argsError(cmd, fmt.Sprintf("%s are too many: it takes %s", plural.Of(len(args), "argument"), what))
		}
		return nil
	}
}

// from refuses fewer arguments than n, which is most often one. what is what has to be
// named: "a real server".
func from(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < n {
			return argsError(cmd, "name "+what)
		}
		return nil
	}
}

// argsError is the error of a command with other arguments than it takes.
func argsError(cmd *cobra.Command, why string) error {
	return fmt.Errorf("%s\nUsage: %s", why, cmd.UseLine())
}
