// Package topology reads the HCL that describes a cluster and refuses what
// cannot work, before any node is touched.
//
// [Load] turns files into a [Topology]: every name resolved, every default
// filled in, every row of the mode table checked. What stands in a Topology is
// therefore true of it, and the rooms below never check it again. Problems are
// hcl.Diagnostics, all of them at once.
//
// To add an attribute: a field in the raw type that decodes it (raw.go), a
// field here, and a check beside its kin (check_*.go).
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
	// Nodes are sorted by name.
	Nodes []*Node
	// Services are sorted by name.
	Services []*VirtualServer
	// VRRP instances are sorted by name.
	VRRP []*VRRPInstance
	// Unsupported lists what the language allows and no role acts on yet. A plan
	// refuses them; validate does not.
	Unsupported []Unsupported
}

// Unsupported is a part of a topology that validates but cannot be planned.
type Unsupported struct {
	What  string // for example `mode "fullnat"`
	Range hcl.Range
}

// Role says what a node is for.
type Role string

// The four kinds of node, spelled as their HCL block types.
const (
	Director   Role = "director"
	RealServer Role = "real_server"
	Router     Role = "router"
	Client     Role = "client"
)

// Mode is how a director hands a packet to a real server.
type Mode string

// The forwarding modes, spelled as in HCL. FULLNAT is masquerading in both
// directions: IPVS itself does NAT, netfilter rewrites the source.
const (
	NAT     Mode = "nat"
	DR      Mode = "dr"
	TUN     Mode = "tun"
	FULLNAT Mode = "fullnat"
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
	// Gateway is the default route asked for by the node's own attribute, one a
	// family at most; zero values when the attribute is absent. A node's name has
	// become its address.
	Gateway Gateways
	Routes  []Route
	// IPForward is the node's own attribute; nil when it is absent.
	IPForward *bool
	Sysctls   []Sysctl // sorted by key
	Hosts     bool
	Persist   netsystem.Name
	Packages  Packages

	// DIP is a director's own address towards the real servers.
	DIP netip.Addr
	// Exclusive removes services that the topology does not know.
	Exclusive bool
	Timeouts  *Timeouts
	Sync      *Sync

	// RIP is the address a real server is reached at. A director that serves
	// locally has one too (its DIP).
	RIP netip.Addr
	// VIPInterface overrides lo (dr) and tunl0 (tun); "" for the default.
	VIPInterface      string
	VIPInterfaceRange hcl.Range
	// WayBack is how a real server's answers of nat find the director.
	WayBack WayBack
	// Maintenance keeps new connections away from a real server: its weight is 0 in
	// every service, as [Server.Weight] says already.
	Maintenance bool

	Range hcl.Range
}

// WayBack is how a real server's answers of nat find the director.
type WayBack string

// The ways back: by the default route, or by a rule (ip rule) for what comes from the
// RIP and a routing table of its own, which leaves the default route alone.
const (
	WayBackRoute WayBack = "route"
	WayBackRule  WayBack = "rule"
)

// Gateways is at most one default route a family.
type Gateways struct {
	V4, V6 netip.Addr
	// Dev4 and Dev6 are the devices of gateways that are on none of the node's
	// subnets: a link-local one, or one that a provider hands out beside a /32. They
	// are "" otherwise.
	Dev4, Dev6 string
	Range      hcl.Range
}

// SSH says how a node is reached. A zero field is left to the ssh config, then
// to OpenSSH's default.
type SSH struct {
	User           string
	Port           int
	IdentityFile   string
	IdentitiesOnly *bool
	KnownHosts     string
	HostKey        string
	ProxyJump      string
	ConnectTimeout time.Duration
	Sudo           bool
}

// Interface is a NIC with the base addresses a node is expected to have.
type Interface struct {
	Name      string
	Addresses []netip.Prefix // host bits kept: 10.0.0.5/24
	RPFilter  *int           // nil: by role and mode
	Range     hcl.Range
}

// Route is a further route to hold.
type Route struct {
	To     netip.Prefix
	Via    netip.Addr // zero: on link
	Dev    string     // "": the device whose subnet holds Via
	Metric int
	Range  hcl.Range
}

// Sysctl is a further kernel parameter to hold. Key is in slash form
// (net/ipv4/conf/eth0.100/arp_ignore), whatever form the topology used.
type Sysctl struct {
	Key, Value string
	Range      hcl.Range
}

// Packages says what to do about a missing tool.
type Packages string

// The values of the packages attribute.
const (
	PackagesInstall Packages = "install"
	PackagesRequire Packages = "require"
)

// Timeouts are a director's connection timeouts in seconds; 0 leaves one alone.
type Timeouts struct {
	TCP, TCPFin, UDP int
	Range            hcl.Range
}

// Sync is a director's connection synchronisation daemon.
type Sync struct {
	Role      string // "master", "backup" or "both"
	Interface string
	ID        int
	Range     hcl.Range
}

// VirtualServer is one balanced service.
type VirtualServer struct {
	Name string
	// VIP keeps the prefix length that was written (default /32 or /128). It is
	// the zero Prefix for a fwmark service without one.
	VIP      netip.Prefix
	Port     uint16
	Protocol Protocol
	// FWMark is non-zero for a fwmark service; Port and Protocol then mean nothing.
	FWMark uint32
	Marks  []Mark

	Mode           Mode
	Scheduler      string
	SchedulerFlags []string // sorted
	Persistence    *Persistence
	OnePacket      bool

	Directors []*Node // sorted by name
	// Interface is the directors' device for the VIP as written; "" for the
	// default, see [VirtualServer.Device].
	Interface   string
	RealServers []Server // sorted by address, then port

	MSS          int // 0: untouched
	Drain        time.Duration
	SorryServer  netip.AddrPort
	HealthCheck  *HealthCheck
	VRRPInstance *VRRPInstance // nil unless keepalived runs the service
	Range        hcl.Range
}

// Server is one real server in a virtual service.
type Server struct {
	Node *Node // a real server, or a director that serves locally
	// Address is the node's address in the service's family.
	Address netip.Addr
	Port    uint16
	Weight  int
	Upper   int
	Lower   int
	Mode    Mode
	Range   hcl.Range
}

// Mark is a rule that gives packets a fwmark service's mark.
type Mark struct {
	Protocol Protocol
	Ports    []PortRange
	Range    hcl.Range
}

// PortRange is First..Last, both included.
type PortRange struct{ First, Last uint16 }

// Persistence keeps a client on its real server.
type Persistence struct {
	Timeout int // seconds
	// Netmask is a prefix length: 32 or 128 keeps each client by itself.
	Netmask int
	Engine  string // "" or "sip"
	Range   hcl.Range
}

// HealthCheck is what keepalived does to know a real server's health.
type HealthCheck struct {
	Kind     string // "tcp", "http", "udp", "misc" or "none"
	Path     string
	Status   int
	Command  string
	Interval time.Duration
	Timeout  time.Duration
	Retries  int
	Range    hcl.Range
}

// VRRPInstance is a set of directors that share VIPs through keepalived.
type VRRPInstance struct {
	Name       string
	Directors  []*Node // in order of priority
	Interface  string
	RouterID   int
	AdvertInt  time.Duration
	Preempt    bool
	AuthPass   string
	Priorities []int // one a director
	// Unicast sends adverts to the other directors instead of a multicast group.
	Unicast bool
	// Addresses move with the instance, beside the VIPs of its services.
	Addresses []FloatingAddress
	// Sync keeps the connection table on the directors that wait.
	Sync  bool
	Range hcl.Range
}

// FloatingAddress is an address of a vrrp_instance that no service has: the
// gateway of real servers, for example.
type FloatingAddress struct {
	Prefix netip.Prefix // host bits kept
	// Dev is the device as written; "" for the one whose subnet holds the address.
	Dev   string
	Range hcl.Range
}
