package topology

import (
	"net/netip"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsctl/lvsctl/internal/lang"
	"github.com/lvsctl/lvsctl/internal/plural"
)

// A service is a VirtualServer while it is read and checked.
type service struct {
	*VirtualServer
	scope
	raw       rawService
	directors []*node
	servers   []server
	vip       netip.Addr // zero for a fwmark service without one
	broken    bool       // something in it was refused, so further checks leave it out
}

var (
	modes      = []string{string(NAT), string(DR), string(TUN), string(FULLNAT)}
	protocols  = []string{string(TCP), string(UDP), string(SCTP)}
	schedulers = []string{"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos"}
	// schedulerFlags holds the scheduler that each flag belongs to.
	schedulerFlags = map[string]string{"sh-port": "sh", "sh-fallback": "sh", "mh-port": "mh", "mh-fallback": "mh"}
)

// readServices reads the services that one virtual_server block makes: one, or several
// with for_each.
func (l *loader) readServices(block *hcl.Block) {
	for _, i := range l.module.Instances(block) {
		if !l.grow(l.routers, block.DefRange) {
			return
		}
		if first, twice := l.serviceAt[i.Name]; twice {
			l.Refuse(block.LabelRanges[0], "Name given twice", "A virtual_server %s is described at %s already.", lang.Quote(i.Name), first)
			continue
		}
		l.serviceAt[i.Name] = block.DefRange
		l.services = append(l.services, l.readService(i))
	}
}

func (l *loader) readService(i lang.Instance) *service {
	before := i.Errors
	s := &service{
		VirtualServer: &VirtualServer{Name: i.Name, Range: i.Block.DefRange},
		scope:         scope{i.Scope},
	}
	i.Decode(i.Block.Body, &s.raw)
	s.readAddress()
	s.readMode()
	s.Tunnel = s.readTunnel(s.raw.Tunnel, s.Mode, "service")
	l.readDirectors(s)
	if dev, ok := s.deviceAttr(s.raw.Interface); ok {
		s.Interface = dev
	}
	l.readServers(s)
	s.readPersistence()
	s.OnePacket = s.Flag(s.raw.OnePacket)
	s.readMarks()
	s.readExtras()
	s.broken = s.Errors > before
	return s
}

// readAddress reads which packets the service takes: by VIP, port and protocol, or by a
// firewall mark.
func (s *service) readAddress() {
	s.Protocol = TCP
	if p, ok := s.Choice(s.raw.Protocol, protocols); ok {
		s.Protocol = Protocol(p)
	}
	if text, ok := s.Text(s.raw.VIP); ok {
		s.readVIP(text)
	}
	if s.IsSet(s.raw.FWMark) {
		// ipvsadm up to 1.31 prints a mark above this as a negative number, which it
		// cannot read back.
		if mark, ok := s.Integer(s.raw.FWMark, 1, 1<<31-1); ok {
			s.FWMark = uint32(mark)
		}
		for _, a := range []*hcl.Attribute{s.raw.Port, s.raw.Protocol} {
			if s.IsSet(a) {
				s.Refuse(a.NameRange, "Both fwmark and "+a.Name, "A mark takes the place of port and protocol. Say which packets get the mark in mark { protocol, ports }.")
			}
		}
		return
	}
	s.Require(s.raw.VIP, "vip", s.Range, "A virtual server needs the address that clients use: vip, or a fwmark.")
	s.Require(s.raw.Port, "port", s.Range, "A virtual server needs a port, or a fwmark. Port 0 with persistence takes every port.")
	if port, ok := s.Integer(s.raw.Port, 0, 65535); ok {
		s.Port = uint16(port)
	}
}

func (s *service) readVIP(text string) {
	p, err := parsePrefix(text)
	if addr, plain := parseAddr(text); plain == nil {
		p, err = netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	if err == nil {
		err = hostOf(p.Addr(), p)
	}
	if err != nil {
		s.refuseAddr("vip", text, s.raw.VIP.Expr.Range(), err)
		return
	}
	s.VIP, s.vip = p, p.Addr()
}

// readMode reads the forwarding mode, the scheduler and its flags.
func (s *service) readMode() {
	s.Require(s.raw.Mode, "mode", s.Range, "A virtual server needs a mode: "+lang.OrList(modes)+".")
	if m, ok := s.Choice(s.raw.Mode, modes); ok {
		s.Mode = Mode(m)
	}
	s.Scheduler = "wlc"
	if name, ok := s.Choice(s.raw.Scheduler, schedulers); ok {
		s.Scheduler = name
	}
	flags, _ := s.Texts(s.raw.SchedulerFlags)
	for _, f := range flags {
		if !s.OneOf("scheduler flag", f.Key, f.At, lang.SortedKeys(schedulerFlags)) {
			continue
		}
		if owner := schedulerFlags[f.Key]; owner != s.Scheduler {
			s.Refuse(f.At, "Flag of another scheduler", "%s belongs to the scheduler %s, and this service uses %s.", f.Key, owner, s.Scheduler)
			continue
		}
		s.SchedulerFlags = append(s.SchedulerFlags, f.Key)
	}
	slices.Sort(s.SchedulerFlags)
	s.SchedulerFlags = slices.Compact(s.SchedulerFlags)
}

// readDirectors resolves the names of the service's directors.
func (l *loader) readDirectors(s *service) {
	attr := s.raw.Directors
	switch {
	case s.raw.Director != nil && s.raw.Directors != nil:
		s.Refuse(s.raw.Director.NameRange, "Both director and directors", "Name all of them in directors.")
		return
	case s.raw.Director != nil:
		attr = s.raw.Director
	}
	if !s.IsSet(attr) {
		l.onlyDirector(s)
		return
	}
	before := s.Errors
	words, _ := s.Texts(attr)
	seen := map[*node]bool{}
	for _, w := range words {
		found, ok := l.members(attr.Name, w, Director)
		if !ok {
			continue
		}
		for _, d := range found {
			if seen[d] {
				s.Refuse(w.At, "Director named twice", "%s names %s twice.", attr.Name, d.Name)
				continue
			}
			seen[d] = true
			s.directors = append(s.directors, d)
		}
	}
	if len(s.directors) == 0 && s.Errors == before {
		s.Refuse(attr.Expr.Range(), "No director", "A virtual server needs a director that holds it.")
	}
}

// onlyDirector gives a service that names no director the topology's only one.
func (l *loader) onlyDirector(s *service) {
	switch len(l.directorNames) {
	case 1:
		s.directors = []*node{l.nodes[l.directorNames[0]]}
	case 0:
		if l.brokenDirectors {
			s.Errors++
			return
		}
		s.Refuse(s.Range, "No director", "The topology has no director to hold this virtual server. Write a director block.")
	default:
		s.Refuse(s.Range, "Which director?", "The topology has %s. Say which of them hold this virtual server: director = %s, or directors = [...].",
			plural.Of(len(l.directorNames), "director"), lang.Quote(l.directorNames[0]))
	}
}

// readExtras reads mss, drain and sorry_server.
func (s *service) readExtras() {
	// A host may refuse an MSS below 536 (RFC 1122), and cannot send one above 65495.
	if mss, ok := s.Integer(s.raw.MSS, 536, 65495); ok {
		s.MSS = mss
		if s.Mode != TUN && s.Mode != "" {
			s.Refuse(s.raw.MSS.NameRange, "mss without a tunnel", "mss makes room for the outer header of mode \"tun\", and this service is %s.", lang.Quote(string(s.Mode)))
		}
	}
	s.Drain, _ = s.Duration(s.raw.Drain, 0, 24*time.Hour)
	if text, ok := s.Text(s.raw.SorryServer); ok {
		s.readSorryServer(text)
	}
	s.readHealthCheck()
}

// readSorryServer reads ADDRESS[:PORT]. Without a port it is the service's.
func (s *service) readSorryServer(text string) {
	at := s.raw.SorryServer.Expr.Range()
	addr, err := parseAddr(text)
	sorry := netip.AddrPortFrom(addr, s.Port)
	if err != nil {
		full, fullErr := netip.ParseAddrPort(text)
		if fullErr == nil && full.Port() != 0 {
			sorry = full
			addr, err = parseAddr(full.Addr().String())
		}
	}
	if err == nil && !addr.IsLoopback() { // the director itself, in dr and tun
		err = host(addr)
	}
	if err != nil {
		s.refuseAddr("sorry_server", text, at, err)
		return
	}
	s.SorryServer = sorry
}
