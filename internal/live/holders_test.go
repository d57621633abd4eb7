package live

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseHolders(t *testing.T) {
	const text = "kube-vip\t10.0.0.100\n" +
		"keepalived (/etc/keepalived/keepalived.conf)\t2001:DB8:0::100\n" +
		"keepalived (/etc/keepalived/keepalived.conf)\t:10.0.0.100\n" +
		"a\tb (/etc/x)\t::ffff:10.0.0.7\n" +
		"again\t10.0.0.7\nagain\t10.0.0.7:\n" +
		"clock\t12:30:59\nversion\t1.2.3.400\n" +
		"vrrpd\tVRRP\n"
	var n Node
	if err := parseHolders(text, &n); err != nil {
		t.Fatal(err)
	}
	want := map[netip.Addr][]string{
		netip.MustParseAddr("10.0.0.100"):    {"keepalived (/etc/keepalived/keepalived.conf)", "kube-vip"},
		netip.MustParseAddr("2001:db8::100"): {"keepalived (/etc/keepalived/keepalived.conf)"},
		netip.MustParseAddr("10.0.0.7"):      {"a\tb (/etc/x)", "again"},
	}
	if d := cmp.Diff(want, n.Facts.Holders, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"vrrpd"}, n.Facts.Speakers); d != "" {
		t.Error(d)
	}
	if err := parseHolders("no tab\n", &n); err == nil {
		t.Error("a line that is none is read")
	}
}
