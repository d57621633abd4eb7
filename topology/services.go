package topology

import (
	"net/netip"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
)

// A service is a VirtualServer while it is checked.
type service struct {
	*VirtualServer
	*scope
	raw       rawService
	directors []*node
	servers   []server
	vip       netip.Addr // zero for a fwmark service without one
	broken    bool       // something in it was refused: no further check looks at it
}

var (
	modes      = []string{string(NAT), string(DR), string(TUN), string(FULLNAT)}
	protocols  = []string{string(TCP), string(UDP), string(SCTP)}
	schedulers = []string{"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos"}
	// schedulerFlags says which scheduler each flag belongs to.
	schedulerFlags = map[string]string{"sh-port": "sh", "sh-fallback": "sh", "mh-port": "mh", "mh-fallback": "mh"}
)

// readServices reads what one virtual_server block makes.
func (l *loader) readServices(block *hcl.Block) {
	for _, i := range l.instances(block) {
		if first, twice := l.serviceAt[i.name]; twice {
			l.refuse(block.LabelRanges[0], "Name given twice", "A virtual_server %s is described at %s already.", quote(i.name), first)
			continue
		}
		l.serviceAt[i.name] = block.DefRange
		l.services = append(l.services, l.readService(i))
	}
}

func (l *loader) readService(i instance) *service {
	before := i.errors
	s := &service{
		VirtualServer: &VirtualServer{Name: i.name, Range: i.block.DefRange},
		scope:         i.scope,
	}
	i.decode(i.block.Body, &s.raw)
	s.readAddress()
	s.readMode()
	l.readDirectors(s)
	if dev, ok := s.deviceAttr(s.raw.Interface); ok {
		s.Interface = dev
	}
	l.readServers(s)
	s.readPersistence()
	s.OnePacket = s.flag(s.raw.OnePacket)
	s.readMarks()
	s.readExtras()
	s.broken = s.errors > before
	return s
}

// readAddress reads what traffic the service takes: VIP, port and protocol, or
// a firewall mark.
func (s *service) readAddress() {
	s.Protocol = TCP
	if p, ok := s.choice(s.raw.Protocol, protocols); ok {
		s.Protocol = Protocol(p)
	}
	if text, ok := s.text(s.raw.VIP); ok {
		s.readVIP(text)
	}
	if s.isSet(s.raw.FWMark) {
		// ipvsadm up to 1.31 prints a mark above this as a negative number, which it
		// cannot read back.
		if mark, ok := s.integer(s.raw.FWMark, 1, 1<<31-1); ok {
			s.FWMark = uint32(mark)
		}
		for _, a := range []*hcl.Attribute{s.raw.Port, s.raw.Protocol} {
			if s.isSet(a) {
				s.refuse(a.NameRange, "Both fwmark and "+a.Name, "A mark takes the place of port and protocol. Say which packets get the mark in mark { protocol, ports }.")
			}
		}
		return
	}
	s.require(s.raw.VIP, "vip", s.Range, "A virtual server needs the address that clients use: vip, or a fwmark.")
	s.require(s.raw.Port, "port", s.Range, "A virtual server needs a port, or a fwmark. Port 0 with persistence takes every port.")
	if port, ok := s.integer(s.raw.Port, 0, 65535); ok {
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

// readMode reads how packets are handed on.
func (s *service) readMode() {
	s.require(s.raw.Mode, "mode", s.Range, "A virtual server needs a mode: "+orList(modes)+".")
	if m, ok := s.choice(s.raw.Mode, modes); ok {
		s.Mode = Mode(m)
	}
	s.Scheduler = "wlc"
	if name, ok := s.choice(s.raw.Scheduler, schedulers); ok {
		s.Scheduler = name
	}
	flags, _ := s.texts(s.raw.SchedulerFlags)
	for _, f := range flags {
		if !s.oneOf("scheduler flag", f.key, f.at, sortedKeys(schedulerFlags)) {
			continue
		}
		if owner := schedulerFlags[f.key]; owner != s.Scheduler {
			s.refuse(f.at, "Flag of another scheduler", "%s belongs to the scheduler %s, and this service uses %s.", f.key, owner, s.Scheduler)
			continue
		}
		s.SchedulerFlags = append(s.SchedulerFlags, f.key)
	}
	slices.Sort(s.SchedulerFlags)
	s.SchedulerFlags = slices.Compact(s.SchedulerFlags)
}

// readDirectors finds the directors that hold the service.
func (l *loader) readDirectors(s *service) {
	attr := s.raw.Directors
	switch {
	case s.raw.Director != nil && s.raw.Directors != nil:
		s.refuse(s.raw.Director.NameRange, "Both director and directors", "Name all of them in directors.")
		return
	case s.raw.Director != nil:
		attr = s.raw.Director
	}
	if !s.isSet(attr) {
		l.onlyDirector(s)
		return
	}
	before := s.errors
	words, _ := s.texts(attr)
	seen := map[*node]bool{}
	for _, w := range words {
		found, ok := l.members(attr.Name, w, Director)
		if !ok {
			continue
		}
		for _, d := range found {
			if seen[d] {
				s.refuse(w.at, "Director named twice", "%s names %s twice.", attr.Name, d.Name)
				continue
			}
			seen[d] = true
			s.directors = append(s.directors, d)
		}
	}
	if len(s.directors) == 0 && s.errors == before {
		s.refuse(attr.Expr.Range(), "No director", "A virtual server needs a director that holds it.")
	}
}

// onlyDirector is the default: the only director there is.
func (l *loader) onlyDirector(s *service) {
	switch len(l.directorNames) {
	case 1:
		s.directors = []*node{l.nodes[l.directorNames[0]]}
	case 0:
		if l.brokenDirectors {
			s.errors++
			return
		}
		s.refuse(s.Range, "No director", "The topology has no director to hold this virtual server. Write a director block.")
	default:
		s.refuse(s.Range, "Which director?", "The topology has %s. Say which of them hold this virtual server: director = %s, or directors = [...].",
			count(len(l.directorNames), "director"), quote(l.directorNames[0]))
	}
}

// readExtras reads what stands beside the balancing itself.
func (s *service) readExtras() {
	// Less than 536 no host must accept (RFC 1122), more than 65495 none can send.
	if mss, ok := s.integer(s.raw.MSS, 536, 65495); ok {
		s.MSS = mss
		if s.Mode != TUN && s.Mode != "" {
			s.refuse(s.raw.MSS.NameRange, "mss without a tunnel", "mss makes room for the outer header of mode \"tun\", and this service is %s.", quote(string(s.Mode)))
		}
	}
	s.Drain, _ = s.duration(s.raw.Drain, 0, 24*time.Hour)
	if text, ok := s.text(s.raw.SorryServer); ok {
		s.readSorryServer(text)
	}
	s.readHealthCheck()
}

// readSorryServer reads address[:port]; the port is the service's by default.
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
	if err == nil {
		err = host(addr)
	}
	if err != nil {
		s.refuseAddr("sorry_server", text, at, err)
		return
	}
	s.SorryServer = sorry
}
