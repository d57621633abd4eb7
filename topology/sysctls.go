package topology

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/lvsctl/lvsctl/internal/lang"
)

// readSysctls reads the sysctl map.
func (n *node) readSysctls() {
	entries, _ := n.Entries(n.raw.Sysctl)
	first := map[string]string{}
	for _, e := range entries {
		key, ok := n.sysctlKey(e.Key, e.At)
		if !ok {
			continue
		}
		if other, twice := first[key]; twice {
			n.Refuse(e.At, "Kernel parameter twice", "%s and %s are the same parameter.", lang.Quote(other), lang.Quote(e.Key))
			continue
		}
		first[key] = e.Key
		if value, ok := n.sysctlValue(e); ok {
			n.Sysctls = append(n.Sysctls, Sysctl{Key: key, Value: value, Range: e.At})
		}
	}
	sortBy(n.Sysctls, func(s Sysctl) string { return s.Key })
}

// sysctlKey returns the path below /proc/sys of a key. As in sysctl(8), the first
// separator decides: if it is a dot, dots separate, and a slash means a dot in a device's
// name; if it is a slash, it is the other way round.
//
//	net.ipv4.conf.eth0/100.rp_filter
//	net/ipv4/conf/eth0.100/rp_filter
func (s scope) sysctlKey(key string, at hcl.Range) (string, bool) {
	path := key
	if i := strings.IndexAny(key, "./"); i >= 0 && key[i] == '.' {
		path = strings.NewReplacer(".", "/", "/", ".").Replace(key)
	}
	parts := strings.Split(path, "/")
	if dotted, ok := dottedDevice(parts); ok {
		s.Refuse(at, "Dot in a device's name", "%s takes each dot for a separator. As with sysctl(8), the dot of %s is written as a slash, or the separators are: %s or %s.",
			lang.Quote(key), dotted, lang.Quote(strings.NewReplacer(".", "/", "/", ".").Replace(deviceKey(parts, dotted))), lang.Quote(deviceKey(parts, dotted)))
		return "", false
	}
	for _, p := range parts {
		if len(parts) < 2 || p == "." || p == ".." || !lang.Only(p, lang.Letters+lang.Digits+"_", lang.Letters+lang.Digits+"_.:@-") {
			s.Refuse(at, "Not a kernel parameter", "%s is not like \"net.ipv4.conf.all.rp_filter\" or \"net/ipv4/conf/eth0.100/rp_filter\".", lang.Quote(key))
			return "", false
		}
	}
	if p, ok := runsPrograms(path); ok {
		s.Refuse(at, "Kernel parameter that runs programs", "By %s %s. Whoever can set it is root on the node, so lvsctl does not, whatever a topology says. Remove it.", lang.Quote(key), p)
		return "", false
	}
	return path, true
}

// perDevice are the folders below /proc/sys that have a folder for each device.
var perDevice = []string{"net/ipv4/conf", "net/ipv4/neigh", "net/ipv6/conf", "net/ipv6/neigh", "net/mpls/conf"}

// dottedDevice finds the name of a device with a dot, such as bond0.100, that was split
// at the dot.
func dottedDevice(parts []string) (string, bool) {
	if len(parts) <= 5 || !slices.Contains(perDevice, strings.Join(parts[:3], "/")) {
		return "", false
	}
	return strings.Join(parts[3:len(parts)-1], "."), true
}

// deviceKey is a device's parameter in slash form.
func deviceKey(parts []string, device string) string {
	return strings.Join(parts[:3], "/") + "/" + device + "/" + parts[len(parts)-1]
}

// programs are the parameters by which the kernel runs programs as root or loads code:
// Documentation/admin-guide/sysctl/kernel.rst and binfmt-misc.rst. A path that ends in a
// slash means all parameters below it.
var programs = []struct{ path, what string }{
	{"kernel/core_pattern", "the kernel pipes every core dump into a program"},
	{"kernel/modprobe", "the kernel loads modules with a program"},
	{"kernel/hotplug", "the kernel runs a program for every device"},
	{"kernel/poweroff_cmd", "the kernel runs a program to switch off"},
	{"kernel/usermodehelper/", "the kernel decides what its programs may do"},
	{"kernel/firmware_config/", "the kernel decides who gives it firmware"},
	{"fs/binfmt_misc/", "the kernel runs files with an interpreter"},
	{"kernel/loadpin/", "the kernel decides from where it takes its modules"},
}

// runsPrograms returns in words what a parameter makes the kernel run, or false if it
// runs nothing.
func runsPrograms(path string) (string, bool) {
	for _, p := range programs {
		if path == p.path || strings.HasSuffix(p.path, "/") && strings.HasPrefix(path+"/", p.path) {
			return p.what, true
		}
	}
	return "", false
}

// sysctlValue reads a number or a text. It makes one blank of several, as the kernel does
// when it prints the value.
func (s scope) sysctlValue(e lang.Element) (string, bool) {
	if e.Value.IsNull() || (e.Value.Type() != cty.String && e.Value.Type() != cty.Number) {
		s.Refuse(e.At, "Wrong kind of value", "The value of %s must be a number or text; the kernel's true is 1.", lang.Quote(e.Key))
		return "", false
	}
	text := lang.AsText(e.Value)
	if !s.Plain("The value of "+e.Key, text, e.At) {
		return "", false
	}
	text = strings.Join(strings.Fields(text), " ")
	if text == "" {
		s.Refuse(e.At, "Empty value", "%s is empty. Leave the key out to leave the parameter alone.", lang.Quote(e.Key))
		return "", false
	}
	return text, true
}
