package topology

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// What a word must look like. All of it is ASCII: a letter that only looks like
// another one belongs to none of these.

const (
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits  = "0123456789"
)

// only reports whether a word is made of some characters and starts with some of
// them.
func only(word, first, rest string) bool {
	return word != "" && strings.Contains(first, word[:1]) && strings.Trim(word, rest) == ""
}

// longestName keeps NAME-KEY and a file called after it below every limit.
const longestName = 128

// name checks the name of a block.
func (s *scope) name(what, name string, at hcl.Range) bool {
	if len(name) > longestName || !only(name, letters+digits, letters+digits+"._-") {
		s.refuse(at, "Not a name", "%s %s: a name starts with a letter or a digit, goes on with letters, digits, '.', '_' and '-', and has at most %d characters.", what, quote(name), longestName)
		return false
	}
	return true
}

// longestDevice is IFNAMSIZ without the final zero: include/uapi/linux/if.h.
const longestDevice = 15

// device checks the name of a network device: dev_valid_name in net/core/dev.c,
// less what a shell or a file name would stumble over.
func (s *scope) device(what, name string, at hcl.Range) bool {
	switch {
	case strings.Contains(name, ":"):
		s.refuse(at, "Not a device", "%s is %s. A name with a colon is the label of a further address, not a device: name the device and list the address there.", what, quote(name))
	case len(name) > longestDevice:
		s.refuse(at, "Not a device", "%s is %s. The kernel's device names have at most %d characters.", what, quote(name), longestDevice)
	case !only(name, letters+digits+"_", letters+digits+"_.@-"):
		s.refuse(at, "Not a device", "%s is %s. A device name is letters, digits, '_', '.', '@' and '-', such as \"eth0\" or \"ens33.100\".", what, quote(name))
	default:
		return true
	}
	return false
}

// deviceAttr reads an attribute that names a device.
func (s *scope) deviceAttr(a *hcl.Attribute) (string, bool) {
	text, ok := s.text(a)
	return text, ok && s.device(a.Name, text, a.Expr.Range())
}

// parseAddr reads an address without prefix length. Its errors say what is
// wrong in words that end a sentence.
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
		if len(parts) == 4 && len(p) > 1 && p[0] == '0' && strings.Trim(p, digits) == "" {
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

// host reports why an address cannot be a host's on a network, or nil.
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

// hostOf is host for an address within its subnet.
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

// addr reads an address that a host can have.
func (s *scope) addr(a *hcl.Attribute) (netip.Addr, bool) {
	text, ok := s.text(a)
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

func (s *scope) refuseAddr(what, text string, at hcl.Range, why error) {
	s.refuse(at, "Not a usable address", "%s is %s: %s.", what, quote(text), why)
}
