package plan

import (
	"maps"

	"github.com/lvsctl/lvsctl/internal/state"
)

// wantForwarding also wants the forwarding of a device that packets to be forwarded come
// in by, if somebody turned that off alone: of a packet only its device's value counts
// (IN_DEV_FORWARD, net/ipv4/route.c), and the switch of all devices is on already, so that
// nobody would write it again.
func (in *Input) wantForwarding() {
	var keys []string
	for k := range in.Forwards {
		_, wanted := in.Want.Sysctls[k]
		_, ours := in.Live.Record.Set.Sysctls[k]
		if !wanted && (ours || in.Live.State.Sysctls[k] == "0" && in.Live.State.Sysctls[state.ForwardingSwitch(k)] == "1") {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return
	}
	in.Want, in.Ranges = in.Want.Clone(), maps.Clone(in.Ranges)
	for _, k := range keys {
		in.Want.Sysctls[k] = "1"
		in.Ranges[state.Ref{Kind: state.KindSysctl, Key: state.SysctlKey(k)}] = in.Forwards[k]
	}
}
