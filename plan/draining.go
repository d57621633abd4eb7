package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
)

// What clients of a real server notice when its weight becomes 0.
//
// Weight 0 keeps new connections from a server. Two kinds of clients are an exception: those
// that persistence sends back to it, and those that a scheduler by hash sends to it and to
// no other. The first still come, the second are refused.

// drainWarnings warns of real servers whose weight becomes 0 or that are removed, if
// clients still come to them or are refused, and of a change of the hash.
func drainWarnings(in *Input, s state.Settled) []string {
	var list []string
	for k, had := range s.Have.Servers {
		service, stays := s.Want.Services[k.Service]
		if !stays || had.Weight == 0 {
			continue
		}
		w, kept := s.Want.Servers[k]
		drained := !kept && s.Want.Drain[k.Service] > 0
		if kept && w.Weight > 0 || !kept && !drained {
			continue
		}
		list = append(list, clientsWithoutWeight(in, s, k, service)...)
	}
	for k, want := range s.Want.Services {
		if have, ok := s.Have.Services[k]; ok && hashes(want.Scheduler) && have.Scheduler == want.Scheduler && portOf(have.Flags) != portOf(want.Flags) {
			list = append(list, fmt.Sprintf("%s hashes clients another way afterwards: most go to another real server", k))
		}
	}
	slices.Sort(list)
	return list
}

// clientsWithoutWeight warns of the clients that still come to a server of weight 0, or
// that are refused because of it.
func clientsWithoutWeight(in *Input, s state.Settled, k state.ServerKey, v state.Service) []string {
	var list []string
	if v.Timeout > 0 && in.sysctlAfter(state.QuiescentTemplates, s) != "1" {
		// A persistence template sends a client on to a server of weight 0:
		// ip_vs_sched_persist asks only whether the server is there, unless
		// expire_quiescent_template is set.
		list = append(list, fmt.Sprintf("clients that persist on %s keep coming to it for up to %d s each although its weight is 0; to send them elsewhere at once, set net.ipv4.vs.expire_quiescent_template = 1 in this node's sysctl", k, v.Timeout))
	}
	if v.RefusesQuiesced() {
		remedy := fmt.Sprintf("scheduler_flags = [%q] gives them another", v.Scheduler+"-fallback")
		if v.Scheduler == "dh" {
			remedy = "dh has no fallback, sh and mh have"
		}
		list = append(list, fmt.Sprintf("new clients that %s sends to %s are refused while its weight is 0; %s", v.Scheduler, k, remedy))
	}
	return list
}

// hashes reports whether a scheduler has a flag for the port in its hash. dh has none.
func hashes(scheduler string) bool { return scheduler == "sh" || scheduler == "mh" }

// portOf reports whether flags have the client's port hashed too (sh-port, mh-port).
func portOf(flags string) bool { return strings.Contains(flags, "-port") }
