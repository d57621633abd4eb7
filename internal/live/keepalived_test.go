package live

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/state"
)

const pairConf = keepalived.Header + `
vrrp_instance pair {
  state BACKUP
  interface eth0
  virtual_router_id 51
  priority 100
  advert_int 1
  virtual_ipaddress {
    10.0.0.100/32 dev eth0
  }
}
virtual_server 10.0.0.100 80 {
  delay_loop 5
  lb_algo rr
  lb_kind DR
  protocol TCP
  sorry_server 127.0.0.1 80
  real_server 10.0.0.11 80 {
    weight 1
  }
}
`

// printed is what lvsctl_read_keepalived prints: lines, and texts with a blank before each
// of their lines.
func printed(parts ...string) string {
	var b strings.Builder
	for i := 0; i < len(parts); i += 2 {
		b.WriteString(parts[i] + "\n")
		for line := range strings.Lines(parts[i+1]) {
			b.WriteString(" " + line)
		}
	}
	return b.String()
}

func TestParseKeepalived(t *testing.T) {
	const (
		ls      = "file -rw------- 1 0 0 400 Nov 21 09:00 /etc/keepalived/keepalived.conf"
		version = "version Keepalived v2.2.7 (01/16,2022)"
		old     = "version Keepalived v1.3.5 (03/19,2017), git commit v1.3.5-6-g6fa32f2"
	)
	loaded := strings.ReplaceAll(pairConf, "  ", "") + "!\n"
	hash := keepalived.Hash(keepalived.Strip(pairConf))
	other := strings.Replace(pairConf, " rr", " wrr", 1)
	for _, c := range []struct {
		name, text string
		// recorded is what the record says was loaded last.
		recorded string
		wanted   bool
		version  keepalived.Version
		runs     *state.Keepalived
		governs  bool
		foreign  bool
	}{
		{name: "nothing there", text: "os debian 12\n", version: keepalived.Version{2, 2, 7}},
		{name: "an EL that has it not yet", text: "os rocky 8.9 rhel centos fedora\n", version: keepalived.Version{2, 1, 5}},
		{name: "EL7", text: "os centos 7 rhel fedora\n", version: keepalived.Version{1, 3, 5}},
		{name: "EL6", text: "os centos 6.10 rhel\n", version: keepalived.Version{1, 2, 13}},
		{name: "nobody knows what", text: "", version: keepalived.Version{2, 2, 8}},
		{
			name: "it runs, and shows what it has loaded", text: printed(version, "", "os debian 12", "", "parent 7", "", "loaded", loaded, ls, other),
			wanted: true, version: keepalived.Version{2, 2, 7}, runs: &state.Keepalived{Loaded: hash}, governs: true,
		},
		{
			name: "it is somebody else's", text: printed(version, "", "parent 7", "", "loaded", loaded, ls, "global_defs {\n}\n"),
			version: keepalived.Version{2, 2, 7}, runs: &state.Keepalived{Loaded: hash}, foreign: true,
		},
		{
			name: "it was this topology's", text: printed(version, "", "parent 7", "", "loaded", loaded), recorded: "x",
			version: keepalived.Version{2, 2, 7}, runs: &state.Keepalived{Loaded: hash}, governs: true,
		},
		{
			name: "an old one, started after its file was written", text: printed(old, "", "parent 7", "", ls, pairConf, "fresh", ""),
			wanted: true, version: keepalived.Version{1, 3, 5}, runs: &state.Keepalived{Loaded: hash}, governs: true,
		},
		{
			name: "an old one, reloaded by lvsctl", text: printed(old, "", "parent 7", "", ls, pairConf), recorded: hash,
			wanted: true, version: keepalived.Version{1, 3, 5}, runs: &state.Keepalived{Loaded: hash}, governs: true,
		},
		{
			name: "an old one, whose file was written later", text: printed(old, "", "parent 7", "", ls, other), recorded: hash,
			wanted: true, version: keepalived.Version{1, 3, 5}, runs: &state.Keepalived{}, governs: true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := Node{State: state.New(), Record: state.NewRecord("web")}
			if c.recorded != "" {
				n.Record.Set.Keepalived[state.KeepalivedName] = state.Keepalived{Loaded: c.recorded}
			}
			if err := parseKeepalived(c.text, &n, c.wanted); err != nil {
				t.Fatal(err)
			}
			k := n.Facts.Keepalived
			if k.Version != c.version || k.Foreign != c.foreign {
				t.Errorf("version %s, foreign %t", k.Version, k.Foreign)
			}
			have, runs := n.State.Keepalived[state.KeepalivedName]
			if runs != (c.runs != nil) || runs && have != *c.runs {
				t.Errorf("runs %t %+v", runs, have)
			}
			want := state.Governed{}
			if c.governs {
				service := state.ServiceKey{Protocol: state.TCP, Addr: netip.MustParseAddrPort("10.0.0.100:80")}
				want = state.Governed{
					Addresses: map[state.AddressKey]bool{{Prefix: netip.MustParsePrefix("10.0.0.100/32"), Dev: "eth0"}: true},
					Servers:   map[state.ServerKey]bool{{Service: service, Addr: netip.MustParseAddrPort("10.0.0.11:80")}: true},
					Sorry:     map[state.ServiceKey]netip.AddrPort{service: netip.MustParseAddrPort("127.0.0.1:80")},
				}
			}
			if d := cmp.Diff(want, n.State.Governed, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); d != "" {
				t.Errorf("what it governs (-want +have):\n%s", d)
			}
		})
	}
}

func TestParseKeepalivedRefuses(t *testing.T) {
	for _, text := range []string{"parents 7\n", "file what\n", "hello\n"} {
		n := Node{State: state.New(), Record: state.NewRecord("web")}
		if err := parseKeepalived(text, &n, true); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}
