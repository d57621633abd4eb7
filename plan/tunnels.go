package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/lvsctl/lvsctl/internal/state"
)

// The abilities that tunnels other than ipip need, see internal/shell/read_facts.sh.
const (
	canTunType = "tun-type"
	canFOU     = "ip-fou"
)

// tunnelModules are the modules that not every kernel has.
var tunnelModules = []string{"fou", "ip_gre", "ip6_gre"}

// TunnelNeeds are what a node must be able to do for the tunnels that it is to send by, or
// to take packets out of: words for [live.Question.Can].
func TunnelNeeds(want *state.State) []string {
	needs := map[string]bool{}
	for _, s := range want.Servers {
		if s.Tunnel != "" {
			needs[canTunType] = true
		}
	}
	if len(want.FOUs) > 0 {
		needs[canFOU] = true
	}
	for _, m := range tunnelModules {
		if _, ok := want.Modules[m]; ok {
			needs[m] = true
		}
	}
	return slices.Sorted(maps.Keys(needs))
}

// missingTunnels finds tunnels that the node's kernel, ipvsadm or ip does not know. Without
// this a kernel or keepalived that is too old would send ipip, and say nothing.
func missingTunnels(in *Input) []string {
	if in.Destroy {
		return nil
	}
	var list []string
	say := func(format string, args ...any) {
		if text := fmt.Sprintf(format, args...); !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	facts := in.Live.Facts
	for _, k := range slices.SortedFunc(maps.Keys(in.Want.Servers), state.CompareServers) {
		w, err := state.ParseWrapping(in.Want.Servers[k].Tunnel)
		if err != nil || w.Type == "" {
			continue
		}
		if !facts.Can[canTunType] {
			say("its ipvsadm knows no tunnel but ipip (1.31 does); update it there, or remove tunnel from the topology")
		}
		if lacks := w.Lacks(facts.Kernel); lacks != "" {
			say("its kernel %s does not know %s; remove that from tunnel, or update the kernel", facts.Kernel, lacks)
		}
	}
	for _, m := range tunnelModules {
		if _, wanted := in.Want.Modules[m]; wanted && !facts.Can[m] {
			say("its kernel %s has no module %s, which takes packets out of their tunnel; install it, or write another type in tunnel", facts.Kernel, m)
		}
	}
	if len(in.Want.FOUs) > 0 && !facts.Can[canFOU] {
		say("its ip has no fou, which opens the port for gue packets (iproute2 4.1 has it, busybox does not); install iproute2 there, or write another type in tunnel")
	}
	return list
}
