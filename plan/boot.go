package plan

import (
	"maps"

	"github.com/lvsctl/lvsctl/internal/persist"
	"github.com/lvsctl/lvsctl/internal/state"
)

// boot is what a node needs to be after a reboot as it is now.
type boot struct {
	persist.Output
	// want is all that the topology wants of the node, the files for its boot
	// included.
	want *state.State
}

// withBootFiles completes what is wanted of a node by the files that bring it back:
// which those are depends on the node, so it is known once that was read.
func withBootFiles(topology string, in *Input, s state.Settled) boot {
	b := boot{want: in.Want, Output: persist.Files(persist.Input{
		Topology: topology, System: in.Persist,
		Want: afterBoot(in.Want, s.Wanted()), Before: s.Intent.Before, Live: in.Live.State, Boot: in.Live.Facts.Boot,
		Devices: devicesOf(in),
	})}
	if len(b.Blocks)+len(b.Files)+len(b.Units) > 0 {
		b.want = in.Want.Clone()
		maps.Copy(b.want.Blocks, b.Blocks)
		maps.Copy(b.want.Files, b.Files)
		maps.Copy(b.want.Units, b.Units)
	}
	return b
}

// afterBoot is what a boot is to bring: what the topology wants, but with the
// metric by which a route wins on this node, and no kernel parameter weaker than
// it is. Whatever else settling fitted to the live node may differ from one
// reading to the next, and a file has to stay as it is.
func afterBoot(want, fitted *state.State) *state.State {
	boot := want.Clone()
	boot.Routes = fitted.Routes
	for k := range boot.Sysctls {
		if v, ok := fitted.Sysctls[k]; ok && !state.Automatic(k) {
			boot.Sysctls[k] = v
		}
	}
	return boot
}

// devicesOf are the node's own devices, as the topology names them.
func devicesOf(in *Input) []string {
	devices := make([]string, len(in.Base))
	for i, k := range in.Base {
		devices[i] = k.Dev
	}
	return devices
}
