package state

import "slices"

// Kind is a kind of entry, by the name that plans and JSON use.
type Kind string

// The kinds. KindFile has two tables: a block of lines in a file that others use too
// ([BlockKey]), and a file of lvsctl's own ([Path]). The type of the key tells which.
const (
	KindPackage Kind = "package"
	KindModule  Kind = "module"
	KindConf    Kind = "config"
	KindSysctl  Kind = "sysctl"
	KindRule    Kind = "rule"
	KindLink    Kind = "link"
	// KindFOU is a UDP port at which the kernel takes packets off, see [FOUKey].
	KindFOU     Kind = "fou"
	KindAddress Kind = "address"
	KindRoute   Kind = "route"
	// KindPolicy is a rule of ip-rule(8), which chooses a routing table. KindRule is a
	// rule of netfilter.
	KindPolicy  Kind = "policy"
	KindTimeout Kind = "timeout"
	KindService Kind = "service"
	KindServer  Kind = "server"
	KindDaemon  Kind = "sync"
	// KindKeepalived is keepalived itself, which runs, KindConf its file.
	KindKeepalived Kind = "daemon"
	KindFile       Kind = "file"
	KindUnit       Kind = "unit"
)

// kinds is the order of creation on a node. Entries are removed in the reverse order.
// Tools and modules come before what needs them, the ARP parameters before a VIP, a
// netfilter rule before its traffic, an address before a route through it, a route before
// the policy that leads to it, and a service before its servers. On a director addresses
// come last, see plan/stage.go.
var kinds = []kind{
	packages,
	modules,
	confs,
	sysctls,
	rules,
	links,
	fous,
	addresses,
	routes,
	policies,
	timeouts,
	services,
	servers,
	daemons,
	keepaliveds,
	blocks,
	files,
	units,
}

// Kinds returns all kinds in order of creation.
func Kinds() []Kind {
	list := make([]Kind, len(kinds))
	for i, k := range kinds {
		list[i] = k.is()
	}
	return slices.Compact(list) // blocks and files have the same Kind
}

// Persistent reports whether entries of a kind are for the node's next boot. They are
// changed when all others of the node are confirmed. So a power cut before that restores
// the old configuration.
func (k Kind) Persistent() bool { return k == KindFile || k == KindUnit }

// Key identifies an entry within its kind. Keys are compared with ==. String is for people
// only; no code looks an entry up by it.
//
// A key is the key of the kind's map in [State] if that has a type of its own. Otherwise
// it is a [Path] for a file, a [SysctlKey] for a kernel parameter, and a [Name] for
// everything else.
type Key interface{ String() string }

// Name is the key of a package, module, link, timeout, daemon or unit.
type Name string

func (n Name) String() string { return string(n) }

// Path is the key of a file of lvsctl's own.
type Path string

func (p Path) String() string { return string(p) }

// SysctlKey is the key of a kernel parameter: its path below /proc/sys.
type SysctlKey string

// String is the key as sysctl(8) prints it, see [SysctlName].
func (k SysctlKey) String() string { return SysctlName(string(k)) }

// Ref identifies an entry of any kind. Refs are compared with ==.
type Ref struct {
	Kind Kind
	Key  Key
}

// String is the entry for people: "sysctl net.ipv4.ip_forward".
func (r Ref) String() string { return string(r.Kind) + " " + r.Key.String() }
