// Package state says what lvsctl manages on a node, and how each kind of it is
// read, compared, changed and undone.
//
// A [State] is wanted (from roles) or live (from a node); both are the same
// type, normalised when made, so == on entries decides everything. A kind is a
// table: one map of the State with the commands that make, edit and unmake its
// entries. To add a kind: a field here, a file with its table, a line in kinds.
//
// What may be touched is settled before anything is compared, see [Settle].
package state

import (
	"maps"
	"time"
)

// State is what lvsctl manages on one node.
type State struct {
	// Sysctls are keyed by their path below /proc/sys: net/ipv4/ip_forward.
	Sysctls   map[string]string      `json:"sysctls,omitempty"`
	Packages  map[string]Package     `json:"packages,omitempty"`
	Modules   map[string]Module      `json:"modules,omitempty"`
	Rules     map[RuleKey]Rule       `json:"rules,omitempty"`
	Links     map[string]Link        `json:"links,omitempty"`
	Addresses map[AddressKey]Address `json:"addresses,omitempty"`
	Routes    map[RouteKey]Route     `json:"routes,omitempty"`
	Policies  map[PolicyKey]Policy   `json:"policies,omitempty"`
	// Timeouts are keyed by TimeoutTCP and the like, in seconds.
	Timeouts map[string]int         `json:"timeouts,omitempty"`
	Services map[ServiceKey]Service `json:"services,omitempty"`
	Servers  map[ServerKey]Server   `json:"servers,omitempty"`
	// Daemons are keyed by DaemonMaster and DaemonBackup.
	Daemons map[string]Daemon `json:"daemons,omitempty"`
	// Confs are keyed by path, Keepalived by KeepalivedName.
	Confs      map[string]Conf       `json:"configs,omitempty"`
	Keepalived map[string]Keepalived `json:"keepalived,omitempty"`

	// Blocks and Files are what comes back at boot, and Units what brings it. They
	// are written last, see [Kind.Persistent].
	Blocks map[BlockKey]Block `json:"files,omitempty"`
	Files  map[string]File    `json:"own_files,omitempty"`
	Units  map[string]Unit    `json:"units,omitempty"`

	// Connections are what a live node's servers have open.
	Connections map[ServerKey]Connections `json:"-"`
	// Masters are the devices, bridge, bond or VRF, that a live node's devices belong
	// to; VRFs are the routing tables of its VRFs, by device.
	Masters map[string]string `json:"-"`
	VRFs    map[string]string `json:"-"`
	// PolicyOrder are a live node's policies as the kernel asks them, from 0 on: those
	// of one priority as they were made, and one of the same identity several times.
	PolicyOrder map[int]PolicyRule `json:"-"`
	// Unreadable is why a live service, or one of its servers, could not be read. The
	// zero key is for a line of the table that names no service. NoRules is why no
	// netfilter rules could be read; "" if they were.
	Unreadable map[ServiceKey]string `json:"-"`
	NoRules    string                `json:"-"`
	// Drain is how long a wanted service's servers may take to leave.
	Drain map[ServiceKey]time.Duration `json:"-"`
	// Governed is what keepalived does on the node, and Texts what is known of its
	// files by their hash.
	Governed Governed            `json:"-"`
	Texts    map[string]ConfText `json:"-"`
	// Manager is the package manager a live node has; "" for none that is known.
	Manager string `json:"-"`
	// Init is what starts a live node's services; "" for nothing that is known.
	Init string `json:"-"`
}

// New returns an empty State whose maps can be written to.
func New() *State {
	s := &State{Connections: map[ServerKey]Connections{}, Drain: map[ServiceKey]time.Duration{}, Masters: map[string]string{}, VRFs: map[string]string{}, PolicyOrder: map[int]PolicyRule{}, Unreadable: map[ServiceKey]string{}, Texts: map[string]ConfText{}}
	for _, k := range kinds {
		k.init(s)
	}
	return s
}

// Clone returns a State that shares nothing with s.
func (s *State) Clone() *State {
	c := *s
	for _, k := range kinds {
		k.clone(&c, s)
	}
	c.Connections = maps.Clone(s.Connections)
	c.Masters, c.VRFs = maps.Clone(s.Masters), maps.Clone(s.VRFs)
	c.PolicyOrder = maps.Clone(s.PolicyOrder)
	c.Unreadable = maps.Clone(s.Unreadable)
	c.Drain = maps.Clone(s.Drain)
	c.Texts = maps.Clone(s.Texts)
	return &c
}
