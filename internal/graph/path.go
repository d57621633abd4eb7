package graph

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/maruel/natural"

	"github.com/lvsctl/lvsctl/topology"
)

// The way of a packet.
//
// Terms. C is the client's address, VIP the virtual server's with its port, RIP the real
// server's, DIP the director's. A hop from one node to another that share no subnet goes
// by the first router that is on a subnet of both; where there is none, by other networks
// that the topology does not have.
//
//	         there, from the director            back
//	nat      C -> RIP; it writes RIP for VIP     RIP -> C to the director, which writes VIP
//	                                             for RIP
//	dr       C -> VIP in a frame to the real     VIP -> C past the director
//	         server; nothing is rewritten
//	tun      DIP -> RIP around C -> VIP          VIP -> C past the director
//	fullnat  DIP -> RIP; it writes both          RIP -> DIP, which writes both back

// paths draws each virtual server's way. Those with the same way have one panel.
func (d *drawing) paths() {
	known := map[string]int{}
	services := slices.Clone(d.topology.Services)
	slices.SortStableFunc(services, func(a, b *topology.VirtualServer) int { return natural.Compare(a.Name, b.Name) })
	for _, v := range services {
		w := &way{drawing: d, service: v, stops: map[string]int{}}
		w.draw()
		w.sort()
		p := Path{Stops: w.list, Steps: w.steps}
		k := w.likeness()
		i, ok := known[k]
		if !ok {
			i = len(d.Paths)
			known[k] = i
			d.Paths = append(d.Paths, p)
		}
		d.Paths[i].Titles = append(d.Paths[i].Titles, title(v))
	}
}

// title is a virtual server in a line.
func title(v *topology.VirtualServer) string {
	words := []string{v.Name, serviceName(v), string(v.Mode), v.Scheduler}
	if len(v.SchedulerFlags) > 0 {
		words[3] += " (" + strings.Join(v.SchedulerFlags, ", ") + ")"
	}
	if v.Persistence != nil {
		words = append(words, "persistent "+strconv.Itoa(v.Persistence.Timeout))
	}
	if v.VRRPInstance != nil {
		words = append(words, "by vrrp_instance "+v.VRRPInstance.Name)
	}
	return strings.Join(words, " · ")
}

func serviceName(v *topology.VirtualServer) string {
	if v.FWMark != 0 {
		return "fwmark " + strconv.FormatUint(uint64(v.FWMark), 10)
	}
	return string(v.Protocol) + " " + netip.AddrPortFrom(v.VIP.Addr(), v.Port).String()
}

// way is one virtual server's way while it is drawn.
type way struct {
	*drawing
	service *topology.VirtualServer
	list    []Stop
	steps   []Step
	stops   map[string]int // index of list, by what stops there
}

// likeness is all of a way in which the virtual servers' own addresses and ports are
// words.
func (w *way) likeness() string { return fmt.Sprintf("%v\n%v", w.list, w.steps) }

// vip and rip stand for a service's and a real server's address in packets. A port says
// more where it is another one.
const (
	cip = "C"
	vip = "VIP"
	dip = "DIP"
)

func (w *way) rip(s topology.Server) string {
	if s.Port != w.service.Port && w.service.FWMark == 0 {
		return "RIP:" + strconv.Itoa(int(s.Port))
	}
	return "RIP"
}

// draw draws the way by every director to every real server.
func (w *way) draw() {
	v := w.service
	for _, d := range v.Directors {
		w.there(d)
		for _, s := range v.RealServers {
			w.serve(d, s)
		}
	}
}

// clients are the topology's, or nil for some that it does not name.
func (w *way) clients() []*topology.Node {
	var list []*topology.Node
	for _, n := range w.topology.Nodes {
		if n.Role == topology.Client {
			list = append(list, n)
		}
	}
	if len(list) == 0 {
		return []*topology.Node{nil}
	}
	return list
}

// there is the way from all clients to a director: every first hop before the second
// ones.
func (w *way) there(d *topology.Node) {
	note := "the VIP is the director's"
	if v := w.service; v.VIP.IsValid() {
		note = "VIP on " + v.Device(d)
		if v.VRRPInstance != nil {
			note += " of the master"
		}
	}
	var first, second []Step
	for _, c := range w.clients() {
		hops := w.hops(c, d, Step{Packet: cip + " → " + vip, Note: note})
		first, second = append(first, hops[0]), append(second, hops[1:]...)
	}
	w.add(first...)
	w.add(second...)
}

// serve is the way from a director to a real server, and back to the clients.
func (w *way) serve(d *topology.Node, s topology.Server) {
	if s.Node == d {
		at := w.stop(d)
		w.add(Step{From: at, To: at, Packet: cip + " → " + vip, Note: "answers itself"})
		w.back(d, Step{Packet: vip + " → " + cip, Note: "from the VIP"})
		return
	}
	rip := w.rip(s)
	switch s.Mode {
	case topology.NAT:
		w.travel(d, s.Node, Step{Packet: cip + " → " + rip, Note: "the director writes " + rip + " for VIP"})
		note := "default route by the director"
		if s.Node.WayBack == topology.WayBackRule {
			note = "by a rule for what comes from RIP"
		}
		w.travel(s.Node, d, Step{Back: true, Packet: rip + " → " + cip, Note: note})
		w.back(d, Step{Packet: vip + " → " + cip, Note: "the director writes VIP for " + rip})
	case topology.FULLNAT:
		w.travel(d, s.Node, Step{Packet: dip + " → " + rip, Note: "the director writes DIP for C, " + rip + " for VIP"})
		w.travel(s.Node, d, Step{Back: true, Packet: rip + " → " + dip, Note: "to the director's own address"})
		w.back(d, Step{Packet: vip + " → " + cip, Note: "the director writes VIP for " + rip + ", C for DIP"})
	case topology.DR:
		w.travel(d, s.Node, Step{Packet: cip + " → " + vip, Note: "in a frame to RIP's MAC; VIP on " + w.quietDevice(s)})
		w.back(s.Node, Step{Packet: vip + " → " + cip, Note: "from the VIP, past the director"})
	case topology.TUN:
		w.travel(d, s.Node, Step{Packet: dip + " → " + rip + " [" + cip + " → " + vip + "]", Note: "the director wraps it, " + w.quietDevice(s) + " unwraps it"})
		w.back(s.Node, Step{Packet: vip + " → " + cip, Note: "from the VIP, past the director"})
	}
}

// quietDevice is where a real server has the VIP.
func (w *way) quietDevice(s topology.Server) string {
	switch {
	case s.Node.VIPInterface != "":
		return s.Node.VIPInterface
	case s.Mode == topology.DR:
		return "lo"
	case s.Address.Is6():
		return "ip6tnl0"
	}
	return "tunl0"
}

// back is the way to every client.
func (w *way) back(from *topology.Node, step Step) {
	step.Back = true
	for _, c := range w.clients() {
		w.travel(from, c, step)
	}
}

// travel adds the hops from one node to another.
func (w *way) travel(from, to *topology.Node, step Step) { w.add(w.hops(from, to, step)...) }

// hops are one or two from a node to another. A nil one is outside of the topology.
// What is done to the packet is said of the hop at whose end it is done: the first one of
// a way that begins at whoever does it, the last one of others.
func (w *way) hops(from, to *topology.Node, step Step) []Step {
	via := w.router(from, to)
	if via == nil {
		step.From, step.To = w.stop(from), w.stop(to)
		step.Out, step.In = w.devices(from, to)
		if from != nil && to != nil && step.Out == "" {
			step.Note += "; by other networks"
		}
		return []Step{step}
	}
	first, second := step, step
	first.From, first.To = w.stop(from), w.stop(via)
	first.Out, first.In = w.devices(from, via)
	second.From, second.To = w.stop(via), w.stop(to)
	second.Out, second.In = w.devices(via, to)
	if strings.HasPrefix(step.Note, "VIP on") {
		first.Note = ""
	} else {
		second.Note = ""
	}
	return []Step{first, second}
}

// router is the node between two others, nil if they need none or there is none: by a
// route of the first one, by its gateway, or else the first router that is near both.
func (w *way) router(from, to *topology.Node) *topology.Node {
	if from != nil && to != nil {
		via, ok := w.routed(from, to)
		switch {
		case via == to || !ok && w.near(from, to):
			return nil
		case ok && via != nil:
			return via
		}
	}
	for _, r := range w.topology.Nodes {
		if r.Role == topology.Router && r != from && r != to && (from == nil || w.near(r, from)) && (to == nil || w.near(r, to)) {
			return r
		}
	}
	return nil
}

// near reports whether two nodes share a subnet.
func (w *way) near(a, b *topology.Node) bool {
	_, ok := a.Neighbour(b, w.service.IPv6())
	return ok
}

// routed is the node that a node's own attributes send packets for another one to, nil
// for one that the topology does not have. ok is false if they say nothing of it: a
// subnet that both are on comes before the gateway, and before a route to more.
func (w *way) routed(from, to *topology.Node) (via *topology.Node, ok bool) {
	dst, known := to.First(w.service.IPv6())
	if !known {
		return nil, false
	}
	best, hop := -1, netip.Addr{}
	if _, p, on := from.On(dst); on {
		best = p.Bits()
	}
	for _, r := range from.Routes {
		if r.To.Contains(dst) && r.To.Bits() > best && r.Via.IsValid() {
			best, hop = r.To.Bits(), r.Via
		}
	}
	if best < 0 {
		hop = from.Gateway.Of(dst.Is6())
	}
	if !hop.IsValid() {
		return nil, false
	}
	for _, n := range w.topology.Nodes {
		if n.Owns(hop) {
			return n, true
		}
	}
	return nil, true
}

// devices are those at both ends of a hop: on the subnet of the next hop's address that
// the first node's own attributes name, else on the first one that both are on.
func (w *way) devices(from, to *topology.Node) (out, in string) {
	if from == nil || to == nil {
		return "", ""
	}
	next, ok := from.Neighbour(to, w.service.IPv6())
	hops := []netip.Addr{from.Gateway.Of(w.service.IPv6())}
	for _, r := range from.Routes {
		hops = append(hops, r.Via)
	}
	for _, hop := range hops {
		if to.Owns(hop) {
			next, ok = hop, true
		}
	}
	if ok {
		out, _, _ = from.On(next)
		in, _, _ = to.On(next)
	}
	return out, in
}

// stop is the index of a node's stop.
func (w *way) stop(n *topology.Node) int {
	s := Stop{Node: -1, Title: "clients"}
	if n != nil {
		i := w.folds[n]
		s = Stop{Node: i, Title: w.Nodes[i].Title, Mark: w.Nodes[i].Mark, Text: w.stopText(n, i)}
	}
	k := strconv.Itoa(s.Node)
	at, ok := w.stops[k]
	if !ok {
		at = len(w.list)
		w.stops[k] = at
		w.list = append(w.list, s)
	}
	return at
}

// stopText says which of C, VIP, DIP and RIP are a stop's.
func (w *way) stopText(n *topology.Node, fold int) []string {
	v := w.service
	members := w.members[fold]
	own := func(name string, of func(*topology.Node) (netip.Addr, bool)) []string {
		first, ok := of(members[0])
		last, _ := of(members[len(members)-1])
		if !ok {
			return nil
		}
		return []string{name + " " + span(first, last)}
	}
	switch n.Role {
	case topology.Client:
		return own(cip, func(n *topology.Node) (netip.Addr, bool) { return n.First(v.IPv6()) })
	case topology.Director:
		text := own(dip, func(n *topology.Node) (netip.Addr, bool) { return n.DIP, n.DIP.IsValid() })
		return append(text, w.weights(members)...)
	case topology.RealServer:
		text := own("RIP", func(n *topology.Node) (netip.Addr, bool) {
			for _, s := range v.RealServers {
				if s.Node == n {
					return s.Address, true
				}
			}
			return netip.Addr{}, false
		})
		return append(text, w.weights(members)...)
	}
	return nil
}

// weights are what a service gives to nodes that serve.
func (w *way) weights(members []*topology.Node) []string {
	var list []int
	for _, s := range w.service.RealServers {
		if slices.Contains(members, s.Node) {
			list = append(list, s.Weight)
		}
	}
	switch {
	case len(list) == 0:
		return nil
	case slices.Min(list) == slices.Max(list):
		return []string{"weight " + strconv.Itoa(list[0])}
	}
	return []string{fmt.Sprintf("weights %d to %d", slices.Min(list), slices.Max(list))}
}

// add adds steps that are not there yet: real servers alike take the same.
func (w *way) add(steps ...Step) {
	for _, s := range steps {
		if !slices.Contains(w.steps, s) {
			w.steps = append(w.steps, s)
		}
	}
}

// sort puts the stops into columns: clients, routers, directors, real servers.
func (w *way) sort() {
	column := func(s Stop) int {
		if s.Node < 0 {
			return 0
		}
		return slices.Index(roleOrder, w.Nodes[s.Node].Role)
	}
	order := make([]int, len(w.list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(column(w.list[a]), column(w.list[b])), cmp.Compare(w.list[a].Node, w.list[b].Node))
	})
	place := make([]int, len(order))
	sorted := make([]Stop, len(order))
	for i, old := range order {
		place[old], sorted[i] = i, w.list[old]
	}
	w.list = sorted
	for i := range w.steps {
		w.steps[i].From, w.steps[i].To = place[w.steps[i].From], place[w.steps[i].To]
	}
}
