package graph

import (
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
		w := &way{drawing: d, service: v, stops: map[int]int{}}
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
	stops   map[int]int // index of list, by the Stop's Node
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
		w.travel(d, s.Node, Step{Packet: cip + " → " + vip, Note: "in a frame to RIP's MAC; VIP on " + s.VIPDevice()})
		w.back(s.Node, Step{Packet: vip + " → " + cip, Note: "from the VIP, past the director"})
	case topology.TUN:
		w.travel(d, s.Node, Step{Packet: dip + " → " + rip + " [" + cip + " → " + vip + "]", Note: "the director wraps it" + wrapping(s.Tunnel) + ", " + s.TunnelDevice() + " unwraps it"})
		w.back(s.Node, Step{Packet: vip + " → " + cip, Note: "from the VIP, past the director"})
	}
}

// wrapping says what a packet is wrapped in if that is more than an IP header.
func wrapping(t topology.Tunnel) string {
	switch t.Type {
	case topology.GUE:
		return fmt.Sprintf(" in gue (UDP port %d)", t.Port)
	case topology.GRE:
		return " in gre"
	}
	return ""
}

// back is the way to every client.
func (w *way) back(from *topology.Node, step Step) {
	step.Back = true
	for _, c := range w.clients() {
		w.travel(from, c, step)
	}
}

// add adds steps that are not there yet: real servers alike take the same.
func (w *way) add(steps ...Step) {
	for _, s := range steps {
		if !slices.Contains(w.steps, s) {
			w.steps = append(w.steps, s)
		}
	}
}
