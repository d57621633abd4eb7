package plan

import (
	"maps"
	"slices"

	"github.com/lvsctl/lvsctl/internal/persist"
	"github.com/lvsctl/lvsctl/internal/state"
)

// Files for the next boot are planned last, because they follow from the rest.
//
// What a node wants decides its files, and its files are a part of what it wants. The circle
// is cut in one place: the node is settled without files, the files are made for the
// outcome, and then they are added to what is wanted (state.SettleWithFiles).

// boot is what a node needs to come up as wanted after a reboot.
type boot struct {
	persist.Output
	// want is everything that the topology wants of the node, including the files for
	// its boot.
	want *state.State
}

// withBootFiles adds the files for the next boot to what is wanted of a node. Which files
// those are depends on the node's distribution and its own files, so it is known only
// after the node was read.
func withBootFiles(topology string, in *Input, s state.Settled) boot {
	b := boot{want: in.Want, Output: persist.Files(persist.Input{
		Topology: topology, System: in.Persist,
		Want: afterBoot(in.Want, s.Wanted()), Before: s.Intent.Before, Live: in.Live.State, Boot: in.Live.Facts.Boot,
		Devices: devicesOf(in), Keepalived: in.startsKeepalived(), Floating: floatingDevices(in),
	})}
	if in.startsKeepalived() {
		b.Units[state.KeepalivedName] = state.Unit{}
	}
	if len(b.Blocks)+len(b.Files)+len(b.Units) > 0 {
		b.want = in.Want.Clone()
		maps.Copy(b.want.Blocks, b.Blocks)
		maps.Copy(b.want.Files, b.Files)
		maps.Copy(b.want.Units, b.Units)
	}
	return b
}

// afterBoot is the State that a boot has to bring. It is what the topology wants, with
// two things taken from fitted, where want was adapted to the live node: routes, which
// have the metric by which they win on this node, and kernel parameters, which are never
// weaker than they are. Other entries of fitted may differ from one reading to the next,
// and would change the files each time.
func afterBoot(want, fitted *state.State) *state.State {
	boot := want.Clone()
	boot.Routes = fitted.Routes
	for k := range boot.Sysctls {
		if v, ok := fitted.Sysctls[k]; ok && !state.Automatic(k) {
			boot.Sysctls[k] = v
		}
	}
	// keepalived brings its own services.
	for k := range boot.Governed.Servers {
		delete(boot.Services, k.Service)
		delete(boot.Servers, k)
	}
	return boot
}

// floatingDevices are those on which keepalived sets addresses, sorted.
func floatingDevices(in *Input) []string {
	devices := map[string]bool{}
	for k := range in.Want.Governed.Addresses {
		devices[k.Dev] = true
	}
	return slices.Sorted(maps.Keys(devices))
}

// devicesOf returns the devices of the node's own addresses.
func devicesOf(in *Input) []string {
	devices := make([]string, len(in.Base))
	for i, k := range in.Base {
		devices[i] = k.Dev
	}
	return devices
}
