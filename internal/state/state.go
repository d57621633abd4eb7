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
	"slices"
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
	// Timeouts are keyed by TimeoutTCP and the like, in seconds.
	Timeouts map[string]int         `json:"timeouts,omitempty"`
	Services map[ServiceKey]Service `json:"services,omitempty"`
	Servers  map[ServerKey]Server   `json:"servers,omitempty"`
	// Daemons are keyed by DaemonMaster and DaemonBackup.
	Daemons map[string]Daemon `json:"daemons,omitempty"`

	// Blocks and Files are what comes back at boot, and Units what brings it. They
	// are written last, see [Lasting].
	Blocks map[BlockKey]Block `json:"files,omitempty"`
	Files  map[string]File    `json:"own_files,omitempty"`
	Units  map[string]Unit    `json:"units,omitempty"`

	// Connections are what a live node's servers have open.
	Connections map[ServerKey]Connections `json:"-"`
	// Drain is how long a wanted service's servers may take to leave.
	Drain map[ServiceKey]time.Duration `json:"-"`
	// Manager is the package manager a live node has; "" for none that is known.
	Manager string `json:"-"`
	// Init is what starts a live node's services; "" for nothing that is known.
	Init string `json:"-"`
}

// New returns an empty State whose maps can be written to.
func New() *State {
	s := &State{Connections: map[ServerKey]Connections{}, Drain: map[ServiceKey]time.Duration{}}
	for _, k := range kinds {
		k.init(s)
	}
	return s
}

// kinds is the order of creation; removal goes the other way. Reading the list
// is reading the rules: tools and modules before what needs them, ARP quiet
// before a VIP, a rule before the traffic that it is for, an address before a
// route through it, a service before its servers. plan/order.go says where a
// director differs.
var kinds = []kind{
	packages,
	modules,
	sysctls,
	rules,
	links,
	addresses,
	routes,
	timeouts,
	services,
	servers,
	daemons,
	blocks,
	files,
	units,
}

// Lasting reports whether entries of a kind are there after a reboot. They are
// changed once all others of the node are confirmed: until then a power cut is a
// rollback.
func Lasting(kind string) bool {
	return kind == blocks.name || kind == files.name || kind == units.name
}

// Kinds returns the names of all kinds in order of creation.
func Kinds() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.kindName()
	}
	return slices.Compact(names) // both sorts of file are one to a reader
}

// Op is what happens to one entry.
type Op string

// The operations, as they stand in plans and in JSON.
const (
	Add    Op = "add"
	Edit   Op = "change"
	Remove Op = "remove"
)
