// Package topology reads the HCL that describes a cluster and refuses what
// cannot work, before any node is touched.
//
// [Load] makes a [Topology] of files: with every name resolved, every default filled in,
// and every service checked against the mode table in the README. So the other packages
// need not check it again. Load returns all problems at once, as hcl.Diagnostics.
//
// A new attribute takes a field in the raw type that decodes it (raw.go), a field here,
// and a check in the file of its subject (check_*.go).
package topology

import (
	"net/netip"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsctl/lvsctl/internal/netsystem"
)

// Topology is one validated cluster.
type Topology struct {
	// Name identifies the topology on every node it touches: the record is
	// /var/lib/lvsctl/NAME.json.
	Name string
	// Dir is the folder the topology was read from.
	Dir string
	// SSH is how a node is reached that has no ssh block of its own.
	SSH SSH
	// Nodes are sorted by name.
	Nodes []*Node
	// Services are sorted by name.
	Services []*VirtualServer
	// VRRP instances are sorted by name.
	VRRP []*VRRPInstance
	// Unsupported lists parts of the topology that the language allows and no role acts
	// on yet. plan refuses them, validate does not.
	Unsupported []Unsupported
}

// Unsupported is a part of a topology that is valid but cannot be planned yet.
type Unsupported struct {
	What  string // for example `mode "fullnat"`
	Range hcl.Range
}

// Role is what a node does in the cluster.
type Role string

// The four kinds of node, spelled as their HCL block types.
const (
	Director   Role = "director"
	RealServer Role = "real_server"
	Router     Role = "router"
	Client     Role = "client"
)

// Mode is how a director forwards a packet to a real server.
type Mode string

// The forwarding modes, spelled as in HCL. FULLNAT is masquerading in both
// directions: IPVS itself does NAT, netfilter rewrites the source.
const (
	NAT     Mode = "nat"
	DR      Mode = "dr"
	TUN     Mode = "tun"
	FULLNAT Mode = "fullnat"
)

// Tunnel is what a director wraps the packets for a real server in, with mode tun. The zero
// Tunnel is ipip: the packet itself, after another IP header.
type Tunnel struct {
	Type     TunnelType
	Port     uint16 // of gue: the UDP port at which the real server takes packets off
	Checksum Checksum
}

// TunnelType is what comes between the two IP headers; "" for nothing, which is ipip.
type TunnelType string

// The other types of a tunnel. GUE is Generic UDP Encapsulation, after a UDP header.
const (
	GUE TunnelType = "gue"
	GRE TunnelType = "gre"
)

// Checksum is what protects a gue packet beside the checksums of what is in it; "" for
// nothing.
type Checksum string

// The checksums. ChecksumInner is that of the UDP header. With ChecksumRemote the real
// server computes the one that the director's network card would have filled in.
const (
	ChecksumInner  Checksum = "inner"
	ChecksumRemote Checksum = "remote"
)

// Protocol is the transport protocol of a virtual service.
type Protocol string

// The protocols IPVS balances.
const (
	TCP  Protocol = "tcp"
	UDP  Protocol = "udp"
	SCTP Protocol = "sctp"
)

// Node is one host.
type Node struct {
	Name  string // unique over all roles
	Group string // the for_each block it came from, or ""
	Role  Role
	// Address is where SSH goes: an IP, a name, a Host alias, or "local".
	Address    string
	SSH        SSH
	Interfaces []Interface // in the order they were written
	// Gateway holds the default routes of the node's gateway attribute, with names of
	// nodes resolved to addresses. It is zero without the attribute.
	Gateway Gateways
	Routes  []Route
	// IPForward is the node's ip_forward attribute, or nil without it.
	IPForward *bool
	Sysctls   []Sysctl       // sorted by key
	Hosts     bool           // manage the topology's names in /etc/hosts
	Persist   netsystem.Name // "" lets lvsctl find out what sets up the network
	Packages  Packages

	// DIP is a director's own address towards the real servers.
	DIP netip.Addr
	// Exclusive removes virtual services that the topology does not name.
	Exclusive bool
	Timeouts  *Timeouts // nil leaves the kernel's
	Sync      *Sync     // nil: no sync daemon

	// RIP is the address at which directors reach a real server. A director that is a
	// real server of its own service has one too: its DIP.
	RIP netip.Addr
	// VIPInterface is the device for the VIPs. "" means lo with dr, and with tun
	// the device that takes packets off: tunl0, gre0 and the like.
	VIPInterface      string
	VIPInterfaceRange hcl.Range
	// WayBack is how the answers of a nat real server reach the director.
	WayBack WayBack
	// Maintenance keeps new connections away from a real server. Load has set its
	// weight to 0 in every service.
	Maintenance bool

	Range hcl.Range
}

// WayBack is how the answers of a nat real server reach the director.
type WayBack string

// The ways back. WayBackRoute sets the default route. WayBackRule leaves it alone: a rule
// (ip rule) leads packets from the RIP to a routing table of its own.
const (
	WayBackRoute WayBack = "route"
	WayBackRule  WayBack = "rule"
)

// Gateways are the next hops of a node's default routes. An address is zero if there is
// no such route.
type Gateways struct {
	V4, V6 netip.Addr
	// Dev4 and Dev6 are the devices of gateways that are on none of the node's subnets:
	// a link-local address, or the gateway of a host with a /32. Otherwise they are "".
	Dev4, Dev6 string
	Range      hcl.Range
}

// SSH is how to connect to a node. For a zero field the user's ssh config decides, then
// OpenSSH's default.
type SSH struct {
	User           string
	Port           int    // 1 to 65535
	IdentityFile   string // path of a private key
	IdentitiesOnly *bool
	KnownHosts     string        // path of a file
	HostKey        string        // the one accepted key, as in a known_hosts file
	ProxyJump      string        // [user@]host[:port],...
	ConnectTimeout time.Duration // 1 s to 10 min
	Sudo           bool          // run scripts by sudo -n
}

// Interface is a NIC, with the base addresses that the node has before lvsctl changes it.
type Interface struct {
	Name      string
	Addresses []netip.Prefix // host bits kept: 10.0.0.5/24
	RPFilter  *int           // 0, 1 or 2; nil: by role and mode
	Range     hcl.Range
}

// Route is a route that the node must have, beside the default one.
type Route struct {
	To     netip.Prefix
	Via    netip.Addr // zero for a route on link
	Dev    string     // "" for the device in whose subnet Via is
	Metric int        // 0 to 2^31-1; 0 is the kernel's default
	Range  hcl.Range
}

// Sysctl is a kernel parameter that the node must have. Key has slashes
// (net/ipv4/conf/eth0.100/arp_ignore), whatever form the topology used.
type Sysctl struct {
	Key, Value string
	Range      hcl.Range
}

// Packages is what to do if a node lacks a tool such as ipvsadm.
type Packages string

// The values of the packages attribute: install what is missing, or fail.
const (
	PackagesInstall Packages = "install"
	PackagesRequire Packages = "require"
)

// Timeouts are the timeouts of a director's IPVS connections, in seconds, up to 31 days.
// 0 leaves the kernel's value.
type Timeouts struct {
	TCP, TCPFin, UDP int
	Range            hcl.Range
}

// Sync is the IPVS sync daemon of a director, which copies the connection table.
type Sync struct {
	Role      string // "master", "backup" or "both"
	Interface string // the device for its multicast
	ID        int    // 0 to 255
	Range     hcl.Range
}

// VirtualServer is one virtual service of IPVS.
type VirtualServer struct {
	Name string
	// VIP has the prefix length that was written; the default is /32 or /128. A fwmark
	// service may have none, which is the zero Prefix.
	VIP      netip.Prefix
	Port     uint16 // 0 is every port
	Protocol Protocol
	// FWMark is 1 to 2^31-1 for a fwmark service, which has no Port and Protocol, and 0
	// for any other.
	FWMark uint32
	Marks  []Mark

	Mode           Mode
	Tunnel         Tunnel // of its real servers, if they have none of their own
	Scheduler      string
	SchedulerFlags []string // sorted
	Persistence    *Persistence
	OnePacket      bool

	Directors []*Node // sorted by name
	// Interface is the written device for the VIP on the directors, or "".
	// [VirtualServer.Device] knows the default.
	Interface   string
	RealServers []Server // sorted by address, then port

	MSS          int            // bytes, 536 to 65495; 0 leaves it
	Drain        time.Duration  // how long a server keeps its connections before it is removed; up to 24 h
	SorryServer  netip.AddrPort // zero: none
	HealthCheck  *HealthCheck   // nil: none
	VRRPInstance *VRRPInstance  // nil unless keepalived runs the service
	Range        hcl.Range
}

// Server is one real server in a virtual service.
type Server struct {
	Node *Node // a real server, or a director that serves locally
	// Address is the node's address in the service's family; with tun it may be of the
	// other one.
	Address netip.Addr
	Port    uint16
	Weight  int // 0 to 65535; 0 gets no new connections
	Upper   int // connections at which it gets no new ones; 0: no limit
	Lower   int // connections below which it gets new ones again; at most Upper
	Mode    Mode
	Tunnel  Tunnel // zero unless Mode is TUN
	Range   hcl.Range
}

// Mark is a netfilter rule that marks packets for a fwmark service.
type Mark struct {
	Protocol Protocol
	Ports    []PortRange
	Range    hcl.Range
}

// PortRange is First..Last, both included.
type PortRange struct{ First, Last uint16 }

// Persistence sends a client to the same real server again.
type Persistence struct {
	Timeout int // seconds, 1 to 31 days
	// Netmask is a prefix length: clients in one such subnet go to one real server. 32
	// and 128 mean each client by itself.
	Netmask int
	Engine  string // "" or "sip"
	Range   hcl.Range
}

// HealthCheck is how keepalived checks real servers.
type HealthCheck struct {
	Kind     string        // "tcp", "http", "udp", "misc" or "none"
	Path     string        // of http
	Status   int           // of http: the status code of a healthy server
	Command  string        // of misc: it exits with 0 for a healthy server
	Interval time.Duration // 0.1 s to 1 h
	Timeout  time.Duration // 0.1 s to 1 h
	Retries  int           // 0 to 100
	Range    hcl.Range
}

// VRRPInstance is a set of directors that share VIPs by keepalived.
type VRRPInstance struct {
	Name       string
	Directors  []*Node       // in order of priority
	Interface  string        // for the adverts, on each director
	RouterID   int           // virtual_router_id, 1 to 255
	AdvertInt  time.Duration // between adverts, 10 ms to 255 s
	Preempt    bool          // a director with a higher priority takes over
	AuthPass   string        // "" for none
	Priorities []int         // one for each of Directors
	// Unicast sends adverts to the other directors instead of a multicast group.
	Unicast bool
	// Addresses move with the instance, as the VIPs of its services do.
	Addresses []FloatingAddress
	// Sync copies the connection table to the backup directors.
	Sync  bool
	Range hcl.Range
}

// FloatingAddress is an address of a vrrp_instance that is no VIP, for example the
// gateway of real servers.
type FloatingAddress struct {
	Prefix netip.Prefix // host bits kept
	// Dev is the written device, or "" for the one in whose subnet the address is.
	Dev   string
	Range hcl.Range
}
