package plan

import (
	"net/netip"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
)

// ownAddresses are a node's own addresses, with the words that stand for each where
// several nodes are shown as one.
type ownAddresses []ownAddress

type ownAddress struct{ address, words string }

// newOwnAddresses are the address that the node is reached at, if it is one, and the
// first one of each family that each device has.
func newOwnAddresses(reached string, base []state.AddressKey) ownAddresses {
	var own ownAddresses
	named := map[string]bool{}
	add := func(a netip.Addr, words string) {
		if a.IsValid() && !named[a.String()] && !named[words] {
			named[a.String()], named[words] = true, true
			own = append(own, ownAddress{a.String(), words})
		}
	}
	if a, err := netip.ParseAddr(reached); err == nil {
		add(a, "(its address)")
	}
	for _, k := range base {
		family := ""
		if k.Prefix.Addr().Is6() {
			family = "IPv6 "
		}
		add(k.Prefix.Addr(), "(its "+family+"address on "+k.Dev+")")
	}
	return own
}

// replace puts words in the place of the addresses.
func (own ownAddresses) replace(text string) string {
	for _, o := range own {
		text = replaceAddress(text, o.address, o.words)
	}
	return text
}

// replaceAddress replaces an address where it is not a part of a longer one or of a
// name: not 10.1.1.1 in 10.1.1.12, nor in 10.1.1.1.example.
func replaceAddress(text, address, words string) string {
	var b strings.Builder
	done := 0
	for at := 0; ; {
		i := strings.Index(text[at:], address)
		if i < 0 {
			b.WriteString(text[done:])
			return b.String()
		}
		begin, end := at+i, at+i+len(address)
		at = end
		if begin > 0 && inAddress(text[begin-1]) || continues(text[end:], strings.Contains(address, ":")) {
			continue
		}
		b.WriteString(text[done:begin])
		b.WriteString(words)
		done = end
	}
}

// continues reports whether text goes on with the address before it. A full stop may
// end a sentence, and a colon comes before a port of IPv4.
func continues(text string, ipv6 bool) bool {
	switch {
	case text == "" || !inAddress(text[0]):
		return false
	case text[0] == '.':
		return len(text) > 1 && inAddress(text[1])
	}
	return text[0] != ':' || ipv6
}

// inAddress reports whether a byte can be within an address or a name.
func inAddress(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '.' || c == ':' || c == '-'
}
