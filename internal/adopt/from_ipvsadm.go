package adopt

import (
	"cmp"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/topology"
)

// ipvsadm -S, -Ln and the files of ipvsadm-restore (from_files.go says what comes of them).

// readIPVSADM makes a director of what ipvsadm printed or is to restore.
func readIPVSADM(t keepalived.Text, n *notes) *config {
	c := &config{file: t.Path, form: "ipvsadm"}
	f := state.ParseTableFile(t.Text)
	byKey := map[state.ServiceKey]*service{}
	for k, v := range f.Services {
		s := &service{
			place: place{t.Path, f.Lines[k]}, vip: k.Addr.Addr(), port: k.Addr.Port(), mark: k.Mark, ipv6: k.V6 || k.Addr.Addr().Is6(),
			protocol: topology.Protocol(k.Protocol), scheduler: v.Scheduler, onePacket: v.OnePacket, of: c,
		}
		if k.Protocol == state.FWMark {
			s.protocol = topology.TCP
		}
		if v.Flags != "" {
			s.flags = strings.Split(v.Flags, ",")
		}
		if v.Timeout > 0 {
			s.persistence = &topology.Persistence{Timeout: v.Timeout, Netmask: v.Mask, Engine: v.Engine}
		}
		byKey[k] = s
		c.services = append(c.services, s)
	}
	for k, v := range f.Servers {
		s := byKey[k.Service]
		w, _ := state.ParseWrapping(v.Tunnel) // it was written by the same
		tunnel, lost := tunnelOf(w)
		if lost != "" {
			n.lost(s, s.place, "%s: %s", k.Addr, lost)
		}
		s.servers = append(s.servers, &server{
			place: s.place, addr: k.Addr.Addr(), port: k.Addr.Port(), weight: v.Weight, upper: v.Upper, lower: v.Lower, mode: topology.Mode(v.Forward), tunnel: tunnel,
		})
	}
	slices.SortFunc(c.services, func(a, b *service) int { return cmp.Compare(a.line, b.line) })
	for _, s := range c.services {
		slices.SortFunc(s.servers, func(a, b *server) int {
			return cmp.Or(a.addr.Compare(b.addr), cmp.Compare(a.port, b.port))
		})
		s.mode = mainMode(s.servers)
		if !slices.Contains(schedulers, s.scheduler) {
			n.lost(s, s.place, "%q is no scheduler that lvsctl knows: wlc is in its place.", s.scheduler)
			s.scheduler = defaultScheduler
		}
	}
	for _, p := range f.Problems {
		var about any = c
		if s := byKey[p.Service]; s != nil {
			about = s
		}
		n.lost(about, place{t.Path, p.Line}, "This is left out: %s.", p.Text)
	}
	if len(f.Timeouts) > 0 {
		month := func(n int) int { return min(max(n, 0), 31*24*3600) } // ipvsadm's own limit
		c.timeouts = &topology.Timeouts{TCP: month(f.Timeouts[state.TimeoutTCP]), TCPFin: month(f.Timeouts[state.TimeoutTCPFin]), UDP: month(f.Timeouts[state.TimeoutUDP])}
	}
	for role, d := range f.Daemons {
		if c.sync != nil {
			role = "both"
		}
		c.sync = &syncDaemon{dev: d.Interface, id: d.ID, role: role}
	}
	return c
}

// mainMode is the mode of most of a service's servers.
func mainMode(servers []*server) topology.Mode {
	count := map[topology.Mode]int{}
	for _, v := range servers {
		count[v.mode]++
	}
	best := topology.DR // ipvsadm's own, of a service without servers
	for _, m := range []topology.Mode{topology.DR, topology.NAT, topology.TUN} {
		if count[m] > count[best] {
			best = m
		}
	}
	return best
}
