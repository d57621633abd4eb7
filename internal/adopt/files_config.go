package adopt

import (
	"net/netip"
	"time"

	"github.com/lvsctl/lvsctl/topology"
)

// What one file says, in the words of a topology but not yet fitted to one. The readers of
// keepalived.conf, ldirectord.cf and ipvsadm's output (from_*.go) all make a config; from
// there on it does not matter which file it was.

// A config is one director, as a file has it.
type config struct {
	file     string
	form     string
	name     string // what the file calls itself, or ""
	own      []own
	services []*service
	// instances are of keepalived only.
	instances []*instance
	timeouts  *topology.Timeouts
	sync      *syncDaemon
	groups    [][]string // of names of instances that move together
}

// own is an address of the director itself.
type own struct {
	dev  string // "" if the file does not say
	addr netip.Prefix
}

type syncDaemon struct {
	place
	dev, instance string
	role          string // "" where keepalived switches it
	id            int
}

// An instance is a vrrp_instance of one file.
type instance struct {
	place
	name, dev    string
	id, priority int
	advert       time.Duration
	preempt      bool
	master       bool // the file says so
	version      int  // 0 if it does not say
	pass         string
	source       netip.Addr
	unicast      bool
	peers        []netip.Addr
	addresses    []floating
	tracked      []place
	trackedDevs  []string
	sync         bool // lvs_sync_daemon is bound to it
	of           *config
}

type floating struct {
	place
	prefix netip.Prefix
	dev    string
}

// A service is a virtual server of one file.
type service struct {
	place
	name     string // what the file calls it, or ""
	vip      netip.Addr
	port     uint16
	protocol topology.Protocol
	mark     uint32
	ipv6     bool

	scheduler   string
	flags       []string
	persistence *topology.Persistence
	onePacket   bool
	mode        topology.Mode
	tunnel      topology.Tunnel
	sorry       netip.AddrPort
	sorryAt     place
	check       topology.HealthCheck // Interval: between the checks of its servers
	servers     []*server
	// healthCheck is of all its servers, and set at last.
	healthCheck *topology.HealthCheck
	of          *config
}

// A server is a real server of one service.
type server struct {
	place
	addr                 netip.Addr
	port                 uint16
	weight, upper, lower int
	mode                 topology.Mode
	tunnel               topology.Tunnel
	check                *topology.HealthCheck // nil: none
}

// key is what a kernel knows the service by.
func (s *service) key() serviceKey {
	if s.mark != 0 {
		return serviceKey{mark: s.mark, ipv6: s.ipv6}
	}
	return serviceKey{vip: s.vip, port: s.port, protocol: s.protocol}
}

// full is the length of the mask of a client by itself.
func full(ipv6 bool) int {
	if ipv6 {
		return 128
	}
	return 32
}

// fraction reports whether adverts are no whole seconds apart, which takes VRRP 3.
func (i *instance) fraction() bool { return i.advert%time.Second != 0 }
