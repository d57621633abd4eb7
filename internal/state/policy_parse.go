package state

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func parsePolicies4(text string, s *State) error { return parsePolicies(text, false, s) }
func parsePolicies6(text string, s *State) error { return parsePolicies(text, true, s) }

// parsePolicies reads ip rule show (iproute2 2.6.32 to 7, busybox), and after it the
// routes of all tables, of which those of main are known already:
//
//	0:	from all lookup local
//	100:	not from 10.0.0.0/24 fwmark 0x1/0xff iif eth0 lookup 100 suppress_prefixlength 0
//	200:	from 10.0.0.9 unreachable
//	1000:	from all lookup [l3mdev-table]
//	32766:	from all lookup main
//	tables
//	default via 10.0.0.1 dev eth0 table 100
func parsePolicies(text string, v6 bool, s *State) error {
	rules, rest, _ := strings.Cut(text, "tables\n")
	routes, vrfs, _ := strings.Cut(rest, "vrfs\n")
	for line := range strings.Lines(rules) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		k, p, err := parsePolicy(line)
		if err != nil {
			return fmt.Errorf("cannot read routing rule %q: %w", strings.TrimSpace(line), err)
		}
		k.V6 = v6
		s.PolicyOrder[len(s.PolicyOrder)] = PolicyRule{k, p}
		if _, twice := s.Policies[k]; !twice { // the kernel uses the first one
			s.Policies[k] = p
		}
	}
	var others strings.Builder
	for line := range strings.Lines(routes) {
		words := strings.Fields(line)
		i := slices.Index(words, "table")
		if i >= 0 && i+1 < len(words) && words[i+1] != "local" && words[i+1] != "main" {
			others.WriteString(line)
		}
	}
	for line := range strings.Lines(vrfs) {
		parseVRF(strings.Fields(line), s)
	}
	if v6 {
		return parseRoutes6(others.String(), s)
	}
	return parseRoutes4(others.String(), s)
}

// actions are the words with which the action of a rule begins.
var actions = []string{"lookup", "table", "unreachable", "prohibit", "blackhole", "goto", "nop", "nat", "map-to", "masquerade"}

func parsePolicy(line string) (PolicyKey, Policy, error) {
	priority, rest, ok := strings.Cut(strings.TrimSpace(line), ":")
	number, err := strconv.ParseUint(priority, 10, 32)
	if !ok || err != nil {
		return PolicyKey{}, Policy{}, fmt.Errorf("no priority")
	}
	words := strings.Fields(rest)
	i := slices.IndexFunc(words, func(w string) bool { return slices.Contains(actions, w) })
	if i < 0 {
		return PolicyKey{}, Policy{}, fmt.Errorf("no action")
	}
	action := words[i:]
	if action[0] == "table" { // some versions of busybox print this word
		action[0] = "lookup"
	}
	if n := slices.IndexFunc(action, func(w string) bool { return w == "proto" || strings.HasPrefix(w, "[") && w != "[l3mdev-table]" }); n >= 0 {
		action = action[:n] // cut off the rule's protocol and status
	}
	selector := strings.Join(words[:i], " ")
	selector = strings.TrimPrefix(strings.TrimPrefix(selector, "from all"), " ")
	return PolicyKey{Priority: uint32(number), Selector: selector}, Policy{Action: strings.Join(action, " ")}, nil
}

// parseVRF reads a line of ip -o -d link show type vrf:
//
//	4: blue: <NOARP,MASTER,UP,LOWER_UP> mtu 65575 ... \    link/ether ... \    vrf table 10 addrgenmode ...
func parseVRF(words []string, s *State) {
	i := slices.Index(words, "vrf")
	if len(words) < 2 || i < 0 || i+2 >= len(words) || words[i+1] != "table" {
		return
	}
	s.VRFs[strings.TrimSuffix(words[1], ":")] = words[i+2]
}
