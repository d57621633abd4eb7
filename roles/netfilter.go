package roles

import (
	"fmt"
	"net/netip"
	"strconv"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/topology"
)

// rule wants a netfilter rule with a comment that marks it as this topology's. which is
// part of the comment and differs between the rules of a service.
func (n *node) rule(v *topology.VirtualServer, at state.RuleKey, which string, matches, target []string, from hcl.Range) {
	at.V6 = v.IPv6()
	at.Comment = state.RuleComment(n.cluster.Name, v.Name, which)
	tool := "iptables"
	if at.V6 {
		tool = "ip6tables"
	}
	n.tool(tool, from)
	n.state.Rules[at] = state.NewRule(at, matches, target)
	n.at(state.KindRule, at, from)
}

// masquerade wants the second half of FULLNAT: packets that IPVS sends to a real server
// get an address of the director as their source. So the answer comes back whatever the
// real server's routes are. Connection tracking sees the packets only with
// net.ipv4.vs.conntrack=1 (ip_vs_nat_send_or_cont, net/netfilter/ipvs/ip_vs_xmit.c),
// which is for both families.
func (n *node) masquerade(v *topology.VirtualServer) {
	var full []topology.Server
	plain := false
	for _, s := range v.RealServers {
		switch s.Mode {
		case topology.FULLNAT:
			full = append(full, s)
		case topology.NAT:
			plain = true
		}
	}
	if len(full) == 0 && v.Mode != topology.FULLNAT {
		return
	}
	n.sysctl("net/ipv4/vs/conntrack", "1", v.Range)
	matches := balanced(v)
	at := state.RuleKey{Table: "nat", Chain: "POSTROUTING"}
	target := []string{"-j", "MASQUERADE"}
	if !plain {
		n.rule(v, at, "masquerade", matches, target, v.Range)
		return
	}
	// IPVS forwards to nat and fullnat servers alike, so the rules name addresses.
	for _, s := range full {
		n.rule(v, at, "masquerade-"+s.Node.Name, append([]string{"-d", s.Address.String()}, matches...), target, s.Range)
	}
}

// balanced matches the packets that IPVS translates for a service. --vmethod excludes
// the service's servers of other modes.
func balanced(v *topology.VirtualServer) []string {
	if v.FWMark != 0 {
		return []string{"-m", "mark", "--mark", strconv.FormatUint(uint64(v.FWMark), 10), "-m", "ipvs", "--vmethod", "MASQ"}
	}
	words := []string{"-m", "ipvs", "--vproto", string(v.Protocol), "--vaddr", v.VIP.Addr().String()}
	if v.Port != 0 {
		words = append(words, "--vport", strconv.Itoa(int(v.Port)))
	}
	return append(words, "--vmethod", "MASQ")
}

// mostPorts is how many ports a rule can list; a range counts as two (XT_MULTI_PORTS,
// xt_multiport.h).
const mostPorts = 15

// marks wants the rules that mark packets for a fwmark service.
func (n *node) marks(v *topology.VirtualServer) {
	counts := map[topology.Protocol]int{}
	for _, m := range v.Marks {
		for _, ports := range chunks(m.Ports) {
			which := string(m.Protocol)
			if counts[m.Protocol]++; counts[m.Protocol] > 1 {
				which += fmt.Sprintf("-%d", counts[m.Protocol])
			}
			n.rule(v, state.RuleKey{Table: "mangle", Chain: "PREROUTING"}, which,
				[]string{"-d", v.VIP.Addr().String(), "-p", string(m.Protocol), "-m", "multiport", "--dports", ports},
				[]string{"-j", "MARK", "--set-mark", strconv.FormatUint(uint64(v.FWMark), 10)}, m.Range)
		}
	}
}

// chunks splits ports into lists, in iptables' words, that are each short enough for a
// rule.
func chunks(ports []topology.PortRange) []string {
	var lists []string
	size := mostPorts
	for _, p := range ports {
		word, cost := strconv.Itoa(int(p.First)), 1
		if p.Last != p.First {
			word, cost = fmt.Sprintf("%d:%d", p.First, p.Last), 2
		}
		if size+cost > mostPorts {
			lists, size = append(lists, word), cost
			continue
		}
		lists[len(lists)-1] += "," + word
		size += cost
	}
	return lists
}

// clamp wants the SYN-ACKs of a real server to announce the MSS that fits through the
// tunnel. Then the client sends segments that need no fragmentation. The director cannot
// do it, because answers do not pass it.
func (n *node) clamp(s serving) {
	v := s.service
	if v.MSS == 0 || !v.VIP.IsValid() || v.FWMark == 0 && v.Protocol != topology.TCP {
		return
	}
	vip := netip.PrefixFrom(v.VIP.Addr(), v.VIP.Addr().BitLen())
	words := []string{"-s", vip.String(), "-p", "tcp", "-m", "tcp"}
	if v.FWMark == 0 && v.Port != 0 {
		words = append(words, "--sport", strconv.Itoa(int(v.Port)))
	}
	n.rule(v, state.RuleKey{Table: "mangle", Chain: "OUTPUT"}, "mss",
		append(words, "--tcp-flags", "SYN,RST", "SYN"), []string{"-j", "TCPMSS", "--set-mss", strconv.Itoa(v.MSS)}, v.Range)
}
