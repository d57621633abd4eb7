// Package state defines what lvsctl manages on a node, and how each kind of entry is
// read, compared, changed and undone.
//
// A [State] is wanted (made by roles) or live (read from a node). Both are the same type,
// and their entries are normalised, so that == decides whether two are alike. A kind has a
// table: one map of the State, with the commands that make, edit and unmake its entries.
//
// Before a live and a wanted State are compared by [Diff], [Settle] decides what the plan
// may touch.
//
// A new kind takes a field of State, a file with its table, and a line in kinds.
package state

import (
	"maps"
	"net/netip"
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
	FOUs      map[FOUKey]FOU         `json:"fous,omitempty"`
	Addresses map[AddressKey]Address `json:"addresses,omitempty"`
	Routes    map[RouteKey]Route     `json:"routes,omitempty"`
	Policies  map[PolicyKey]Policy   `json:"policies,omitempty"`
	// Timeouts are in seconds, by TimeoutTCP and the like.
	Timeouts map[string]int         `json:"timeouts,omitempty"`
	Services map[ServiceKey]Service `json:"services,omitempty"`
	Servers  map[ServerKey]Server   `json:"servers,omitempty"`
	// Daemons are keyed by DaemonMaster and DaemonBackup.
	Daemons map[string]Daemon `json:"daemons,omitempty"`
	// Confs are keyed by path, Keepalived by KeepalivedName.
	Confs      map[string]Conf       `json:"configs,omitempty"`
	Keepalived map[string]Keepalived `json:"keepalived,omitempty"`

	// Blocks, Files and Units are for the next boot. They are written last, see
	// [Kind.Persistent].
	Blocks map[BlockKey]Block `json:"files,omitempty"`
	Files  map[string]File    `json:"own_files,omitempty"`
	Units  map[string]Unit    `json:"units,omitempty"`

	// The fields below are no entries: Diff does not compare them. All but Drain are of
	// a live State.

	// Connections are the entries of the connection table, by server.
	Connections map[ServerKey]Connections `json:"-"`
	// Masters is the bridge, bond or VRF of each device that belongs to one. VRFs is the
	// routing table of each VRF, by its device.
	Masters map[string]string `json:"-"`
	VRFs    map[string]string `json:"-"`
	// ARP is, for each device that was read, whether neighbours can ask it for addresses.
	ARP map[string]bool `json:"-"`
	// PolicyOrder are all policies in the order in which the kernel asks them, from 0
	// on. Policies has no order, and only the first of several with the same key.
	PolicyOrder map[int]PolicyRule `json:"-"`
	// Unreadable says why a service or one of its servers could not be read. The zero
	// key is for a line of the table that names no service. NoRules says why the
	// netfilter rules could not be read, or is "".
	Unreadable map[ServiceKey]string `json:"-"`
	NoRules    string                `json:"-"`
	// Drain is how long the servers of a wanted service may keep connections before they
	// are removed, in whole seconds.
	Drain map[ServiceKey]time.Duration `json:"-"`
	// Governed is what keepalived does on the node, and Texts what is known of its
	// files by their hash.
	Governed Governed            `json:"-"`
	Texts    map[string]ConfText `json:"-"`
	// Quiesce are the real servers that a wanted State keeps new connections from, see
	// [Quiesced].
	Quiesce map[netip.Addr]bool `json:"-"`
	// Kernel is a live node's release, as uname -r has it.
	Kernel string `json:"-"`
	// Manager is the package manager, or "" if lvsctl knows none there.
	Manager string `json:"-"`
	// Init is what starts services, InitSystemd and so on, or "" if lvsctl does not know
	// it.
	Init string `json:"-"`
}

// New returns an empty State whose maps can be written to.
func New() *State {
	s := &State{Connections: map[ServerKey]Connections{}, Drain: map[ServiceKey]time.Duration{}, Quiesce: map[netip.Addr]bool{}, Masters: map[string]string{}, VRFs: map[string]string{}, ARP: map[string]bool{}, PolicyOrder: map[int]PolicyRule{}, Unreadable: map[ServiceKey]string{}, Texts: map[string]ConfText{}}
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
	c.ARP = maps.Clone(s.ARP)
	c.PolicyOrder = maps.Clone(s.PolicyOrder)
	c.Unreadable = maps.Clone(s.Unreadable)
	c.Drain = maps.Clone(s.Drain)
	c.Texts = maps.Clone(s.Texts)
	c.Quiesce = maps.Clone(s.Quiesce)
	return &c
}
