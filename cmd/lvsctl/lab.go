package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lvsctl/lvsctl/internal/lab"
)

func labCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "Run a topology's nodes as real Linux hosts on this machine",
		Long: `Makes every node of a topology a Linux host of its own, with a kernel that has
IPVS, inside one QEMU virtual machine: to try a topology before it meets the real
nodes. It needs no root and nothing leaves it. With 'lab up --systemd' every host is
a whole Debian in a machine of its own, which can reboot.

The hosts have the addresses that the topology declares, clients their default
route, and nothing else: the rest is for 'lvsctl apply --lab'. Real servers answer
their services' ports with their own names. A lab is kept in .lvsctl/lab/NAME.`,
		Example: `  lvsctl lab up && lvsctl apply --lab
  lvsctl lab exec internet -- curl -s http://192.168.188.100
  lvsctl lab down`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(labUpCommand(a), labStatusCommand(a), labExecCommand(a), labRebootCommand(a), labDownCommand(a), labLoadCommand(a))
	return cmd
}

// labName is the name of the lab for a command: that of the topology at PATH. Without PATH
// it is the only lab of the working directory; then the topology need not be valid. It is
// "" if there is no lab.
func (a *app) labName(ctx context.Context, args []string) (string, error) {
	if len(args) > 0 {
		t, err := a.load(ctx, args)
		if err != nil {
			return "", err
		}
		return t.Name, nil
	}
	names, err := lab.Names()
	switch {
	case err != nil || len(names) == 0:
		return "", err
	case len(names) > 1:
		return "", fmt.Errorf("there are several labs here: %s\nSay which by its topology's PATH", strings.Join(names, ", "))
	}
	return names[0], nil
}

// openLab opens the lab for a command. It is nil if there is none.
func (a *app) openLab(ctx context.Context, args []string) (*lab.Lab, error) {
	name, err := a.labName(ctx, args)
	if err != nil || name == "" {
		return nil, err
	}
	l, err := lab.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return l, err
}

// hostPort is the host of a URL. It leaves out port 80.
func hostPort(addr netip.Addr, port uint16) string {
	host := addr.String()
	if addr.Is6() {
		host = "[" + host + "]"
	}
	if port == 80 {
		return host
	}
	return fmt.Sprintf("%s:%d", host, port)
}
