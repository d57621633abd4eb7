package adopt

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/topology"
)

// Services of several drafts that are one.

func (j *joiner) service(v *topology.VirtualServer) {
	for i, d := range v.Directors {
		v.Directors[i] = j.nodes[d]
	}
	for i := range v.RealServers {
		v.RealServers[i].Node = j.nodes[v.RealServers[i].Node]
	}
	if v.VRRPInstance != nil {
		v.VRRPInstance = j.vrrp[v.VRRPInstance]
	}
	before := OfService(v)
	key := keyOf(v)
	for _, k := range j.services[key] {
		if mergeServices(k, v) {
			j.renamed[before] = OfService(k)
			return
		}
	}
	for j.taken[v.Name] {
		v.Name = another(v.Name)
	}
	j.taken[v.Name] = true
	j.services[key] = append(j.services[key], v)
	j.renamed[before] = OfService(v)
	j.Topology.Services = append(j.Topology.Services, v)
}

// mergeServices adds more to v. It returns false, and changes nothing, if they are balanced
// in different ways on different directors.
func mergeServices(v, more *topology.VirtualServer) bool {
	balance := func(s *topology.VirtualServer) string {
		p := topology.Persistence{}
		if s.Persistence != nil {
			p = *s.Persistence
		}
		return fmt.Sprint(s.Scheduler, s.SchedulerFlags, s.OnePacket, p.Timeout, p.Netmask, p.Engine)
	}
	type at struct {
		node *topology.Node
		port uint16
	}
	have := map[at]topology.Server{}
	for _, s := range v.RealServers {
		have[at{s.Node, s.Port}] = s
	}
	oneDirector := slices.Equal(v.Directors, more.Directors)
	fits := balance(v) == balance(more) || oneDirector
	for _, s := range more.RealServers {
		h, ok := have[at{s.Node, s.Port}]
		fits = fits && (oneDirector || ok && h.Weight == s.Weight && h.Mode == s.Mode && h.Tunnel == s.Tunnel && h.Upper == s.Upper && h.Lower == s.Lower)
	}
	if !fits || !oneDirector && len(v.RealServers) != len(more.RealServers) {
		return false
	}
	for _, d := range more.Directors {
		if !slices.Contains(v.Directors, d) {
			v.Directors = append(v.Directors, d)
		}
	}
	for _, s := range more.RealServers {
		if _, ok := have[at{s.Node, s.Port}]; !ok {
			v.RealServers = append(v.RealServers, s)
		}
	}
	if !v.VIP.IsValid() {
		v.VIP = more.VIP
	}
	if len(v.Marks) == 0 {
		v.Marks = more.Marks
	}
	if !v.SorryServer.IsValid() {
		v.SorryServer = more.SorryServer
	}
	if v.HealthCheck == nil {
		v.HealthCheck = more.HealthCheck
	}
	if v.VRRPInstance == nil {
		v.VRRPInstance = more.VRRPInstance
	}
	return true
}

// serviceKey is what a kernel knows a service by.
type serviceKey struct {
	vip      netip.Addr
	port     uint16
	protocol topology.Protocol
	mark     uint32
	ipv6     bool
}

func keyOf(v *topology.VirtualServer) serviceKey {
	if v.FWMark != 0 {
		return serviceKey{mark: v.FWMark, ipv6: v.IPv6()}
	}
	return serviceKey{vip: v.VIP.Addr(), port: v.Port, protocol: v.Protocol}
}

// another is the next name after name: web, web-2, web-3.
func another(name string) string {
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		if n, err := strconv.Atoi(name[i+1:]); err == nil && n > 1 {
			return name[:i+1] + strconv.Itoa(n+1)
		}
	}
	return name + "-2"
}
