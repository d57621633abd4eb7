package plan

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/state"
)

// Drains.
//
// Terms. A person drains a real server by an order, and ends that by another. Maintenance
// is the same said by the topology. In both cases the server has weight 0: IPVS sends it
// no new connections, and goes on with those that are open.
//
// Premise. Who drains a server before a reboot does not want to find out that the topology
// has changed since the last apply. So a drain changes the weight, what makes clients leave
// (see state/quiesce.go) and the files that keep it over a boot, and nothing else. A
// server whose entry is missing is not added by it either. Where one thing cannot be had
// without others, the director has a Problem.
//
// Who drained what, and since when, is in the record of each director, not in that of the
// real server, which may be down. Two people who drain the same server are one drain, that
// of the first.
//
// Example. web-1 is drained, and the topology has a new service that was not applied yet.
// The plan has "server ... weight 1 -> weight 0" and the file for the next boot, with the
// old services in it. The new service comes with the next apply, with web-1 at weight 0.

// Drain plans an order to drain real servers, or to end that, on the directors among
// inputs. Whatever else differs from the topology there is left as it is.
func Drain(topology string, inputs []Input, o state.DrainOrder) *Plan {
	inputs = slices.Clone(inputs)
	inputs = slices.DeleteFunc(inputs, func(in Input) bool { return in.Role != director })
	slices.SortStableFunc(inputs, compareInputs)
	p := &Plan{Topology: topology, Instances: completePairs(inputs)}
	position := map[string]int{}
	for i := range inputs {
		n, actions := drainNode(topology, &inputs[i], o)
		p.Nodes = append(p.Nodes, n)
		p.Actions = append(p.Actions, actions...)
		position[n.Name] = i
	}
	p.orderOneByOne(inputs, position)
	return p
}

// drainNode plans the order on one director.
func drainNode(topology string, in *Input, o state.DrainOrder) (Node, []Action) {
	n := newNode(in)
	n.Chosen = true
	if in.Live == nil {
		return n, nil
	}
	o = o.Of(in.Want, in.Live.Record)
	// The files for the next boot have what the drain leaves in place, not what the
	// topology wants by now.
	files := func(want *state.State, s state.Settled) *state.State {
		only := *in
		if only.Want = want; in.Keepalived != nil {
			// What keepalived brings by itself is in no file for the next boot.
			only.Want = in.withKeepalived(want, quiescedConfig(in.Keepalived, want))
		}
		return withBootFiles(topology, &only, s).want
	}
	n.settle = func(now *state.State, r state.Record) state.Settled {
		return o.Settle(now, in.Want, r, files)
	}
	s := o.Settle(in.Live.State, in.Want, in.Live.Record, files)
	n.Settled, n.Want = s, s.Want
	n.showKept(in, s)
	var changes []state.Change
	for _, c := range state.Diff(s.Have, s.Want) {
		// An entry that is not there is nothing to drain: a plan finds it.
		if s.Only[c.Ref] && (c.Op == state.Edit || c.Kind.Persistent()) {
			changes = append(changes, c)
		}
	}
	n.Problems = unreadable(in, s)
	conf := state.Ref{Kind: state.KindConf, Key: state.Path(keepalived.File)}
	if why := in.keepalivedNotApplied(); why != "" && s.Only[conf] {
		n.Problems = append(n.Problems, why)
	}
	if len(changes) > 0 && !in.Live.Facts.Root {
		n.Problems = append(n.Problems, notRoot)
	}
	if len(n.Problems) > 0 {
		return n, nil
	}
	n.Warnings = slices.Concat(drainWarnings(in, s), stillQuiesced(in, s, o))
	n.Refused = append(refusedBy(in.Live.State, s), in.reloadCuts(s.Want)...)
	n.Rewrite = len(changes) == 0 && !sameDrains(in.Live.Record.Drained, s.Drained)
	return n, n.actions(in, changes)
}

// refusedBy says which services refuse clients once a plan has taken weight away from
// real servers: all of them where none is left, those that hash to one without.
func refusedBy(live *state.State, s state.Settled) []string {
	weight := func(of *state.State) map[state.ServiceKey]int {
		sums := map[state.ServiceKey]int{}
		for k, v := range live.Servers {
			if w, ok := of.Servers[k]; ok {
				v = w
			}
			sums[k.Service] += v.Weight
		}
		return sums
	}
	before, after := weight(live), weight(s.Want)
	var list []string
	for k := range before {
		if _, sorry := s.Want.Governed.Sorry[k]; before[k] > 0 && after[k] == 0 && !sorry {
			list = append(list, fmt.Sprintf("%s would have no real server left, and refuse every new client", k))
		}
	}
	for k, had := range s.Have.Servers {
		if w := s.Want.Servers[k]; had.Weight == 0 || w.Weight > 0 || after[k.Service] == 0 {
			continue
		}
		service, ok := s.Want.Services[k.Service]
		if !ok {
			service = live.Services[k.Service]
		}
		if service.RefusesQuiesced() {
			list = append(list, fmt.Sprintf("%s would refuse the new clients that %s sends to %s", k.Service, service.Scheduler, k.Addr))
		}
	}
	slices.Sort(list)
	return list
}

// stillQuiesced says why real servers whose drain ends get no connections all the same.
func stillQuiesced(in *Input, s state.Settled, o state.DrainOrder) []string {
	var list []string
	for _, node := range o.Undrain {
		d, drained := in.Live.Record.Drained[node]
		for k := range s.Have.Servers {
			if !drained || s.Want.Servers[k].Weight > 0 || !slices.Contains(d.Addresses, k.Addr.Addr()) {
				continue
			}
			why := "the topology gives it that weight"
			if _, wanted := in.Want.Servers[k]; !wanted {
				why = "the topology no longer has it"
			} else if in.Want.Quiesce[k.Addr.Addr()] {
				why = "maintenance = true in the topology"
			}
			list = append(list, fmt.Sprintf("%s keeps weight 0: %s", k, why))
		}
	}
	slices.Sort(list)
	return list
}

// DrainedServer is a real server that a person keeps new connections from.
type DrainedServer struct {
	Node string `json:"node"`
	state.Drained
}

// drained are the real servers that are drained on a director, by name.
func drained(of map[string]state.Drained) []DrainedServer {
	var list []DrainedServer
	for node, d := range of {
		list = append(list, DrainedServer{node, d})
	}
	slices.SortFunc(list, func(a, b DrainedServer) int { return compareNames(a.Node, b.Node) })
	return list
}

// maintenance are the real servers of a director that are in maintenance by the
// topology, by name.
func maintenance(in *Input) []string {
	var list []string
	for addr := range in.Want.Quiesce {
		list = append(list, in.serverName(addr))
	}
	slices.SortFunc(list, compareNames)
	return slices.Compact(list)
}

// serverName is the name of the real server with an address, or the address if the topology
// has none there.
func (in *Input) serverName(addr netip.Addr) string {
	if name := in.Servers[addr]; name != "" {
		return name
	}
	return addr.String()
}

// sameDrains reports whether two records say the same of drains. Times are compared as
// instants: == would compare their locations too, and JSON keeps none.
func sameDrains(a, b map[string]state.Drained) bool {
	if len(a) != len(b) {
		return false
	}
	for node, d := range a {
		if e, ok := b[node]; !ok || e.By != d.By || !e.Since.Equal(d.Since) || !slices.Equal(e.Addresses, d.Addresses) {
			return false
		}
	}
	return true
}
