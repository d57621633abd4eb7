package state

import (
	"cmp"
	"encoding"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// AddressKey is an address on a device. The same address may be on two devices, or on one
// device with two prefix lengths, as in the kernel.
type AddressKey struct {
	Prefix netip.Prefix // host bits kept
	Dev    string
}

// Address holds the other properties of an address.
type Address struct {
	// Label is the alias (lo:0) of an IPv4 address. It is "" if the label is the device's
	// name.
	Label string `json:"label,omitempty"`
	// Duplicate is set for an IPv6 address that another host had first (dadfailed). The
	// kernel does not answer for it (ipv6_chk_addr, net/ipv6/addrconf.c).
	Duplicate bool `json:"duplicate,omitempty"`
}

var (
	_ encoding.TextMarshaler   = AddressKey{}
	_ encoding.TextUnmarshaler = (*AddressKey)(nil)
)

func (k AddressKey) String() string { return k.Prefix.String() + " dev " + k.Dev }

// MarshalText makes the key a JSON object's key.
func (k AddressKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (k *AddressKey) UnmarshalText(text []byte) error {
	prefix, dev, ok := strings.Cut(string(text), " dev ")
	p, err := netip.ParsePrefix(prefix)
	if err != nil || !ok || dev == "" {
		return fmt.Errorf("cannot read address %q", text)
	}
	*k = AddressKey{p, dev}
	return nil
}

func compareAddresses(a, b AddressKey) int {
	return cmp.Or(a.Prefix.Addr().Compare(b.Prefix.Addr()), cmp.Compare(a.Prefix.Bits(), b.Prefix.Bits()), cmp.Compare(a.Dev, b.Dev))
}

var addresses = &table[AddressKey, Address]{
	kind:    KindAddress,
	of:      func(s *State) *map[AddressKey]Address { return &s.Addresses },
	compare: compareAddresses,
	key:     func(k AddressKey) Key { return k },
	value: func(a Address) string {
		switch {
		case a.Duplicate:
			return "dadfailed"
		case a.Label == "":
			return ""
		}
		return "label " + a.Label
	},
	make:   addAddress,
	unmake: removeAddress,
	fit:    fitAddresses,
}

// fitAddresses accepts a live address whatever its label. A device has an IPv6 address once
// (ipv6_add_addr, net/ipv6/addrconf.c), so one with another prefix length is accepted too,
// and remembered by it; but not on lo and its like, where it draws the whole subnet.
func fitAddresses(live *State, old Record, have, want map[AddressKey]Address) {
	var other map[AddressKey]AddressKey // by the key with the full length
	for k, w := range want {
		if k.Prefix.Addr().Is6() && !Quiet(k.Dev) {
			if other == nil {
				other = addresses6(live, old)
			}
			if o, ok := other[whole(k)]; ok && o != k {
				delete(want, k)
				delete(have, k)
				k, w = o, Address{}
				want[k] = w
				if h, there := live.Addresses[k]; there {
					have[k] = h
				}
			}
		}
		if h, ok := have[k]; ok && w.Label == "" {
			h.Duplicate = false
			want[k] = h
		}
	}
}

// addresses6 are the IPv6 addresses of a node, and those of the record that are gone.
func addresses6(live *State, old Record) map[AddressKey]AddressKey {
	found := map[AddressKey]AddressKey{}
	for _, s := range []*State{old.Set, live} {
		for k := range s.Addresses {
			if k.Prefix.Addr().Is6() {
				found[whole(k)] = k
			}
		}
	}
	return found
}

func whole(k AddressKey) AddressKey {
	k.Prefix = netip.PrefixFrom(k.Prefix.Addr(), k.Prefix.Addr().BitLen())
	return k
}

func addAddress(_ *State, k AddressKey, a Address) []shell.Command {
	if k.Prefix.Addr().Is6() {
		return []shell.Command{shell.Call(shell.AddAddress, k.Prefix.String(), k.Dev)}
	}
	add := shell.Cmd("ip", "-4", "addr", "add", k.Prefix.String(), "dev", k.Dev)
	if a.Label != "" {
		add.Args = append(add.Args, "label", a.Label)
	}
	if Quiet(k.Dev) {
		return []shell.Command{add}
	}
	return []shell.Command{add, announce(k)}
}

// quietKinds are how the names of devices without ARP begin: dummies, and tunnels that
// carry IP packets. A tunnel of Ethernet frames (gretap0) has ARP.
var quietKinds = []string{"dummy", "tunl", "ip6tnl", "gre", "ip6gre", "sit", "ipip"}

// Quiet reports whether a device has no ARP, by its name: so that no neighbour learns from
// it that the node has a VIP. A person may give any device any name, so of the tunnels
// only gre1 and the like are taken for what they are called, and not green0.
func Quiet(dev string) bool {
	return dev == "lo" || slices.ContainsFunc(quietKinds, func(kind string) bool {
		rest, is := strings.CutPrefix(dev, kind)
		return is && (kind == "dummy" || rest == "" || !unicode.IsLetter(rune(rest[0])))
	})
}

// Quiet is [Quiet] of a live node's device, by what the kernel says of it (IFF_NOARP).
func (s *State) Quiet(dev string) bool {
	if arp, read := s.ARP[dev]; read {
		return !arp
	}
	return Quiet(dev)
}

// announce sends a gratuitous ARP, or an unsolicited neighbour advertisement, so that the
// neighbours send to this node.
func announce(k AddressKey) shell.Command {
	return shell.Call(shell.Announce, k.Dev, k.Prefix.Addr().String())
}

// removeAddress always names the prefix length and the device: without a prefix length ip
// deletes every address that fits. The kernel removes all other addresses of a subnet
// along with the first one (__inet_del_ifa, net/ipv4/devinet.c), which must be prevented.
func removeAddress(_ *State, k AddressKey, _ Address) []shell.Command {
	family := "-4"
	if k.Prefix.Addr().Is6() {
		family = "-6"
	}
	remove := shell.Cmd("ip", family, "addr", "del", k.Prefix.String(), "dev", k.Dev)
	if k.Prefix.Addr().Is4() && !k.Prefix.IsSingleIP() {
		remove = shell.Call(shell.PromoteSecondaries, append([]string{"/proc/sys/net/ipv4/conf/" + k.Dev + "/promote_secondaries"}, remove.Args...)...)
	}
	return []shell.Command{remove}
}

// parseAddresses reads ip -o -4 addr show and -6 (iproute2 2.6.32 to 7, busybox):
//
//	1: lo    inet 10.0.0.100/32 brd 10.0.0.100 scope global lo:0\       valid_lft forever preferred_lft forever
//	2: eth9    inet 10.2.0.1 peer 10.2.0.2/32 scope global eth9\       valid_lft ...
//	2: eth9    inet6 2001:db8:1::1/64 scope global nodad \       valid_lft ...
//
// The label is the last word of an IPv4 line.
func parseAddresses(text string, s *State) error {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(strings.TrimRight(line, "\n"), `\`)
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if len(words) < 4 || (words[2] != "inet" && words[2] != "inet6") {
			return fmt.Errorf("cannot read address line %q", line)
		}
		dev, local := words[1], words[3]
		if !strings.Contains(local, "/") {
			if len(words) > 5 && words[4] == "peer" {
				_, bits, _ := strings.Cut(words[5], "/")
				local += "/" + bits
			} else if words[2] == "inet6" {
				local += "/128"
			} else {
				local += "/32"
			}
		}
		prefix, err := netip.ParsePrefix(local)
		if err != nil {
			return fmt.Errorf("cannot read address line %q: %w", line, err)
		}
		var a Address
		if last := words[len(words)-1]; words[2] == "inet" && len(words) > 4 && last != dev && words[len(words)-2] != "scope" && strings.HasPrefix(last, dev+":") {
			a.Label = last
		}
		a.Duplicate = slices.Contains(words, "dadfailed")
		s.Addresses[AddressKey{prefix, dev}] = a
	}
	return nil
}
