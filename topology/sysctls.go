package topology

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// readSysctls reads the sysctl map.
func (n *node) readSysctls() {
	entries, _ := n.entries(n.raw.Sysctl)
	first := map[string]string{}
	for _, e := range entries {
		key, ok := n.sysctlKey(e.key, e.at)
		if !ok {
			continue
		}
		if other, twice := first[key]; twice {
			n.refuse(e.at, "Kernel parameter twice", "%s and %s are the same parameter.", quote(other), quote(e.key))
			continue
		}
		first[key] = e.key
		if value, ok := n.sysctlValue(e); ok {
			n.Sysctls = append(n.Sysctls, Sysctl{Key: key, Value: value, Range: e.at})
		}
	}
	sortBy(n.Sysctls, func(s Sysctl) string { return s.Key })
}

// sysctlKey turns a key into its path below /proc/sys. As in sysctl(8), the
// first separator decides: after a dot, dots separate and a slash is a dot in a
// device's name; after a slash it is the other way round.
//
//	net.ipv4.conf.eth0/100.rp_filter
//	net/ipv4/conf/eth0.100/rp_filter
func (s *scope) sysctlKey(key string, at hcl.Range) (string, bool) {
	path := key
	if i := strings.IndexAny(key, "./"); i >= 0 && key[i] == '.' {
		path = strings.NewReplacer(".", "/", "/", ".").Replace(key)
	}
	parts := strings.Split(path, "/")
	for _, p := range parts {
		if len(parts) < 2 || p == "." || p == ".." || !only(p, letters+digits+"_", letters+digits+"_.:@-") {
			s.refuse(at, "Not a kernel parameter", "%s is not like \"net.ipv4.conf.all.rp_filter\" or \"net/ipv4/conf/eth0.100/rp_filter\".", quote(key))
			return "", false
		}
	}
	return path, true
}

// sysctlValue takes numbers and text. Blanks count as one, as the kernel writes
// them back.
func (s *scope) sysctlValue(e element) (string, bool) {
	if e.value.IsNull() || (e.value.Type() != cty.String && e.value.Type() != cty.Number) {
		s.refuse(e.at, "Wrong kind of value", "The value of %s must be a number or text; the kernel's true is 1.", quote(e.key))
		return "", false
	}
	text := asText(e.value)
	if !s.plain("The value of "+e.key, text, e.at) {
		return "", false
	}
	text = strings.Join(strings.Fields(text), " ")
	if text == "" {
		s.refuse(e.at, "Empty value", "%s is empty. Leave the key out to leave the parameter alone.", quote(e.key))
		return "", false
	}
	return text, true
}
