package adopt

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/topology"
)

// An ldirectordReader makes a config of an ldirectord.cf, as read_config in ldirectord
// does (ClusterLabs/resource-agents, ldirectord.in):
//
//	checktimeout = 3                    global lines begin in the first column
//	virtual = 192.0.2.10:80             virtual6 for IPv6; a number is a firewall mark
//	    real = 10.0.0.11->10.0.0.13:80 masq 5 "index.html", "OK" l:10 u:100
//	    fallback = 127.0.0.1:80 gate    four blanks or a tab: of the service above
type ldirectordReader struct {
	*config
	*notes
	file    string
	line    int
	global  ldirectordCheck
	checks  []ldirectordCheck // of each service
	reals   [][]ldirectordLine
	current *ldirectordCheck
	// sorry is the global fallback, by family.
	sorry map[bool]ldirectordLine
}

type ldirectordLine struct {
	place
	text string
}

// An ldirectordCheck is what a service and the file say of checks.
type ldirectordCheck struct {
	kind, service, request string // checktype, service
	interval               int    // seconds; 0: not said
	connect, negotiate     int    // timeouts
	failures               int    // failurecount
}

func readLdirectord(t keepalived.Text, n *notes) *config {
	r := &ldirectordReader{config: &config{file: t.Path, form: "ldirectord"}, notes: n, file: t.Path, sorry: map[bool]ldirectordLine{}}
	for line := range strings.Lines(t.Text) {
		r.line++
		r.read(strings.TrimRight(line, " \t\r\n"))
	}
	for i, s := range r.services {
		r.finish(s, r.checks[i], r.reals[i])
	}
	// One whose address cannot be read was kept for the lines in it.
	r.services = slices.DeleteFunc(r.services, func(s *service) bool { return s.mark == 0 && !s.vip.IsValid() })
	return r.config
}

func (r *ldirectordReader) at() place { return place{r.file, r.line} }

// about is what the line at hand is about.
func (r *ldirectordReader) about(inside bool) any {
	if inside && len(r.services) > 0 {
		return r.services[len(r.services)-1]
	}
	return r.config
}

func (r *ldirectordReader) read(text string) {
	trimmed := strings.TrimLeft(text, " \t")
	if trimmed == "" || trimmed[0] == '#' {
		return
	}
	inside := trimmed != text && r.current != nil
	if inside {
		// A # begins a comment anywhere here, in quotes too.
		trimmed, _, _ = strings.Cut(trimmed, "#")
		if indent := strings.ReplaceAll(text[:len(text)-len(strings.TrimLeft(text, " \t"))], "\t", "    "); len(indent) < 4 {
			r.add(Note, r.about(true), r.at(), "ldirectord takes a line for one of a virtual service if four blanks or a tab are before it, and here are fewer.")
		}
	}
	word, value, ok := strings.Cut(trimmed, "=")
	word, value = strings.TrimSpace(word), strings.TrimSpace(value)
	switch {
	case !ok && word == "supervised":
		r.unsaid(r.config, word)
	case !ok:
		r.lost(r.about(inside), r.at(), "%q cannot be read.", trimmed)
	case word == "virtual" || word == "virtual6":
		r.virtual(value, word == "virtual6")
	case inside:
		r.word(word, value)
	default:
		r.globalWord(word, value)
	}
}

// unsaid notes a line that a topology has no word for.
func (r *ldirectordReader) unsaid(about any, word string) {
	for _, e := range ldirectordReasons {
		if slices.Contains(strings.Fields(e.words), word) {
			r.lost(about, r.at(), "%s is left out: %s.", word, e.why)
			return
		}
	}
	r.lost(about, r.at(), "%s is left out: a topology has no word for it.", word)
}

var ldirectordReasons = []struct{ words, why string }{
	{"emailalert emailalertfrom emailalertfreq emailalertstatus smtp", "lvsctl sends no mail"},
	{"quiescent readdquiescent", "keepalived takes a real server that fails its check out of the table"},
	{"cleanstop", "the table stays when lvsctl ends, because nothing of it runs"},
	{"autoreload callback execute supervised fork logfile monitorfile", "it is for a program that runs, and lvsctl does not"},
	{"maintenancedir", "write maintenance = true in the real_server in place of a file there"},
	{"checkport", "a topology's check goes to the real server's port"},
	{"receive virtualhost httpmethod login passwd database secret load", "a topology's http check looks at the status alone, and no other check asks anything"},
	{"checkcommand", "ldirectord adds arguments of its own to the command; write health_check { misc { command = ... } } with a command that needs none"},
	{"fallbackcommand", "lvsctl's keepalived runs no programs but checks"},
	{"comment", "it is for mail"},
	{"checkcount", "failurecount is the word for it"},
}

// virtual begins a service: ADDRESS:PORT, or a firewall mark.
func (r *ldirectordReader) virtual(value string, six bool) {
	s := &service{place: r.at(), scheduler: "wrr", protocol: topology.TCP, ipv6: six, of: r.config}
	if mark, err := strconv.ParseUint(value, 10, 31); err == nil && mark > 0 {
		s.mark = uint32(mark)
	} else {
		addr, port, err := ldirectordEndpoint(value)
		s.vip, s.port = addr, port
		if err != nil {
			r.lost(r.config, r.at(), "virtual = %s is left out with all that is in it: %s.", value, err)
			s.vip = netip.Addr{}
		} else if port == 53 {
			s.protocol = topology.UDP
		}
	}
	r.services = append(r.services, s)
	r.checks, r.reals = append(r.checks, r.global), append(r.reals, nil)
	r.current = &r.checks[len(r.checks)-1]
}

// ldirectordEndpoint reads ADDRESS:PORT, where the port may be a name, and 0 is none.
func ldirectordEndpoint(text string) (netip.Addr, uint16, error) {
	host, name := text, ""
	if i := strings.LastIndexByte(text, ':'); i >= 0 && !strings.HasSuffix(text, "]") {
		host, name = text[:i], text[i+1:]
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil || addr.Zone() != "" {
		return addr, 0, fmt.Errorf("%q is no address, and only the director knows what a name stands for", host)
	}
	port, ok := state.PortNumber(name)
	if name != "" && !ok {
		return addr, 0, fmt.Errorf("the port %q is not known here", name)
	}
	return addr, port, nil
}

// word reads a line of a service.
func (r *ldirectordReader) word(word, value string) {
	s, c := r.services[len(r.services)-1], r.current
	plain := strings.Trim(value, "\"")
	switch word {
	case "real", "real6":
		i := len(r.reals) - 1
		r.reals[i] = append(r.reals[i], ldirectordLine{r.at(), value})
	case "fallback", "fallback6":
		r.fallback(s, ldirectordLine{r.at(), value})
	case "scheduler":
		s.scheduler = value
		if !slices.Contains(schedulers, value) {
			r.lost(s, r.at(), "%q is no scheduler that lvsctl knows: wlc is in its place.", value)
			s.scheduler = defaultScheduler
		}
	case "schedflags":
		s.flags = append(s.flags, strings.Split(value, ",")...)
	case "persistent":
		n := r.number(s, word, value, 1, 31*24*3600)
		if n > 0 {
			s.persistence = &topology.Persistence{Timeout: n, Netmask: full(s.ipv6)}
		}
	case "netmask":
		r.netmask(s, value)
	case "protocol":
		r.protocol(s, value)
	case "ops":
		s.onePacket = value == "yes"
	case "servicename":
		s.name = plain
	case "checktype":
		c.kind = value
	case "service":
		c.service = value
	case "request":
		c.request = plain
	default:
		if !r.times(c, s, word, value) {
			r.unsaid(s, word)
		}
	}
}

// globalWord reads a line that holds for all services.
func (r *ldirectordReader) globalWord(word, value string) {
	r.current = nil
	switch word {
	case "fallback", "fallback6":
		r.sorry[word == "fallback6"] = ldirectordLine{r.at(), value}
	default:
		if !r.times(&r.global, r.config, word, value) {
			r.unsaid(r.config, word)
			return
		}
		// It holds for the services above it too.
		for i := range r.checks {
			c := &r.checks[i]
			g := r.global
			c.interval, c.connect = orElse(c.interval, g.interval), orElse(c.connect, g.connect)
			c.negotiate, c.failures = orElse(c.negotiate, g.negotiate), orElse(c.failures, g.failures)
		}
	}
}

func orElse(n, without int) int {
	if n == 0 {
		return without
	}
	return n
}

// times reads the words of both places.
func (r *ldirectordReader) times(c *ldirectordCheck, about any, word, value string) bool {
	slot := map[string]*int{"checkinterval": &c.interval, "checktimeout": &c.connect, "negotiatetimeout": &c.negotiate, "failurecount": &c.failures}[word]
	if slot != nil {
		*slot = r.number(about, word, value, 1, 3600)
	}
	return slot != nil
}

func (r *ldirectordReader) number(about any, word, value string, low, high int) int {
	n, err := strconv.Atoi(value)
	if err != nil || n < low || n > high {
		r.lost(about, r.at(), "%s = %s is left out: it is no number from %d to %d.", word, value, low, high)
		return 0
	}
	return n
}

func (r *ldirectordReader) netmask(s *service, value string) {
	bits, ok := maskLength(value, s.ipv6)
	switch {
	case !ok:
		r.lost(s, r.at(), "netmask = %s is left out: it is no mask.", value)
	case s.persistence == nil:
		// persistent may stand below.
		s.persistence = &topology.Persistence{Netmask: bits}
	default:
		s.persistence.Netmask = bits
	}
}

func (r *ldirectordReader) protocol(s *service, value string) {
	switch {
	case value == "fwm" && s.mark != 0:
	case (value == "tcp" || value == "udp") && s.mark == 0:
		s.protocol = topology.Protocol(value)
	default:
		r.lost(s, r.at(), "protocol = %s is left out: it does not fit the virtual service.", value)
	}
}

// fallback reads the server that answers when all others are down.
func (r *ldirectordReader) fallback(s *service, l ldirectordLine) {
	words := strings.Fields(l.text)
	if len(words) == 0 {
		r.lost(s, l.place, "fallback is left out: it has no address.")
		return
	}
	addr, port, err := ldirectordEndpoint(words[0])
	if err != nil {
		r.lost(s, l.place, "fallback = %s is left out: %s.", l.text, err)
		return
	}
	if port == 0 {
		port = s.port
	}
	s.sorry, s.sorryAt = netip.AddrPortFrom(addr, port), l.place
	if len(words) > 1 && words[1] != "gate" {
		r.lost(s, l.place, "%s of fallback is left out: the sorry server has the mode of its service.", words[1])
	}
}
