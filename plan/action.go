package plan

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/lvsctl/lvsctl/internal/state"
)

// Action is one change on one node.
type Action struct {
	ID   int    // from 1, in the order of the plan
	Node string // its name
	state.Change
	// Stage decides when the action runs, in relation to those of other nodes.
	Stage Stage
	// Needs are the IDs of earlier actions that must have succeeded.
	Needs []int
	// Held says why the action is held back, or is "".
	Held   string
	Reason Reason
	Risk   Risk
	// Range is the place in the topology that asks for the change. It is zero if there
	// is none, as for what is removed.
	Range hcl.Range
}

// TakesAway reports whether the action removes an entry of a kind that only one topology
// can own, such as a VIP.
func (a *Action) TakesAway() bool {
	return a.Held == "" && a.Op == state.Remove && a.Kind.SingleOwner()
}

// Reason is why there is a change.
type Reason string

// Config means that the topology has changed, or is new to the node. Drift means that
// the node had the entry as wanted after the last apply, and was changed since.
const (
	Config Reason = "config"
	Drift  Reason = "drift"
)

// Risk is a sentence that says what a change endangers, or "".
type Risk string

// actions makes a node's changes actions, in order.
func (n *Node) actions(in *Input, changes []state.Change) []Action {
	s := n.Settled
	actions := make([]Action, 0, len(changes))
	danger := dangers(in, s)
	for _, c := range changes {
		a := Action{Node: in.Name, Change: c, Reason: Config, Range: in.Ranges[c.Ref]}
		if s.Drifted[c.Ref] {
			a.Reason = Drift
		}
		a.Risk = danger.of(c)
		a.Stage = stageOf(in.Role, c.Kind, s.Restored[c.Ref] || c.Op == state.Remove || losesFallback(s, c.Ref))
		actions = append(actions, a)
	}
	orderWithin(in.Role, actions)
	return actions
}

// losesFallback reports whether a service's scheduler refuses the clients of a real
// server without weight only after a change. So the weights come first.
func losesFallback(s state.Settled, ref state.Ref) bool {
	k, ok := ref.Key.(state.ServiceKey)
	if !ok {
		return false
	}
	have, there := s.Have.Services[k]
	want, wanted := s.Want.Services[k]
	return there && wanted && have.Scheduler == want.Scheduler && !have.RefusesQuiesced() && want.RefusesQuiesced()
}

// and joins two risks.
func (r Risk) and(other Risk) Risk {
	if r == "" || other == "" {
		return r + other
	}
	return r + "; " + other
}
