package statetest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// sorted returns the keys of the services in ipvsadm's order. 1.24 does not sort, and
// prints them in the order of the kernel.
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

// Table is the output of ipvsadm -S -n.
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

// Thresholds is the output of ipvsadm -L -n --thresholds.
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

// daemons is the output of ipvsadm -L --daemon. Up to 1.28 it prints less.
func (n *Node) daemons() string {
	return lines(slices.Sorted(maps.Keys(n.Daemons)), func(k string) string {
		d := n.Daemons[k]
		if n.IPVSADM < 29 {
			d, _, _ = strings.Cut(d, ", maxlen")
		}
		return k + " sync daemon (" + d + ")\n"
	})
}
