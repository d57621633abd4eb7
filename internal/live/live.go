// Package live reads nodes: by one script in one round trip, which changes nothing on the
// node.
//
// internal/state has, for each kind, the command that prints it and the parser. This
// package joins them to one script, and adds the node's record and facts that are no
// State. A new fact takes a field of [Facts], a line in internal/shell/read_facts.sh and a
// case in facts.go.
package live

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/persist"
	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
)

// Node is a node as it was read.
type Node struct {
	State  *state.State
	Record state.Record // empty if the node has none
	// RecordText is the text of the record on the node, or "".
	RecordText string
	Facts      Facts
	// Adopted are the names of other topologies whose records were found and are part of
	// Record: see [Question].
	Adopted []string
	// Unclear are the paths of records of other topologies that could not be read.
	Unclear []string
}

// Facts are what is known of a node beside its State.
type Facts struct {
	Kernel string // the release, as uname -r prints it
	// Root is set if scripts run as root, and so may change the network.
	Root bool
	// Schedulers are those of the IPVS schedulers in the question that the kernel has or
	// can load.
	Schedulers map[string]bool
	// Can are those of the abilities in the question that the node has.
	Can map[string]bool
	// Busybox is set if ip is busybox's, which prints routes without protocol and next
	// hops (1.35).
	Busybox bool
	// Owners are other programs that may change a director's IPVS table, sorted.
	Owners []string
	// Holders say who names an address on a director, and so may add and remove it.
	// Speakers are programs that speak VRRP and whose addresses are not known.
	Holders  map[netip.Addr][]string
	Speakers []string
	// Keepalived is a director's.
	Keepalived Keepalived
	// Boot is what was read of the node's boot.
	Boot persist.Boot
	// SSHClient and SSHServer are the addresses of the two ends of this SSH connection, as
	// sshd sees them. They are "" if the node is this machine.
	SSHClient, SSHServer string
}

// Question is what to read beyond what is read of every node.
type Question struct {
	Topology string // its record is read
	// Adopt are names of topologies whose records count as this one's.
	Adopt      []string
	Schedulers []string
	// Can are abilities, see internal/shell/read_facts.sh.
	Can []string
	// Director asks for keepalived, and Keepalived says that it is wanted. Adverts are
	// the devices on which it is to hear other directors, and with + those without which it
	// is in fault.
	Director, Keepalived bool
	Adverts              []string
	state.Wanted
}

// Read reads a node. An error says what could not be read. If the node cannot be reached,
// it is the Runner's error.
func Read(ctx context.Context, r remote.Runner, q Question) (Node, error) {
	s := NewScript(q)
	out, err := r.Run(ctx, remote.Script{Body: s.Lines.String()})
	if err != nil {
		return Node{}, err
	}
	return s.Parse(out)
}

// Script is the reading of a node as a part of a larger script.
type Script struct {
	// Lines are those of the script. It exits if the node cannot be read at all.
	Lines    shell.Script
	nonce    string
	sections []section
}

// NewScript makes the script that reads what q asks for.
func NewScript(q Question) *Script {
	s := &Script{nonce: shell.NewMark()}
	s.Lines.Must(shell.HasIP)
	for _, part := range q.sections() {
		s.add(part)
	}
	return s
}

func (s *Script) add(part section) {
	s.sections = append(s.sections, part)
	s.Lines.Line(shell.Call(shell.Section, s.nonce, part.name), " ", part.read)
}

// Parse parses the output of the script.
func (s *Script) Parse(out remote.Output) (Node, error) {
	n, err := parse(out, s.nonce, s.sections)
	if err != nil {
		err = saidError{err}
	}
	return n, err
}

// section is a part of the script with the parser of its output. Its exit status is not 0
// if it cannot be read.
type section struct {
	name  string
	read  shell.Command
	parse func(text string, n *Node) error
}

func (q Question) sections() []section {
	record := RecordPath(q.Topology)
	list := []section{
		{"facts", shell.Call(shell.ReadFacts), parseFacts},
		{"schedulers", shell.Call(shell.ReadSchedulers, q.Schedulers...), parseSchedulers},
		{"record", shell.Call(shell.ReadRecord, record), func(text string, n *Node) error {
			return parseRecord(text, q.Topology, n)
		}},
		{"other records", shell.Call(shell.ReadOthers, RecordDir, record), func(text string, n *Node) error {
			return parseOthers(text, q.Adopt, n)
		}},
	}
	if len(q.Can) > 0 {
		list = append(list, section{"abilities", shell.Call(shell.ReadCan, q.Can...), parseCan})
	}
	if slices.Contains(q.Modules, "ip_vs") {
		list = append(list, section{"owners", shell.Call(shell.ReadOwners), parseOwners})
	}
	if q.Director {
		version := ""
		if q.Keepalived {
			version = "version"
		}
		list = append(list, section{"holders", shell.Call(shell.ReadHolders), parseHolders})
		list = append(list, section{"keepalived", shell.Call(shell.ReadKeepalived, keepalived.File, version), func(text string, n *Node) error {
			return parseKeepalived(text, n, q.Keepalived)
		}})
	}
	if q.Keepalived {
		list = append(list, section{"vrrp", shell.Call(shell.ReadVRRP, q.Adverts...), parseVRRP})
	}
	q.Wanted.Topology = q.Topology
	q.Shared, q.Own, q.Units = persist.Shared(), persist.Own(q.Topology), persist.Units(q.Topology)
	if q.Director {
		q.Units = append(q.Units, state.KeepalivedName)
	}
	parts := state.Sections(q.Wanted)
	for _, old := range q.Adopt {
		parts = append(parts, state.TopologySections(old, q.Shared, persist.Own(old), persist.Units(old))...)
		list = append(list, section{"adopted sysctls", shell.Call(shell.ReadRecorded, RecordPath(old)), func(text string, n *Node) error {
			return state.ParseSysctls(text, n.State)
		}})
	}
	for _, s := range parts {
		list = append(list, section{s.Name, s.Read, func(text string, n *Node) error {
			return s.Parse(text, n.State)
		}})
	}
	list = append(list, section{"boot", persist.Section(), func(text string, n *Node) error {
		n.Facts.Boot = persist.Parse(text)
		return nil
	}})
	return append(list, section{"recorded sysctls", shell.Call(shell.ReadRecorded, record), func(text string, n *Node) error {
		return state.ParseSysctls(text, n.State)
	}})
}

func parse(out remote.Output, nonce string, sections []section) (Node, error) {
	n := Node{State: state.New()}
	if strings.HasPrefix(out.Stdout, "no ip\n") {
		return n, errors.New("there is no ip command; install iproute2 on the node")
	}
	rest := out.Stdout
	for _, s := range sections {
		text, after, status, err := cut(rest, nonce, s.name)
		if err != nil {
			return n, err
		}
		if status != 0 {
			return n, fmt.Errorf("cannot read its %s: exit status %d: %s", s.name, status, complaint(out.Stderr))
		}
		if err := s.parse(text, &n); err != nil {
			return n, err
		}
		rest = after
	}
	return n, nil
}

// cut removes the section called name from the front of text. inside is its output and
// status its exit status.
func cut(text, nonce, name string) (inside, after string, status int, err error) {
	inside, ok := strings.CutPrefix(text, nonce+" begin "+name+"\n")
	if !ok {
		return "", "", 0, fmt.Errorf("cannot read its %s: the output does not begin where it should", name)
	}
	inside, after, ok = strings.Cut(inside, nonce+" end "+name+" ")
	line, after, whole := strings.Cut(after, "\n")
	status, err = strconv.Atoi(line)
	if !ok || !whole || err != nil {
		return "", "", 0, fmt.Errorf("cannot read its %s: the output is cut off", name)
	}
	return inside, after, status, nil
}

// complaint returns the last line of a tool's standard error.
func complaint(stderr string) string {
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return last
	}
	return "no message"
}
