package state

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

var sysctls = &table[string, string]{
	kind:     KindSysctl,
	lifetime: given,
	of:       func(s *State) *map[string]string { return &s.Sysctls },
	compare:  CompareSysctls,
	key:      func(k string) Key { return SysctlKey(k) },
	value:    func(v string) string { return strings.ReplaceAll(v, "\t", " ") },
	make: func(to *State, k, v string) []shell.Command {
		return writeSysctl(to, k, v)
	},
	edit: func(to *State, k, _, v string) []shell.Command {
		return writeSysctl(to, k, v)
	},
	fit: fitSysctls,
	effects: &sideEffects[string, string]{
		of:     sideSysctls,
		before: sysctlBefore,
		caused: func(want *State, k string) bool {
			return slices.ContainsFunc(forwardingSwitches(k), func(s string) bool {
				_, ok := want.Sysctls[s]
				return ok
			})
		},
		same: SameSysctl,
	},
}

// ConnReuseMode is the parameter that says where IPVS sends a client that uses a port again,
// see roles/director.go.
const ConnReuseMode = "net/ipv4/vs/conn_reuse_mode"

// SysctlName is a key as sysctl(8) prints it: with dots between its parts, and a slash for
// a dot in an interface's name.
func SysctlName(key string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '/':
			return '.'
		case '.':
			return '/'
		}
		return r
	}, key)
}

// CompareSysctls is the order in which keys are written. The forwarding switches come
// first, because the kernel changes other keys along with them (inet_forward_change,
// net/ipv4/devinet.c). Only accept_ra comes before them: it decides whether the switch of
// IPv6 removes default routes (rt6_purge_dflt_routers, net/ipv6/route.c).
func CompareSysctls(a, b string) int {
	return cmp.Or(cmp.Compare(sysctlRank(a), sysctlRank(b)), cmp.Compare(a, b))
}

func sysctlRank(key string) int {
	switch {
	case strings.HasSuffix(key, "/accept_ra"):
		return 0
	case isForwardingSwitch(key):
		return 1
	}
	return 2
}

// IPv6Forwarding is the forwarding switch of IPv6.
const IPv6Forwarding = "net/ipv6/conf/all/forwarding"

const (
	ipForward       = "net/ipv4/ip_forward"
	allForwarding   = "net/ipv4/conf/all/forwarding"
	acceptRedirects = "net/ipv4/conf/all/accept_redirects"
)

// writeSysctl writes a key. Then it writes the keys that the kernel changes along with it
// and that have another value in the State.
func writeSysctl(to *State, key, value string) []shell.Command {
	commands := []shell.Command{SysctlCommand(key, value)}
	for _, k := range sideSysctls(to, key) {
		if v, ok := to.Sysctls[k]; ok {
			commands = append(commands, SysctlCommand(k, v))
		}
	}
	return commands
}

// SysctlCommand writes a key. The kernel may change other keys with it.
func SysctlCommand(key, value string) shell.Command {
	return shell.Command{Args: []string{"printf", `%s\n`, value}, To: "/proc/sys/" + key}
}

// forwardingSwitches are the keys of the forwarding switch of a key's family. IPv4 has
// two for one variable of the kernel (devinet_sysctl_forward, net/ipv4/devinet.c).
func forwardingSwitches(key string) []string {
	if strings.HasPrefix(key, "net/ipv6/") {
		return []string{IPv6Forwarding}
	}
	return []string{ipForward, allForwarding}
}

// ForwardingSwitch is the key that turns forwarding on for all devices of a key's family.
func ForwardingSwitch(key string) string { return forwardingSwitches(key)[0] }

func isForwardingSwitch(key string) bool { return slices.Contains(forwardingSwitches(key), key) }

// SameSysctl returns the other key of the same variable of the kernel, if there is one.
func SameSysctl(key string) (string, bool) {
	switch key {
	case ipForward:
		return allForwarding, true
	case allForwarding:
		return ipForward, true
	}
	return "", false
}

// sideSysctls returns the keys that the kernel changes when k is written. A forwarding
// switch sets the forwarding of every interface. The switch of IPv4 also sets
// all.accept_redirects to the opposite.
func sideSysctls(s *State, k string) []string {
	if !isForwardingSwitch(k) {
		return nil
	}
	prefix := "net/ipv6/conf/"
	var keys []string
	if k != IPv6Forwarding {
		prefix = "net/ipv4/conf/"
		keys = append(keys, acceptRedirects)
	}
	for other, v := range s.Sysctls {
		if other != k && strings.HasPrefix(other, prefix) && strings.HasSuffix(other, "/forwarding") && v != s.Sysctls[k] {
			keys = append(keys, other)
		}
	}
	return keys
}

// sysctlBefore returns a key's value before the forwarding switch in the record changed
// it. An interface whose value agreed with the switch is not in the record.
func sysctlBefore(old Record, k, live string) string {
	if !strings.HasSuffix(k, "/forwarding") && k != ipForward {
		return live
	}
	for _, s := range forwardingSwitches(k) {
		if b, changed := old.Before.Sysctls[s]; changed && b != old.Set.Sysctls[s] {
			return b
		}
	}
	return live
}

// fitSysctls adds to have the keys that will appear with their device or module, with the
// value that they will start with. A live value that is stricter than the wanted one
// replaces that in want.
func fitSysctls(live *State, _ Record, have, want map[string]string) {
	for k, v := range want {
		if _, ok := have[k]; !ok {
			if v, ok := startValue(live, k); ok {
				have[k] = v
			}
		}
		if old, ok := have[k]; ok && satisfies(k, old, v) {
			want[k] = old
		}
	}
}

// startValue returns the value that a key will have when its device or module appears. A
// device starts with the values of conf/default (devinet_init, net/ipv4/devinet.c), ip_vs
// with its defaults (net/netfilter/ipvs/ip_vs_ctl.c). ok is false if the device or module
// is there without the key: then the kernel does not have it.
func startValue(live *State, key string) (string, bool) {
	for _, family := range []string{"net/ipv4/conf/", "net/ipv6/conf/"} {
		rest, ok := strings.CutPrefix(key, family)
		dev, name, _ := strings.Cut(rest, "/")
		if _, there := live.Links[dev]; !ok || there || TunnelModule(dev) == "" {
			continue
		}
		v, ok := live.Sysctls[family+"default/"+name]
		return v, ok
	}
	name, ok := strings.CutPrefix(key, "net/ipv4/vs/")
	if !ok {
		return "", false
	}
	for k := range live.Sysctls {
		if strings.HasPrefix(k, "net/ipv4/vs/") {
			return "", false
		}
	}
	v, ok := ipvsDefaults[name]
	return v, ok
}

var ipvsDefaults = map[string]string{
	"amemthresh": "1024", "am_droprate": "10", "backup_only": "0", "cache_bypass": "0",
	"conn_reuse_mode": "1", "conntrack": "0", "drop_entry": "0", "drop_packet": "0",
	"expire_nodest_conn": "0", "expire_quiescent_template": "0", "ignore_tunneled": "0",
	"nat_icmp_send": "0", "pmtu_disc": "1", "run_estimation": "1", "schedule_icmp": "0",
	"secure_tcp": "0", "sloppy_sctp": "0", "sloppy_tcp": "0", "snat_reroute": "1",
	"sync_persist_mode": "0", "sync_ports": "1", "sync_refresh_period": "0",
	"sync_retries": "0", "sync_sock_size": "0", "sync_threshold": "3\t50", "sync_version": "1",
}

// DefaultSysctl is the value of a parameter on a host where nobody has set it, as far as
// the parameter matters to IPVS; ok is false for all others. That of a device is what it
// starts with if conf/default has its own default.
func DefaultSysctl(key string) (value string, ok bool) {
	if name, vs := strings.CutPrefix(key, "net/ipv4/vs/"); vs {
		value, ok = ipvsDefaults[name]
		return value, ok
	}
	if rest, v4 := strings.CutPrefix(key, "net/ipv4/conf/"); v4 {
		_, name, _ := strings.Cut(rest, "/")
		value, ok = map[string]string{"arp_announce": "0", "arp_ignore": "0", "send_redirects": "1"}[name]
		return value, ok
	}
	if key == ipForward || key == IPv6Forwarding {
		return "0", true
	}
	return "", false
}

// satisfies reports whether a live value does what the wanted one should.
func satisfies(key, live, want string) bool {
	if strings.Join(strings.Fields(live), "\t") == strings.Join(strings.Fields(want), "\t") {
		return true
	}
	if strings.HasSuffix(key, "/arp_ignore") {
		// 2 does what 1 does, and in addition ignores senders from outside the subnet
		// (arp_ignore, net/ipv4/arp.c).
		return want == "1" && live == "2"
	}
	return Automatic(key) && (want == "1" || want == "2") && (live == "1" || live == "2")
}

// Automatic reports whether the kernel itself changes a parameter between 1 and 2
// (update_defense_level, net/netfilter/ipvs/ip_vs_ctl.c).
func Automatic(key string) bool {
	switch key[strings.LastIndexByte(key, '/')+1:] {
	case "drop_entry", "drop_packet", "secure_tcp":
		return true
	}
	return false
}

// sysctlSection prints the keys that roles want, and those in keys.
func sysctlSection(keys []string) Section {
	var files []string
	for _, k := range keys {
		files = append(files, "/proc/sys/"+k)
		// The value of "all" is combined with a device's own, and that of "default" is what
		// a new device starts with.
		if rest, ok := strings.CutPrefix(k, "net/ipv4/conf/"); ok {
			_, name, _ := strings.Cut(rest, "/")
			files = append(files, "/proc/sys/net/ipv4/conf/all/"+name, "/proc/sys/net/ipv4/conf/default/"+name)
		}
	}
	return Section{"sysctls", shell.Call(shell.ReadSysctls, files...), ParseSysctls}
}

// ParseSysctls reads lines PATH:VALUE:
//
//	/proc/sys/net/ipv4/conf/all/arp_ignore:0
//
// If a value has several lines, only the first one is read.
func ParseSysctls(text string, s *State) error {
	for line := range strings.Lines(text) {
		path, v, ok := strings.Cut(strings.TrimRight(line, "\n"), ":")
		k, below := strings.CutPrefix(path, "/proc/sys/")
		if !ok || !below {
			return fmt.Errorf("cannot read sysctl line %q", line)
		}
		if _, again := s.Sysctls[k]; !again {
			s.Sysctls[k] = v
		}
	}
	return nil
}
