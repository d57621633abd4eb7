package topology

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsctl/lvsctl/internal/lang"
)

// readMarks reads the mark blocks: the rules that give packets the service's mark.
func (s *service) readMarks() {
	taken := map[Protocol][]PortRange{}
	for _, raw := range s.raw.Marks {
		if !s.IsSet(s.raw.FWMark) {
			s.Refuse(raw.Range, "mark without fwmark", "mark says which packets get this service's fwmark, and it has none.")
			continue
		}
		if !s.IsSet(s.raw.VIP) {
			s.Refuse(raw.Range, "mark without vip", "mark applies to packets for the VIP, and the service has none. Set vip, or mark the packets by other means.")
			continue
		}
		if !s.Require(raw.Ports, "ports", raw.Range, "mark needs the ports whose packets get the mark: [80, \"8000-8010\"].") {
			continue
		}
		m := Mark{Protocol: TCP, Range: raw.Range}
		if p, ok := s.Choice(raw.Protocol, protocols); ok {
			m.Protocol = Protocol(p)
		}
		words, _ := s.Texts(raw.Ports)
		for _, w := range words {
			r, ok := s.portRange(w)
			if ok && s.isUntaken(taken[m.Protocol], r, w.At) {
				m.Ports = append(m.Ports, r)
				taken[m.Protocol] = append(taken[m.Protocol], r)
			}
		}
		if len(words) == 0 && s.IsEmpty(raw.Ports) {
			s.Refuse(raw.Range, "No ports", "ports is empty. List ports and ranges: [80, \"8000-8010\"].")
		}
		slices.SortFunc(m.Ports, func(a, b PortRange) int { return cmp.Compare(a.First, b.First) })
		s.Marks = append(s.Marks, m)
	}
}

// mostRanges is how many port ranges a service may have: each is compared with all
// others.
const mostRanges = 1000

func (s *service) isUntaken(taken []PortRange, r PortRange, at hcl.Range) bool {
	if len(taken) >= mostRanges {
		s.Refuse(at, "Too many ports", "A service has at most %d port ranges.", mostRanges)
		return false
	}
	for _, t := range taken {
		if r.First <= t.Last && t.First <= r.Last {
			s.Refuse(at, "Port marked twice", "These ports have this mark already, through %d-%d.", t.First, t.Last)
			return false
		}
	}
	return true
}

// portRange reads "80" or "8000-8010".
func (s *service) portRange(w lang.Element) (PortRange, bool) {
	first, last, ranged := strings.Cut(w.Key, "-")
	if !ranged {
		last = first
	}
	from, errFrom := strconv.ParseUint(first, 10, 16)
	to, errTo := strconv.ParseUint(last, 10, 16)
	if errFrom != nil || errTo != nil || from == 0 || from > to {
		s.Refuse(w.At, "Not a port", "%s is neither a port from 1 to 65535 nor a range such as \"8000-8010\".", lang.Quote(w.Key))
		return PortRange{}, false
	}
	return PortRange{uint16(from), uint16(to)}, true
}
