package state

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// A Flow is a packet that a node sends, with what the kernel's choice of a route depends
// on.
type Flow struct {
	From, To netip.Addr
	// Protocol and Port are those of the source; "" and 0 if they are not known.
	Protocol Protocol
	Port     uint16
	// Device is the device of the address From, or "" if it does not matter.
	Device string
}

// A Way is the route that the kernel chooses for a flow.
type Way struct {
	Key   RouteKey
	Route Route
	// By and Policy are the rule that led to the route.
	By     PolicyKey
	Policy Policy
}

// Main reports whether the route is one of the main table.
func (w Way) Main() bool { return w.Key.Table == "" && w.Policy.Action == "lookup main" }

// A FIB computes which route the kernel of a node chooses for a flow, as `ip route get`
// would on the node.
//
// The kernel asks the rules in the order of their priority (fib_rules_lookup,
// net/core/fib_rules.c). A rule that fits the flow names a table. In that table the route
// with the longest prefix wins, and of several the one with the lowest metric. If there is
// none, or it is a throw route, the kernel asks the next rule.
//
// A flow is a packet that the node itself sends: it comes from lo, and has no mark. A rule
// that selects packets by something that a flow does not have (a user, the client's port,
// another device) never fits.
type FIB struct {
	policies []PolicyRule          // in the order in which the kernel asks them
	tables   map[string][]RouteKey // longest prefix first, then longest source, then lowest metric
	routes   map[RouteKey]Route
	vrf      func(device string) string
}

// FIB returns the FIB of a live State.
func (s *State) FIB() *FIB {
	f := &FIB{
		policies: s.policyRules(), routes: s.Routes, tables: map[string][]RouteKey{},
		vrf: func(dev string) string { return s.VRFs[s.Masters[dev]] },
	}
	for k := range s.Routes {
		if k.TOS == "" {
			f.tables[k.Table] = append(f.tables[k.Table], k)
		}
	}
	for _, keys := range f.tables {
		slices.SortFunc(keys, func(a, b RouteKey) int {
			return cmp.Or(cmp.Compare(b.Dst.Bits(), a.Dst.Bits()), cmp.Compare(b.Source.Bits(), a.Source.Bits()), cmp.Compare(a.Metric, b.Metric), a.Dst.Addr().Compare(b.Dst.Addr()))
		})
	}
	return f
}

// policyRules returns all policies in the order in which the kernel asks them: those that
// were read in their order, and then those that a plan adds.
func (s *State) policyRules() []PolicyRule {
	var list []PolicyRule
	read := map[PolicyKey]bool{}
	for n := range len(s.PolicyOrder) {
		r := s.PolicyOrder[n]
		if _, stays := s.Policies[r.Key]; stays {
			list = append(list, r)
		}
		read[r.Key] = true
	}
	for _, k := range slices.SortedFunc(maps.Keys(s.Policies), ComparePolicies) {
		if !read[k] {
			list = append(list, PolicyRule{k, s.Policies[k]})
		}
	}
	if len(list) == 0 { // a kernel without rules
		for _, v6 := range []bool{false, true} {
			list = append(list, PolicyRule{PolicyKey{V6: v6, Priority: mainPriority}, Policy{Action: "lookup main"}})
		}
	}
	slices.SortStableFunc(list, func(a, b PolicyRule) int { return cmp.Compare(a.Key.Priority, b.Key.Priority) })
	return list
}

// mainPriority is the priority of the kernel's own rule for the main table.
const mainPriority = 32766

// Way returns the route for a flow. ok is false if the kernel cannot send it; then Policy
// is the rule that refuses it, if there is one.
func (f *FIB) Way(flow Flow) (way Way, ok bool) {
	var from uint32 // the priority that a goto leads to
	for _, rule := range f.policies {
		k, p := rule.Key, rule.Policy
		if k.V6 != flow.To.Is6() || k.Priority < from || !flow.selected(k.Selector) {
			continue
		}
		words := strings.Fields(p.Action)
		switch words[0] {
		case "goto":
			if n, err := strconv.ParseUint(words[len(words)-1], 10, 32); err == nil {
				from = uint32(n)
			}
		case "unreachable", "prohibit", "blackhole":
			return Way{Route: Route{Type: words[0]}, By: k, Policy: p}, false
		case "lookup":
			key, found := f.lookup(words, flow)
			if !found || f.routes[key].Type == "throw" {
				continue
			}
			r := f.routes[key]
			return Way{Key: key, Route: r, By: k, Policy: p}, r.Type == "" || r.Type == "local"
		}
	}
	return Way{}, false
}

// lookup finds the route in the table of a rule with these words: "lookup 100
// suppress_prefixlength 0".
func (f *FIB) lookup(words []string, flow Flow) (RouteKey, bool) {
	if len(words) < 2 {
		return RouteKey{}, false
	}
	name := words[1]
	switch name {
	case "main":
		name = ""
	case "[l3mdev-table]":
		if name = f.vrf(flow.Device); name == "" {
			return RouteKey{}, false // the flow is in no VRF
		}
	}
	shortest := -1
	for i := 2; i+1 < len(words); i += 2 {
		if words[i] == "suppress_prefixlength" {
			shortest, _ = strconv.Atoi(words[i+1])
		}
	}
	for _, k := range f.tables[name] {
		if k.Dst.Contains(flow.To) && (!k.Source.IsValid() || k.Source.Contains(flow.From)) {
			// A route that refuses (unreachable, prohibit) is never suppressed
			// (fib_rules_lookup).
			return k, k.Dst.Bits() > shortest || f.routes[k].Type != ""
		}
	}
	return RouteKey{}, false
}

// selected reports whether a rule's selector fits the flow.
func (flow Flow) selected(selector string) bool {
	words := strings.Fields(selector)
	not := len(words) > 0 && words[0] == "not"
	if not {
		words = words[1:]
	}
	return flow.fits(words) != not
}

func (flow Flow) fits(words []string) bool {
	for len(words) > 0 {
		value := ""
		if len(words) > 1 {
			value = words[1]
		}
		var fits bool
		switch words[0] {
		case "from":
			fits = value == "all" || within(value, flow.From)
		case "to":
			fits = value == "all" || within(value, flow.To)
		case "iif":
			fits = value == "lo"
		case "fwmark":
			fits = unmarked(value)
		case "ipproto":
			fits = value == string(flow.Protocol) || value == ipProtocols[flow.Protocol]
		case "sport":
			fits = ports(value, flow.Port)
		}
		if !fits {
			return false // oif, tos, dport, uidrange, and any new word
		}
		words = words[min(2, len(words)):]
	}
	return true
}

// unmarked reports whether a packet without a mark has the bits of a rule: 0x10/0xf0.
func unmarked(selector string) bool {
	mark, _, _ := strings.Cut(selector, "/")
	n, err := strconv.ParseUint(mark, 0, 32)
	return err == nil && n == 0
}

// ipProtocols are protocols as ip prints them if /etc/protocols does not have their name.
var ipProtocols = map[Protocol]string{TCP: "6", UDP: "17", SCTP: "132"}

func within(prefix string, addr netip.Addr) bool {
	p, err := parseDestination(prefix, addr)
	return err == nil && p.Contains(addr)
}

// ports reports whether a port is in a selector: 80, or 80-90.
func ports(selector string, port uint16) bool {
	low, high, isRange := strings.Cut(selector, "-")
	if !isRange {
		high = low
	}
	from, err := strconv.ParseUint(low, 10, 16)
	to, herr := strconv.ParseUint(high, 10, 16)
	return err == nil && herr == nil && port != 0 && uint16(from) <= port && port <= uint16(to)
}
