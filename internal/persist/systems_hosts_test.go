package persist

import (
	"strings"
)

// The hosts of TestDebians, by network system. Each has 10.1.0.2/24 and 2001:db8::2/64 on
// eth0 by itself.

const (
	interfacesLo   = "source /etc/network/interfaces.d/*\nauto lo\niface lo inet loopback\n"
	interfacesEth0 = "auto eth0\niface eth0 inet static\n  address 10.1.0.2/24\n"
	interfaces6    = "iface eth0 inet6 static\n  address 2001:db8::2/64\n"
)

func onIfupdown(text string) surroundings {
	return surroundings{files: map[string]string{interfaces: text}, want: eachKind}
}

var ifupdownHosts = map[string]surroundings{
	"plain":                  onIfupdown(interfacesLo + interfacesEth0 + interfaces6),
	"by commands":            onIfupdown(interfacesLo + interfacesEth0 + "  up ip addr add 10.1.0.100/32 dev eth0\n  up ip route add 0.0.0.0/0 via 10.1.0.254\n  up ip route add 10.60.0.0/16 via 10.1.0.254\n" + interfaces6 + "  up ip -6 route add 2001:db8:60::/48 via 2001:db8::fe\n"),
	"VIP as alias":           onIfupdown(interfacesLo + interfacesEth0 + interfaces6 + "auto eth0:0\niface eth0:0 inet static\n  address 10.1.0.100\n  netmask 255.255.255.255\n"),
	"VIP as a second stanza": onIfupdown(interfacesLo + interfacesEth0 + interfaces6 + "iface eth0 inet static\n  address 10.1.0.100/32\niface eth0 inet6 static\n  address 2001:db8::100/128\n"),
}

const (
	networkEth0 = "[Match]\nName=eth0\n[Network]\nIPv6AcceptRA=no\nAddress=10.1.0.2/24\nAddress=2001:db8::2/64\n"
	networkEth1 = "[Match]\nName=eth1\n[Network]\nIPv6AcceptRA=no\nAddress=10.2.0.2/24\n"
	networkLo   = "[Match]\nName=lo\n[Network]\n"
)

func onNetworkd(eth0 string, more ...string) surroundings {
	return surroundings{files: with(map[string]string{networkDir + "20-eth0.network": eth0}, more...), want: eachKind}
}

var networkdHosts = map[string]surroundings{
	"plain":                   onNetworkd(networkEth0),
	"Gateway":                 onNetworkd(networkEth0 + "Gateway=10.1.0.254\nGateway=2001:db8::fe\n[Route]\nDestination=10.60.0.0/16\nGateway=10.1.0.254\n"),
	"routes":                  onNetworkd(networkEth0 + "[Route]\nGateway=10.1.0.254\n[Route]\nDestination=::/0\nGateway=2001:db8::fe\nMetric=1024\n[Route]\nDestination=2001:db8:60::/48\nGateway=2001:db8::fe\n"),
	"routes by drop-in":       onNetworkd(networkEth0, networkDir+"20-eth0.network.d/own.conf", "[Route]\nGateway=10.1.0.254\n[Address]\nAddress=10.1.0.100/32\n"),
	"other metrics":           onNetworkd(networkEth0 + "[Route]\nGateway=10.1.0.254\nMetric=100\n[Route]\nGateway=2001:db8::fe\nMetric=100\n"),
	"routes of eth1":          onNetworkd(networkEth0, networkDir+"20-eth1.network", networkEth1+"Gateway=10.2.0.254\n[Route]\nDestination=10.60.0.0/16\nGateway=10.2.0.254\n"),
	"the very same":           onNetworkd(networkEth0+"Address=10.1.0.100/32\nAddress=2001:db8::100/128\nGateway=10.1.0.1\n[Route]\nDestination=10.60.0.0/16\nGateway=10.1.0.9\n", networkDir+"30-lo.network", networkLo+"Address=10.8.0.1/32\nAddress=10.9.0.1/32\n"),
	"VIP with another length": onNetworkd(networkEth0 + "Address=10.1.0.100/24\nAddress=2001:db8::100/64\n"),
	"shared file":             {files: map[string]string{networkDir + "20-eth.network": strings.Replace(networkEth0, "=eth0", "=eth*", 1)}, want: made(address("10.1.0.100/32", "eth0"), address("2001:db8::100/128", "eth0"))},
	"lo and eth1 by hand": {
		files: with(map[string]string{networkDir + "20-eth0.network": networkEth0}, byHand("link set lo up", "addr add 10.8.0.1/32 dev lo", "link set eth1 up", "addr add 10.2.0.2/24 dev eth1")...),
		want:  made(address("10.9.0.1/32", "lo"), address("10.2.0.100/32", "eth1"), route("10.60.0.0/16", 0, "10.2.0.9", "eth1")),
	},
	"a rule": {files: map[string]string{networkDir + "20-eth0.network": networkEth0 + "Gateway=10.1.0.254\n"}, want: byRule},
	"DHCP":   {files: map[string]string{networkDir + "20-eth0.network": "[Match]\nName=eth0\n[Network]\nIPv6AcceptRA=no\nDHCP=ipv4\nAddress=2001:db8::2/64\n"}, want: eachKind, dhcp: true},
}

const netplanEth0 = "network:\n  version: 2\n  ethernets:\n    eth0:\n      accept-ra: false\n      addresses: [10.1.0.2/24, 2001:db8::2/64]\n"

func onNetplan(text string) surroundings {
	return surroundings{files: map[string]string{"/etc/netplan/50-own.yaml": text}, want: eachKind}
}

var netplanHosts = map[string]surroundings{
	"plain":               onNetplan(netplanEth0),
	"gateway4":            onNetplan(netplanEth0 + "      gateway4: 10.1.0.254\n      gateway6: 2001:db8::fe\n"),
	"routes":              onNetplan(netplanEth0 + "      routes:\n      - {to: default, via: 10.1.0.254}\n      - {to: 10.60.0.0/16, via: 10.1.0.254}\n      - {to: \"::/0\", via: \"2001:db8::fe\"}\n"),
	"routes of eth1":      onNetplan(netplanEth0 + "    eth1: {addresses: [10.2.0.2/24], accept-ra: false, routes: [{to: 0.0.0.0/0, via: 10.2.0.254}]}\n"),
	"the very same":       onNetplan(strings.Replace(netplanEth0, ", 2001", ", 10.1.0.100/32: {label: \"eth0:x\"}, \"2001:db8::100/128\": {lifetime: 0}, 2001", 1) + "      routes:\n      - {to: default, via: 10.1.0.1}\n      - {to: 10.60.0.0/16, via: 10.1.0.9}\n"),
	"another name and lo": onNetplan(strings.Replace(netplanEth0, "    eth0:\n", "    uplink:\n      match: {name: eth0}\n", 1) + "    lo: {addresses: [10.8.0.1/32, 10.9.0.1/32]}\n"),
	"device of a bridge":  {files: map[string]string{"/etc/netplan/50-own.yaml": netplanEth0 + "    eth1: {accept-ra: false}\n  bridges:\n    br0: {interfaces: [eth1], accept-ra: false, addresses: [10.2.0.2/24], parameters: {stp: false}}\n"}, want: made(address("10.2.0.100/32", "br0"), route("10.60.0.0/16", 0, "10.2.0.9", "br0"))},
	"DHCP":                {files: map[string]string{"/etc/netplan/50-own.yaml": strings.Replace(netplanEth0, "[10.1.0.2/24, ", "[", 1) + "      dhcp4: true\n"}, want: eachKind, dhcp: true},
}

const (
	profileEth0  = "[connection]\nid=eth0\ntype=ethernet\ninterface-name=eth0\n[ipv4]\nmethod=manual\naddress1=10.1.0.2/24\n"
	profileEth06 = "[ipv6]\nmethod=manual\naddress1=2001:db8::2/64\n"
	profileEth1  = "[connection]\nid=eth1\ntype=ethernet\ninterface-name=eth1\n[ipv4]\nmethod=manual\naddress1=10.2.0.2/24\n"
	profileLo    = "[connection]\nid=own-lo\ntype=loopback\ninterface-name=lo\n[ipv4]\nmethod=manual\naddress1=10.8.0.1/32\n"
)

func onNetworkManager(eth0 string, more ...string) surroundings {
	return surroundings{files: with(map[string]string{
		profilesDir + "eth0.nmconnection": eth0, "/etc/NetworkManager/conf.d/own.conf": "[main]\nno-auto-default=*\n",
		"/etc/NetworkManager/dispatcher.d/99-own": "#!/bin/sh\necho \"$1 $2\" >>/run/dispatched\n",
	}, more...), want: eachKind}
}

var networkManagerHosts = map[string]surroundings{
	"plain":                   onNetworkManager(profileEth0 + profileEth06),
	"gateway":                 onNetworkManager(profileEth0 + "gateway=10.1.0.254\nroute1=10.60.0.0/16,10.1.0.254\n" + profileEth06 + "gateway=2001:db8::fe\nroute1=2001:db8:60::/48,2001:db8::fe\n"),
	"gateway of metric 0":     onNetworkManager(profileEth0 + "gateway=10.1.0.254\nroute-metric=0\nroute1=10.60.0.0/16,10.1.0.254,0\n" + profileEth06 + "gateway=2001:db8::fe\nroute-metric=1\n"),
	"gateway of eth1":         onNetworkManager(profileEth0+profileEth06, profilesDir+"eth1.nmconnection", profileEth1+"gateway=10.2.0.254\nroute-metric=0\n"),
	"the very same":           onNetworkManager(profileEth0+"address2=10.1.0.100/32\ngateway=10.1.0.1\n"+profileEth06+"address2=2001:db8::100/128\n", profilesDir+"lo.nmconnection", profileLo+"address2=10.9.0.1/32\n"),
	"a profile for lo":        onNetworkManager(profileEth0+profileEth06, profilesDir+"lo.nmconnection", profileLo),
	"VIP with another length": onNetworkManager(profileEth0 + "address2=10.1.0.100/24\n" + profileEth06 + "address2=2001:db8::100/64\n"),
	"eth1 by hand": {
		files: onNetworkManager(profileEth0+profileEth06, append(byHand("link set eth1 up", "addr add 10.2.0.2/24 dev eth1"),
			"/etc/NetworkManager/conf.d/own.conf", "[main]\nno-auto-default=*\n[keyfile]\nunmanaged-devices=interface-name:eth1\n")...).files,
		want: made(address("10.2.0.100/32", "eth1"), address("2001:db8:2::100/128", "eth1"), route("10.60.0.0/16", 0, "10.2.0.9", "eth1")),
	},
	"no dispatcher": onNetworkManager(profileEth0+profileEth06, "/etc/systemd/system/NetworkManager-dispatcher.service", "->/dev/null"),
	"a rule":        {files: onNetworkManager(profileEth0 + "gateway=10.1.0.254\n" + profileEth06).files, want: byRule},
	"DHCP":          {files: onNetworkManager("[connection]\nid=eth0\ntype=ethernet\ninterface-name=eth0\n[ipv4]\nmethod=auto\n" + profileEth06).files, want: eachKind, dhcp: true},
}
