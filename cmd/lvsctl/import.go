package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lvsctl/lvsctl/internal/adopt"
	"github.com/lvsctl/lvsctl/internal/plural"
	"github.com/lvsctl/lvsctl/internal/remote/sshconfig"
	"github.com/lvsctl/lvsctl/topology"
)

// importing is one run of lvsctl import.
type importing struct {
	*app
	// said are the nodes of which a person says what they are.
	said map[topology.Role]*[]string
	name string // of the topology; "" to find out
	lab  string // the topology of a lab, "" for real nodes
	out  string // a folder or file, "" for standard output
	sudo bool
	args []string
	from []string // FORM=FILE, instead of nodes

	dialer dialer
	nodes  []*importedNode
}

func importCommand(a *app) *cobra.Command {
	m := &importing{app: a, said: map[topology.Role]*[]string{}}
	cmd := &cobra.Command{
		Use:   "import NODE... | import --from FORM=FILE...",
		Short: "Write the topology of a cluster that is running",
		Long: `Reads nodes over SSH and writes the topology that describes them. Nothing on any node
changes by it. A NODE is where SSH goes: a host name, an address or a Host alias, with
user@ or as ssh://user@host:port; or local.

The role of a node follows from what it has: a director has virtual services or speaks
VRRP; a real server has an address that a director sends to; a router forwards packets
and is neither. --director, --real-server and --router say it instead.

--from reads files that people have of a director, without a look at any node: what
ipvsadm -S or -L has printed, a keepalived.conf, an ldirectord.cf. What they do not say,
such as the nodes' own addresses, is guessed and marked.

At the end it plans what it has written against the same nodes, over the same
connections: nothing that is live may change. What lvsctl would add is listed with the
reason, and so is what was guessed or cannot be said.

Exit codes: 0 nothing live would change; 1 something would, or an error; 3 some node
could not be read (the rest is written).`,
		Example: `  lvsctl import lvs-1 lvs-2 web-1 web-2     # the topology on standard output
  lvsctl import --out clusters/shop root@10.0.0.2 10.0.0.11 10.0.0.12
  lvsctl import --from keepalived=lb1.conf --from keepalived=lb2.conf
  lvsctl import --ssh-config bastion.conf --sudo --router gate lvs web-1`,
		RunE: func(cmd *cobra.Command, args []string) error {
			m.args = args
			return m.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	for _, r := range []struct {
		flag string
		role topology.Role
		what string
	}{
		{"director", topology.Director, "a director"},
		{"real-server", topology.RealServer, "a real server"},
		{"router", topology.Router, "a router"},
	} {
		m.said[r.role] = new([]string)
		f.StringSliceVar(m.said[r.role], r.flag, nil, "read `NODE` too, which is "+r.what+"; may be repeated")
	}
	f.StringVar(&m.name, "name", "", "the topology's `NAME` (default: by which lvsctl knows it on the nodes, else that of --out)")
	f.StringVar(&m.out, "out", "", "write to `FILE`.hcl, or to main.hcl in a folder, instead of standard output")
	f.StringArrayVar(&m.from, "from", nil, "read a director's file instead of nodes, `FORM=FILE`: ipvsadm, keepalived or ldirectord; may be repeated")
	f.BoolVar(&m.sudo, "sudo", false, "run the reading by sudo -n, where the user is not root")
	f.StringVar(&m.lab, "lab", "", "read hosts of the lab of the topology at `PATH` instead of real nodes")
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		return a.aliases(args)
	}
	for flag := range map[string]bool{"director": true, "real-server": true, "router": true} {
		_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) { return a.aliases(nil) })
	}
	return cmd
}

// aliases completes hosts of the ssh config that are not named yet.
func (a *app) aliases(args []string) ([]string, cobra.ShellCompDirective) {
	c, err := sshconfig.Read(a.sshConfig)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names := slices.DeleteFunc(c.Aliases(), func(name string) bool { return slices.Contains(args, name) })
	slices.Sort(names)
	return slices.Compact(names), cobra.ShellCompDirectiveNoFileComp
}

func (m *importing) run(ctx context.Context) error {
	target, err := m.target()
	if err != nil {
		return err
	}
	if len(m.from) > 0 {
		return m.files(ctx, target)
	}
	if err := m.list(); err != nil {
		return err
	}
	if m.dialer, err = m.importDialer(ctx); err != nil {
		return err
	}
	m.read(ctx)
	defer m.close()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	unread := 0
	for _, n := range m.nodes {
		if n.err != nil {
			unread++
			m.fail(named(n.name, n.err))
		}
	}
	if unread == len(m.nodes) {
		return exitError{code: exitUnreadable}
	}
	draft, err := m.draft()
	if err != nil {
		return err
	}
	written, err := m.describe(ctx, draft)
	if err != nil {
		return err
	}
	proof, err := m.prove(ctx, written)
	if err != nil {
		return err
	}
	if err := target.write(m.app, m.header(), written.text); err != nil {
		return err
	}
	m.remarks(draft)
	m.proof(proof)
	switch {
	case len(proof.Changes) > 0:
		return exitError{code: exitFailed}
	case unread > 0:
		return exitError{code: exitUnreadable}
	}
	return nil
}

// draft makes a draft of the nodes that were read.
func (m *importing) draft() (*adopt.Draft, error) {
	var recorded []string
	on := map[string][]string{}
	for _, n := range m.nodes {
		if n.err != nil {
			continue
		}
		for _, name := range adopt.Recorded(n.live) {
			if on[name] == nil {
				recorded = append(recorded, name)
			}
			on[name] = append(on[name], n.name)
		}
	}
	name := m.name
	switch {
	case name != "":
	case len(recorded) == 1:
		name = recorded[0]
	case len(recorded) > 1:
		return nil, fmt.Errorf("lvsctl has applied %s to these nodes\nSay which of them is imported: --name %s.", strings.Join(recorded, " and "), recorded[0])
	}
	var seen []adopt.Seen
	for _, n := range m.nodes {
		if n.err == nil {
			seen = append(seen, n.seen(name, m.lab != ""))
		}
	}
	d := adopt.FromNodes(name, seen)
	for _, n := range m.nodes {
		n.keepalivedRemarks(&d)
	}
	if nodes := on[name]; len(nodes) > 0 {
		d.Remark(adopt.Remark{Kind: adopt.Note, Text: fmt.Sprintf("lvsctl has applied topology %s to %s before; this is imported under the same name, so that its records stay good.", name, strings.Join(nodes, ", "))})
	}
	for _, other := range recorded {
		if other != name {
			d.Remark(adopt.Remark{Kind: adopt.Note, Text: fmt.Sprintf("topology %s is on %s too.", other, strings.Join(on[other], ", "))})
		}
	}
	director := func(n *topology.Node) bool { return n.Role == topology.Director }
	if !slices.ContainsFunc(d.Topology.Nodes, director) {
		return nil, errors.New("none of these nodes is a director\nNone has virtual services (ipvsadm -Ln), and none speaks VRRP. Name one that has, or say it: --director NODE.")
	}
	return &d, nil
}

// remarks says on standard error what is to be known of the topology.
func (m *importing) remarks(d *adopt.Draft) {
	for _, r := range d.Remarks {
		where := ""
		if r.At != (adopt.Element{}) {
			where = r.At.Block + " " + r.At.Name + ": "
		}
		head := map[adopt.Kind]string{adopt.Lost: "Not said", adopt.Guess: "Guessed", adopt.Note: "Note"}[r.Kind]
		m.stderr.linef("%s: %s%s", head, where, r)
	}
}

// mostNodes is how many nodes, or ranges of nodes, a line names.
const mostNodes = 8

// placesOf are where nodes stand among all.
func placesOf(nodes, all []string) []int {
	at := make(map[string]int, len(all))
	for i, n := range all {
		at[n] = i
	}
	places := make([]int, len(nodes))
	for i, n := range nodes {
		places[i] = at[n]
	}
	return places
}

// proof says on standard error what a plan would do.
func (m *importing) proof(proof adopt.Proof) {
	list := func(head string, all []adopt.Finding) {
		if len(all) == 0 {
			return
		}
		m.stderr.linef("%s", head)
		nodes := map[adopt.Finding][]string{}
		for _, f := range all {
			same := adopt.Finding{What: f.What, Why: f.Why}
			nodes[same] = append(nodes[same], f.Node)
		}
		for _, f := range all {
			same := adopt.Finding{What: f.What, Why: f.Why}
			if nodes[same] == nil {
				continue // said with the first node
			}
			line := "  " + strings.TrimPrefix(plural.Names(nodes[same], placesOf(nodes[same], proof.Nodes), mostNodes)+": "+f.What, ": ")
			if f.Why != "" {
				line += "  (" + f.Why + ")"
			}
			m.stderr.linef("%s", line)
			delete(nodes, same)
		}
	}
	list("Would be added:", proof.Added)
	list("Would change:", proof.Changes)
	if len(proof.Changes) > 0 {
		m.stderr.linef("Proof failed: %s that is live would change, or stands in the way.", plural.Of(len(proof.Changes), "thing"))
		return
	}
	m.stderr.linef("Proof: nothing that is live would change; %s would be added.", plural.Of(len(proof.Added), "thing"))
}
