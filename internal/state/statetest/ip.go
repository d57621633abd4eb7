package statetest

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Address is an address on a device.
type Address struct {
	Prefix netip.Prefix // host bits kept
	Dev    string
	Label  string // the alias, or the device's name; "" for IPv6
}

// Policy is a rule of ip-rule(8).
type Policy struct {
	V6       bool
	Priority int
	Selector string // "from 10.0.0.1"
	Action   string // "lookup 100"
}

// Route is a route. Table is "" for the main table.
type Route struct {
	Dst    netip.Prefix
	Metric int // as in the kernel: 1024 for an IPv6 route without one
	Type   string
	Via    string
	Dev    string
	Rest   string // further words: proto static, nexthop ...
	Table  string
}

var (
	errExists    = errors.New("RTNETLINK answers: File exists")
	errSyntax    = errors.New("arguments that this node does not know")
	errNoDevice  = errors.New("Cannot find device")
	errNoAddress = errors.New("Error: ipv4: Address not found.")
	errNoRoute   = errors.New("RTNETLINK answers: No such process")
	errNoGateway = errors.New("Error: Nexthop has invalid gateway.")
	errDown      = errors.New("Error: Device for nexthop is not up.")
)

func (n *Node) ip(args []string) error {
	if len(args) == 5 && strings.Join(args[:3], " ") == "link set dev" {
		return n.setLink(args[3], args[4])
	}
	if len(args) < 4 || (args[0] != "-4" && args[0] != "-6") {
		return errSyntax
	}
	v6, object, verb, rest := args[0] == "-6", args[1], args[2], args[3:]
	switch object {
	case "addr":
		return n.address(v6, verb, rest)
	case "route":
		return n.route(v6, verb, rest)
	case "rule":
		return n.policy(v6, verb, rest)
	case "fou":
		return n.fou(args[0], verb, rest)
	}
	return errSyntax
}

// fou opens a port for gue or ipproto N, or closes it.
func (n *Node) fou(family, verb string, args []string) error {
	if !n.Modules["fou"] {
		return errors.New("Error talking to the kernel")
	}
	if len(args) < 2 || args[0] != "port" {
		return errSyntax
	}
	k := family + " " + args[1]
	_, open := n.FOUs[k]
	holds := strings.Join(args[2:], " ")
	switch {
	case verb == "add" && open:
		return errors.New("RTNETLINK answers: Address already in use")
	case verb == "add" && (holds == "gue" || strings.HasPrefix(holds, "ipproto ")):
		n.FOUs[k] = holds
	case verb == "del" && !open:
		return errors.New("RTNETLINK answers: Invalid argument")
	case verb == "del" && holds == "":
		delete(n.FOUs, k)
	default:
		return errSyntax
	}
	return nil
}

func (n *Node) setLink(dev, to string) error {
	if _, ok := n.Links[dev]; !ok {
		return errNoDevice
	}
	switch to {
	case "up":
		n.Links[dev] = true
	case "down":
		n.Links[dev] = false
		// fib_disable_ip; addrconf_ifdown removes the IPv6 addresses too.
		n.Routes = slices.DeleteFunc(n.Routes, func(r Route) bool { return r.Dev == dev })
		n.Addresses = slices.DeleteFunc(n.Addresses, func(a Address) bool { return a.Dev == dev && a.Prefix.Addr().Is6() })
	default:
		return errSyntax
	}
	return nil
}

func (n *Node) address(v6 bool, verb string, args []string) error {
	if len(args) < 3 || args[1] != "dev" {
		return errSyntax
	}
	p, err := netip.ParsePrefix(args[0])
	if err != nil || p.Addr().Is6() != v6 {
		return errSyntax
	}
	a := Address{Prefix: p, Dev: args[2], Label: args[2]}
	options := strings.Join(args[3:], " ")
	switch {
	case v6:
		a.Label = ""
		if options != "" {
			return errSyntax
		}
	case options != "":
		if len(args) != 5 || args[3] != "label" {
			return errSyntax
		}
		a.Label = args[4]
		// Old versions of ip refuse other labels; the kernel's IFNAMSIZ is 16.
		if !strings.HasPrefix(a.Label, a.Dev+":") || len(a.Label) > 15 {
			return errSyntax
		}
	}
	if _, ok := n.Links[a.Dev]; !ok {
		return errNoDevice
	}
	switch verb {
	case "add":
		return n.addAddress(a)
	case "del":
		return n.delAddress(a)
	}
	return errSyntax
}

// addAddress adds an address. A device may have an IPv4 address twice, with two prefix
// lengths (__inet_insert_ifa), and an IPv6 address only once (ipv6_chk_same_addr).
func (n *Node) addAddress(a Address) error {
	for _, b := range n.Addresses {
		same := b.Prefix == a.Prefix || b.Prefix.Addr().Is6() && b.Prefix.Addr() == a.Prefix.Addr()
		if b.Dev == a.Dev && same {
			return errExists
		}
	}
	n.Addresses = append(n.Addresses, a)
	if a.Prefix.Addr().Is4() {
		n.addressed(a.Dev)
	}
	return nil
}

// delAddress removes an address. The kernel also removes the secondaries of a primary
// address, unless promote_secondaries is 1 (__inet_del_ifa), and the routes with that
// source (fib_sync_down_addr).
func (n *Node) delAddress(a Address) error {
	i := slices.IndexFunc(n.Addresses, func(b Address) bool { return b.Dev == a.Dev && b.Prefix == a.Prefix })
	if i < 0 {
		return errNoAddress
	}
	primary := !n.secondary(i) && !n.promote
	goes := []netip.Prefix{a.Prefix}
	for j, b := range n.Addresses {
		if j != i && primary && b.Dev == a.Dev && a.Prefix.Addr().Is4() && b.Prefix.Masked() == a.Prefix.Masked() {
			goes = append(goes, b.Prefix)
		}
	}
	n.Addresses = slices.DeleteFunc(n.Addresses, func(b Address) bool { return b.Dev == a.Dev && slices.Contains(goes, b.Prefix) })
	n.Routes = slices.DeleteFunc(n.Routes, func(r Route) bool {
		return strings.Contains(r.Rest+" ", "src "+a.Prefix.Addr().String()+" ")
	})
	return nil
}

// secondary reports whether an IPv4 address came after another of its subnet.
func (n *Node) secondary(i int) bool {
	a := n.Addresses[i]
	return a.Prefix.Addr().Is4() && slices.ContainsFunc(n.Addresses[:i], func(b Address) bool {
		return b.Dev == a.Dev && b.Prefix.Masked() == a.Prefix.Masked()
	})
}

func (n *Node) route(v6 bool, verb string, args []string) error {
	r, named, err := parseRoute(v6, args)
	if err != nil {
		return err
	}
	same := func(o Route) bool { return o.Dst == r.Dst && o.Metric == r.Metric && o.Table == r.Table }
	i := slices.IndexFunc(n.Routes, same)
	switch verb {
	case "add", "replace":
		if err := n.reach(r); err != nil {
			return err
		}
		switch {
		case i < 0:
			n.Routes = append(n.Routes, r)
		case verb == "add":
			return errExists
		default:
			n.Routes[i] = r
		}
		return nil
	case "del":
		return n.delRoute(r, named)
	}
	return errSyntax
}

// policy adds or deletes a rule. A second equal rule is refused (fib_nl_newrule,
// net/core/fib_rules.c, since 4.11).
func (n *Node) policy(v6 bool, verb string, args []string) error {
	if len(args) != 6 || args[0] != "from" || args[2] != "pref" || args[4] != "lookup" {
		return errSyntax
	}
	priority, err := strconv.Atoi(args[3])
	if err != nil {
		return errSyntax
	}
	p := Policy{v6, priority, "from " + args[1], "lookup " + args[5]}
	i := slices.Index(n.Policies, p)
	switch {
	case verb == "add" && i >= 0:
		return errExists
	case verb == "add":
		n.Policies = append(n.Policies, p)
	case verb == "del" && i < 0:
		return errNoRoute
	case verb == "del":
		n.Policies = slices.Delete(n.Policies, i, i+1)
	default:
		return errSyntax
	}
	return nil
}

// delRoute deletes a route. Without a metric that is the one with the lowest metric of
// those that fit (fib_table_delete; ip6_route_del).
func (n *Node) delRoute(r Route, metricNamed bool) error {
	best := -1
	for i, o := range n.Routes {
		fits := o.Dst == r.Dst && o.Table == r.Table && o.Type == r.Type && (r.Via == "" || o.Via == r.Via) && (r.Dev == "" || o.Dev == r.Dev)
		if metricNamed {
			fits = fits && o.Metric == r.Metric
		}
		if fits && (best < 0 || o.Metric < n.Routes[best].Metric) {
			best = i
		}
	}
	if best < 0 {
		return errNoRoute
	}
	n.Routes = slices.Delete(n.Routes, best, best+1)
	return nil
}

// reach refuses a next hop that is on no subnet of its device, and a device that is down.
func (n *Node) reach(r Route) error {
	if r.Dev == "" {
		return nil
	}
	up, ok := n.Links[r.Dev]
	if !ok {
		return errNoDevice
	}
	if !up {
		return errDown
	}
	if r.Via == "" || slices.Contains(strings.Fields(r.Rest), "onlink") {
		return nil
	}
	via := netip.MustParseAddr(r.Via)
	for _, a := range n.Addresses {
		if a.Dev == r.Dev && a.Prefix.Contains(via) {
			return nil
		}
	}
	return errNoGateway
}

func parseRoute(v6 bool, args []string) (r Route, metricNamed bool, err error) {
	if v6 {
		r.Metric = 1024
	}
	if slices.Contains([]string{"blackhole", "unreachable", "prohibit"}, args[0]) {
		r.Type, args = args[0], args[1:]
	}
	if len(args) == 0 {
		return r, false, errSyntax
	}
	switch {
	case args[0] != "default":
		r.Dst, err = netip.ParsePrefix(args[0])
	case v6:
		r.Dst = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	default:
		r.Dst = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	if err != nil || r.Dst.Addr().Is6() != v6 || r.Dst != r.Dst.Masked() {
		return r, false, errSyntax
	}
	var rest []string
	for i := 1; i < len(args); i++ {
		word, value := args[i], ""
		if i+1 < len(args) {
			value = args[i+1]
		}
		switch word {
		case "via":
			if _, err := netip.ParseAddr(value); err != nil {
				return r, false, errSyntax
			}
			r.Via = value
		case "dev":
			r.Dev = value
		case "table":
			r.Table = value
		case "metric":
			if r.Metric, err = strconv.Atoi(value); err != nil {
				return r, false, errSyntax
			}
			metricNamed = true
		case "proto", "scope", "src", "mtu":
			rest = append(rest, word, value)
		case "pref":
			if value != "medium" { // ip prints this default too
				rest = append(rest, word, value)
			}
		case "onlink":
			rest = append(rest, word)
			continue
		case "nexthop":
			rest = append(rest, args[i:]...)
			i = len(args)
			continue
		default:
			return r, false, errSyntax
		}
		if value == "" {
			return r, false, errSyntax
		}
		i++
	}
	r.Rest = strings.Join(rest, " ")
	return r, metricNamed, nil
}

func (n *Node) announce(dev string) error {
	if !n.Links[dev] {
		return errDown
	}
	return nil
}
