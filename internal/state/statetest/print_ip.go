package statetest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// links is the output of ip -o link show, iproute2 6.1.
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
		case "gre0":
			name, flags, kind = "gre0@NONE", "NOARP", "gre 0.0.0.0 brd 0.0.0.0"
		case "kube-ipvs0", "dummy0", "vip0":
			flags = "BROADCAST,NOARP"
		}
		state := "DOWN"
		if n.Links[dev] {
			flags, state = flags+",UP,LOWER_UP", "UNKNOWN"
		}
		fmt.Fprintf(&b, "%d: %s: <%s> mtu 1500 qdisc noqueue state %s mode DEFAULT group default qlen 1000\\    link/%s\n", i+1, name, flags, state, kind)
	}
	return b.String()
}

// fous is the output of ip fou show, iproute2 6.1.
func (n *Node) fous() string {
	return lines(slices.Sorted(maps.Keys(n.FOUs)), func(k string) string {
		family, port, _ := strings.Cut(k, " ")
		line := "port " + port + " " + n.FOUs[k]
		if family == "-6" {
			line += " -6"
		}
		return line + "\n"
	})
}

// addresses is the output of ip -o -4 addr show or -6, iproute2 6.1.
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

// policies is the output of ip -4 rule show or -6. If the node has policies beside the
// kernel's own, the routes of all tables follow.
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

// routes is the output of ip -o -4 route show table main or -6, iproute2 6.1. If all is
// set it is that of all tables.
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
