package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/plural"
	"github.com/lvsctl/lvsctl/internal/state"
)

// What keeps a director from a switchover, and what one costs.
//
// A planned switchover is one that loses no request. So it is refused where that cannot be
// promised: where the new master could not become one, or would serve less than the old
// one does. The costs that remain are warnings.

// problems say why a director must have no part in a switchover. now is the director as it
// is without it.
func (c *failoverCase) problems(in, now *Input) []string {
	list := slices.Clone(in.pair.refused)
	if !in.Live.Facts.Root {
		list = append(list, notRoot)
	}
	loaded, runs := in.Live.State.Keepalived[state.KeepalivedName]
	if !runs {
		return append(list, "keepalived does not run")
	}
	if !c.order.Settles {
		switch why := now.keepalivedNotApplied(); {
		case why != "":
			list = append(list, why)
		case loaded.Loaded != "" && loaded != now.Want.Keepalived[state.KeepalivedName]:
			list = append(list, "keepalived has not loaded its file; run lvsctl apply first")
		}
	}
	if in.Name == c.To && c.From != c.To && c.From != "" {
		list = append(list, c.unfit(now)...)
	}
	return list
}

// unfit says why a director cannot be master, as far as its node shows it. If it has the
// highest priority and preempts, it should hold the addresses already. That it does not
// means a fault which the node does not show.
func (c *failoverCase) unfit(to *Input) []string {
	var list []string
	for _, dev := range to.Live.Facts.Keepalived.Down {
		list = append(list, fmt.Sprintf("%s has no carrier, so its keepalived is in fault", dev))
	}
	own := to.instance(c.Instance)
	best := !slices.ContainsFunc(c.now, func(in Input) bool { return in.instance(c.Instance).Priority > own.Priority })
	if best && own.Preempt && len(list) == 0 && !c.order.Settles {
		list = append(list, fmt.Sprintf("it has the highest priority and does not take the addresses of vrrp_instance %s: its keepalived is in fault, or does not hear %s", c.Instance, c.From))
	}
	for i := range c.now {
		if from := &c.now[i]; from.Name == c.From {
			list = append(list, downHere(to, from)...)
		}
	}
	return list
}

// downHere are the real servers that one director has taken out and another has not. The
// checks run on each director, so a network that is broken only there shows like this.
func downHere(to, from *Input) []string {
	var list []string
	for k := range to.Want.Servers {
		if to.Live.State.Down(k) && !from.Live.State.Down(k) {
			list = append(list, fmt.Sprintf("%s is down here, and up on %s", k, from.Name))
		}
	}
	slices.Sort(list)
	return list
}

// warnings say what a switchover costs. from is the director whose addresses leave.
func (c *failoverCase) warnings(from *Input) []string {
	var list []string
	if sync := from.Keepalived.Sync; sync == nil || sync.Instance != c.Instance {
		open := 0
		for k, n := range from.Live.State.Connections {
			if slices.Contains(c.inst.Addresses, k.Service.Addr.Addr()) {
				open += n.Open(k.Service.Protocol)
			}
		}
		if open > 0 {
			list = append(list, fmt.Sprintf("those of its %s that do not end by themselves are cut: %s does not know them, because vrrp_instance %s has no sync", plural.Of(open, "open connection"), c.To, c.Instance))
		}
	}
	if v := from.Live.Facts.Keepalived.Version; v.Known() && v.Before(keepalived.Version{2, 0, 0}) {
		list = append(list, fmt.Sprintf("keepalived %s takes over only after a pause: %s may be nowhere for up to %s", v, strings.Join(texts(c.inst.Addresses), ", "), keepalived.Takeover(from.instance(c.Instance), v)))
	}
	return list
}

// texts are values in words.
func texts[T fmt.Stringer](of []T) []string {
	list := make([]string, len(of))
	for i, v := range of {
		list[i] = v.String()
	}
	return list
}
