package persist

import (
	"strings"
	"testing"

	"github.com/lvsctl/lvsctl/internal/netsystem"
	"github.com/lvsctl/lvsctl/internal/state"
)

// TestIfupdown lets Debian's ifup, and ifupdown-ng's, bring a host up by an administrator's
// files, with and without lvsctl's. Everything in the administrator's files must come up,
// in whatever form and order they are written, and so must everything that lvsctl wants.
func TestIfupdown(t *testing.T) {
	need(t, "awk")
	debs := fetch(t, "ifupdown", "ifupdown-ng")
	for _, kind := range []string{"ifupdown", "ifupdown-ng"} {
		t.Run(kind, func(t *testing.T) { testIfupdown(t, unpack(t, debs, kind+"_*.deb"), kind) })
	}
}

func testIfupdown(t *testing.T, usr, kind string) {
	sh(t, usr, "if [ -e usr/sbin/ifupdown ]; then for a in ifup ifdown ifquery; do ln -sf ifupdown usr/sbin/$a; done; fi")
	vips := made(address("10.1.0.100/32", "eth0"), address("2001:db8::100/128", "eth0"), address("10.9.0.1/32", "lo"), address("2001:db8:9::1/128", "lo"))
	nat := made(route("0.0.0.0/0", 0, "10.1.0.1", "eth0"), route("10.60.0.0/16", 0, "10.1.0.254", "eth0"), address("10.1.0.100/32", "eth0"))
	rule := made(ruled("10.1.0.2", "10.1.0.1", "eth0"), address("10.9.0.1/32", "lo"))
	nat6 := made(route("::/0", 0, "2001:db8::1", "eth0"), route("0.0.0.0/0", 0, "10.1.0.1", "eth0"), address("10.9.0.1/32", "lo"))
	const (
		lo   = "source /etc/network/interfaces.d/*\nauto lo\niface lo inet loopback\n"
		eth0 = "auto eth0\niface eth0 inet static\n  address 10.1.0.2/24\n"
	)
	for name, c := range map[string]struct {
		files string
		want  *state.State
	}{
		"plain":                         {lo + eth0, vips},
		"a rule":                        {lo + eth0, rule},
		"inet6 before inet":             {lo + "auto eth0\niface eth0 inet6 static\n  address 2001:db8::2/64\niface eth0 inet static\n  address 10.1.0.2/24\n  gateway 10.1.0.254\n", nat},
		"inet before inet6":             {lo + eth0 + "iface eth0 inet6 static\n  address 2001:db8::2/64\n  gateway 2001:db8::fe\n", nat6},
		"two addresses and one gateway": {lo + eth0 + "iface eth0 inet static\n  address 10.2.0.2/24\n  gateway 10.2.0.254\n", nat},
		"gateway on another device":     {lo + eth0 + "auto eth1\niface eth1 inet static\n  address 10.2.0.2/24\n  gateway 10.2.0.254\n", nat},
		"other device first":            {lo + "auto eth1\niface eth1 inet static\n  address 10.2.0.2/24\n  gateway 10.2.0.254\n" + eth0, nat},
		"default by command":            {lo + eth0 + "auto eth1\niface eth1 inet static\n  address 10.2.0.2/24\n  up ip route add 0.0.0.0/0 via 10.2.0.254\n", nat},
		"route by command":              {lo + eth0 + "iface eth0 inet static\n  address 10.2.0.2/24\n  up ip route add 10.60.0.0/16 via 10.2.0.254\n", nat},
		"VIP as alias":                  {lo + eth0 + "auto eth0:0\niface eth0:0 inet static\n  address 10.1.0.100\n  netmask 255.255.255.255\n", vips},
		"VIP as a second stanza":        {lo + eth0 + "iface eth0 inet static\n  address 10.1.0.100/32\niface eth0 inet6 static\n  address 2001:db8::100/128\n", vips},
		"VIP by command":                {lo + eth0 + "  up ip addr add 10.1.0.100/32 dev eth0\n", vips},
		"VIP on lo":                     {strings.ReplaceAll(lo, "iface lo inet loopback\n", "iface lo inet loopback\n  up ip addr add 10.9.0.1/32 dev lo label lo:0\n") + eth0, vips},
		"VIP with another length":       {lo + eth0 + "iface eth0 inet static\n  address 10.1.0.100/24\n", vips},
		"no source line":                {"auto lo eth0\niface lo inet loopback\n" + eth0, vips},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if kind != "ifupdown" { // it knows no patterns
				c.files = strings.TrimPrefix(c.files, "source /etc/network/interfaces.d/*\n")
			}
			files := map[string]string{"/etc/network/interfaces": c.files}
			const show = settle + network + "echo status $s\n"
			const script = "{ ifup -a; s=$?; } >&2\n" + show + "echo PART\n{ ifdown eth0; ifup eth0; s=$?; } >&2\n" + show
			bare := newHost(t, files)
			bare.usr = usr
			without := strings.Split(bare.run(script), "PART\n")
			h := newHost(t, files)
			h.usr = usr
			h.has("web", filed("web", netsystem.Auto, state.InitSystemd, Boot{Ifupdown: true}, c.want))
			for i, have := range strings.Split(h.run(script), "PART\n") {
				when := []string{"at boot", "after ifdown and ifup"}[i]
				for line := range strings.Lines(without[i]) {
					replaced := strings.HasPrefix(line, "default ") || strings.HasPrefix(line, "10.60.0.0/16 ")
					if !replaced && !strings.Contains("\n"+have, "\n"+line) {
						t.Errorf("%s the host has without lvsctl %swith it:\n%s", when, line, have)
					}
				}
				if m := missing(have, c.want); len(m) > 0 {
					t.Errorf("%s %v is missing:\n%s", when, m, have)
				}
			}
		})
	}
}
