package persist

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/state"
)

// TestNetworkFile reads files of systemd-networkd in each spelling of an address and of a
// route.
func TestNetworkFile(t *testing.T) {
	set := func(prefix string) FileAddress {
		return FileAddress{Path: "f", Dev: "eth0", Prefix: netip.MustParsePrefix(prefix)}
	}
	to := func(place, dst string, metric uint32, via string) FileRoute {
		r := state.Route{Dev: "eth0"}
		if via != "" {
			r.Via = netip.MustParseAddr(via)
		}
		return FileRoute{place, state.NewRouteKey(netip.MustParsePrefix(dst), metric), r}
	}
	bare := set("10.1.0.2/32")
	bare.NoLength = true
	other := to("f:1", "10.60.0.0/16", 0, "10.1.0.254")
	other.Key.Table = "7"
	hole := to("f:1", "10.60.0.0/16", 0, "")
	hole.Route.Type = "blackhole"
	for text, want := range map[string]Boot{
		"": {},
		"[Network]\n Address = 10.1.0.2/24 \n# Address=10.1.0.3/24\n; Address=10.1.0.4/24\nDHCP=yes\n":           {Sets: []FileAddress{set("10.1.0.2/24")}},
		"[Network]\nAddress=10.1.0.2/24\nAddress=2001:db8::2/64":                                                 {Sets: []FileAddress{set("10.1.0.2/24"), set("2001:db8::2/64")}},
		"[Network]\nAddress=10.1.0.2\n":                                                                          {Sets: []FileAddress{bare}},
		"[Network]\nAddress=0.0.0.0/24\n":                                                                        {},
		"[Network]\nAddress=\nGateway=\n":                                                                        {},
		"[Address]\nLabel=x\nAddress=10.1.0.2/24\n[Address]\nAddress=10.1.0.3/24\n[Link]\nAddress=10.1.0.4/24\n": {Sets: []FileAddress{set("10.1.0.2/24"), set("10.1.0.3/24")}},
		"[Network]\nGateway=10.1.0.254\nGateway=2001:db8::fe\n":                                                  {FileRoutes: []FileRoute{to("f:2", "0.0.0.0/0", 0, "10.1.0.254"), to("f:3", "::/0", 0, "2001:db8::fe")}},
		"[Route]\nGateway=10.1.0.254\nMetric=100\n":                                                              {FileRoutes: []FileRoute{to("f:1", "0.0.0.0/0", 100, "10.1.0.254")}},
		"[Route]\nGateway=_dhcp4\n":                                                                              {FileRoutes: []FileRoute{to("f:1", "0.0.0.0/0", 0, "")}},
		"[Route]\nGateway=_ipv6ra\n":                                                                             {FileRoutes: []FileRoute{to("f:1", "::/0", 0, "")}},
		"[Route]\nDestination=::/0\nGateway=fe80::1\n":                                                           {FileRoutes: []FileRoute{to("f:1", "::/0", 0, "fe80::1")}},
		"[Route]\nDestination=10.60.0.9\nScope=link\n":                                                           {FileRoutes: []FileRoute{to("f:1", "10.60.0.9/32", 0, "")}},
		"\n[Match]\nName=eth0\n[Route]\nDestination=10.60.1.0/16\nGateway=10.1.0.254\nTable=254\nType=unicast\n": {FileRoutes: []FileRoute{to("f:4", "10.60.0.0/16", 0, "10.1.0.254")}},
		"[Route]\nDestination=10.60.0.0/16\nGateway=10.1.0.254\nTable=7\n":                                       {FileRoutes: []FileRoute{other}},
		"[Route]\nDestination=10.60.0.0/16\nType=blackhole\n":                                                    {FileRoutes: []FileRoute{hole}},
		"[Route]\nDestination=nowhere\n[Route]\n[Address]\nAddress=x\n[":                                         {},
	} {
		var have Boot
		have.networkFile("eth0", "f", text)
		if d := cmp.Diff(want, have, same); d != "" {
			t.Errorf("%q: %s", text, d)
		}
	}
}
