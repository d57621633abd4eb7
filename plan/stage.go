package plan

import (
	"cmp"
	"slices"

	"github.com/lvsctl/lvsctl/internal/state"
)

// Stage is when an action runs, among all nodes. Traffic is sent somewhere only
// once it can be answered there, and nothing is taken apart that traffic is
// still sent to.
type Stage int

// The stages of an apply, in their order.
const (
	// Ready: real servers and routers get what they need to answer.
	Ready Stage = iota
	// Send: directors add and edit services, then servers, then VIPs.
	Send
	// Stop: directors remove VIPs, then servers, then services.
	Stop
	// Clear: real servers and routers give back what they no longer need, and what
	// the other nodes' old connections needed goes: see changeModes.
	Clear
	// Persist: every node that is as wanted is told to be so after a reboot.
	Persist
)

// The roles a node can have, as plans print them.
const (
	director   = "director"
	router     = "router"
	realServer = "real_server"
)

// stageOf is an action's stage. unmake says that the entry is no longer wanted:
// it is removed, or returns to what it was.
func stageOf(role string, kind state.Kind, unmake bool) Stage {
	switch {
	case kind.Persistent():
		return Persist
	case role == director && unmake:
		return Stop
	case role == director:
		return Send
	case unmake:
		return Clear
	}
	return Ready
}

// orderWithin sorts one node's actions: makers in the order of creation, then
// what goes away in reverse, then what comes back in the order of creation.
func orderWithin(role string, actions []Action) {
	rank := kindRanks(role)
	key := func(a Action) (int, int) {
		switch {
		case a.Stage == Ready || a.Stage == Send || a.Stage == Persist && a.Op != state.Remove:
			return 0, rank[a.Kind]
		case a.Op == state.Add:
			return 2, rank[a.Kind]
		}
		return 1, -rank[a.Kind]
	}
	// Stable: within a kind the differ's order stands.
	slices.SortStableFunc(actions, func(a, b Action) int {
		ap, ar := key(a)
		bp, br := key(b)
		return cmp.Or(cmp.Compare(ap, bp), cmp.Compare(ar, br))
	})
}

// kindRanks is the order of creation. On a director addresses come last: a VIP
// attracts traffic as soon as it is there.
func kindRanks(role string) map[state.Kind]int {
	ranks := map[state.Kind]int{}
	for i, k := range state.Kinds() {
		ranks[k] = i
	}
	if role == director {
		ranks[state.KindAddress] = len(ranks)
	}
	return ranks
}

// compareInputs is the order nodes are shown in.
func compareInputs(a, b Input) int {
	return cmp.Or(cmp.Compare(roleRank(a.Role), roleRank(b.Role)), cmp.Compare(a.Name, b.Name))
}

func roleRank(role string) int {
	return slices.Index([]string{director, router, realServer}, role)
}
