// Package statetest has a model of a node, for tests of what plans do.
//
// A [Node] executes the commands of a plan as the kernel and the tools do, with their side
// effects and refusals, and prints itself in the formats of the tools. It shares no rules
// with package state. A command that it does not know fails. A new command is a case in
// Exec. A quirk of a tool or the kernel is modelled where it happens, with its source.
package statetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// Node is a host.
type Node struct {
	Sysctls     map[string]string // by path below /proc/sys
	Links       map[string]bool   // whether up
	Addresses   []Address         // in the order they were added
	Routes      []Route
	FOUs        map[string]string // what comes at a port, in words of ip, by "-4 6080"
	Policies    []Policy          // beside the kernel's own, in the order they were made
	Modules     map[string]bool
	Commands    map[string]bool // those that are installed
	Manager     string          // the package manager, or ""
	Services    map[string]*Service
	Timeouts    [3]int // tcp, tcpfin, udp; zero while ip_vs is not loaded
	Daemons     map[string]string
	Rules       map[string][]string // by "iptables nat POSTROUTING"
	Files       map[string]string   // by path
	Modes       map[string]string   // of Files: "0644"
	Units       map[string]bool     // those that start at boot
	Init        string              // what starts them: systemd, or ""
	ReplyRoutes map[string]string   // the gateway of each reply route, by its source

	// IPVSADM is the minor version of ipvsadm: 24 to 31, and 32 for a later one.
	IPVSADM int

	// promote is set while promote_secondaries is in force.
	promote bool
	// explicit are the parameters of devices that no longer follow conf/default:
	// "net/ipv4/conf/eth0/rp_filter".
	explicit map[string]bool
}

// New returns a node as it is after boot, with its loopback device.
func New() *Node {
	n := &Node{
		Sysctls: map[string]string{ipForward: "0", "net/ipv6/conf/all/forwarding": "0", "net/ipv6/conf/default/forwarding": "0"},
		Links:   map[string]bool{}, Modules: map[string]bool{}, FOUs: map[string]string{},
		Commands: map[string]bool{"ip": true, "ipvsadm": true, "iptables": true, "ip6tables": true},
		Services: map[string]*Service{}, Daemons: map[string]string{}, Rules: map[string][]string{}, Files: map[string]string{}, ReplyRoutes: map[string]string{}, Modes: map[string]string{}, Units: map[string]bool{},
		IPVSADM: 31, explicit: map[string]bool{},
	}
	for name, value := range confDefaults() {
		for _, dev := range []string{"all", "default"} {
			n.Sysctls["net/ipv4/conf/"+dev+"/"+name] = value
		}
	}
	n.AddLink("lo", true)
	n.must("ip", "-4", "addr", "add", "127.0.0.1/8", "dev", "lo")
	n.must("ip", "-6", "addr", "add", "::1/128", "dev", "lo")
	return n
}

func (n *Node) must(args ...string) {
	if err := n.Exec(shell.Cmd(args...)); err != nil {
		panic(err)
	}
}

// AddLink adds a device. It starts with the parameters of conf/default (devinet_init,
// net/ipv4/devinet.c).
func (n *Node) AddLink(dev string, up bool) {
	n.Links[dev] = up
	for name := range confDefaults() {
		n.Sysctls["net/ipv4/conf/"+dev+"/"+name] = n.Sysctls["net/ipv4/conf/default/"+name]
	}
	n.Sysctls["net/ipv6/conf/"+dev+"/forwarding"] = n.Sysctls["net/ipv6/conf/default/forwarding"]
}

// Clone returns a node that shares nothing with n.
func (n *Node) Clone() *Node {
	c := *n
	c.Sysctls, c.Links, c.Modules, c.Commands = maps.Clone(n.Sysctls), maps.Clone(n.Links), maps.Clone(n.Modules), maps.Clone(n.Commands)
	c.Addresses, c.Routes, c.Daemons = slices.Clone(n.Addresses), slices.Clone(n.Routes), maps.Clone(n.Daemons)
	c.Modes, c.Units, c.FOUs = maps.Clone(n.Modes), maps.Clone(n.Units), maps.Clone(n.FOUs)
	c.Files, c.ReplyRoutes, c.explicit = maps.Clone(n.Files), maps.Clone(n.ReplyRoutes), maps.Clone(n.explicit)
	c.Rules = map[string][]string{}
	for k, v := range n.Rules {
		c.Rules[k] = slices.Clone(v)
	}
	c.Services = map[string]*Service{}
	for k, v := range n.Services {
		s := *v
		s.Servers = slices.Clone(v.Servers)
		c.Services[k] = &s
	}
	return &c
}

// Dump lists everything of a node that a command can change, in sorted lines. Tests
// compare nodes by it. The order in which entries were added is not in it.
func (n *Node) Dump() []string {
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for k, v := range n.Sysctls {
		add("sysctl %s = %s", k, v)
	}
	for k, up := range n.Links {
		add("link %s up=%t", k, up)
	}
	for _, a := range n.Addresses {
		add("address %s dev %s label %s", a.Prefix, a.Dev, a.Label)
	}
	for _, r := range n.Routes {
		add("route %+v", r)
	}
	for k, v := range n.FOUs {
		add("fou %s %s", k, v)
	}
	for k := range n.Modules {
		add("module %s", k)
	}
	for k := range n.Commands {
		add("command %s", k)
	}
	for k, via := range n.ReplyRoutes {
		add("reply route from %s via %s", k, via)
	}
	for k, s := range n.Services {
		v := *s
		v.Servers = nil
		add("service %s %+v", k, v)
		for _, d := range s.Servers {
			add("server %s %+v", k, d)
		}
	}
	add("timeouts %v", n.Timeouts)
	for k, v := range n.Daemons {
		add("daemon %s %s", k, v)
	}
	for k, list := range n.Rules {
		for _, r := range list {
			add("rule %s %s", k, r)
		}
	}
	for k, v := range n.Files {
		add("file %s %s %q", k, n.Modes[k], v)
	}
	for k := range n.Units {
		add("unit %s", k)
	}
	slices.Sort(lines)
	return lines
}

// Exec executes one command. If it returns an error, it has changed nothing.
func (n *Node) Exec(c shell.Command) error {
	if err := n.exec(c); err != nil {
		return fmt.Errorf("%s: %w", c, err)
	}
	return nil
}

func (n *Node) exec(c shell.Command) error {
	args := c.Args
	if len(args) == 0 {
		return errors.New("no command")
	}
	key, sysctl := strings.CutPrefix(c.To, "/proc/sys/")
	if sysctl && len(args) == 3 && args[0] == "printf" && args[1] == `%s\n` {
		return n.write(key, args[2])
	}
	if c.To != "" {
		return errors.New("not a known redirection")
	}
	switch {
	case args[0] == "ip":
		return n.ip(args[1:])
	case args[0] == "modprobe" && len(args) == 2:
		return n.modprobe(args[1])
	case args[0] == "ipvsadm":
		return n.ipvsadm(args[1:])
	case c.Calls == shell.RefreshRoute && len(args) == 2:
		return nil // it only waits
	case c.Calls == shell.ReplyRoute && len(args) == 5:
		n.ReplyRoutes[args[1]] = args[2]
		return nil
	case c.Calls == shell.ReplyRouteEnd && len(args) == 2:
		delete(n.ReplyRoutes, args[1])
		return nil
	case c.Calls == shell.Drain && len(args) > 5:
		return n.drain(args[1], args[4:])
	case args[0] == "iptables" || args[0] == "ip6tables":
		return n.iptables(args[0], args[1:])
	case c.Calls == shell.AddAddress && len(args) == 3:
		return n.address(true, "add", []string{args[1], "dev", args[2]})
	case c.Calls == shell.Announce && len(args) == 3:
		return n.announce(args[1])
	case c.Calls == shell.MuteICMP && len(args) > 2:
		return n.exec(shell.Command{Args: args[2:]}) // the rest is a command to run
	case c.Calls == shell.PromoteSecondaries && len(args) > 2:
		n.promote = true
		defer func() { n.promote = false }()
		return n.exec(shell.Command{Args: args[2:]})
	case c.Calls == shell.Block && len(args) > 4:
		return n.block(args[1], args[2], args[3], args[4], args[5:])
	case c.Calls == shell.File && len(args) > 2:
		n.file(args[1], args[2], args[3:])
		return nil
	case c.Calls == shell.Install && len(args) == 3:
		return n.install(args[1], args[2])
	case c.Calls == shell.Systemctl:
		return n.systemctl(args[1:])
	}
	return errors.New("not a command that this node knows")
}

// modprobe loads a module, with its devices and parameters. It is no error if the module
// is loaded.
func (n *Node) modprobe(name string) error {
	if n.Modules[name] {
		return nil
	}
	switch name {
	case "ip_vs":
		for k, v := range vsDefaults() {
			n.Sysctls["net/ipv4/vs/"+k] = v
		}
		n.Timeouts = [3]int{900, 120, 300}
	case "ipip", "ip6_tunnel", "ip_gre", "ip6_gre":
		n.AddLink(deviceOf[name], false)
	case "fou":
	default:
		return errors.New("FATAL: Module not found.")
	}
	n.Modules[name] = true
	return nil
}

// deviceOf is the device that a tunnel's module brings.
var deviceOf = map[string]string{"ipip": "tunl0", "ip6_tunnel": "ip6tnl0", "ip_gre": "gre0", "ip6_gre": "ip6gre0"}

// Unload removes a tunnel's module, and its device with everything on it.
func (n *Node) Unload(module string) {
	dev, ok := deviceOf[module]
	if !ok || !n.Modules[module] {
		return
	}
	delete(n.Modules, module)
	delete(n.Links, dev)
	gone := func(k string, _ string) bool { return strings.Contains(k, "/conf/"+dev+"/") }
	maps.DeleteFunc(n.Sysctls, gone)
	maps.DeleteFunc(n.explicit, func(k string, _ bool) bool { return gone(k, "") })
	n.Addresses = slices.DeleteFunc(n.Addresses, func(a Address) bool { return a.Dev == dev })
	n.Routes = slices.DeleteFunc(n.Routes, func(r Route) bool { return r.Dev == dev })
}

func (n *Node) install(manager, name string) error {
	if n.Manager == "" || manager != n.Manager {
		return errors.New("command not found")
	}
	if name == "iptables" {
		n.Commands["ip6tables"] = true
	}
	n.Commands[name] = true
	return nil
}
