package persist

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lvsctl/lvsctl/internal/netsystem"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
)

// alpine makes a host whose services OpenRC starts and whose tools are busybox's. root is
// the folder that unpack has filled.
func alpine(t testing.TB, root, interfaces string) host {
	t.Helper()
	h := newHost(t, map[string]string{"/etc/network/interfaces": interfaces, "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n", "/etc/sysctl.conf": "", "/etc/sysctl.d/00-alpine.conf": "net.ipv4.conf.all.rp_filter = 1\n"})
	h.usr = root
	for _, level := range []string{"sysinit", "boot", "default"} {
		check(t, os.MkdirAll(filepath.Join(h.root, "etc/runlevels", level), 0o755))
	}
	for name, level := range map[string]string{"modules": "", "sysctl": "boot", "networking": "boot"} {
		text, err := os.ReadFile("../lab/openrc/" + name)
		check(t, err)
		write(t, h.root+initDir+name, string(text), 0o755)
		if level != "" {
			check(t, os.Symlink(initDir+name, filepath.Join(h.root, "etc/runlevels", level, name)))
		}
	}
	// This machine's own services, and its network, are not the host's.
	for _, dir := range []string{"init.d", "network", "sysctl.d"} {
		check(t, os.MkdirAll(filepath.Join(h.root, "etc", dir), 0o755))
		check(t, unix.Setxattr(filepath.Join(h.root, "etc", dir), "trusted.overlay.opaque", []byte("y"), 0))
	}
	return h
}

// TestOpenRC boots a host with OpenRC, with and without lvsctl's files. Its ifup is
// busybox's or ifupdown-ng's. Everything in the host's own files must come up, and so must
// everything that lvsctl wants, at boot and after ifdown and ifup.
func TestOpenRC(t *testing.T) {
	need(t, "busybox", "unshare", "mount")
	vips := made(sysctl("net/ipv4/conf/all/arp_ignore", "1"), sysctl("net/ipv4/conf/br0/rp_filter", "2"),
		address("10.1.0.100/32", "eth0"), address("2001:db8::100/128", "eth0"), address("10.9.0.1/32", "lo"))
	nat := made(route("0.0.0.0/0", 0, "10.1.0.1", "eth0"), route("10.60.0.0/16", 0, "10.1.0.254", "eth0"))
	alone := made(address("10.9.0.1/32", "br1"))
	ruled := made(ruled("10.1.0.2", "10.1.0.1", "eth0"))
	const (
		lo   = "auto lo\niface lo inet loopback\n"
		eth0 = "auto eth0\niface eth0 inet static\n  address 10.1.0.2\n  netmask 255.255.255.0\n"
		eth1 = "auto eth1\niface eth1 inet static\n  address 10.2.0.2\n  netmask 255.255.255.0\n"
		// A bridge is there only once the network is.
		br0 = "auto br0\niface br0 inet static\n  pre-up ip link add br0 type bridge\n  address 10.3.0.2\n  netmask 255.255.255.0\n"
	)
	cases := map[string]struct {
		interfaces string
		want       *state.State
	}{
		"plain":                      {lo + eth0 + br0, vips},
		"gateway":                    {lo + eth0 + "  gateway 10.1.0.254\n", nat},
		"gateway on another device":  {lo + eth0 + eth1 + "  gateway 10.2.0.254\n", nat},
		"route by command":           {lo + eth0 + "  up ip route add 10.60.0.0/16 via 10.1.0.253\n", nat},
		"VIP by command":             {lo + eth0 + br0 + "iface eth0 inet6 static\n  address 2001:db8::2\n  netmask 64\n  up ip addr add 10.1.0.100/32 dev eth0\n", vips},
		"a device of nobody's":       {lo + eth0, alone},
		"a rule":                     {lo + eth0, ruled},
		"ifup is not run at boot":    {"", nat},
		"VIPs where ifup is not run": {"", vips},
	}
	debs := fetch(t, "openrc", "libeinfo1", "librc1", "ifupdown-ng")
	for kind, packages := range map[string]string{"busybox": "[ol]*.deb", "ifupdown-ng": "*.deb"} {
		t.Run(kind, func(t *testing.T) {
			root := unpack(t, debs, packages)
			smallTools(t, root)
			for name, c := range cases {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					testOpenRC(t, root, c.interfaces, c.want)
				})
			}
		})
	}
}

// smallTools replaces every tool with busybox's, except those in the unpacked packages. It
// hides bash.
func smallTools(t testing.TB, root string) {
	t.Helper()
	sh(t, root, `mkdir -p usr/bin usr/sbin
for a in $(busybox --list | grep -v -x busybox); do
  for d in bin sbin; do [ -e usr/$d/$a ] || ln -s /usr/bin/busybox usr/$d/$a; done
done
if [ -e usr/sbin/ifupdown ]; then for a in ifup ifdown ifquery; do rm -f usr/bin/$a; ln -sf ifupdown usr/sbin/$a; done; fi
mknod usr/bin/bash c 0 0`)
}

func testOpenRC(t *testing.T, root, interfaces string, want *state.State) {
	ifup := interfaces != ""
	if !ifup {
		interfaces = "auto lo\niface lo inet loopback\n"
	}
	const boot = `mkdir -p /run/openrc
ip link set eth1 up; ip link add br1 type bridge; ip link set br1 up
{ openrc sysinit; openrc boot; openrc default; } >&2
rc-status -a >&2
`
	const show = "PATH=/run/real/sbin:/run/real/bin; " + settle + network + `
grep -H . /proc/sys/net/ipv4/conf/all/arp_ignore /proc/sys/net/ipv4/conf/br0/rp_filter 2>/dev/null
ip rule; PATH=/usr/sbin:/usr/bin
`
	script, forget := boot+show, ""
	if ifup {
		script += "echo PART\n{ ifdown -f eth0; ifup eth0; } >&2\n" + show
	} else {
		// Somebody else's service sets the network up, before ours comes.
		const theirs = "#!/sbin/openrc-run\ndepend() {\n  provide net\n}\nstart() {\n  ip link set lo up; ip link set eth0 up; ip addr add 10.1.0.2/24 dev eth0; ip link add br0 type bridge; ip link set br0 up\n}\n"
		forget = "rc-update -a delete networking >&2\n"
		script = forget + "printf '" + strings.ReplaceAll(theirs, "\n", `\n`) + "' >/etc/init.d/theirs; chmod 755 /etc/init.d/theirs; rc-update add theirs default >&2\n" + script
	}
	without := strings.Split(alpine(t, root, interfaces).run(script), "PART\n")

	h := alpine(t, root, interfaces)
	read := Section()
	have := h.run("mkdir -p /run/openrc\n" + forget + shell.Definitions(read.Calls) + read.String())
	b := Parse(have)
	if b.Ifupdown != ifup {
		t.Fatalf("the host's ifup at boot is read as %v:\n%s", b.Ifupdown, have)
	}
	if !b.OpenRC.Modules || !b.OpenRC.Sysctl || !b.OpenRC.NoRestore {
		t.Errorf("OpenRC's services are read as %+v", b.OpenRC)
	}
	b.Devices = map[string]Device{"br0": {Class: "bridge"}}
	out := filed("web", netsystem.Auto, state.InitOpenRC, b, want)
	h.has("web", out)
	units := ""
	for _, change := range state.Diff(state.New(), &state.State{Units: out.Units}) {
		units += change.Do[0].String() + " >&2\n"
	}
	for i, have := range strings.Split(h.run(units+script), "PART\n") {
		when := []string{"at boot", "after ifdown and ifup"}[i]
		for line := range strings.Lines(without[i]) {
			replaced := strings.HasPrefix(line, "default ") || strings.HasPrefix(line, "10.60.0.0/16 ") || strings.HasPrefix(line, "/proc/")
			if !replaced && !strings.Contains("\n"+have, "\n"+line) {
				t.Errorf("%s the host has without lvsctl %swith it:\n%s", when, line, have)
			}
		}
		if m := missing(have, want); len(m) > 0 {
			t.Errorf("%s %v is missing:\n%s", when, m, have)
		}
		for k, v := range want.Sysctls {
			if line := "/proc/sys/" + k + ":" + v + "\n"; !strings.Contains(have, line) {
				t.Errorf("%s there is no %sbut\n%s", when, line, have)
			}
		}
		for k := range want.Policies {
			if !strings.Contains(have, "27492:\tfrom "+strings.TrimPrefix(k.Selector, "from ")) {
				t.Errorf("%s the rule %s is missing:\n%s", when, k, have)
			}
		}
	}
}

// TestOpenRCTableBeforeKeepalived boots a host on which another service asks for keepalived
// early: the service ipvsadm, which clears the table, must start before it all the same.
func TestOpenRCTableBeforeKeepalived(t *testing.T) {
	need(t, "busybox", "unshare", "mount")
	root := unpack(t, fetch(t, "openrc", "libeinfo1", "librc1"), "[ol]*.deb")
	smallTools(t, root)
	h := alpine(t, root, "auto lo\niface lo inet loopback\n")
	services := ""
	for name, needs := range map[string]string{"alarm": "need keepalived", "ipvsadm": "need net", "keepalived": "need net"} {
		write(t, h.root+initDir+name, "#!/sbin/openrc-run\ndepend() {\n  "+needs+"\n}\nstart() {\n  echo "+name+" >>/run/order\n}\n", 0o755)
		services += "rc-update add " + name + " default >&2\n"
	}
	write(t, h.root+openRCKeepalived, "rc_after=\"alarm-of-somebody\"\n", 0o644)
	live := state.New()
	live.Init = state.InitOpenRC
	live.Units["ipvsadm"] = state.Unit{}
	h.has("web", Files(Input{
		Topology: "web", System: netsystem.Auto, Want: made(module("ip_vs")), Before: state.New(), Live: live,
		Boot: Boot{Ifupdown: true, Table: TableOpenRC, OpenRC: OpenRC{Modules: true, Sysctl: true}}, Keepalived: true,
	}))
	have := h.run(services + "mkdir -p /run/openrc\n{ openrc sysinit; openrc boot; openrc default; } >&2\ncat /run/order\n")
	if want := "ipvsadm\nkeepalived\nalarm\n"; have != want {
		t.Errorf("the services started in the order %q, not %q", have, want)
	}
}
