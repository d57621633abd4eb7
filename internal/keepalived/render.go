package keepalived

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Header is the first line of every file of lvsctl's.
const Header = "# Managed by lvsctl. Changes are overwritten."

// Render writes a configuration for a version, in the one form that every parser
// reads alike: a statement a line, "{" ending its line, "}" alone on its own. The
// oldest parsers go by lines, and end a block at a line that begins with "}".
// Ask [Config.Refuse] first: what a version lacks is left out here.
func (c Config) Render(v Version) string {
	w := &writer{version: v}
	w.line(Header)
	w.globals(c)
	for _, i := range c.Instances {
		w.instance(i, c.Sync)
	}
	for _, s := range c.Services {
		w.service(s)
	}
	return w.text.String()
}

// writer indents.
type writer struct {
	version Version
	text    strings.Builder
	depth   int
}

func (w *writer) line(words ...string) {
	w.text.WriteString(strings.Repeat("  ", w.depth))
	w.text.WriteString(strings.Join(words, " "))
	w.text.WriteByte('\n')
}

func (w *writer) number(word string, n int) { w.line(word, strconv.Itoa(n)) }

func (w *writer) block(head string, inside func()) {
	w.line(head, "{")
	w.depth++
	inside()
	w.depth--
	w.line("}")
}

func (w *writer) globals(c Config) {
	w.block("global_defs", func() {
		w.line("router_id", c.RouterID)
		// Before 1.2.20 it is unknown, and skipped without harm.
		w.line("vrrp_skip_check_adv_addr")
		if c.runsScripts() && w.version.has(scriptSecurity) {
			// Without both the check runs, and keepalived's own test refuses the file.
			w.line("enable_script_security")
			w.line("script_user root")
		}
		if s := c.Sync; s != nil && w.version.has(globalSync) {
			w.line("lvs_sync_daemon", s.Interface, s.Instance, "id", strconv.Itoa(c.syncID()))
		}
	})
}

func (c Config) runsScripts() bool {
	return slices.ContainsFunc(c.Services, func(s Service) bool {
		return slices.ContainsFunc(s.Servers, func(r Server) bool { return r.Check.Kind == "misc" })
	})
}

// syncID is the daemon's id; by default, and before 1.2.20 always, the instance's
// router id.
func (c Config) syncID() int {
	if c.Sync.ID != 0 {
		return c.Sync.ID
	}
	for _, i := range c.Instances {
		if i.Name == c.Sync.Instance {
			return i.RouterID
		}
	}
	return 0
}

// instance is always of state BACKUP: the priority alone decides who is master,
// and MASTER would make every start of the node an election, preempt or not.
// interface comes first because old versions resolve devices as they read.
func (w *writer) instance(i Instance, sync *Sync) {
	w.block("vrrp_instance "+i.Name, func() {
		w.line("state BACKUP")
		w.line("interface", i.Interface)
		if i.Version3() && w.version.has(vrrp3) {
			w.line("version 3")
		}
		if sync != nil && sync.Instance == i.Name && !w.version.has(globalSync) {
			w.line("lvs_sync_daemon_interface", sync.Interface)
		}
		w.number("virtual_router_id", i.RouterID)
		w.number("priority", i.Priority)
		w.line("advert_int", seconds(i.AdvertInt))
		if !i.Preempt {
			w.line("nopreempt")
		}
		if i.AuthPass != "" {
			w.block("authentication", func() {
				w.line("auth_type PASS")
				w.line("auth_pass", i.AuthPass)
			})
		}
		if i.Source.IsValid() {
			w.line("unicast_src_ip", i.Source.String())
			w.block("unicast_peer", func() {
				for _, p := range i.Peers {
					w.line(p.String())
				}
			})
		}
		w.lines("track_interface", i.Tracked)
		w.addresses("virtual_ipaddress", i.Advertised)
		w.addresses("virtual_ipaddress_excluded", i.Excluded)
	})
}

// lines is a block of one word a line; none if there are no words.
func (w *writer) lines(head string, words []string) {
	if len(words) == 0 {
		return
	}
	w.block(head, func() {
		for _, word := range words {
			w.line(word)
		}
	})
}

func (w *writer) addresses(head string, list []Address) {
	var lines []string
	for _, a := range list {
		line := a.Prefix.String() + " dev " + a.Dev
		if a.Label != "" {
			line += " label " + a.Label
		}
		lines = append(lines, line)
	}
	w.lines(head, lines)
}

func (w *writer) service(s Service) {
	head := "virtual_server fwmark " + strconv.FormatUint(uint64(s.Mark), 10)
	if s.Mark == 0 {
		head = "virtual_server " + endpoint(s.Addr)
	}
	w.block(head, func() {
		w.line("delay_loop", seconds(s.Interval))
		w.line("lb_algo", s.Scheduler)
		for _, f := range s.Flags {
			w.line(f)
		}
		w.line("lb_kind", s.Method)
		if s.Persistence > 0 {
			w.number("persistence_timeout", s.Persistence)
			if s.granular() {
				w.line("persistence_granularity", s.granularity())
			}
		}
		if s.Engine != "" {
			w.line("persistence_engine", s.Engine)
		}
		if s.OnePacket {
			w.line("ops")
		}
		// Old versions take a service without it for UDP; 2.2 refuses it where a mark
		// takes its place.
		if s.Mark == 0 || w.version.Before(Version{2, 0, 0}) {
			w.line("protocol", s.Protocol)
		}
		if s.Sorry.IsValid() {
			w.line("sorry_server", endpoint(s.Sorry))
		}
		for _, r := range s.Servers {
			w.server(r)
		}
	})
}

func (w *writer) server(r Server) {
	w.block("real_server "+endpoint(r.Addr), func() {
		w.number("weight", r.Weight)
		if r.Method != "" {
			w.line("lvs_method", r.Method)
		}
		if r.Upper > 0 {
			w.number("uthreshold", r.Upper)
		}
		if r.Lower > 0 {
			w.number("lthreshold", r.Lower)
		}
		w.check(r)
	})
}

// check writes everything out: the defaults differ between versions, and several
// are a surprise (delay_loop 60 s).
func (w *writer) check(r Server) {
	c := r.Check
	port := c.Port
	if port == 0 {
		port = r.Addr.Port()
	}
	connect := func() {
		w.number("connect_port", int(port))
		w.line("connect_timeout", seconds(c.Timeout))
	}
	again := func(word string) {
		w.number(word, c.Retries)
		w.line("delay_before_retry", seconds(c.Delay))
	}
	switch c.Kind {
	case "tcp":
		// Before 1.2.20 the last two lines are unknown and skipped without harm: a
		// server is out after one failure.
		w.block("TCP_CHECK", func() { connect(); again("retry") })
	case "udp":
		w.block("UDP_CHECK", func() { connect(); again("retry") })
	case "http":
		w.block("HTTP_GET", func() {
			w.block("url", func() {
				w.line("path", c.Path)
				// Without it 1.2.13 never takes a server back.
				w.number("status_code", c.Status)
			})
			connect()
			if w.version.has(httpRetry) {
				again("retry")
			} else {
				again("nb_get_retry")
			}
		})
	case "misc":
		w.block("MISC_CHECK", func() {
			w.line("misc_path", `"`+c.Command+`"`)
			w.line("misc_timeout", seconds(c.Timeout))
			again("retry")
		})
	}
}

// endpoint is an address and a port as keepalived reads them: two words.
func endpoint(a netip.AddrPort) string {
	return a.Addr().String() + " " + strconv.Itoa(int(a.Port()))
}

// granular reports whether clients share a server by their subnet.
func (s Service) granular() bool { return s.Mask > 0 && s.Mask < s.bits() }

func (s Service) bits() int {
	if s.IPv6() {
		return 128
	}
	return 32
}

// IPv6 reports a service's family: its address's, or its servers' where it goes
// by a mark.
func (s Service) IPv6() bool {
	if s.Mark == 0 {
		return s.Addr.Addr().Is6()
	}
	return len(s.Servers) > 0 && s.Servers[0].Addr.Addr().Is6()
}

// granularity is a dotted mask for IPv4 and a prefix length for IPv6.
func (s Service) granularity() string {
	if s.IPv6() {
		return strconv.Itoa(s.Mask)
	}
	m := ^uint32(0) << (32 - s.Mask)
	return netip.AddrFrom4([4]byte{byte(m >> 24), byte(m >> 16), byte(m >> 8), byte(m)}).String()
}

// seconds writes a time without trailing zeros: 1, 0.1, 2.25.
func seconds(d time.Duration) string {
	if d%time.Second == 0 {
		return strconv.Itoa(int(d / time.Second))
	}
	return strings.TrimRight(fmt.Sprintf("%.3f", d.Seconds()), "0")
}
