package topology

import (
	"math/bits"
	"net/netip"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/lang"
)

// defaultPersistence is ipvsadm's default for -p without a value, in seconds. It is 360
// in libipvs.h, though ipvsadm(8) says 300.
const defaultPersistence = 360

// readPersistence reads the persistence block.
func (s *service) readPersistence() {
	raw := s.raw.Persistence
	if raw == nil {
		return
	}
	p := &Persistence{Timeout: defaultPersistence, Range: raw.Range}
	if seconds, ok := s.Seconds(raw.Timeout, 1, longestTimeout); ok {
		p.Timeout = seconds
	}
	length := 32
	if s.IPv6() {
		length = 128
	}
	p.Netmask = length
	if text, ok := s.Text(raw.Netmask); ok {
		if mask, ok := netmask(text, length); ok {
			p.Netmask = mask
		} else {
			s.Refuse(raw.Netmask.Expr.Range(), "Not a netmask", "netmask is %s. Write a prefix length from 1 to %d, such as \"/24\", or for IPv4 a mask such as \"255.255.255.0\".", lang.Quote(text), length)
		}
	}
	if engine, ok := s.Choice(raw.Engine, []string{"sip"}); ok {
		p.Engine = engine
		if s.FWMark == 0 && s.Protocol != UDP && !s.IsSet(s.raw.FWMark) {
			s.Refuse(raw.Engine.Expr.Range(), "Engine for another protocol", "The persistence engine sip reads the Call-ID of SIP over UDP, and this service is %s. Set protocol = \"udp\", or leave the engine out.", s.Protocol)
		}
	}
	s.Persistence = p
}

// netmask reads "/24", "24" and "255.255.255.0" as a prefix length.
func netmask(text string, length int) (int, bool) {
	if mask, err := netip.ParseAddr(text); err == nil {
		if length != 32 || !mask.Is4() {
			return 0, false
		}
		b := mask.As4()
		m := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
		ones := bits.LeadingZeros32(^m)
		return ones, ones > 0 && bits.OnesCount32(m) == ones
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(text, "/"), 10, 8)
	return int(n), err == nil && n >= 1 && int(n) <= length
}
