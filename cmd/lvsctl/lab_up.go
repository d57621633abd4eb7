package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lvsctl/lvsctl/internal/lab"
	"github.com/lvsctl/lvsctl/internal/plural"
	"github.com/lvsctl/lvsctl/topology"
)

func labUpCommand(a *app) *cobra.Command {
	var o lab.Options
	var systems string
	cmd := &cobra.Command{
		Use:   "up [PATH...]",
		Short: "Boot a lab of the topology",
		Long: `Boots the topology's hosts and returns when all of them answer SSH. The virtual
machine then runs on by itself until 'lvsctl lab down'. Several topologies share one
machine, which boots once; each is a lab of its own, cut off from the others, and the
machine ends with the last one's 'lab down'.

The kernel is Debian's linux-image-cloud-amd64, fetched once with apt-get download
and kept in the user's cache folder; the hosts' programs are this machine's own.

With --systemd every host is a whole Debian 12 with systemd in a virtual machine of
its own, so that it can reboot ('lvsctl lab reboot'). SYSTEM is what sets up its
network: ifupdown (which --systemd alone means), netplan, networkd or
networkmanager; nodes that differ follow: --systemd=ifupdown,lvs-server=netplan.
mmdebstrap makes each system's image once, from this machine's own apt sources, in
the user's cache folder; without root that takes uidmap and ids in /etc/subuid.

Exit codes: 0 every host answers; 1 error.`,
		Example: `  lvsctl lab up
  lvsctl lab up clusters/*
  lvsctl lab up --systemd=networkd`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			var all []*topology.Topology
			for _, path := range perTopology(args) {
				l, err := a.load(cmd.Context(), path)
				if err != nil {
					return err
				}
				all = append(all, l.Topology)
			}
			var err error
			if systems != "" {
				if o.System, o.Systems, err = lab.ParseSystems(systems); err != nil {
					return err
				}
			}
			return a.labUp(cmd.Context(), all, perTopology(args), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Accel, "accel", "auto", "auto, kvm or tcg; auto uses KVM where it proves to work")
	f.IntVar(&o.Memory, "memory", 0, "memory of the virtual machine in `MIB` (default by the number of hosts; 512 for each with --systemd)")
	f.IntVar(&o.CPUs, "cpus", 0, "processors of the virtual machine (default as many as this one has, at most 4)")
	f.StringVar(&systems, "systemd", "", "make every host a whole Debian with systemd, whose network is set up by `SYSTEM`")
	f.Lookup("systemd").NoOptDefVal = string(lab.Ifupdown)
	f.StringVar(&o.Kernel, "kernel", "", "kernel image `FILE` to boot instead of Debian's")
	f.StringVar(&o.Modules, "modules", "", "the modules for --kernel: `DIR` is its /lib/modules/VERSION")
	return cmd
}

// perTopology returns the arguments for each topology: its PATH, or none for the one in the
// working directory.
func perTopology(args []string) [][]string {
	if len(args) == 0 {
		return [][]string{nil}
	}
	var out [][]string
	for _, path := range args {
		out = append(out, []string{path})
	}
	return out
}

// labUp brings up the labs of topologies. paths are the arguments that named them.
func (a *app) labUp(ctx context.Context, all []*topology.Topology, paths [][]string, o lab.Options) error {
	begin := time.Now()
	var names []string
	var specs []lab.Spec
	for _, t := range all {
		names = append(names, t.Name)
		specs = append(specs, labSpec(t))
	}
	what := "lab " + strings.Join(names, ", ")
	w := a.waiting()
	o.Progress = func(step string) { w.step(what + ": " + step) }
	labs, err := lab.UpAll(ctx, specs, o)
	w.end()
	if errors.Is(err, lab.ErrUp) && len(specs) == 1 {
		return a.labIsUp(specs[0], o)
	}
	if err != nil {
		return err
	}
	for n, l := range labs {
		fmt.Fprintf(a.stdout, "lab %s is up: %s in %.1fs\n", l.Name, plural.Of(len(l.Hosts), "host"), time.Since(begin).Seconds())
		for _, line := range labUses(all[n], paths[n]) {
			fmt.Fprintln(a.stdout, "  "+line)
		}
	}
	return nil
}

// labIsUp prints that the lab is up already, and whether the topology has changed since.
func (a *app) labIsUp(spec lab.Spec, o lab.Options) error {
	l, err := lab.Open(spec.Name)
	if err != nil {
		return fmt.Errorf("lab %s is not ready yet: %w", spec.Name, err)
	}
	fmt.Fprintf(a.stdout, "lab %s is up already: %s\n", l.Name, plural.Of(len(l.Hosts), "host"))
	switch {
	case !l.Made(spec):
		a.warn("the topology's hosts have changed since; to have them as they are now: lvsctl lab down, then lvsctl lab up")
	case !l.Runs(o):
		a.warn("its hosts are of another kind than --systemd says; to change that: lvsctl lab down, then lvsctl lab up")
	}
	return nil
}

// labUses are the commands that a user may want next.
func labUses(t *topology.Topology, args []string) []string {
	path := ""
	if len(args) > 0 {
		path = " " + args[0]
	}
	uses := []string{"lvsctl plan --lab" + path, "lvsctl apply --lab" + path}
	for _, n := range t.Nodes {
		if n.Role != topology.Client {
			continue
		}
		for _, s := range t.Services {
			if s.VIP.IsValid() && s.FWMark == 0 && s.Protocol == topology.TCP && s.Port > 0 {
				return append(uses, fmt.Sprintf("lvsctl lab exec%s %s -- curl -s http://%s/", path, n.Name, hostPort(s.VIP.Addr(), s.Port)), sshUse(t))
			}
		}
	}
	return append(uses, sshUse(t))
}

func sshUse(t *topology.Topology) string {
	node := t.Nodes[0]
	if i := slices.IndexFunc(t.Nodes, func(n *topology.Node) bool { return n.Role == topology.Director }); i >= 0 {
		node = t.Nodes[i]
	}
	return fmt.Sprintf("ssh -F %s %s", filepath.Join(lab.Dir(t.Name), "ssh_config"), node.Name)
}
