package statetest

import (
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
)

// Read returns the node as lvsctl reads it. It prints each section as its command would,
// and parses that.
func (n *Node) Read(w state.Wanted) (*state.State, error) {
	s := state.New()
	for _, section := range state.Sections(w) {
		text, ok := n.Print(section.Name, w)
		if !ok {
			return nil, fmt.Errorf("this node cannot print its %s", section.Name)
		}
		if err := section.Parse(text, s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Print is the output of the command of a section. ok is false if it fails.
func (n *Node) Print(section string, w state.Wanted) (string, bool) {
	switch section {
	case "packages":
		return n.packages(w.Packages), true
	case "modules":
		return lines(w.Modules, func(m string) string {
			if n.Modules[m] {
				return m + "\n"
			}
			return ""
		}), true
	case "sysctls":
		return lines(slices.Sorted(maps.Keys(n.Sysctls)), func(k string) string { return "/proc/sys/" + k + ":" + n.Sysctls[k] + "\n" }), true
	case "links":
		return n.links(), true
	case "fous":
		return n.fous(), true
	case "addresses4":
		return n.addresses(false), true
	case "addresses6":
		return n.addresses(true), true
	case "routes4":
		return n.routes(false, false), true
	case "routes6":
		return n.routes(true, false), true
	case "policies4":
		return n.policies(false), true
	case "policies6":
		return n.policies(true), true
	case "ipvs":
		return n.Table(), true
	case "thresholds":
		return n.Thresholds(), true
	case "timeouts":
		if n.Modules["ip_vs"] {
			return fmt.Sprintf("Timeout (tcp tcpfin udp): %d %d %d\n", n.Timeouts[0], n.Timeouts[1], n.Timeouts[2]), true
		}
		return "", true
	case "sync daemons":
		return n.daemons(), true
	case "rules":
		return n.rules(), true
	case "files":
		return n.blocks(w.Topology), true
	case "own files":
		return n.own(w.Own), true
	case "units":
		return n.units(w.Units), true
	}
	return "", false
}

func lines[T any](list []T, line func(T) string) string {
	var b strings.Builder
	for _, e := range list {
		b.WriteString(line(e))
	}
	return b.String()
}

func (n *Node) packages(names []string) string {
	var b strings.Builder
	if n.Manager != "" {
		fmt.Fprintf(&b, "manager %s\n", n.Manager)
	}
	for _, name := range names {
		if n.Commands[name] {
			fmt.Fprintln(&b, name)
		}
	}
	return b.String()
}

// rules is the output of iptables-save, reduced to rules.
func (n *Node) rules() string {
	var b strings.Builder
	for _, tool := range []string{"iptables", "ip6tables"} {
		fmt.Fprintln(&b, tool)
		for _, key := range slices.Sorted(maps.Keys(n.Rules)) {
			words := strings.Fields(key)
			if words[0] != tool {
				continue
			}
			fmt.Fprintf(&b, "*%s\n", words[1])
			for _, r := range n.Rules[key] {
				fmt.Fprintf(&b, "-A %s %s\n", words[2], r)
			}
		}
	}
	return b.String()
}

func (n *Node) blocks(topology string) string {
	begin := "# BEGIN lvsctl " + topology
	return lines(slices.Sorted(maps.Keys(n.Files)), func(path string) string {
		for _, mark := range []string{"", " (there was no newline before this)", " (there was no file before this)"} {
			if _, rest, there := strings.Cut(n.Files[path], begin+mark+"\n"); there {
				inside, _, _ := strings.Cut(rest, "# END lvsctl "+topology+"\n")
				return "file " + path + "\n" + begin + mark + "\n" + inside + "# END lvsctl " + topology + "\n"
			}
		}
		return ""
	})
}

// own prints files as fileSection does. The patterns must be plain paths.
func (n *Node) own(paths []string) string {
	return lines(paths, func(path string) string {
		text, ok := n.Files[path]
		if !ok {
			return ""
		}
		mode, _ := strconv.ParseUint(n.Modes[path], 8, 32)
		out := fmt.Sprintf("%s 1 0 0 %d Nov 21 09:00 %s\n", fs.FileMode(mode), len(text), path)
		for line := range strings.Lines(text) {
			out += " " + strings.TrimSuffix(line, "\n") + "\n"
		}
		return out
	})
}

func (n *Node) units(names []string) string {
	out := ""
	if n.Init != "" {
		out = "init " + n.Init + "\n"
	}
	return out + lines(names, func(name string) string {
		if n.Units[name] {
			return name + "\n"
		}
		return ""
	})
}

// Has reports whether the node has an address, on whatever device.
func (n *Node) Has(addr netip.Addr) bool {
	return slices.ContainsFunc(n.Addresses, func(a Address) bool { return a.Prefix.Addr() == addr })
}
