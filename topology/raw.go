package topology

import "github.com/hashicorp/hcl/v2"

// The raw types are the blocks as they are written. Their attributes are not evaluated
// yet, so that each one can be read, and refused, where its meaning is known. All are
// optional here, so that the refusal of a missing one can say why it is needed.

type rawLvsctl struct {
	Name            *hcl.Attribute `hcl:"name,optional"`
	RequiredVersion *hcl.Attribute `hcl:"required_version,optional"`
}

type rawSSH struct {
	User           *hcl.Attribute `hcl:"user,optional"`
	Port           *hcl.Attribute `hcl:"port,optional"`
	IdentityFile   *hcl.Attribute `hcl:"identity_file,optional"`
	IdentitiesOnly *hcl.Attribute `hcl:"identities_only,optional"`
	KnownHosts     *hcl.Attribute `hcl:"known_hosts,optional"`
	HostKey        *hcl.Attribute `hcl:"host_key,optional"`
	ProxyJump      *hcl.Attribute `hcl:"proxy_jump,optional"`
	ConnectTimeout *hcl.Attribute `hcl:"connect_timeout,optional"`
	Sudo           *hcl.Attribute `hcl:"sudo,optional"`
}

// rawNode is a node of any role. It has the attributes of all roles, so that a refusal
// can say which role an attribute belongs to.
type rawNode struct {
	ForEach    *hcl.Attribute `hcl:"for_each,optional"`
	Address    *hcl.Attribute `hcl:"address,optional"`
	SSH        *rawSSH        `hcl:"ssh,block"`
	Interfaces []rawInterface `hcl:"interface,block"`
	Gateway    *hcl.Attribute `hcl:"gateway,optional"`
	Routes     []rawRoute     `hcl:"route,block"`
	IPForward  *hcl.Attribute `hcl:"ip_forward,optional"`
	Sysctl     *hcl.Attribute `hcl:"sysctl,optional"`
	Hosts      *hcl.Attribute `hcl:"hosts,optional"`
	Persist    *hcl.Attribute `hcl:"persist,optional"`
	Packages   *hcl.Attribute `hcl:"packages,optional"`

	DIP       *hcl.Attribute `hcl:"dip,optional"`
	Exclusive *hcl.Attribute `hcl:"exclusive,optional"`
	Timeouts  *rawTimeouts   `hcl:"timeouts,block"`
	Sync      *rawSync       `hcl:"sync,block"`

	RIP          *hcl.Attribute `hcl:"rip,optional"`
	VIPInterface *hcl.Attribute `hcl:"vip_interface,optional"`
	WayBack      *hcl.Attribute `hcl:"way_back,optional"`
	Maintenance  *hcl.Attribute `hcl:"maintenance,optional"`
}

type rawInterface struct {
	Name      string         `hcl:"device,label"`
	NameRange hcl.Range      `hcl:"device,label_range"`
	Address   *hcl.Attribute `hcl:"address,optional"`
	Addresses *hcl.Attribute `hcl:"addresses,optional"`
	RPFilter  *hcl.Attribute `hcl:"rp_filter,optional"`
	Range     hcl.Range      `hcl:",def_range"`
}

type rawRoute struct {
	To     *hcl.Attribute `hcl:"to,optional"`
	Via    *hcl.Attribute `hcl:"via,optional"`
	Dev    *hcl.Attribute `hcl:"dev,optional"`
	Metric *hcl.Attribute `hcl:"metric,optional"`
	Range  hcl.Range      `hcl:",def_range"`
}

type rawTimeouts struct {
	TCP    *hcl.Attribute `hcl:"tcp,optional"`
	TCPFin *hcl.Attribute `hcl:"tcp_fin,optional"`
	UDP    *hcl.Attribute `hcl:"udp,optional"`
	Range  hcl.Range      `hcl:",def_range"`
}

type rawSync struct {
	Role      *hcl.Attribute `hcl:"role,optional"`
	Interface *hcl.Attribute `hcl:"interface,optional"`
	ID        *hcl.Attribute `hcl:"id,optional"`
	Range     hcl.Range      `hcl:",def_range"`
}

type rawService struct {
	ForEach        *hcl.Attribute  `hcl:"for_each,optional"`
	VIP            *hcl.Attribute  `hcl:"vip,optional"`
	Port           *hcl.Attribute  `hcl:"port,optional"`
	Protocol       *hcl.Attribute  `hcl:"protocol,optional"`
	FWMark         *hcl.Attribute  `hcl:"fwmark,optional"`
	Marks          []rawMark       `hcl:"mark,block"`
	Mode           *hcl.Attribute  `hcl:"mode,optional"`
	Scheduler      *hcl.Attribute  `hcl:"scheduler,optional"`
	SchedulerFlags *hcl.Attribute  `hcl:"scheduler_flags,optional"`
	Persistence    *rawPersistence `hcl:"persistence,block"`
	OnePacket      *hcl.Attribute  `hcl:"one_packet,optional"`
	Director       *hcl.Attribute  `hcl:"director,optional"`
	Directors      *hcl.Attribute  `hcl:"directors,optional"`
	Interface      *hcl.Attribute  `hcl:"interface,optional"`
	ServerList     *hcl.Attribute  `hcl:"real_servers,optional"`
	Servers        []rawServer     `hcl:"real_server,block"`
	MSS            *hcl.Attribute  `hcl:"mss,optional"`
	Tunnel         *rawTunnel      `hcl:"tunnel,block"`
	Drain          *hcl.Attribute  `hcl:"drain,optional"`
	SorryServer    *hcl.Attribute  `hcl:"sorry_server,optional"`
	HealthCheck    *rawHealthCheck `hcl:"health_check,block"`
}

type rawMark struct {
	Protocol *hcl.Attribute `hcl:"protocol,optional"`
	Ports    *hcl.Attribute `hcl:"ports,optional"`
	Range    hcl.Range      `hcl:",def_range"`
}

type rawPersistence struct {
	Timeout *hcl.Attribute `hcl:"timeout,optional"`
	Netmask *hcl.Attribute `hcl:"netmask,optional"`
	Engine  *hcl.Attribute `hcl:"engine,optional"`
	Range   hcl.Range      `hcl:",def_range"`
}

type rawServer struct {
	Name      string         `hcl:"name,label"`
	NameRange hcl.Range      `hcl:"name,label_range"`
	Weight    *hcl.Attribute `hcl:"weight,optional"`
	Port      *hcl.Attribute `hcl:"port,optional"`
	Upper     *hcl.Attribute `hcl:"upper_threshold,optional"`
	Lower     *hcl.Attribute `hcl:"lower_threshold,optional"`
	Mode      *hcl.Attribute `hcl:"mode,optional"`
	Tunnel    *rawTunnel     `hcl:"tunnel,block"`
	Range     hcl.Range      `hcl:",def_range"`
}

type rawTunnel struct {
	Type     *hcl.Attribute `hcl:"type,optional"`
	Port     *hcl.Attribute `hcl:"port,optional"`
	Checksum *hcl.Attribute `hcl:"checksum,optional"`
	Range    hcl.Range      `hcl:",def_range"`
}

type rawHealthCheck struct {
	TCP      *rawTCPCheck   `hcl:"tcp,block"`
	HTTP     *rawHTTPCheck  `hcl:"http,block"`
	UDP      *rawUDPCheck   `hcl:"udp,block"`
	Misc     *rawMiscCheck  `hcl:"misc,block"`
	None     *rawNoCheck    `hcl:"none,block"`
	Interval *hcl.Attribute `hcl:"interval,optional"`
	Timeout  *hcl.Attribute `hcl:"timeout,optional"`
	Retries  *hcl.Attribute `hcl:"retries,optional"`
	Range    hcl.Range      `hcl:",def_range"`
}

type (
	rawTCPCheck struct{}
	rawUDPCheck struct{}
	rawNoCheck  struct{}
)

type rawHTTPCheck struct {
	Path   *hcl.Attribute `hcl:"path,optional"`
	Status *hcl.Attribute `hcl:"status,optional"`
}

type rawMiscCheck struct {
	Range   hcl.Range      `hcl:",def_range"`
	Command *hcl.Attribute `hcl:"command,optional"`
}

type rawVRRP struct {
	Directors       *hcl.Attribute `hcl:"directors,optional"`
	Interface       *hcl.Attribute `hcl:"interface,optional"`
	VirtualRouterID *hcl.Attribute `hcl:"virtual_router_id,optional"`
	AdvertInt       *hcl.Attribute `hcl:"advert_int,optional"`
	Preempt         *hcl.Attribute `hcl:"preempt,optional"`
	AuthPass        *hcl.Attribute `hcl:"auth_pass,optional"`
	Priorities      *hcl.Attribute `hcl:"priorities,optional"`
	Unicast         *hcl.Attribute `hcl:"unicast,optional"`
	Addresses       *hcl.Attribute `hcl:"addresses,optional"`
	Sync            *hcl.Attribute `hcl:"sync,optional"`
}
