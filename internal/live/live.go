// Package live reads nodes: one script, one round trip, and nothing on the node
// changes by it.
//
// What a script prints and how it is parsed stands with each kind in
// internal/state; here they are framed into one read, with the node's record
// and the facts that are not state.
package live

import (
	"context"
	"errors"
	"fmt"
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
	Record state.Record // empty if there is none
	// RecordText is the record as it stands on the node; "" if there is none.
	RecordText string
	Facts      Facts
	// Adopted are the topologies whose records are in Record, see [Question].
	Adopted []string
	// Unclear are the records of other topologies that could not be read.
	Unclear []string
}

// Facts are what is known of a node beside its state.
type Facts struct {
	Kernel string // release, as uname -r
	// Root reports that the script may change the network.
	Root bool
	// Schedulers are those of the asked-for IPVS schedulers that the kernel has
	// or can load.
	Schedulers map[string]bool
	// Busybox reports that ip is busybox's, which prints routes without protocol
	// and next hops (1.35).
	Busybox bool
	// Owners are the programs that may change a director's table too, sorted.
	Owners []string
	// Keepalived is a director's.
	Keepalived Keepalived
	// Boot is what decides how things come back after a reboot.
	Boot persist.Boot
	// SSHClient and SSHServer are the two ends of the connection that read the
	// node, as sshd saw them; "" on this machine itself.
	SSHClient, SSHServer string
}

// Question is what to read beyond what every node has.
type Question struct {
	Topology string // whose record
	// Adopt names topologies whose records are taken for this one's.
	Adopt      []string
	Schedulers []string
	// Director asks for keepalived, and Keepalived says that it is wanted.
	Director, Keepalived bool
	state.Wanted
}

// Read reads a node. Its errors name what could not be read; errors of reaching
// the node are the Runner's own.
func Read(ctx context.Context, r remote.Runner, q Question) (Node, error) {
	s := NewScript(q)
	out, err := r.Run(ctx, remote.Script{Body: s.Lines.String()})
	if err != nil {
		return Node{}, err
	}
	return s.Parse(out)
}

// Script is a read as a part of some other script.
type Script struct {
	// Lines are the script's. It ends where a node cannot be read at all.
	Lines    shell.Script
	nonce    string
	sections []section
}

// NewScript makes the script that answers q.
func NewScript(q Question) *Script {
	s := &Script{nonce: shell.NewMark(), sections: q.sections()}
	s.Lines.Must(shell.HasIP)
	for _, part := range s.sections {
		s.Lines.Line(shell.Call(shell.Section, s.nonce, part.name), " ", part.read)
	}
	return s
}

// Parse reads what the script printed.
func (s *Script) Parse(out remote.Output) (Node, error) { return parse(out, s.nonce, s.sections) }

// section is one part of the read script and what becomes of its output. A part
// that cannot be read returns non-zero.
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
	if slices.Contains(q.Modules, "ip_vs") {
		list = append(list, section{"owners", shell.Call(shell.ReadOwners), parseOwners})
	}
	if q.Director {
		list = append(list, section{"keepalived", shell.Call(shell.ReadKeepalived, keepalived.File), func(text string, n *Node) error {
			return parseKeepalived(text, n, q.Keepalived)
		}})
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

// cut takes the section called name off the front of text.
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

// complaint is the last line a tool printed on standard error.
func complaint(stderr string) string {
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return last
	}
	return "no message"
}
