package adopt

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/topology"
)

// netfilter's rules that belong to services: marks, masquerading, the clamping of the MSS. A
// rule is taken for one of these only if all of it is understood; others are remarks.

// A serviceRule is a netfilter rule that does something for services: it marks their
// packets, rewrites their source, or lowers the MSS of their answers.
type serviceRule struct {
	node *found
	state.ListedRule
	// service and which are parts of the comment of a rule of lvsctl's; "" for others.
	service, which string
	target         string // MARK, MASQUERADE, SNAT or TCPMSS
	// values are by the option before them; "" for one without a value.
	values map[string]string
}

// ruleOptions are the words that these rules may have, and whether a value follows. A rule
// with another one is not understood.
var ruleOptions = map[string]bool{
	"-d": true, "-s": true, "-p": true, "-m": true, "-j": true, "--comment": true, "--dport": true, "--dports": true,
	"--sport": true, "--set-xmark": true, "--mark": true, "--vproto": true, "--vaddr": true, "--vport": true, "--vmethod": true,
	"--ipvs": false, "--tcp-flags": true, "--set-mss": true, "--to-source": true, "-o": true, "--vdir": true, "--random": false, "--random-fully": false,
}

// findRules reads the nodes' netfilter rules, and in the comments of lvsctl's own what its
// services are called.
func (f *finder) findRules() {
	for _, n := range f.nodes {
		for _, l := range n.Rules {
			r := serviceRule{node: n, ListedRule: l, values: map[string]string{}}
			if words := strings.Split(l.Comment(), ":"); len(words) == 4 && words[0] == "lvsctl" && words[1] == f.Topology.Name {
				r.service, r.which = words[2], words[3]
			}
			understood := r.read()
			switch {
			case r.target == "MARK" && l.Table == "mangle" && l.Chain == "PREROUTING",
				(r.target == "MASQUERADE" || r.target == "SNAT") && l.Table == "nat" && l.Chain == "POSTROUTING",
				r.target == "TCPMSS" && l.Table == "mangle" && l.Chain == "OUTPUT":
				if !understood {
					r.values = nil
				}
				f.rules = append(f.rules, r)
			}
			if mark, ok := r.mark(); ok && r.target == "MARK" && understood {
				if vip, ok := r.address("-d"); ok && f.balances(mark, l.V6) {
					f.floating[vip] = true
				}
				if r.service != "" {
					f.names[state.ServiceKey{Protocol: state.FWMark, Mark: mark, V6: l.V6}] = r.service
				}
			}
			if k, ok := r.key(); ok && r.service != "" && r.target == "MASQUERADE" {
				f.names[k] = r.service
			}
			if k, ok := r.replyKey(); ok && r.service != "" && r.target == "TCPMSS" {
				f.names[k] = r.service
			}
		}
	}
}

// read takes the words apart. It returns false if there is one that it does not know.
func (r *serviceRule) read() bool {
	understood := true
	for i := 0; i < len(r.Words); i++ {
		w := r.Words[i]
		takes, known := ruleOptions[w]
		switch {
		case !known:
			understood = false
		case takes && i+1 < len(r.Words):
			i++
			if w == "-j" {
				r.target = r.Words[i]
			}
			if w != "-m" {
				r.values[w] = r.Words[i]
			}
			if w == "--tcp-flags" {
				i++
			}
		default:
			r.values[w] = ""
		}
	}
	return understood
}

// mark is the mark that the rule sets, or selects by.
func (r *serviceRule) mark() (uint32, bool) {
	text, ok := r.values["--set-xmark"]
	if !ok {
		text, ok = r.values["--mark"]
	}
	text, mask, masked := strings.Cut(text, "/")
	n, err := strconv.ParseUint(text, 0, 32)
	return uint32(n), ok && err == nil && n > 0 && (!masked || mask == "0xffffffff")
}

// address is the single address that an option names.
func (r *serviceRule) address(option string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(r.values[option])
	return addr, err == nil
}

// key is the service whose packets a rule selects by -m ipvs, or by mark.
func (r *serviceRule) key() (state.ServiceKey, bool) {
	if mark, ok := r.mark(); ok {
		return state.ServiceKey{Protocol: state.FWMark, Mark: mark, V6: r.V6}, true
	}
	addr, ok := r.address("--vaddr")
	if !ok {
		return state.ServiceKey{}, false
	}
	port, _ := strconv.ParseUint(r.values["--vport"], 10, 16)
	protocol := map[string]state.Protocol{"6": state.TCP, "17": state.UDP, "132": state.SCTP}[r.values["--vproto"]]
	return state.ServiceKey{Protocol: protocol, Addr: netip.AddrPortFrom(addr, uint16(port))}, protocol != ""
}

// replyKey is the service whose answers a rule selects.
func (r *serviceRule) replyKey() (state.ServiceKey, bool) {
	addr, ok := r.address("-s")
	port, _ := strconv.ParseUint(r.values["--sport"], 10, 16)
	return state.ServiceKey{Protocol: state.TCP, Addr: netip.AddrPortFrom(addr, uint16(port))}, ok
}

// balances reports whether a director has a service of a mark.
func (f *finder) balances(mark uint32, ipv6 bool) bool {
	return slices.ContainsFunc(f.nodes, func(n *found) bool {
		_, ok := n.State.Services[state.ServiceKey{Protocol: state.FWMark, Mark: mark, V6: ipv6}]
		return ok
	})
}

// marks finds the VIP of a fwmark service and which packets get its mark.
func (f *finder) marks(v *topology.VirtualServer, on *found, ipv6 bool) {
	var vip netip.Addr
	var list []topology.Mark
	for _, r := range f.rules {
		mark, ok := r.mark()
		if r.node != on || r.target != "MARK" || !ok || mark != v.FWMark || r.V6 != ipv6 {
			continue
		}
		addr, single := r.address("-d")
		ports, portsOK := r.ports()
		protocol := topology.Protocol(r.values["-p"])
		known := protocol == topology.TCP || protocol == topology.UDP || protocol == topology.SCTP
		_, from := r.values["-s"]
		if r.values == nil || !single || !portsOK || !known || from || vip.IsValid() && vip != addr {
			f.Remark(Remark{Lost, OfService(v), on.Seen.Name, "This rule marks packets for it and cannot be said in a mark block; keep it where it is: iptables -t mangle " + r.Text() + "."})
			continue
		}
		if r.service == "" {
			f.Remark(Remark{Note, OfService(v), on.Seen.Name, "lvsctl adds a rule of its own beside this one, to the same effect: iptables -t mangle " + r.Text() + "."})
		}
		vip = addr
		at := slices.IndexFunc(list, func(m topology.Mark) bool { return m.Protocol == protocol })
		if at < 0 {
			at = len(list)
			list = append(list, topology.Mark{Protocol: protocol})
		}
		list[at].Ports = append(list[at].Ports, ports...)
	}
	if !vip.IsValid() {
		return
	}
	slices.SortFunc(list, func(a, b topology.Mark) int { return cmp.Compare(a.Protocol, b.Protocol) })
	for i := range list {
		slices.SortFunc(list[i].Ports, func(a, b topology.PortRange) int { return int(a.First) - int(b.First) })
		list[i].Ports = slices.Compact(list[i].Ports)
	}
	v.VIP, v.Marks = netip.PrefixFrom(vip, vip.BitLen()), list
}

// ports are those that a rule selects by --dports or --dport.
func (r *serviceRule) ports() ([]topology.PortRange, bool) {
	text, ok := r.values["--dports"]
	if !ok {
		text, ok = r.values["--dport"]
	}
	var list []topology.PortRange
	for _, w := range strings.Split(text, ",") {
		first, last, ranged := strings.Cut(w, ":")
		if !ranged {
			last = first
		}
		a, errA := strconv.ParseUint(first, 10, 16)
		b, errB := strconv.ParseUint(last, 10, 16)
		if !ok || errA != nil || errB != nil || a == 0 || a > b {
			return nil, false
		}
		list = append(list, topology.PortRange{First: uint16(a), Last: uint16(b)})
	}
	return list, true
}

// rewritesSource reports whether the director gives packets that IPVS sends to a server
// another source: the server needs no way back through it then. own is set if a rule of
// lvsctl's does.
func (f *finder) rewritesSource(on *found, k state.ServiceKey, server netip.Addr) (yes, own bool) {
	if on.State.Sysctls["net/ipv4/vs/conntrack"] != "1" {
		return false, false // netfilter does not see these packets
	}
	for _, r := range f.rules {
		if r.node != on || r.target != "MASQUERADE" && r.target != "SNAT" || r.V6 != server.Is6() || r.values == nil {
			continue
		}
		if to, ok := r.values["-d"]; ok && !covers(to, server) {
			continue
		}
		if from, ok := r.values["-s"]; ok && from != "" {
			continue // of some clients only
		}
		of, named := r.key()
		if named && of != k {
			continue
		}
		if r.service != "" {
			return true, true
		}
		yes = true
	}
	return yes, false
}

// covers reports whether an address or subnet holds an address.
func covers(text string, addr netip.Addr) bool {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p.Contains(addr)
	}
	one, err := netip.ParseAddr(text)
	return err == nil && one == addr
}

// mss is what a real server's answers of a service announce.
func (f *finder) mss(v *topology.VirtualServer) {
	for _, r := range f.rules {
		if r.target != "TCPMSS" || r.values == nil {
			continue
		}
		vip, ok := r.address("-s")
		size, err := strconv.Atoi(r.values["--set-mss"])
		port, hasPort := r.values["--sport"]
		fits := v.FWMark != 0 || v.Protocol == topology.TCP
		if hasPort && port != strconv.Itoa(int(v.Port)) || !hasPort && v.Port != 0 {
			fits = false
		}
		serves := slices.ContainsFunc(v.RealServers, func(s topology.Server) bool { return r.node.Node == s.Node })
		if !ok || err != nil || vip != v.VIP.Addr() || !fits || !serves || r.service != "" && r.service != v.Name {
			continue
		}
		v.MSS = size
	}
}
