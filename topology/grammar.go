package topology

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsctl/lvsctl/internal/lang"
)

// A scope is a [lang.Scope] that also reads attributes of LVS's types: devices and
// addresses.
type scope struct{ *lang.Scope }

// longestDevice is IFNAMSIZ without the final zero: include/uapi/linux/if.h.
const longestDevice = 15

// device checks the name of a network device. It accepts what the kernel does
// (dev_valid_name, net/core/dev.c) except what a shell or a file name cannot hold.
func (s scope) device(what, name string, at hcl.Range) bool {
	switch {
	case strings.Contains(name, ":"):
		s.Refuse(at, "Not a device", "%s is %s. A name with a colon is the label of a further address, not a device: name the device and list the address there.", what, lang.Quote(name))
	case len(name) > longestDevice:
		s.Refuse(at, "Not a device", "%s is %s. The kernel's device names have at most %d characters.", what, lang.Quote(name), longestDevice)
	case !lang.Only(name, lang.Letters+lang.Digits+"_", lang.Letters+lang.Digits+"_.@-"):
		s.Refuse(at, "Not a device", "%s is %s. A device name is letters, digits, '_', '.', '@' and '-', such as \"eth0\" or \"ens33.100\".", what, lang.Quote(name))
	default:
		return true
	}
	return false
}

// deviceAttr reads an attribute that names a device.
func (s scope) deviceAttr(a *hcl.Attribute) (string, bool) {
	text, ok := s.Text(a)
	return text, ok && s.device(a.Name, text, a.Expr.Range())
}

// parseAddr reads an address without prefix length. The text of its errors is the end of
// a sentence.
func parseAddr(text string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(text)
	switch {
	case err == nil && addr.Zone() != "":
		return netip.Addr{}, errors.New("an address with a zone means something on one host only; write it without")
	case err == nil && addr.Is4In6():
		return netip.Addr{}, fmt.Errorf("write it as IPv4: %s", addr.Unmap())
	case err == nil:
		return addr, nil
	case strings.Contains(text, "/"):
		return netip.Addr{}, errors.New("an address without prefix length is wanted here, such as 192.168.1.10")
	case hasLeadingZero(text):
		return netip.Addr{}, errors.New("a number in it starts with 0, which some programs read as octal; write it without")
	}
	return netip.Addr{}, errors.New("it is not an IP address, such as 192.168.1.10 or 2001:db8::10")
}

func hasLeadingZero(text string) bool {
	parts := strings.Split(text, ".")
	for _, p := range parts {
		if len(parts) == 4 && len(p) > 1 && p[0] == '0' && strings.Trim(p, lang.Digits) == "" {
			return true
		}
	}
	return false
}

// parsePrefix reads an address with a prefix length, host bits kept.
func parsePrefix(text string) (netip.Prefix, error) {
	host, length, ok := strings.Cut(text, "/")
	addr, err := parseAddr(host)
	if err != nil {
		return netip.Prefix{}, err
	}
	if !ok {
		return netip.Prefix{}, fmt.Errorf("it has no prefix length; write it as %s/24, or whatever its subnet is", addr)
	}
	p, err := netip.ParsePrefix(addr.String() + "/" + length)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("the prefix length is a number from 0 to %d", addr.BitLen())
	}
	return p, nil
}

// host returns an error that says why an address cannot be a host's, or nil.
func host(addr netip.Addr) error {
	switch {
	case addr.IsUnspecified():
		return errors.New("it is the unspecified address")
	case addr.IsLoopback():
		return errors.New("a loopback address is reached from its own host only")
	case addr.IsMulticast():
		return errors.New("it is a multicast address")
	case addr.Is4() && addr.As4()[0] >= 240:
		return errors.New("it is a broadcast or reserved address")
	case addr.Is4() && addr.As4()[0] == 0:
		return errors.New("0.0.0.0/8 means this network, no host has it")
	}
	return nil
}

// hostOf is host for an address whose subnet is known.
func hostOf(addr netip.Addr, subnet netip.Prefix) error {
	if err := host(addr); err != nil {
		return err
	}
	if !addr.Is4() || subnet.Bits() >= 31 || !subnet.Contains(addr) {
		return nil
	}
	if addr == subnet.Masked().Addr() {
		return fmt.Errorf("it is the network address of %s", subnet.Masked())
	}
	if addr == lastOf(subnet) {
		return fmt.Errorf("it is the broadcast address of %s", subnet.Masked())
	}
	return nil
}

// lastOf returns the last IPv4 address of a prefix.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		b[bit/8] |= 1 << (7 - bit%8)
	}
	return netip.AddrFrom4(b)
}

// addr reads an attribute that is an address of a host.
func (s scope) addr(a *hcl.Attribute) (netip.Addr, bool) {
	text, ok := s.Text(a)
	if !ok {
		return netip.Addr{}, false
	}
	addr, err := parseAddr(text)
	if err == nil {
		err = host(addr)
	}
	if err != nil {
		s.refuseAddr(a.Name, text, a.Expr.Range(), err)
		return netip.Addr{}, false
	}
	return addr, true
}

func (s scope) refuseAddr(what, text string, at hcl.Range, why error) {
	s.Refuse(at, "Not a usable address", "%s is %s: %s.", what, lang.Quote(text), why)
}
