package apply

import (
	"maps"
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

func parseProbes(text string) map[string]bool {
	probes := map[string]bool{}
	for line := range strings.Lines(text) {
		if gateway, state, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			probes[gateway] = state == "up"
		}
	}
	return probes
}
