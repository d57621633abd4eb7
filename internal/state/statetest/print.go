package statetest

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
)

// Read is the node as lvsctl would read it: every section printed as its script
// prints it there, and parsed.
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

// Print is what the script of a section prints.
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

// links is ip -o link show, iproute2 6.1.
func (n *Node) links() string {
	names := slices.Sorted(maps.Keys(n.Links))
	var b strings.Builder
	for i, dev := range names {
		name, flags, kind := dev, "BROADCAST,MULTICAST", "ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff"
		switch dev {
		case "lo":
			flags, kind = "LOOPBACK", "loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00"
		case "tunl0":
			name, flags, kind = "tunl0@NONE", "NOARP", "ipip 0.0.0.0 brd 0.0.0.0"
		}
		state := "DOWN"
		if n.Links[dev] {
			flags, state = flags+",UP,LOWER_UP", "UNKNOWN"
		}
		fmt.Fprintf(&b, "%d: %s: <%s> mtu 1500 qdisc noqueue state %s mode DEFAULT group default qlen 1000\\    link/%s\n", i+1, name, flags, state, kind)
	}
	return b.String()
}

// addresses is ip -o -4 addr show or -6, iproute2 6.1.
func (n *Node) addresses(v6 bool) string {
	names := slices.Sorted(maps.Keys(n.Links))
	var b strings.Builder
	for i, a := range n.Addresses {
		if a.Prefix.Addr().Is6() != v6 {
			continue
		}
		family, flags, label := "inet", "", " "+a.Label
		if v6 {
			family, label = "inet6", " "
			flags = " nodad"
		}
		if n.secondary(i) {
			flags = " secondary"
		}
		fmt.Fprintf(&b, "%d: %s    %s %s scope global%s%s\\       valid_lft forever preferred_lft forever\n",
			slices.Index(names, a.Dev)+1, a.Dev, family, a.Prefix, flags, label)
	}
	return b.String()
}

// policies is ip -4 rule show or -6 and, with policies beside the kernel's own, the
// routes of all tables.
func (n *Node) policies(v6 bool) string {
	var b strings.Builder
	b.WriteString("0:\tfrom all lookup local\n")
	list := slices.Clone(n.Policies)
	slices.SortStableFunc(list, func(a, b Policy) int { return cmp.Compare(a.Priority, b.Priority) })
	more := false
	for _, p := range list {
		if p.V6 == v6 {
			fmt.Fprintf(&b, "%d:\t%s %s\n", p.Priority, p.Selector, p.Action)
			more = true
		}
	}
	b.WriteString("32766:\tfrom all lookup main\n")
	if more {
		b.WriteString("tables\n" + n.routes(v6, true))
	}
	return b.String()
}

// routes is ip -o -4 route show table main or -6, iproute2 6.1; with all, of every
// table.
func (n *Node) routes(v6, all bool) string {
	list := slices.Clone(n.Routes)
	slices.SortStableFunc(list, func(a, b Route) int {
		return cmp.Or(a.Dst.Addr().Compare(b.Dst.Addr()), cmp.Compare(a.Dst.Bits(), b.Dst.Bits()), cmp.Compare(a.Metric, b.Metric))
	})
	return lines(list, func(r Route) string {
		if r.Dst.Addr().Is6() != v6 || !all && r.Table != "" {
			return ""
		}
		return r.line(v6)
	})
}

func (r Route) line(v6 bool) string {
	var words []string
	if r.Type != "" {
		words = append(words, r.Type)
	}
	switch {
	case r.Dst.Bits() == 0:
		words = append(words, "default")
	case r.Dst.IsSingleIP():
		words = append(words, r.Dst.Addr().String())
	default:
		words = append(words, r.Dst.String())
	}
	rest, hops := r.Rest, ""
	if i := strings.Index(" "+rest, " nexthop"); i >= 0 {
		rest, hops = strings.TrimSpace(rest[:max(i-1, 0)]), rest[i:]
	}
	if r.Via != "" {
		words = append(words, "via", r.Via)
	}
	if r.Dev != "" {
		words = append(words, "dev", r.Dev)
	}
	if r.Table != "" {
		words = append(words, "table", r.Table)
	}
	words = append(words, rest)
	if r.Metric != 0 {
		words = append(words, "metric", strconv.Itoa(r.Metric))
	}
	if v6 && !strings.Contains(rest, "pref") {
		words = append(words, "pref medium")
	}
	words = append(words, strings.ReplaceAll(hops, "nexthop", "\\\tnexthop"))
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ") + " \n"
}

// sorted are the services in ipvsadm's order, or in one of the kernel's own where
// ipvsadm does not sort (1.24).
func (n *Node) sorted() []string {
	keys := slices.Sorted(maps.Keys(n.Services))
	if n.IPVSADM < 25 {
		slices.Reverse(keys)
	}
	return keys
}

func (n *Node) servers(s *Service) []Server {
	list := slices.Clone(s.Servers)
	if n.IPVSADM < 25 {
		slices.Reverse(list) // list_add at the head
		return list
	}
	slices.SortFunc(list, func(a, b Server) int { return a.Addr.Compare(b.Addr) })
	return list
}

// Table is ipvsadm -S -n.
func (n *Node) Table() string {
	if !n.Modules["ip_vs"] || !n.Commands["ipvsadm"] {
		return ""
	}
	var b strings.Builder
	for _, key := range n.sorted() {
		s := n.Services[key]
		name := n.mark(key)
		b.WriteString("-A " + name + " -s " + s.Scheduler)
		if s.Timeout > 0 {
			fmt.Fprintf(&b, " -p %d", s.Timeout)
			if s.Mask != "" {
				b.WriteString(" -M " + s.Mask)
			}
		}
		dashes := "--"
		if n.IPVSADM == 26 {
			dashes = ""
		}
		if s.Engine != "" {
			b.WriteString(" " + dashes + "pe " + s.Engine)
		}
		if s.OnePacket {
			b.WriteString(map[bool]string{true: " ops", false: " -o"}[n.IPVSADM == 26])
		}
		if len(s.Flags) > 0 {
			b.WriteString(" -b " + strings.Join(s.Flags, ","))
		}
		b.WriteString("\n")
		for _, d := range n.servers(s) {
			fmt.Fprintf(&b, "-a %s -r %s %s -w %d", name, d.Addr, d.Forward, d.Weight)
			switch {
			case d.Tunnel != "":
				b.WriteString(" " + d.Tunnel)
			case d.Forward == "-i" && n.IPVSADM >= 31:
				b.WriteString(" --tun-type ipip")
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// mark prints a firewall mark as ipvsadm up to 1.31 does: by %d.
func (n *Node) mark(service string) string {
	words := strings.Fields(service)
	if words[0] != "-f" || n.IPVSADM > 31 {
		return service
	}
	m, _ := strconv.ParseUint(words[1], 10, 32)
	words[1] = strconv.Itoa(int(int32(uint32(m))))
	return strings.Join(words, " ")
}

// Thresholds is ipvsadm -L -n --thresholds.
func (n *Node) Thresholds() string {
	if !n.Modules["ip_vs"] || !n.Commands["ipvsadm"] {
		return ""
	}
	var b strings.Builder
	b.WriteString("IP Virtual Server version 1.2.1 (size=4096)\n" +
		"Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn\n" +
		"  -> RemoteAddress:Port\n")
	protocols := map[string]string{"-t": "TCP  ", "-u": "UDP  ", "--sctp-service": "SCTP ", "-f": "FWM  "}
	for _, key := range n.sorted() {
		s := n.Services[key]
		words := strings.Fields(n.mark(key))
		if len(words) == 3 {
			words[2] = "IPv6"
		}
		b.WriteString(protocols[words[0]] + strings.Join(words[1:], " ") + " " + s.Scheduler)
		if len(s.Flags) > 0 {
			b.WriteString(" (" + strings.Join(s.Flags, ",") + ")")
		}
		if s.Timeout > 0 {
			fmt.Fprintf(&b, " persistent %d", s.Timeout)
			if s.Mask != "" {
				b.WriteString(" mask " + s.Mask)
			}
		}
		b.WriteString("\n")
		for _, d := range n.servers(s) {
			fmt.Fprintf(&b, "  -> %-28s %-10d %-10d %-10d %-10d\n", d.Addr, d.Upper, d.Lower, 0, 0)
		}
	}
	return b.String()
}

// daemons is ipvsadm -L --daemon; up to 1.28 it prints less.
func (n *Node) daemons() string {
	return lines(slices.Sorted(maps.Keys(n.Daemons)), func(k string) string {
		d := n.Daemons[k]
		if n.IPVSADM < 29 {
			d, _, _ = strings.Cut(d, ", maxlen")
		}
		return k + " sync daemon (" + d + ")\n"
	})
}

// rules is iptables-save without what is nobody's business.
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

// own prints files as ls -ldn and awk do. The shell's patterns are plain names
// here.
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
