package keepalived

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Parse reads a configuration as far as lvsctl knows it; what else is in it is
// passed over. [ReadBlocks] has all of it.
func Parse(t Text, source Source) (Config, error) {
	blocks, err := ReadBlocks(t, source)
	if err != nil {
		return Config{}, err
	}
	var c Config
	var errs []error
	for _, b := range blocks {
		p := &parser{block: b}
		switch b.Word(0) {
		case "global_defs":
			p.globals(&c)
		case "vrrp_instance":
			c.Instances = append(c.Instances, p.instance())
		case "virtual_server":
			c.Services = append(c.Services, p.service())
		}
		errs = append(errs, p.errs...)
	}
	return c, errors.Join(errs...)
}

// parser reads one block; what it cannot read is reported with its place.
type parser struct {
	block *Block
	errs  []error
}

func (p *parser) complain(b *Block, format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("%s:%d: %s", b.File, b.Line, fmt.Sprintf(format, args...)))
}

func (p *parser) number(b *Block) int {
	n, err := strconv.Atoi(b.Word(1))
	if err != nil {
		p.complain(b, "%s needs a number, and has %q", b.Word(0), b.Word(1))
	}
	return n
}

// seconds reads 6, 0.1 or 2.5.
func (p *parser) seconds(b *Block) time.Duration {
	f, err := strconv.ParseFloat(b.Word(1), 64)
	if err != nil || f < 0 || f > 1e6 {
		p.complain(b, "%s needs seconds, and has %q", b.Word(0), b.Word(1))
		return 0
	}
	return time.Duration(f*1000+0.5) * time.Millisecond
}

func (p *parser) addr(b *Block, i int) netip.Addr {
	a, err := netip.ParseAddr(b.Word(i))
	if err != nil {
		p.complain(b, "%s needs an address, and has %q", b.Word(0), b.Word(i))
	}
	return a
}

// endpoint reads an address and its port, which may be left out.
func (p *parser) endpoint(b *Block) netip.AddrPort {
	a := p.addr(b, 1)
	port, err := strconv.ParseUint(b.Word(2), 10, 16)
	if b.Word(2) != "" && err != nil {
		p.complain(b, "%s needs a port, and has %q", b.Word(0), b.Word(2))
	}
	return netip.AddrPortFrom(a, uint16(port))
}

func (p *parser) globals(c *Config) {
	for _, b := range p.block.Inside {
		switch b.Word(0) {
		case "router_id":
			c.RouterID = b.Word(1)
		case "lvs_sync_daemon":
			c.Sync = &Sync{Interface: b.Word(1), Instance: b.Word(2)}
			for i := 3; i+1 < len(b.Words); i++ {
				if b.Words[i] == "id" {
					c.Sync.ID, _ = strconv.Atoi(b.Words[i+1])
				}
			}
		}
	}
}

func (p *parser) instance() Instance {
	i := Instance{Name: p.block.Word(1), Preempt: true, AdvertInt: time.Second, Priority: 100}
	for _, b := range p.block.Inside {
		switch b.Word(0) {
		case "interface":
			i.Interface = b.Word(1)
		case "virtual_router_id":
			i.RouterID = p.number(b)
		case "priority":
			i.Priority = p.number(b)
		case "advert_int":
			i.AdvertInt = p.seconds(b)
		case "nopreempt":
			i.Preempt = false
		case "authentication":
			for _, a := range b.Inside {
				if a.Word(0) == "auth_pass" {
					i.AuthPass = a.Word(1)
				}
			}
		case "unicast_src_ip", "mcast_src_ip":
			if b.Word(0) == "unicast_src_ip" {
				i.Source = p.addr(b, 1)
			}
		case "unicast_peer":
			for _, peer := range b.Inside {
				i.Peers = append(i.Peers, p.addr(peer, 0))
			}
		case "track_interface":
			for _, dev := range b.Inside {
				i.Tracked = append(i.Tracked, dev.Word(0))
			}
		case "virtual_ipaddress":
			i.Advertised = append(i.Advertised, p.addresses(b, i.Interface)...)
		case "virtual_ipaddress_excluded":
			i.Excluded = append(i.Excluded, p.addresses(b, i.Interface)...)
		}
	}
	return i
}

// addresses reads lines such as 10.0.0.1/24 brd 10.0.0.255 dev eth0 label eth0:1;
// without a device it is the instance's.
func (p *parser) addresses(block *Block, dev string) []Address {
	var list []Address
	for _, b := range block.Inside {
		a := Address{Dev: dev}
		var err error
		if strings.Contains(b.Word(0), "/") {
			a.Prefix, err = netip.ParsePrefix(b.Word(0))
		} else {
			var addr netip.Addr
			addr, err = netip.ParseAddr(b.Word(0))
			a.Prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		if err != nil {
			p.complain(b, "%q is not an address", b.Word(0))
			continue
		}
		for i := 1; i+1 < len(b.Words); i++ {
			switch b.Words[i] {
			case "dev":
				a.Dev = b.Words[i+1]
			case "label":
				a.Label = b.Words[i+1]
			}
		}
		list = append(list, a)
	}
	return list
}

func (p *parser) service() Service {
	s := Service{Protocol: "TCP", Method: "NAT", Interval: time.Minute, Scheduler: "wlc"}
	if p.block.Word(1) == "fwmark" {
		mark, err := strconv.ParseUint(p.block.Word(2), 10, 32)
		if err != nil {
			p.complain(p.block, "fwmark needs a number, and has %q", p.block.Word(2))
		}
		s.Mark = uint32(mark)
	} else {
		s.Addr = p.endpoint(p.block)
	}
	for _, b := range p.block.Inside {
		switch b.Word(0) {
		case "delay_loop":
			s.Interval = p.seconds(b)
		case "lb_algo", "lvs_sched":
			s.Scheduler = b.Word(1)
		case "lb_kind", "lvs_method":
			s.Method = method(b)
		case "protocol":
			s.Protocol = b.Word(1)
		case "persistence_timeout":
			s.Persistence = 360
			if len(b.Words) > 1 {
				s.Persistence = p.number(b)
			}
		case "persistence_granularity":
			s.Mask = p.mask(b)
		case "persistence_engine":
			s.Engine = b.Word(1)
		case "ops":
			s.OnePacket = true
		case "sh-port", "sh-fallback", "mh-port", "mh-fallback":
			s.Flags = append(s.Flags, b.Word(0))
		case "sorry_server":
			s.Sorry = p.endpoint(b)
		case "real_server":
			s.Servers = append(s.Servers, p.server(b))
		}
	}
	return s
}

// mask reads 255.255.255.0 or, for IPv6, a prefix length.
func (p *parser) mask(b *Block) int {
	if n, err := strconv.Atoi(b.Word(1)); err == nil {
		return n
	}
	a := p.addr(b, 1)
	n := 0
	for _, octet := range a.AsSlice() {
		for ; octet&0x80 != 0; octet <<= 1 {
			n++
		}
	}
	return n
}

func (p *parser) server(block *Block) Server {
	s := Server{Addr: p.endpoint(block), Weight: 1}
	for _, b := range block.Inside {
		switch b.Word(0) {
		case "weight":
			s.Weight = p.number(b)
		case "uthreshold":
			s.Upper = p.number(b)
		case "lthreshold":
			s.Lower = p.number(b)
		case "lvs_method", "lb_kind":
			s.Method = method(b)
		case "TCP_CHECK":
			s.Check = p.check(b, "tcp", 1, time.Second)
		case "HTTP_GET", "SSL_GET":
			s.Check = p.check(b, "http", 1, 3*time.Second)
		case "UDP_CHECK":
			s.Check = p.check(b, "udp", 1, time.Second)
		case "MISC_CHECK":
			s.Check = p.check(b, "misc", 0, time.Second)
		}
	}
	if s.Check.Port == s.Addr.Port() {
		s.Check.Port = 0
	}
	return s
}

func (p *parser) check(block *Block, kind string, retries int, delay time.Duration) Check {
	c := Check{Kind: kind, Retries: retries, Delay: delay, Timeout: 5 * time.Second}
	for _, b := range block.Inside {
		switch b.Word(0) {
		case "connect_port":
			c.Port = uint16(p.number(b))
		case "connect_timeout", "misc_timeout":
			c.Timeout = p.seconds(b)
		case "retry":
			c.Retries = p.number(b)
		case "nb_get_retry":
			if kind == "http" { // anywhere else it never was a word
				c.Retries = p.number(b)
			}
		case "delay_before_retry":
			c.Delay = p.seconds(b)
		case "misc_path":
			c.Command = b.Word(1)
		case "url":
			for _, u := range b.Inside {
				switch u.Word(0) {
				case "path":
					c.Path = u.Word(1)
				case "status_code":
					c.Status = p.number(u)
				}
			}
		}
	}
	return c
}
