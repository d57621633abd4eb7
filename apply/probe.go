package apply

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// probe asks the node's default gateways for an answer. After a change those that answered
// must answer again.
func probe(s *shell.Script) { s.Line(shell.Call(shell.Probe)) }

// probeAgain asks the gateways that answered before the change.
func probeAgain(s *shell.Script, probes map[string]bool) {
	var up []string
	for _, gateway := range slices.Sorted(maps.Keys(probes)) {
		if probes[gateway] {
			up = append(up, gateway)
		}
	}
	s.Line(shell.Call(shell.ProbeAgain, up...))
}

// parseProbes reads what probe prints. A gateway that the apply takes away is not asked
// again.
func parseProbes(text string, leaving map[netip.Addr]bool) map[string]bool {
	probes := map[string]bool{}
	for line := range strings.Lines(text) {
		gateway, state, ok := strings.Cut(strings.TrimSpace(line), " ")
		if addr, err := netip.ParseAddr(gateway); ok && (err != nil || !leaving[addr.WithZone("")]) {
			probes[gateway] = state == "up"
		}
	}
	return probes
}
