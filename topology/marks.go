package topology

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// readMarks reads the rules that give packets a service's mark.
func (s *service) readMarks() {
	taken := map[Protocol][]PortRange{}
	for _, raw := range s.raw.Marks {
		if !s.isSet(s.raw.FWMark) {
			s.refuse(raw.Range, "mark without fwmark", "mark says which packets get this service's fwmark, and it has none.")
			continue
		}
		if !s.isSet(s.raw.VIP) {
			s.refuse(raw.Range, "mark without vip", "mark applies to packets for the VIP, and the service has none. Set vip, or mark the packets by other means.")
			continue
		}
		if !s.require(raw.Ports, "ports", raw.Range, "mark needs the ports whose packets get the mark: [80, \"8000-8010\"].") {
			continue
		}
		m := Mark{Protocol: TCP, Range: raw.Range}
		if p, ok := s.choice(raw.Protocol, protocols); ok {
			m.Protocol = Protocol(p)
		}
		words, _ := s.texts(raw.Ports)
		for _, w := range words {
			r, ok := s.portRange(w)
			if ok && s.isUntaken(taken[m.Protocol], r, w.at) {
				m.Ports = append(m.Ports, r)
				taken[m.Protocol] = append(taken[m.Protocol], r)
			}
		}
		if len(words) == 0 && s.isEmpty(raw.Ports) {
			s.refuse(raw.Range, "No ports", "ports is empty. List ports and ranges: [80, \"8000-8010\"].")
		}
		slices.SortFunc(m.Ports, func(a, b PortRange) int { return cmp.Compare(a.First, b.First) })
		s.Marks = append(s.Marks, m)
	}
}

// mostRanges bounds the comparison of every range with every other.
const mostRanges = 1000

func (s *service) isUntaken(taken []PortRange, r PortRange, at hcl.Range) bool {
	if len(taken) >= mostRanges {
		s.refuse(at, "Too many ports", "A service has at most %d port ranges.", mostRanges)
		return false
	}
	for _, t := range taken {
		if r.First <= t.Last && t.First <= r.Last {
			s.refuse(at, "Port marked twice", "These ports have this mark already, through %d-%d.", t.First, t.Last)
			return false
		}
	}
	return true
}

// portRange reads "80" or "8000-8010".
func (s *service) portRange(w element) (PortRange, bool) {
	first, last, ranged := strings.Cut(w.key, "-")
	if !ranged {
		last = first
	}
	from, errFrom := strconv.ParseUint(first, 10, 16)
	to, errTo := strconv.ParseUint(last, 10, 16)
	if errFrom != nil || errTo != nil || from == 0 || from > to {
		s.refuse(w.at, "Not a port", "%s is neither a port from 1 to 65535 nor a range such as \"8000-8010\".", quote(w.key))
		return PortRange{}, false
	}
	return PortRange{uint16(from), uint16(to)}, true
}
