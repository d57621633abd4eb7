package state

import (
	"cmp"
	"encoding"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// PolicyKey identifies a rule of ip-rule(8) by its priority and the packets it selects.
type PolicyKey struct {
	V6 bool
	// Priority is 0 to 4294967295. The kernel asks the rules in this order.
	Priority uint32
	// Selector is in the words of ip ("from 10.0.0.11"), or "" for every packet.
	Selector string
}

// Policy is what a rule of ip-rule(8) does.
type Policy struct {
	// Action is in the words of ip: "lookup 100", "unreachable".
	Action string `json:"action"`
}

// PolicyRule is a policy with its key, for an ordered list.
type PolicyRule struct {
	Key    PolicyKey
	Policy Policy
}

var (
	_ encoding.TextMarshaler   = PolicyKey{}
	_ encoding.TextUnmarshaler = (*PolicyKey)(nil)
)

// ReplyTable is the number of the routing table for the replies of real servers whose
// default route must not change, and ReplyPriority the priority of the rules that lead to
// it. Others are unlikely to use these numbers. busybox's ip knows no table above 1023
// (rtnl_a2n, networking/libiproute/rt_names.c).
const (
	ReplyTable    = 862
	ReplyPriority = 27492
)

// ReplyPolicy is the rule that leads packets from an address to [ReplyTable].
func ReplyPolicy(from netip.Addr) (PolicyKey, Policy) {
	return PolicyKey{V6: from.Is6(), Priority: ReplyPriority, Selector: "from " + from.String()}, Policy{Action: "lookup " + strconv.Itoa(ReplyTable)}
}

func (k PolicyKey) String() string {
	s := strconv.FormatUint(uint64(k.Priority), 10)
	if k.Selector == "" {
		return s + " all"
	}
	return s + " " + k.Selector
}

func (k PolicyKey) family() string {
	if k.V6 {
		return "-6"
	}
	return "-4"
}

// MarshalText makes the key a JSON object's key.
func (k PolicyKey) MarshalText() ([]byte, error) {
	return []byte(k.family() + " " + k.String()), nil
}

// UnmarshalText is the inverse of MarshalText.
func (k *PolicyKey) UnmarshalText(text []byte) error {
	family, rest, _ := strings.Cut(string(text), " ")
	priority, selector, ok := strings.Cut(rest, " ")
	p, err := strconv.ParseUint(priority, 10, 32)
	if err != nil || !ok || selector == "" || family != "-4" && family != "-6" {
		return fmt.Errorf("cannot read routing rule %q", text)
	}
	if selector == "all" {
		selector = ""
	}
	*k = PolicyKey{V6: family == "-6", Priority: uint32(p), Selector: selector}
	return nil
}

var policies = &table[PolicyKey, Policy]{
	kind:    KindPolicy,
	of:      func(s *State) *map[PolicyKey]Policy { return &s.Policies },
	compare: ComparePolicies,
	key:     func(k PolicyKey) Key { return k },
	value:   func(p Policy) string { return p.Action },
	make: func(_ *State, k PolicyKey, p Policy) []shell.Command {
		return []shell.Command{PolicyCommand("add", k, p)}
	},
	unmake: func(_ *State, k PolicyKey, p Policy) []shell.Command {
		return []shell.Command{PolicyCommand("del", k, p)}
	},
}

// ComparePolicies is the order in which the kernel asks policies.
func ComparePolicies(a, b PolicyKey) int {
	return cmp.Or(strings.Compare(a.family(), b.family()), cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.Selector, b.Selector))
}

// PolicyCommand is the ip rule command with a verb, add or del.
func PolicyCommand(verb string, k PolicyKey, p Policy) shell.Command {
	args := []string{"ip", k.family(), "rule", verb}
	args = append(args, strings.Fields(k.Selector)...)
	args = append(args, "pref", strconv.FormatUint(uint64(k.Priority), 10))
	return shell.Cmd(append(args, strings.Fields(p.Action)...)...)
}
