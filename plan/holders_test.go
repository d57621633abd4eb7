package plan

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
)

// TestHolders has programs on a director that name its VIPs and other addresses.
func TestHolders(t *testing.T) {
	in := Input{Role: director, Want: state.New(), Live: &live.Node{}}
	for _, p := range []string{"10.0.0.100/32", "10.0.0.101/32", "10.0.0.102/32", "10.0.0.103/32", "10.0.0.104/32", "fd00::100/128"} {
		in.Want.Addresses[state.AddressKey{Prefix: netip.MustParsePrefix(p), Dev: "eth0"}] = state.Address{}
	}
	file := "keepalived (/etc/keepalived/keepalived.conf)"
	in.Live.Facts.Holders = map[netip.Addr][]string{netip.MustParseAddr("10.0.0.2"): {file}, netip.MustParseAddr("fd00::100"): {"kube-vip"}}
	for k := range in.Want.Addresses {
		if k.Prefix.Addr().Is4() {
			in.Live.Facts.Holders[k.Prefix.Addr()] = []string{file}
		}
	}
	in.Live.Facts.Speakers = []string{"vrrpd"}
	want := []string{
		file + " names the VIPs 10.0.0.100, 10.0.0.101, 10.0.0.102, 2 more, and may add and remove them on its own; remove them there, or from the topology",
		"kube-vip names the VIP fd00::100, and may add and remove it on its own; remove it there, or from the topology",
		"vrrpd speaks VRRP on this node, and its configuration is not known; make sure that it does not move this topology's VIPs",
	}
	if d := cmp.Diff(want, holders(&in)); d != "" {
		t.Error(d)
	}
	in.Role = "real_server"
	if have := holders(&in); len(have) > 0 {
		t.Errorf("a real server: %v", have)
	}
}
