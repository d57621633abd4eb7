package lab

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// netHost is a host with everything that a network system may have to set up.
func netHost() Host {
	return Host{Name: "c", Interfaces: []Interface{
		{Name: "eth0", Addresses: prefixes("10.9.0.9/24", "10.8.0.9/24", "fd00:9::9/64")},
		{Name: "ens33"},
		{Name: "lo", Addresses: prefixes("10.7.0.1/32")},
	}, Gateway4: netip.MustParseAddr("10.8.0.1"), Gateway6: netip.MustParseAddr("fd00:9::1"), Routes: []Route{
		{To: netip.MustParsePrefix("10.77.1.1/16"), Via: netip.MustParseAddr("10.9.0.1")},
		{To: netip.MustParsePrefix("10.78.0.0/16"), Dev: "eth0"},
	}}
}

func netDevices(t *testing.T) []device {
	t.Helper()
	list, err := devices(netHost(), 3, "mgmt0", netip.MustParsePrefix("198.18.0.0/24"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestDevicesRefuse(t *testing.T) {
	h := Host{Name: "c", Interfaces: []Interface{{Name: "eth0", Addresses: prefixes("10.9.0.9/24")}}, Gateway4: netip.MustParseAddr("10.8.0.1")}
	_, err := devices(h, 0, "mgmt0", netip.MustParsePrefix("198.18.0.0/24"))
	if want := "c: cannot set the route to 0.0.0.0/0: no interface leads to 10.8.0.1"; err == nil || err.Error() != want {
		t.Errorf("want %q, have %v", want, err)
	}
}

const wantLinks = `== etc/systemd/network/10-eth0.link 644
[Match]
MACAddress=02:00:00:03:00:01

[Link]
Name=eth0
== etc/systemd/network/10-ens33.link 644
[Match]
MACAddress=02:00:00:03:01:01

[Link]
Name=ens33
== etc/systemd/network/10-mgmt0.link 644
[Match]
MACAddress=02:00:00:03:ff:01

[Link]
Name=mgmt0
`

var wantNetwork = map[System]string{
	Ifupdown: `== etc/network/interfaces 644
source /etc/network/interfaces.d/*

auto lo
iface lo inet loopback

auto eth0
iface eth0 inet static
    address 10.9.0.9/24
    up ip route add 10.77.0.0/16 via 10.9.0.1 dev eth0
iface eth0 inet static
    address 10.8.0.9/24
    gateway 10.8.0.1
iface eth0 inet6 static
    address fd00:9::9/64
    up ip route add 10.78.0.0/16 dev eth0
    gateway fd00:9::1

auto ens33
iface ens33 inet manual
    up ip link set dev ens33 up
iface lo inet static
    address 10.7.0.1/32

auto mgmt0
iface mgmt0 inet static
    address 198.18.0.103/24
    pre-up ip link set dev mgmt0 addrgenmode none
`,
	Netplan: `== etc/netplan/50-lab.yaml 600
network:
  version: 2
  renderer: networkd
  ethernets:
    "eth0":
      accept-ra: false
      addresses:
        - "10.9.0.9/24"
        - "10.8.0.9/24"
        - "fd00:9::9/64"
      routes:
        - to: "10.77.0.0/16"
          via: "10.9.0.1"
        - to: "10.78.0.0/16"
          scope: link
        - to: "0.0.0.0/0"
          via: "10.8.0.1"
        - to: "::/0"
          via: "fd00:9::1"
    "ens33":
      accept-ra: false
      optional: true
    "lo":
      addresses:
        - "10.7.0.1/32"
    "mgmt0":
      accept-ra: false
      link-local: []
      addresses:
        - "198.18.0.103/24"
`,
	Networkd: `== etc/systemd/network/20-eth0.network 644
[Match]
Name=eth0

[Network]
IPv6AcceptRA=no
Address=10.9.0.9/24
Address=10.8.0.9/24
Address=fd00:9::9/64

[Route]
Destination=10.77.0.0/16
Gateway=10.9.0.1

[Route]
Destination=10.78.0.0/16

[Route]
Destination=0.0.0.0/0
Gateway=10.8.0.1

[Route]
Destination=::/0
Gateway=fd00:9::1
== etc/systemd/network/20-ens33.network 644
[Match]
Name=ens33

[Link]
RequiredForOnline=no

[Network]
IPv6AcceptRA=no
== etc/systemd/network/20-lo.network 644
[Match]
Name=lo

[Network]
Address=10.7.0.1/32
== etc/systemd/network/20-mgmt0.network 644
[Match]
Name=mgmt0

[Network]
IPv6AcceptRA=no
LinkLocalAddressing=no
Address=198.18.0.103/24
`,
	NetworkManager: `== etc/NetworkManager/system-connections/eth0.nmconnection 600
[connection]
id=eth0
type=ethernet
interface-name=eth0

[ipv4]
method=manual
address1=10.9.0.9/24
address2=10.8.0.9/24
route1=10.77.0.0/16,10.9.0.1
route2=10.78.0.0/16
route3=0.0.0.0/0,10.8.0.1

[ipv6]
method=manual
address1=fd00:9::9/64
route1=::/0,fd00:9::1
== etc/NetworkManager/system-connections/ens33.nmconnection 600
[connection]
id=ens33
type=ethernet
interface-name=ens33

[ipv4]
method=disabled

[ipv6]
method=link-local
== etc/NetworkManager/system-connections/lo.nmconnection 600
[connection]
id=lo
type=loopback
interface-name=lo

[ipv4]
method=manual
address1=10.7.0.1/32

[ipv6]
method=auto
== etc/NetworkManager/system-connections/mgmt0.nmconnection 600
[connection]
id=mgmt0
type=ethernet
interface-name=mgmt0

[ipv4]
method=manual
address1=198.18.0.103/24

[ipv6]
method=disabled
`,
}

func TestNetworkFiles(t *testing.T) {
	for _, system := range Systems {
		var b strings.Builder
		for _, f := range networkFiles(system, netDevices(t)) {
			b.WriteString("== " + f.Path + " " + map[uint32]string{0o644: "644", 0o600: "600"}[f.Mode] + "\n" + f.Text)
		}
		if diff := cmp.Diff(wantLinks+wantNetwork[system], b.String()); diff != "" {
			t.Errorf("%s (-want +have):\n%s", system, diff)
		}
	}
}
