package persist

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lvsctl/lvsctl/internal/netsystem"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
)

// Files of an EL host that every case has.
const (
	elLo   = "DEVICE=lo\nIPADDR=127.0.0.1\nNETMASK=255.0.0.0\nONBOOT=yes\n"
	elEth0 = "DEVICE=eth0\nONBOOT=yes\nBOOTPROTO=none\nIPADDR=10.1.0.2\nPREFIX=24\nGATEWAY=10.1.0.254\n"
	elEth1 = "DEVICE=eth1\nONBOOT=yes\nBOOTPROTO=none\nIPADDR=10.2.0.2\nPREFIX=24\n"
)

// TestNetworkScripts boots hosts with an administrator's files, with and without lvsctl's,
// by the model of network-scripts in testdata. After the boot and after a restart of the
// network, everything in the administrator's files must be there, and so must everything
// that lvsctl wants. The files may set the same destination, address, alias or default
// route.
func TestNetworkScripts(t *testing.T) {
	need(t, "bash", "seq")
	nat := made(route("0.0.0.0/0", 0, "10.1.0.1", "eth0"), address("10.1.0.100/32", "eth0"))
	to := made(route("10.60.0.0/16", 0, "10.1.0.9", "eth0"), route("2001:db8:60::/48", 0, "2001:db8::9", "eth0"))
	vip := made(address("10.9.0.1/32", "lo"), address("10.1.0.100/32", "eth0"), address("2001:db8:9::1/128", "lo"))
	for _, c := range []struct {
		name  string
		files map[string]string // by name in network-scripts
		want  *state.State
	}{
		{"plain default", nil, nat},
		{"default as arguments", map[string]string{"route-eth0": "default via 10.1.0.254 dev eth0\n"}, nat},
		{"default as 0.0.0.0/0", map[string]string{"route-eth0": "# ours\n\n0.0.0.0/0 via 10.1.0.254\n"}, nat},
		{"default as 0/0", map[string]string{"route-eth0": "0/0 via 10.1.0.254 dev eth0 metric 0\n"}, nat},
		{"default as ADDRESS0", map[string]string{"route-eth0": "ADDRESS0=0.0.0.0\nNETMASK0=0.0.0.0\nGATEWAY0=10.1.0.254\n"}, nat},
		{"default of another device", map[string]string{"route-eth1": "default via 10.2.0.254 dev eth1\n"}, nat},
		{"default that cannot be read", map[string]string{"route-eth1": "default nexthop via 10.2.0.254 dev eth1\n"}, nat},
		{"GATEWAYDEV of the device", map[string]string{"ifcfg-eth0": elEth0 + "GATEWAYDEV=eth1\n"}, nat},
		{"GATEWAYDEV of another device", map[string]string{"ifcfg-eth1": elEth1 + "GATEWAYDEV=eth1\nGATEWAY=10.2.0.254\n"}, nat},
		{"METRIC", map[string]string{"ifcfg-eth0": elEth0 + "METRIC=100\n"}, nat},
		{"tab before a comment", map[string]string{"ifcfg-eth0": "DEVICE=eth0\t# uplink\nexport ONBOOT=yes IPADDR=10.1.0.2\t# own\nPREFIX=24; GATEWAY=10.1.0.254\n"}, nat},
		{"quotes and variables", map[string]string{"ifcfg-eth0": "NET=10.1.0\nDEVICE='eth0' ONBOOT=\"yes\"\nIPADDR=\"$NET.2\"\nNETMASK=255.255.255.0\nMETRIC='' GATEWAY=${NET}.254\n"}, nat},
		{"a file that is run", map[string]string{"ifcfg-eth0": elEth0 + "if true; then METRIC=100; fi\n"}, nat},
		{"a route to the same place", map[string]string{"route-eth0": "10.60.0.0/16 via 10.1.0.254 dev eth0\n", "route6-eth0": "2001:db8:60::/48 via 2001:db8::fe\n"}, to},
		{"the very route", map[string]string{"route-eth0": "10.60.0.0/16 via 10.1.0.9\n"}, to},
		{"a route to the same place by another device", map[string]string{"route-eth1": "10.60.0.0/16 via 10.2.0.254\n"}, to},
		{"a route to the same place as ADDRESS0", map[string]string{"route-eth0": "  ADDRESS0=10.60.0.0\n  NETMASK0=255.255.0.0\n  GATEWAY0=10.1.0.254\n"}, to},
		{"ADDRESS0 of another place", map[string]string{"route-eth0": "\tADDRESS0=10.70.0.0\n\tNETMASK0=255.255.0.0\n\tGATEWAY0=10.1.0.254\n"}, to},
		{"a route that cannot be read", map[string]string{"route-eth0": "10.60.0.0/16 nexthop via 10.1.0.254\n"}, to},
		{"a range on lo", map[string]string{"ifcfg-lo-range0": "IPADDR_START=10.8.0.1\nIPADDR_END=10.8.0.3\nCLONENUM_START=0\nPREFIX=32\n"}, vip},
		{"a range that has the VIP", map[string]string{"ifcfg-lo-range0": "IPADDR_START=10.9.0.1\nIPADDR_END=10.9.0.3\nCLONENUM_START=0\nPREFIX=32\n"}, vip},
		{"an alias", map[string]string{"ifcfg-lo:0": "DEVICE=lo:0\nIPADDR=10.8.0.1\nPREFIX=32\n"}, vip},
		{"the VIP as an alias", map[string]string{"ifcfg-lo:7": "DEVICE=lo:7\nIPADDR=10.9.0.1\nPREFIX=32\n", "ifcfg-eth0:web": "DEVICE=eth0:web\nIPADDR=10.1.0.100\nPREFIX=32\n"}, vip},
		{"the VIP with another length", map[string]string{"ifcfg-lo:7": "DEVICE=lo:7\nIPADDR=10.9.0.1\nPREFIX=24\n"}, vip},
		{"the VIP as a second address", map[string]string{"ifcfg-eth0": elEth0 + "IPADDR1=10.1.0.100\nPREFIX1=32\n"}, vip},
		{"an alias that is off", map[string]string{"ifcfg-lo:7": "DEVICE=lo:7\nIPADDR=10.9.0.1\nPREFIX=32\nONPARENT=no\n"}, vip},
		{"a device that is off", map[string]string{"ifcfg-eth0": elEth0 + "ONBOOT=no\n"}, made(address("10.9.0.1/32", "lo"))},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"/etc/sysconfig/network": "NETWORKING=yes\n", scriptsDir + "ifup-aliases": "", "/etc/rc.d/rc3.d/S10network": ""}
			for name, text := range map[string]string{"ifcfg-lo": elLo, "ifcfg-eth0": elEth0, "ifcfg-eth1": elEth1} {
				files[scriptsDir+name] = text
			}
			if c.want == to {
				files[scriptsDir+"ifcfg-eth0"] += "IPV6ADDR=2001:db8::2/64\n"
			}
			for name, text := range c.files {
				files[scriptsDir+name] = text
			}
			script, releases := "", []int{6, 8} // EL7 is like EL6
			for _, release := range releases {
				script += fmt.Sprintf("RELEASE=%d; { start; stop; start; } >&2; %s echo PART; stop\n", release, network)
			}
			plain := newHost(t, files)
			boot := Parse(plain.run(shell.Definitions(shell.ReadBoot) + Section().String()))
			without := strings.Split(plain.model(script), "PART\n")

			out := filed("web", netsystem.NetworkScripts, state.InitSystemd, boot, c.want)
			h := newHost(t, files)
			h.has("web", out)
			for i, have := range strings.Split(h.model(script), "PART\n") {
				own := strings.Split(strings.TrimSpace(without[i]), "\n")
				for _, line := range own {
					replaced := strings.HasPrefix(line, "default ") || strings.HasPrefix(line, "10.60.") || strings.HasPrefix(line, "2001:db8:60:")
					if !replaced && !strings.Contains("\n"+have, "\n"+line) {
						t.Errorf("EL%d: without lvsctl the host has\n%s\nwith it:\n%s", releases[min(i, 1)], line, have)
					}
				}
				if m := missing(have, c.want); i < len(releases) && len(m) > 0 {
					t.Errorf("EL%d: %v is missing:\n%s\n%s", releases[i], m, have, said(out))
				}
			}
			if again := Parse(h.run(shell.Definitions(shell.ReadBoot) + Section().String())); !slices.Equal(boot.Sets, again.Sets) || !slices.Equal(boot.FileRoutes, again.FileRoutes) {
				t.Errorf("lvsctl takes its own lines for the administrator's: %v, %v", again.Sets, again.FileRoutes)
			}
		})
	}
}

// model runs a script that may use the functions of the model.
func (h host) model(script string) string {
	h.Helper()
	return h.run("LOCAL=" + h.root + ifUpLocal + " exec bash -c '. " + workdir(h) + "/testdata/network-scripts.sh\n" + strings.ReplaceAll(script, "'", `'\''`) + "'")
}
