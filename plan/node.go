package plan

import (
	"slices"
	"strings"
	"time"

	"github.com/lvsctl/lvsctl/internal/state"
)

// Node is what a plan holds of one node beside its actions.
type Node struct {
	Name, Role, Address string
	Chosen              bool
	// Orphan and Forgotten are the input's.
	Orphan, Forgotten bool
	// Unreadable says why the node could not be read, and Problems why it cannot be
	// changed. A node with either has no actions.
	Unreadable error
	Problems   []string
	// Warnings are for a person to read before the node is changed.
	Warnings []string
	// Notes explain what the plan does not change.
	Notes []string
	// Want is everything that the node should have, including what its next boot needs.
	Want *state.State
	// Down are the real servers that keepalived took out of the table because they
	// failed their check.
	Down []string
	// Election is how long it may take until it is clear which director holds the
	// addresses that keepalived moves, once the node is changed; 0 if nobody asks.
	Election time.Duration
	// Together is set if keepalived must be reloaded at the same time as on the other
	// directors of its instances that have it set; Holds if the node has one of the
	// addresses now, and Steady if it is not decided anew who has them.
	Together, Holds, Steady bool
	// Foreign are the virtual services that are not this topology's.
	Foreign []Foreign
	// Settled is what the actions were made from. It has the record that apply writes
	// before the first of them.
	Settled state.Settled
	// Stale is set if the node has changed since a saved plan was made.
	Stale *StaleError
	// Adopts are the names of the topologies whose records this one takes over.
	Adopts []string
	// Drained and Maintenance are the real servers that a director sends no new
	// connections to: because a person said so, or the topology. That is no difference.
	Drained     []DrainedServer
	Maintenance []string
	// FailedOver are the instances whose addresses are kept on another director.
	FailedOver []FailedOverInstance
	// Refused are the clients that a drain would have refused, in sentences.
	Refused []string
	// settle settles the node anew, as it is now and with the record that it has now.
	settle func(now *state.State, r state.Record) state.Settled
	// base are the node's own addresses.
	base []state.AddressKey
	// Rewrite is set if the record must be written although there is no action: because
	// nothing that it names is left to give back, because it takes over another record,
	// because it gets an entry that was only in another topology's record, because the
	// node's table became the topology's alone, or is that no more, or because it names
	// other nodes than it should.
	Rewrite bool
	// Members is what its record is to say of the topology's nodes. NamesOnly is set if the
	// record is written for that although the node cannot be changed: other nodes are.
	Members   Members
	NamesOnly bool

	holds bool // its record goes on holding something; only where there are no actions
}

// newNode is the node of an input, of which nothing is planned yet.
func newNode(in *Input) Node {
	return Node{
		Name: in.Name, Role: in.Role, Address: in.Address, Chosen: in.Chosen, Orphan: in.Orphan, Forgotten: in.Forgotten,
		Unreadable: in.Err, Want: in.Want, base: in.Base,
	}
}

// showKept notes what people and the topology keep real servers and instances from, so
// that a plan shows it.
func (n *Node) showKept(in *Input, s state.Settled) {
	n.Drained, n.Maintenance, n.FailedOver = drained(s.Drained), maintenance(in), failedOverInstances(s.FailedOver)
}

// Settle settles the node anew, as it is now and with the record that it has now.
func (n *Node) Settle(now *state.State, r state.Record) state.Settled { return n.settle(now, r) }

// Usable reports whether the node can be changed.
func (n Node) Usable() bool { return n.Unreadable == nil && len(n.Problems) == 0 }

// Foreign is a virtual service that the plan leaves alone, with the number of its
// servers.
type Foreign struct {
	Service string `json:"service"`
	Servers int    `json:"servers"`
}

// foreign lists the services that the plan does not touch.
func foreign(have *state.State, s state.Settled) []Foreign {
	servers := map[state.ServiceKey]int{}
	for k := range have.Servers {
		servers[k.Service]++
	}
	var list []Foreign
	for k := range have.Services {
		_, touched := s.Have.Services[k]
		if _, wanted := s.Want.Services[k]; !touched && !wanted {
			list = append(list, Foreign{k.String(), servers[k]})
		}
	}
	slices.SortFunc(list, func(a, b Foreign) int { return strings.Compare(a.Service, b.Service) })
	return list
}
