package persist

import (
	"net/netip"
	"slices"
	"strconv"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// networkManager: a profile of lvsctl's own holds the VIPs on lo, from 1.42 on; a
// device's own profile is somebody else's, so what is added to it is set by a
// dispatcher script once that profile is up, each time it is. A tunnel's fallback
// device cannot be made by NetworkManager, and one of its ip-tunnels needs a
// remote end: the boot script has it.
func networkManager(j *job) {
	parts := map[string][]string{}
	for _, d := range devices(j.Want) {
		switch {
		case tunnel(d.name) != "":
			j.leaveAll(d)
		case d.name == "lo" && j.profile(d.addresses):
			for _, k := range d.routes {
				j.leaveRoute(k)
			}
		case d.name == "lo" || d.name == "":
			j.leaveAll(d)
		default:
			for _, p := range d.addresses {
				parts[d.name] = append(parts[d.name], shell.Cmd(replaceAddress(d.name, p)...).String())
			}
			for _, k := range d.routes {
				parts[d.name] = append(parts[d.name], shell.Cmd(replaceRoute(k, j.Want.Routes[k])...).String())
			}
		}
	}
	j.hook(j.dispatcherPath(), "$1", `[ "$2" = up ] || [ "$2" = reapply ] || exit 0`, parts)
}

func (j *job) dispatcherPath() string { return "/etc/NetworkManager/dispatcher.d/90-" + j.own() }

// profile holds the VIPs on lo, which only one profile at a time can: it reports
// whether it does. NetworkManager refuses a file that others can read
// (nms-keyfile-utils.c).
func (j *job) profile(addresses []netip.Prefix) bool {
	path := profilesDir + j.own() + "-lo.nmconnection"
	others := slices.DeleteFunc(slices.Clone(j.Boot.Loopback), func(p string) bool {
		// Its own, for a loopback without one (1.42).
		return p == path || p == "/run/NetworkManager/system-connections/lo.nmconnection"
	})
	if !j.Boot.since(1, 42) || len(others) > 0 || len(addresses) == 0 {
		return false
	}
	lines := []string{"[connection]", "id=" + j.own() + "-lo", "type=loopback", "interface-name=lo", "autoconnect=true", "autoconnect-priority=10"}
	for _, f := range []struct {
		name string
		ipv6 bool
	}{{"ipv4", false}, {"ipv6", true}} {
		var list []string
		for _, p := range addresses {
			if p.Addr().Is6() == f.ipv6 {
				list = append(list, "address"+strconv.Itoa(len(list)+1)+"="+p.String())
			}
		}
		method := "manual"
		if len(list) == 0 {
			method = "auto" // "disabled" is no method of loopback's
		}
		lines = append(append(lines, "", "["+f.name+"]", "method="+method), list...)
	}
	j.file(path, "0600", lines...)
	return true
}
