package adopt

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/lvsctl/lvsctl/topology"
)

// real = lines of ldirectord.cf, and their checks. They depend on lines that may come later in
// the same virtual, so they are read when that has ended.

// finish makes a service's servers and checks, which depend on lines anywhere in it.
func (r *ldirectordReader) finish(s *service, c ldirectordCheck, reals []ldirectordLine) {
	if s.persistence != nil && s.persistence.Timeout == 0 {
		s.persistence = nil
	}
	if l, ok := r.sorry[s.ipv6]; ok && !s.sorry.IsValid() {
		r.fallback(s, l)
	}
	for _, l := range reals {
		r.real(s, l, c)
	}
	s.mode = mainMode(s.servers)
}

// forwards are ldirectord's names of modes.
var forwards = map[string]topology.Mode{"gate": topology.DR, "masq": topology.NAT, "ipip": topology.TUN}

// mostRange is how many servers a range may have: a /16.
const mostRange = 1 << 16

// real reads ADDRESS[->ADDRESS][:PORT] METHOD [WEIGHT] ["REQUEST", "RECEIVE"] [l:N] [u:N].
func (r *ldirectordReader) real(s *service, l ldirectordLine, c ldirectordCheck) {
	lost := func(why string) { r.lost(s, l.place, "real = %s is left out: %s.", l.text, why) }
	where, rest, _ := strings.Cut(strings.ReplaceAll(l.text, "\t", " "), " ")
	first, last, isRange := strings.Cut(where, "->")
	if isRange {
		// The port stands behind the end of the range.
		if i := strings.LastIndexByte(last, ':'); i >= 0 {
			first, last = first+last[i:], last[:i]
		}
	}
	addr, port, err := ldirectordEndpoint(first)
	if err != nil {
		lost(err.Error())
		return
	}
	end := addr
	if isRange {
		if end, err = netip.ParseAddr(last); err != nil || !end.Is4() || !addr.Is4() || end.Less(addr) {
			lost("the range is none of IPv4 addresses")
			return
		}
	}
	v := server{place: l.place, weight: 1}
	var quoted []string
	for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimLeft(rest, " ,") {
		if rest[0] == '"' {
			text, after, closed := strings.Cut(rest[1:], "\"")
			quoted, rest = append(quoted, text), after
			if !closed {
				lost("a quote is not closed")
				return
			}
			continue
		}
		word := rest
		if i := strings.IndexAny(rest, " ,\""); i >= 0 {
			word = rest[:i]
		}
		rest = rest[len(word):]
		r.flag(s, &v, l, word)
	}
	if v.mode == "" {
		lost("it has none of gate, masq and ipip")
		return
	}
	if len(quoted) > 0 && quoted[0] != "" {
		c.request = quoted[0]
	}
	if len(quoted) > 1 {
		r.lost(s, l.place, "%q of real is left out: a topology's http check looks at the status alone.", quoted[1])
	}
	v.check = r.check(s, l, c)
	for n := 0; ; n++ {
		if n == mostRange {
			r.lost(s, l.place, "The range %s is too long, and is left out from %s on.", where, addr)
			return
		}
		one := v
		one.addr, one.port = addr, port
		if port == 0 || v.mode != topology.NAT && s.mark == 0 {
			one.port = s.port // as ldirectord and IPVS do, see ldirectord(8)
		}
		s.servers = append(s.servers, &one)
		if addr == end {
			return
		}
		addr = addr.Next()
	}
}

// flag reads a word behind a real server.
func (r *ldirectordReader) flag(s *service, v *server, l ldirectordLine, word string) {
	if m, ok := forwards[word]; ok {
		v.mode = m
		return
	}
	text, slot := word, &v.weight
	if upper, ok := strings.CutPrefix(word, "u:"); ok {
		text, slot = upper, &v.upper
	}
	if lower, ok := strings.CutPrefix(word, "l:"); ok {
		text, slot = lower, &v.lower
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 65535 {
		r.lost(s, l.place, "%q of real is left out: it is neither a method nor a number.", word)
		return
	}
	*slot = n
}

// ldirectordServices are what ldirectord takes a port for (ld_port_to_service).
var ldirectordServices = map[uint16]string{
	21: "ftp", 25: "smtp", 53: "dns", 80: "http", 110: "pop", 119: "nntp", 143: "imap", 389: "ldap", 443: "https", 587: "submission", 636: "ldaps",
	993: "imaps", 995: "pops", 1521: "oracle", 1812: "radius", 3128: "http_proxy", 3306: "mysql", 5060: "sip", 5432: "pgsql",
}

// check makes a topology's check of ldirectord's.
func (r *ldirectordReader) check(s *service, l ldirectordLine, c ldirectordCheck) *topology.HealthCheck {
	h := &topology.HealthCheck{Kind: "tcp", Interval: 10 * time.Second, Timeout: 5 * time.Second, Retries: max(c.failures, 1) - 1}
	if c.interval > 0 {
		h.Interval = time.Duration(c.interval) * time.Second
	}
	connect, negotiate := c.connect, c.negotiate
	if connect == 0 {
		connect = orElse(negotiate, 5)
	}
	if negotiate == 0 {
		negotiate = orElse(c.connect, 30)
	}
	h.Timeout = time.Duration(connect) * time.Second
	negotiates := c.kind == "" || c.kind == "negotiate"
	switch c.kind {
	case "off", "on":
		h.Kind = "none"
		if c.kind == "off" {
			r.lost(s, l.place, "checktype = off keeps all real servers out under ldirectord. In the topology they are in.")
		}
	case "external", "external-perl", "ping":
		h.Kind = "none"
		r.lost(s, l.place, "checktype = %s has no counterpart: write health_check { misc { command = ... } }. No check is in its place.", c.kind)
	case "", "connect", "negotiate":
	default:
		n, err := strconv.Atoi(c.kind)
		if negotiates = err == nil; negotiates {
			r.lost(s, l.place, "checktype = %d negotiates in each %dth check only: in the topology each is alike.", n, n+1)
		} else {
			r.lost(s, l.place, "checktype = %s is left out: it is none of ldirectord's.", c.kind)
		}
	}
	if negotiates && h.Kind != "none" {
		h.Timeout = time.Duration(negotiate) * time.Second
		r.negotiate(s, l, c, h)
	}
	if h.Kind == "tcp" && s.protocol == topology.UDP {
		h.Kind = "udp"
	}
	return h
}

// negotiate reads what a check asks for.
func (r *ldirectordReader) negotiate(s *service, l ldirectordLine, c ldirectordCheck, h *topology.HealthCheck) {
	kind := c.service
	if kind == "" && s.mark == 0 {
		kind = ldirectordServices[s.port]
	}
	if kind != "http" && c.request != "" {
		r.lost(s, l.place, "request = %q is left out: only an http check asks for something in a topology.", c.request)
	}
	switch kind {
	case "http":
		h.Kind, h.Path, h.Status = "http", "/", 200
		path := c.request
		if path != "" && !strings.HasPrefix(path, "/") && !strings.Contains(path, "://") {
			path = "/" + path
		}
		switch {
		case path == "":
		case strings.Contains(path, "://") || strings.ContainsAny(path, " \t\"'\\{}#!$~@"):
			r.lost(s, l.place, "request = %q is left out: it is no path of a topology's http check, which asks for /.", c.request)
		default:
			h.Path = path
		}
	case "", "none": // ldirectord takes all its servers for good
		h.Kind = "none"
	default:
		r.lost(s, l.place, "The check of %s is left out: a topology has none such, and tries a connection in its place.", kind)
	}
}
