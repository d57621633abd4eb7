package adopt

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/topology"
)

// global_defs, vrrp_instance, vrrp_sync_group and static_ipaddress of keepalived.conf.

// globals reads global_defs.
func (r *keepalivedReader) globals(block *keepalived.Block) {
	for _, b := range block.Inside {
		switch b.Word(0) {
		case "router_id":
			r.name = b.Word(1)
		case "default_interface":
			r.device = r.deviceName(r.config, b, b.Word(1))
		case "vrrp_version":
			r.version = r.number(r.config, b, 2, 3, 0)
		case "vrrp_skip_check_adv_addr": // lvsctl writes it itself
		case "enable_script_security":
			r.add(Note, r.config, at(b), "lvsctl writes enable_script_security and script_user root where a check runs a program.")
		case "lvs_sync_daemon":
			r.syncDaemon(b)
		case "lvs_timeouts":
			r.lvsTimeouts(b)
		default:
			r.unsaid(r.config, b)
		}
	}
}

// syncDaemon reads lvs_sync_daemon INTERFACE [INSTANCE] [id N] and more.
func (r *keepalivedReader) syncDaemon(b *keepalived.Block) {
	d := &syncDaemon{place: at(b), dev: r.deviceName(r.config, b, b.Word(1))}
	rest := b.Words[min(2, len(b.Words)):]
	for len(rest) > 0 {
		switch {
		case rest[0] == "id" && len(rest) > 1:
			d.id, _ = strconv.Atoi(rest[1])
			rest = rest[2:]
		case slices.Contains([]string{"inst", "maxlen", "port", "ttl", "group"}, rest[0]) && len(rest) > 1:
			if rest[0] == "inst" {
				d.instance = rest[1]
			} else {
				r.lost(r.config, at(b), "%s %s of lvs_sync_daemon is left out: the kernel's is used.", rest[0], rest[1])
			}
			rest = rest[2:]
		default:
			d.instance = rest[0]
			rest = rest[1:]
		}
	}
	r.sync = d
}

// lvsTimeouts reads lvs_timeouts tcp N tcpfin N udp N.
func (r *keepalivedReader) lvsTimeouts(b *keepalived.Block) {
	t := &topology.Timeouts{}
	slots := map[string]*int{"tcp": &t.TCP, "tcpfin": &t.TCPFin, "udp": &t.UDP}
	for i := 1; i < len(b.Words); i += 2 {
		slot := slots[b.Words[i]]
		n, err := strconv.Atoi(b.Word(i + 1))
		if slot == nil || err != nil || n < 0 || n > 31*24*3600 {
			r.misread(r.config, b, "is left out")
			return
		}
		*slot = n
	}
	r.timeouts = t
}

// syncGroup reads which instances move together.
func (r *keepalivedReader) syncGroup(block *keepalived.Block) {
	var names []string
	for _, b := range block.Inside {
		switch {
		case b.Word(0) == "group":
			names = append(names, b.Words[1:]...)
			for _, n := range b.Inside {
				names = append(names, n.Words...)
			}
		case len(b.Words) == 1 && !b.Opens && reason(b.Word(0)) == reason(""): // 1.x: names without group
			names = append(names, b.Word(0))
		default:
			r.unsaid(r.config, b)
		}
	}
	r.config.groups = append(r.config.groups, names)
}

// staticAddresses reads static_ipaddress: the director's own.
func (r *keepalivedReader) staticAddresses(block *keepalived.Block) {
	for _, b := range block.Inside {
		a, ok := r.address(r.config, b, r.device)
		if !ok || a.prefix.IsSingleIP() || a.dev == "" {
			r.misread(r.config, b, "is left out")
			continue
		}
		r.own = append(r.own, own{a.dev, a.prefix})
	}
}

// instance reads a vrrp_instance.
func (r *keepalivedReader) instance(block *keepalived.Block) *instance {
	i := &instance{place: at(block), name: block.Word(1), dev: r.device, priority: 100, advert: time.Second, preempt: true, version: r.version, of: r.config}
	for _, b := range block.Inside {
		if b.Word(0) == "interface" {
			i.dev = r.deviceName(i, b, b.Word(1))
		}
	}
	for _, b := range block.Inside {
		switch b.Word(0) {
		case "interface", "preempt", "skip_check_adv_addr", "no_virtual_ipaddress":
		case "state":
			i.master = b.Word(1) == "MASTER"
			if i.master {
				r.add(Note, i, at(b), "lvsctl writes state BACKUP on each director: the priority alone decides who is master.")
			}
		case "virtual_router_id":
			i.id = r.number(i, b, 1, 255, 0)
		case "priority":
			i.priority = r.priority(i, b)
		case "advert_int":
			i.advert = r.advert(i, b)
		case "version":
			i.version = r.number(i, b, 2, 3, 0)
		case "nopreempt":
			i.preempt = false
		case "authentication":
			r.authentication(i, b)
		case "unicast_src_ip":
			i.source = r.addr(i, b, 1)
		case "mcast_src_ip":
			i.source = r.addr(i, b, 1)
		case "unicast_peer":
			for _, p := range b.Inside {
				if a := r.addr(i, p, 0); a.IsValid() {
					i.unicast, i.peers = true, append(i.peers, a)
				}
				if len(p.Words) > 1 {
					r.lost(i, at(p), "%q is left out of unicast_peer.", strings.Join(p.Words[1:], " "))
				}
			}
		case "track_interface":
			for _, d := range b.Inside {
				if r.deviceName(i, d, d.Word(0)) == "" {
					continue
				}
				if len(d.Words) > 1 {
					r.lost(i, at(d), "%q is left out: an interface that is down takes its director out, whatever its weight.", strings.Join(d.Words[1:], " "))
				}
				i.tracked, i.trackedDevs = append(i.tracked, at(d)), append(i.trackedDevs, d.Word(0))
			}
		case "virtual_ipaddress", "virtual_ipaddress_excluded":
			for _, v := range b.Inside {
				if a, ok := r.address(i, v, i.dev); ok {
					i.addresses = append(i.addresses, a)
				}
			}
		case "lvs_sync_daemon_interface", "lvs_sync_daemon_inteface": // the second was keepalived's own spelling up to 1.2.20
			r.sync = &syncDaemon{place: at(b), dev: r.deviceName(i, b, b.Word(1)), instance: i.name}
		default:
			r.unsaid(i, b)
		}
	}
	return i
}

// priority reads a priority. 255 is the owner of the addresses, whom nothing takes out.
func (r *keepalivedReader) priority(i *instance, b *keepalived.Block) int {
	if b.Word(1) == "255" {
		r.lost(i, at(b), "priority 255 is the owner of the addresses, which no failure takes out: it is 254 in the topology.")
		return 254
	}
	return r.number(i, b, 1, 254, 100)
}

// advert reads advert_int: VRRP 2 has whole seconds, VRRP 3 hundredths up to 40.95.
func (r *keepalivedReader) advert(i *instance, b *keepalived.Block) time.Duration {
	f, err := strconv.ParseFloat(b.Word(1), 64)
	d := time.Duration(f*100+0.5) * 10 * time.Millisecond
	if err != nil || d < 10*time.Millisecond || d > 255*time.Second || d%time.Second != 0 && d > 4095*10*time.Millisecond {
		r.misread(i, b, "a second passes between two adverts")
		return time.Second
	}
	return d
}

func (r *keepalivedReader) authentication(i *instance, block *keepalived.Block) {
	kind := "PASS"
	var pass *keepalived.Block
	for _, b := range block.Inside {
		switch b.Word(0) {
		case "auth_type":
			kind = b.Word(1)
		case "auth_pass":
			pass = b
		default:
			r.unsaid(i, b)
		}
	}
	switch {
	case kind != "PASS":
		r.lost(i, at(block), "authentication of type %s is left out: a topology has passwords only.", kind)
	case pass == nil:
		r.lost(i, at(block), "authentication is left out: it has no auth_pass.")
	default:
		i.pass = pass.Word(1)
		if len(i.pass) > 8 {
			i.pass = i.pass[:8]
			r.lost(i, at(pass), "keepalived takes the first 8 characters of auth_pass, and so has the topology.")
		}
		if i.pass == "" || strings.IndexFunc(i.pass, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune(`"'\#!{}`, c) }) >= 0 {
			i.pass = ""
			r.lost(i, at(pass), "auth_pass is left out: it has characters that versions of keepalived read in different ways. Choose another one for all directors.")
		}
	}
}

// deviceName is a name that a device can have (dev_valid_name, net/core/dev.c, and the
// letters of a topology), or "".
func (r *keepalivedReader) deviceName(about any, b *keepalived.Block, name string) string {
	if !deviceNames.MatchString(name) {
		r.lost(about, at(b), "%q is no name of a device, and is left out.", name)
		return ""
	}
	return name
}

var deviceNames = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,14}$`)

func (r *keepalivedReader) addr(about any, b *keepalived.Block, word int) netip.Addr {
	a, err := netip.ParseAddr(b.Word(word))
	if err != nil || !usable(a.Unmap()) {
		r.misread(about, b, "is left out")
		return netip.Addr{}
	}
	return a.Unmap()
}

// address reads a line of an address block:
//
//	10.0.0.1/24 brd 10.0.0.255 dev eth0 scope global label eth0:1
func (r *keepalivedReader) address(about any, b *keepalived.Block, dev string) (floating, bool) {
	f := floating{place: at(b), dev: dev}
	text := b.Word(0)
	p, err := netip.ParsePrefix(text)
	if err != nil {
		var a netip.Addr
		a, err = netip.ParseAddr(text)
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if err != nil || !usable(p.Addr()) {
		r.misread(about, b, "is left out")
		return f, false
	}
	if p.Addr().Is4() && p.Bits() < 31 && (p.Addr() == p.Masked().Addr() || p.Addr() == last(p)) {
		p = netip.PrefixFrom(p.Addr(), 32)
		r.lost(about, at(b), "%s is the first or last address of its subnet, which no host has: it is %s in the topology.", text, p)
	}
	f.prefix = p
	var left []string
	for words := b.Words[1:]; len(words) > 0; {
		value := ""
		if len(words) > 1 {
			value = words[1]
		}
		switch words[0] {
		case "dev":
			if value = r.deviceName(about, b, value); value != "" {
				f.dev = value
			}
			words = words[min(2, len(words)):]
		case "brd", "broadcast", "label", "scope", "peer", "preferred_lft":
			left = append(left, strings.TrimSpace(words[0]+" "+value))
			words = words[min(2, len(words)):]
		default:
			left = append(left, words[0])
			words = words[1:]
		}
	}
	if len(left) > 0 {
		r.lost(about, at(b), "%q is left out: lvsctl sets an address with its length and device only.", strings.Join(left, " "))
	}
	return f, true
}
