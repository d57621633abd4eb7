// Package live reads nodes: one script, one round trip, and nothing on the node
// changes by it.
//
// What a script prints and how it is parsed stands with each kind in
// internal/state; here they are framed into one read, with the node's record
// and the facts that are not state.
package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

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
	// Boot is what decides how things come back after a reboot.
	Boot persist.Boot
	// SSHClient and SSHServer are the two ends of the connection that read the
	// node, as sshd saw them; "" on this machine itself.
	SSHClient, SSHServer string
}

// Question is what to read beyond what every node has.
type Question struct {
	Topology   string // whose record
	Schedulers []string
	state.Wanted
}

// RecordPath is where a node keeps a topology's record.
func RecordPath(topology string) string { return RecordDir + "/" + topology + ".json" }

// RecordDir holds the records of all topologies of a node.
const RecordDir = "/var/lib/lvsctl"

// Read reads a node. Its errors name what could not be read; errors of reaching
// the node are the Runner's own.
func Read(ctx context.Context, r remote.Runner, q Question) (Node, error) {
	s := NewScript(q)
	out, err := r.Run(ctx, remote.Script{Body: s.Body})
	if err != nil {
		return Node{}, err
	}
	return s.Parse(out)
}

// Script is a read as a part of some other script, which prints nothing after
// it.
type Script struct {
	Body     string
	nonce    string
	sections []section
}

// NewScript makes the script that answers q.
func NewScript(q Question) Script {
	nonce := shell.NewMark()
	sections := q.sections()
	return Script{script(nonce, sections), nonce, sections}
}

// Parse reads what the script printed.
func (s Script) Parse(out remote.Output) (Node, error) { return parse(out, s.nonce, s.sections) }

// section is one part of the read script and what becomes of its output.
type section struct {
	name, script string
	parse        func(text string, n *Node) error
}

func (q Question) sections() []section {
	list := []section{
		{"facts", factScript, parseFacts},
		{"schedulers", schedulerScript(q.Schedulers), parseSchedulers},
		{"record", recordScript(q.Topology), func(text string, n *Node) error {
			return parseRecord(text, q.Topology, n)
		}},
	}
	if slices.Contains(q.Modules, "ip_vs") {
		list = append(list, section{"owners", ownerScript, parseOwners})
	}
	q.Wanted.Topology = q.Topology
	q.Shared, q.Own, q.Units = persist.Shared(), persist.Own(q.Topology), persist.Units(q.Topology)
	for _, s := range state.Sections(q.Wanted) {
		list = append(list, section{s.Name, s.Script, func(text string, n *Node) error {
			return s.Parse(text, n.State)
		}})
	}
	list = append(list, section{"boot", persist.Section, func(text string, n *Node) error {
		n.Facts.Boot = persist.Parse(text)
		return nil
	}})
	return append(list, section{"recorded sysctls", recordedScript(q.Topology), func(text string, n *Node) error {
		return state.ParseSysctls(text, n.State)
	}})
}

// script frames each section by lines that no node can know beforehand.
func script(nonce string, sections []section) string {
	var b strings.Builder
	for i, s := range sections {
		fmt.Fprintf(&b, "read_%d() {\n:\n%s\n}\n", i, s.script) // a function may not be empty
	}
	b.WriteString("command -v ip >/dev/null || { printf 'no ip\\n'; return 0; }\n")
	for i, s := range sections {
		fmt.Fprintf(&b, "printf '%%s\\n' '%s begin %s'; read_%d; printf '%%s\\n' \"%s end %s $?\"\n", nonce, s.name, i, nonce, s.name)
	}
	return b.String()
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

// recordScript prints the record whole. cat is used where there is one: the
// shell itself reads a byte at a time.
func recordScript(topology string) string {
	return "f=" + shell.Quote(RecordPath(topology)) + `
[ -e "$f" ] || return 0
if command -v cat >/dev/null; then cat "$f"; return; fi
while IFS= read -r l || [ -n "$l" ]; do printf '%s\n' "$l"; done <"$f"`
}

// recordedScript prints the sysctls that the record names on its second line,
// so that one which left the topology can be put back.
func recordedScript(topology string) string {
	return "f=" + shell.Quote(RecordPath(topology)) + `
[ -e "$f" ] || return 0
{ read -r l; read -r l; } <"$f"
l=${l#*: \"}
set --
for k in ${l%%\"*}; do set -- "$@" "/proc/sys/$k"; done
` + state.GrepSysctls
}

func parseRecord(text, topology string, n *Node) error {
	n.Record, n.RecordText = state.NewRecord(topology), strings.TrimRight(text, "\n")
	if strings.TrimSpace(text) == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), &n.Record); err != nil {
		return fmt.Errorf("cannot read %s: %w", RecordPath(topology), err)
	}
	if n.Record.Version > state.RecordVersion {
		return fmt.Errorf("%s was written by a newer lvsctl (format %d, this one knows %d); use that one", RecordPath(topology), n.Record.Version, state.RecordVersion)
	}
	return nil
}
