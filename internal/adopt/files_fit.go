package adopt

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/lvsctl/lvsctl/topology"
)

// Services as files have them, made into what a topology can say. A file may have what the
// kernel or keepalived takes and a topology refuses. Such a service is changed as little as
// possible, or left out, and in both cases a remark says so: nothing is lost in silence.

// fit brings a service into what a topology can say, and notes what it cannot. It returns
// false if the service is left out.
func (b *builder) fit(w *balanced) bool {
	lost := func(format string, args ...any) { b.lost(w.service, w.place, format, args...) }
	out := func(why string) bool {
		delete(b.elements, w.service)
		lost("%s is left out: %s.", w.what(), why)
		return false
	}
	switch {
	case w.mark > 1<<31-1:
		return out("its mark is above 2147483647, which not every ipvsadm reads")
	case w.mark == 0 && !usable(w.vip):
		return out("its address is none that a host has on a network")
	case w.mark == 0 && w.port == 0 && w.persistence == nil:
		return out("IPVS takes every port for persistent services only")
	case w.mode == topology.NAT && w.pair == nil && len(w.directors) > 1:
		w.directors = w.directors[:1]
	}
	if p := w.persistence; p != nil {
		if p.Engine != "" && (p.Engine != "sip" || w.mark == 0 && w.protocol != topology.UDP) {
			lost("The persistence engine %s is left out: it is for SIP over UDP.", p.Engine)
			p.Engine = ""
		}
		w.within("The persistence timeout", &p.Timeout, 1, 31*24*3600, lost)
	}
	b.fitServers(w)
	if w.pair != nil && len(w.servers) > 0 && !slices.ContainsFunc(w.servers, func(s *server) bool { return s.weight > 0 }) {
		return out("all its weights are 0, which keepalived miscounts")
	}
	w.flags = slices.DeleteFunc(w.flags, func(f string) bool {
		scheduler, _, ok := strings.Cut(f, "-")
		known := ok && (scheduler == "sh" || scheduler == "mh") && (strings.HasSuffix(f, "-port") || strings.HasSuffix(f, "-fallback"))
		if known && scheduler == w.scheduler {
			return false
		}
		lost("The flag %s is left out: it is none of the scheduler %s.", f, w.scheduler)
		return true
	})
	nat := slices.ContainsFunc(w.servers, func(s *server) bool { return s.mode == topology.NAT }) || w.mode == topology.NAT
	switch {
	case w.onePacket && w.mark == 0 && w.protocol != topology.UDP:
		w.onePacket = false
		lost("One-packet scheduling is left out: it is for UDP.")
	case w.onePacket && nat:
		w.onePacket = false
		lost("One-packet scheduling is left out: in mode nat the answers would not have the VIP as their source.")
	}
	b.fitSorry(w)
	b.fitCheck(w)
	return true
}

// within brings a number into the range that a topology has.
func (*balanced) within(what string, n *int, low, high int, lost func(string, ...any)) {
	if in := min(max(*n, low), high); in != *n {
		lost("%s is %d here, and from %d to %d in a topology: it is %d there.", what, *n, low, high, in)
		*n = in
	}
}

// usable reports whether an address can be that of a host.
func usable(a netip.Addr) bool {
	return a.IsValid() && a.Zone() == "" && !a.IsUnspecified() && !a.IsLoopback() && !a.IsMulticast() && !a.IsLinkLocalUnicast() &&
		!(a.Is4() && (a.As4()[0] >= 240 || a.As4()[0] == 0))
}

func (b *builder) fitServers(w *balanced) {
	type at struct {
		addr netip.Addr
		port uint16
	}
	seen := map[at]bool{}
	w.servers = slices.DeleteFunc(w.servers, func(s *server) bool {
		if w.mark == 0 && s.mode == topology.NAT && s.port == 0 {
			s.port = w.port
		}
		if s.mode != topology.NAT && s.port != w.port {
			if s.port != 0 && w.mark == 0 {
				b.lost(w.service, s.place, "port %d of %s is %d in the topology: mode %s cannot change it.", s.port, s.addr, w.port, s.mode)
			} else if s.port != 0 {
				b.lost(w.service, s.place, "Port %d of %s is left out: in mode %s packets keep the port that they were sent to.", s.port, s.addr, s.mode)
			}
			s.port = w.port
		}
		lost := func(format string, args ...any) { b.lost(w.service, s.place, format, args...) }
		w.within("The weight of "+s.addr.String(), &s.weight, 0, 65535, lost)
		w.within("The upper threshold of "+s.addr.String(), &s.upper, 0, 1<<31-1, lost)
		w.within("The lower threshold of "+s.addr.String(), &s.lower, 0, 1<<31-1, lost)
		if s.lower > s.upper {
			b.lost(w.service, s.place, "lthreshold %d of %s is left out: it is above the upper one.", s.lower, s.addr)
			s.lower = 0
		}
		why := ""
		switch {
		case s.addr.IsLoopback():
			why = "it is the director itself; name the director in real_server { }"
		case !usable(s.addr):
			why = "its address is none that a host has on a network"
		case s.addr == w.vip:
			why = "its address is the VIP"
		case s.addr.Is6() != w.ipv6 && (s.mode != topology.TUN || !w.vip.IsValid()):
			why = "its address is of the other family, which only mode tun carries"
		case seen[at{s.addr, s.port}]:
			why = "it is in the service already"
		case w.pair != nil && s.mode != topology.NAT && slices.ContainsFunc(w.pair.members, func(i *instance) bool { return i.source == s.addr }):
			why = "it is a director of the instance, which would balance again what the master sent it"
		}
		seen[at{s.addr, s.port}] = true
		if why != "" {
			b.lost(w.service, s.place, "The real server %s is left out: %s.", netip.AddrPortFrom(s.addr, s.port), why)
		}
		return why != ""
	})
}

func (b *builder) fitSorry(w *balanced) {
	s := w.sorry
	if !s.IsValid() {
		w.sorry = netip.AddrPort{}
		return
	}
	why := ""
	switch {
	case w.pair == nil:
		why = "lvsctl has sorry servers by keepalived only, for directors of a vrrp_instance"
	case w.mode == topology.NAT && s.Addr().IsLoopback():
		why = "in mode nat nothing reaches a loopback address"
	case !s.Addr().IsLoopback() && !usable(s.Addr()):
		why = "its address is none that a host has on a network"
	case s.Addr().Is6() != w.ipv6:
		why = "it is of the other family"
	case w.mode != topology.NAT && s.Port() != w.port:
		w.sorry = netip.AddrPortFrom(s.Addr(), w.port)
		b.lost(w.service, w.sorryAt, "The sorry server's port %d is %d in the topology: mode %s cannot change it.", s.Port(), w.port, w.mode)
	}
	if why == "" && slices.ContainsFunc(w.servers, func(v *server) bool { return v.addr == w.sorry.Addr() && v.port == w.sorry.Port() }) {
		why = "it is a real server of the service"
	}
	if why != "" {
		b.lost(w.service, w.sorryAt, "The sorry server %s is left out: %s.", s, why)
		w.sorry = netip.AddrPort{}
	}
}

// fitCheck gives the service the check that its servers have: all have one in a topology.
func (b *builder) fitCheck(w *balanced) {
	var h *topology.HealthCheck
	for _, s := range w.servers {
		if s.check != nil && h == nil {
			c := *s.check
			h = &c
		}
	}
	if w.pair == nil {
		var texts []string
		for _, s := range w.servers {
			if s.check != nil && s.check.Kind != "none" && !slices.Contains(texts, checkText(*s.check)) {
				texts = append(texts, checkText(*s.check))
			}
		}
		if len(texts) > 0 {
			b.lost(w.service, w.place, "The checks are left out (%s): lvsctl checks real servers by keepalived only, for directors of a vrrp_instance.", strings.Join(texts, "; "))
		}
		return
	}
	if h == nil {
		w.healthCheck = &topology.HealthCheck{Kind: "none", Interval: defaultCheck.Interval, Timeout: defaultCheck.Timeout, Retries: defaultCheck.Retries}
		if w.check.Interval > 0 && w.check.Interval != keepalivedInterval && len(w.servers) > 0 {
			b.lost(w.service, w.place, "delay_loop %s is left out: no real server has a check.", w.check.Interval)
		}
		return
	}
	asks := func(c *topology.HealthCheck) string { return fmt.Sprint(c.Kind, c.Path, c.Status, c.Command) }
	alike := true
	for _, s := range w.servers {
		alike = alike && (s.check == nil || asks(s.check) == asks(h))
	}
	if !alike {
		for _, s := range w.servers {
			if s.check != nil {
				b.lost(w.service, s.place, "%s has the check %s. A service of a topology has one check for all its servers, and these have several: a connection is tried in their place.", s.addr, checkText(*s.check))
			}
		}
		h.Kind, h.Command = "tcp", ""
		if w.protocol == topology.UDP && w.mark == 0 {
			h.Kind = "udp"
		}
	}
	for _, s := range w.servers {
		switch {
		case s.check == nil:
			b.lost(w.service, s.place, "%s has no check. In the topology it has the one of the others: %s.", s.addr, checkText(*h))
		case alike && *s.check != *h:
			b.lost(w.service, s.place, "%s has other times in its check (%s) than the first, which all have in the topology: %s.", s.addr, checkText(*s.check), checkText(*h))
		}
	}
	b.fitKind(w, h)
	if h.Kind == "none" {
		h.Interval, h.Timeout, h.Retries = defaultCheck.Interval, defaultCheck.Timeout, defaultCheck.Retries
	}
	if h.Timeout == 0 {
		h.Timeout = defaultCheck.Timeout
	}
	h.Interval = min(max(h.Interval, 100*time.Millisecond), time.Hour)
	w.healthCheck = h
}

// fitKind replaces a kind of check that the servers cannot answer.
func (b *builder) fitKind(w *balanced, h *topology.HealthCheck) {
	portless := slices.ContainsFunc(w.servers, func(s *server) bool { return s.port == 0 })
	was := h.Kind
	switch h.Kind {
	case "tcp", "http":
		if w.mark == 0 && w.protocol != topology.TCP {
			h.Kind = map[bool]string{true: "udp", false: "none"}[w.protocol == topology.UDP]
			b.lost(w.service, w.place, "a %s check opens a TCP connection, and the service is %s. In the topology the check is %s.", was, w.protocol, h.Kind)
		}
	case "udp":
		if w.mark == 0 && w.protocol != topology.UDP {
			h.Kind = map[bool]string{true: "tcp", false: "none"}[w.protocol == topology.TCP]
			b.lost(w.service, w.place, "a udp check sends a datagram, and the service is %s. In the topology the check is %s.", w.protocol, h.Kind)
		}
	}
	if portless && (h.Kind == "tcp" || h.Kind == "http" || h.Kind == "udp") {
		b.lost(w.service, w.place, "The %s check is left out: it needs a port, and the real servers have none in the topology. Write health_check { misc { command = ... } }.", h.Kind)
		h.Kind = "none"
	}
	if h.Kind != "http" {
		h.Path, h.Status = "", 0
	}
}

// checkText is a check in words.
func checkText(h topology.HealthCheck) string {
	text := h.Kind
	switch h.Kind {
	case "http":
		text += fmt.Sprintf(" %s, status %d", h.Path, h.Status)
	case "misc":
		text += " " + h.Command
	case "none":
		return text
	}
	return text + fmt.Sprintf(", each %s, timeout %s, %d retries", h.Interval, h.Timeout, h.Retries)
}
