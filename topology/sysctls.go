package topology

import (
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

// sysctlKey turns a key into its path below /proc/sys. As in sysctl(8), the
// first separator decides: after a dot, dots separate and a slash is a dot in a
// device's name; after a slash it is the other way round.
//
//	net.ipv4.conf.eth0/100.rp_filter
//	net/ipv4/conf/eth0.100/rp_filter
func (s scope) sysctlKey(key string, at hcl.Range) (string, bool) {
	path := key
	if i := strings.IndexAny(key, "./"); i >= 0 && key[i] == '.' {
		path = strings.NewReplacer(".", "/", "/", ".").Replace(key)
	}
	parts := strings.Split(path, "/")
	for _, p := range parts {
		if len(parts) < 2 || p == "." || p == ".." || !lang.Only(p, lang.Letters+lang.Digits+"_", lang.Letters+lang.Digits+"_.:@-") {
			s.Refuse(at, "Not a kernel parameter", "%s is not like \"net.ipv4.conf.all.rp_filter\" or \"net/ipv4/conf/eth0.100/rp_filter\".", lang.Quote(key))
			return "", false
		}
	}
	return path, true
}

// sysctlValue takes numbers and text. Blanks count as one, as the kernel writes
// them back.
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
