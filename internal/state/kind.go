package state

import "slices"

// Kind is one sort of thing on a node, under the name that plans and JSON have
// for it.
type Kind string

// The kinds. KindFile stands for two: a topology's part of somebody else's file
// ([BlockKey]) and a file of its own ([Path]). Their keys tell them apart.
const (
	KindPackage Kind = "package"
	KindModule  Kind = "module"
	KindConf    Kind = "config"
	KindSysctl  Kind = "sysctl"
	KindRule    Kind = "rule"
	KindLink    Kind = "link"
	KindAddress Kind = "address"
	KindRoute   Kind = "route"
	// KindPolicy are the rules of ip-rule(8), which say whose traffic takes which
	// routing table; KindRule are those of netfilter.
	KindPolicy  Kind = "policy"
	KindTimeout Kind = "timeout"
	KindService Kind = "service"
	KindServer  Kind = "server"
	KindDaemon  Kind = "sync"
	// KindKeepalived is the program that runs, KindConf its file.
	KindKeepalived Kind = "keepalived"
	KindFile       Kind = "file"
	KindUnit       Kind = "unit"
)

// kinds is the order of creation; removal goes the other way. Reading the list
// is reading the rules: tools and modules before what needs them, ARP quiet
// before a VIP, a rule before the traffic that it is for, an address before a
// route through it, a route before the policy that leads to it, a service before its servers. plan/order.go says where a
// director differs.
var kinds = []kind{
	packages,
	modules,
	confs,
	sysctls,
	rules,
	links,
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
	return slices.Compact(list) // both sorts of file are one
}

// Persistent reports whether entries of a kind are for the node's next boot.
// They are changed once all others of the node are confirmed: until then a power
// cut is a rollback.
func (k Kind) Persistent() bool { return k == KindFile || k == KindUnit }

// Key is an entry's identity within its kind. What it holds is comparable, so
// that keys compare with ==. String is the key as a person reads it, and nothing
// is ever looked up by that.
//
// It is the key of the kind's map in a [State] where that has a type of its own,
// otherwise a [Path] for a file, a [SysctlKey] for a kernel parameter and a
// [Name] for everything else.
type Key interface{ String() string }

// Name is the key of a package, module, link, timeout, daemon or unit.
type Name string

func (n Name) String() string { return string(n) }

// Path is the key of a file that is a topology's own.
type Path string

func (p Path) String() string { return string(p) }

// SysctlKey is the key of a kernel parameter: its path below /proc/sys.
type SysctlKey string

// String is the key as sysctl(8) prints it, see [SysctlName].
func (k SysctlKey) String() string { return SysctlName(string(k)) }

// Ref names one entry of any kind. Refs compare with ==.
type Ref struct {
	Kind Kind
	Key  Key
}

// String is the entry as a person reads it: "sysctl net.ipv4.ip_forward".
func (r Ref) String() string { return string(r.Kind) + " " + r.Key.String() }
