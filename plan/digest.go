package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/netsystem"
	"github.com/lvsctl/lvsctl/internal/state"
)

// What binds a saved plan to its topology.
//
// The fields are written out one by one, and not taken from Input as a whole: a new field of
// Input that comes from the node must not change the digest, and a new one that the topology
// decides must. TestDigest fails for a field that is in neither list.

// Digest is a checksum over everything that a topology decides: what every node should
// have, and how SSH reaches it. A saved plan with another digest was made from another
// version of the topology. What was read from the nodes is not in it. The result is 64
// hexadecimal digits.
func Digest(topology string, inputs []Input) (string, error) {
	type node struct {
		Name, Role, Address, Access string
		Base                        []string
		Exclusive, RequireTools     bool
		Persist                     netsystem.Name
		Want                        *state.State
		Drain                       map[state.ServiceKey]int64 // the JSON of Want leaves it out
		Schedulers                  []string
		Servers                     map[netip.Addr]string
		Replies                     []state.Reply
		ByRole, Forwards            []string
		Keepalived                  *keepalived.Config
	}
	nodes := make([]node, 0, len(inputs))
	for _, in := range inputs {
		n := node{
			Name: in.Name, Role: in.Role, Address: in.Address, Access: in.Access,
			Exclusive: in.Exclusive, RequireTools: in.RequireTools, Persist: in.Persist,
			Want: in.Want, Drain: map[state.ServiceKey]int64{},
			Schedulers: in.Schedulers, Servers: in.Servers, Replies: in.Replies,
			Forwards:   slices.Sorted(maps.Keys(in.Forwards)),
			Keepalived: in.Keepalived.Hidden(), // the digest is shown, and a password can be tried
		}
		for ref := range in.ByRole {
			n.ByRole = append(n.ByRole, ref.String())
		}
		slices.Sort(n.ByRole)
		for _, k := range in.Base {
			n.Base = append(n.Base, k.String())
		}
		for k, d := range in.Want.Drain {
			n.Drain[k] = int64(d)
		}
		nodes = append(nodes, n)
	}
	slices.SortFunc(nodes, func(a, b node) int { return strings.Compare(a.Name, b.Name) })
	return sum(struct {
		Topology string
		Nodes    []node
	}{topology, nodes})
}

func sum(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("cannot sum up the plan: %w", err)
	}
	h := sha256.Sum256(text)
	return hex.EncodeToString(h[:]), nil
}
