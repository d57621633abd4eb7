package plan

import (
	"cmp"
	"slices"

	"github.com/lvsctl/lvsctl/internal/state"
)

// Stage is when an action runs, in relation to those of other nodes. The order of the
// stages makes sure that a director sends only to real servers that can answer.
type Stage int

// The stages of an apply, in their order.
const (
	// Ready: real servers and routers get what they need to answer.
	Ready Stage = iota
	// Send: directors add and edit services, then servers, then VIPs.
	Send
	// Stop: directors remove VIPs, then servers, then services; last keepalived
	// loads what is left.
	Stop
	// Clear: real servers and routers give back what they no longer need. So do
	// directors, if old connections needed it until now: see changeModes.
	Clear
	// Persist: each node gets the files and services for its next boot.
	Persist
)

// The roles a node can have, as plans print them.
const (
	director   = "director"
	router     = "router"
	realServer = "real_server"
)

// stageOf returns an action's stage. unmake is set if the entry is no longer wanted: if
// the action removes it, or sets it to what it was before lvsctl.
func stageOf(role string, kind state.Kind, unmake bool) Stage {
	switch {
	case kind.Persistent():
		return Persist
	case role == director && (unmake || kind == state.KindKeepalived):
		return Stop
	case role == director:
		return Send
	case unmake:
		return Clear
	}
	return Ready
}

// orderWithin sorts the actions of one node: first what is added or changed, in the order
// of creation; then what is removed or set back, in the reverse order; then what is added
// because it was there before lvsctl, in the order of creation. A
// keepalived that runs on is reloaded last: it takes a server out at once, and that
// server may need time to drain.
func orderWithin(role string, actions []Action) {
	rank := kindRanks(role)
	key := func(a Action) (int, int) {
		switch {
		case a.Kind == state.KindKeepalived && a.Op != state.Remove:
			return 3, 0
		case a.Stage == Ready || a.Stage == Send || a.Stage == Persist && a.Op != state.Remove:
			return 0, rank[a.Kind]
		case a.Op == state.Add:
			return 2, rank[a.Kind]
		}
		return 1, -rank[a.Kind]
	}
	// The sort is stable, so actions of one kind stay in the order of state.Diff.
	slices.SortStableFunc(actions, func(a, b Action) int {
		ap, ar := key(a)
		bp, br := key(b)
		return cmp.Or(cmp.Compare(ap, bp), cmp.Compare(ar, br))
	})
}

// kindRanks is the order of creation. On a director addresses come last, because a VIP
// gets traffic as soon as it is there.
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

// compareInputs is the order in which nodes are shown.
func compareInputs(a, b Input) int {
	return cmp.Or(cmp.Compare(roleRank(a.Role), roleRank(b.Role)), cmp.Compare(a.Name, b.Name))
}

func roleRank(role string) int {
	return slices.Index([]string{director, router, realServer}, role)
}
