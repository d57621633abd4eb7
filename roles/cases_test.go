package roles_test

// cases are topologies for each row of the mode table, and for several rows on one node.
var cases = []struct {
	name, text string
	want       map[string][]string // by node; nodes that are left out are not compared
}{
	{
		name: "nat: one subnet",
		text: lan + `virtual_server "web" {
  vip  = "10.1.0.100"
  mode = "nat"` + service + `}`,
		want: map[string][]string{
			"a": {
				"route default: via 10.1.0.2 dev eth0",
			},
			"lvs": {
				"package ipvsadm",
				"module ip_vs",
				"sysctl net.ipv4.ip_forward: 1",
				"sysctl net.ipv4.conf.all.send_redirects: 0",
				"sysctl net.ipv4.conf.default.send_redirects: 0",
				"sysctl net.ipv4.conf.eth0.send_redirects: 0",
				"sysctl net.ipv4.vs.conn_reuse_mode: 3",
				"address 10.1.0.100/32 dev eth0",
				"service tcp 10.1.0.100:80: rr",
				"server tcp 10.1.0.100:80 -> 10.1.0.11:80: nat  weight 1",
				"server tcp 10.1.0.100:80 -> 10.1.0.12:80: nat  weight 1",
			},
		},
	},
	{
		name: "gateways on no subnet",
		text: `
router "r" {
  interface "eth0" { addresses = ["203.0.113.7/32", "2001:db8::7/64"] }
  interface "eth1" { address = "10.1.0.7/24" }
  gateway = ["198.51.100.1", "fe80::1%eth0"]
  route {
    to  = "192.0.2.0/24"
    via = "198.51.100.2"
  }
}`,
		want: map[string][]string{
			"r": {
				"route default: via 198.51.100.1 dev eth0",
				"route 192.0.2.0/24: via 198.51.100.2 dev eth0",
				"route default6: via fe80::1 dev eth0",
			},
		},
	},
	{
		name: "nat: the way back is a rule, and the default route is the node's own",
		text: `
director "lvs" {
  interface "eth0" { addresses = ["10.1.0.2/24", "fd00::2/64"] }
}
real_server "a" {
  way_back = "rule"
  gateway  = "192.0.2.1"
  interface "eth0" { addresses = ["10.1.0.11/24", "fd00::11/64"] }
  interface "eth1" { address = "192.0.2.11/24" }
}
virtual_server "web" {
  vip          = "10.1.0.100"
  port         = 80
  mode         = "nat"
  real_servers = ["a"]
}
virtual_server "web6" {
  vip          = "fd00::100"
  port         = 80
  mode         = "nat"
  real_servers = ["a"]
}`,
		want: map[string][]string{
			"a": {
				"route default: via 192.0.2.1 dev eth1",
				"route default table 862: via 10.1.0.2 dev eth0",
				"route 10.1.0.0/24 table 862: dev eth0",
				"route default6 table 862: via fd00::2 dev eth0",
				"route fd00::/64 table 862: dev eth0",
				"policy 27492 from 10.1.0.11: lookup 862",
				"policy 27492 from fd00::11: lookup 862",
			},
		},
	},
	{
		name: "nat: the VIP is the director's own address on the other side, other ports",
		text: `
director "lvs" {
  interface "eth0" { address = "10.1.0.2/24" }
  interface "eth1" { address = "203.0.113.5/24" }
}
real_server "a" {
  interface "eth0" { address = "10.1.0.11/24" }
}
virtual_server "web" {
  vip  = "203.0.113.5"
  port = 80
  mode = "nat"
  real_server "a" {
    port   = 8080
    weight = 5
  }
}`,
		want: map[string][]string{
			"a": {
				"route default: via 10.1.0.2 dev eth0",
			},
			"lvs": {
				"package ipvsadm",
				"module ip_vs",
				"sysctl net.ipv4.ip_forward: 1",
				"sysctl net.ipv4.conf.all.send_redirects: 0",
				"sysctl net.ipv4.conf.default.send_redirects: 0",
				"sysctl net.ipv4.conf.eth0.send_redirects: 0",
				"sysctl net.ipv4.conf.eth1.send_redirects: 0",
				"sysctl net.ipv4.vs.conn_reuse_mode: 3",
				"service tcp 203.0.113.5:80: wlc",
				"server tcp 203.0.113.5:80 -> 10.1.0.11:8080: nat  weight 5",
			},
		},
	},
	{
		name: "nat: a gateway of the node's own that is the DIP; IPv6",
		text: `
director "lvs" {
  interface "eth0" { address = "fd00:1::2/64" }
}
real_server "a" {
  interface "eth0" { address = "fd00:1::11/64" }
  gateway = "lvs"
}
virtual_server "web" {
  vip          = "fd00:9::1"
  port         = 80
  mode         = "nat"
  real_servers = ["a"]
}`,
		want: map[string][]string{
			"a": {
				"route default6: via fd00:1::2 dev eth0",
			},
			"lvs": {
				"package ipvsadm",
				"module ip_vs",
				"sysctl net.ipv6.conf.all.forwarding: 1",
				"sysctl net.ipv4.vs.conn_reuse_mode: 3",
				"address fd00:9::1/128 dev eth0",
				"service tcp [fd00:9::1]:80: wlc",
				"server tcp [fd00:9::1]:80 -> [fd00:1::11]:80: nat  weight 1",
			},
		},
	},
	{
		name: "dr: one subnet, no router",
		text: lan + `virtual_server "web" {
  vip  = "10.1.0.100"
  mode = "dr"` + service + `}`,
		want: map[string][]string{
			"a": {
				"sysctl net.ipv4.conf.all.arp_announce: 2",
				"sysctl net.ipv4.conf.all.arp_ignore: 1",
				"sysctl net.ipv4.conf.lo.arp_announce: 2",
				"sysctl net.ipv4.conf.lo.arp_ignore: 1",
				"address 10.1.0.100/32 dev lo",
			},
			"lvs": {
				"package ipvsadm",
				"module ip_vs",
				"sysctl net.ipv4.vs.conn_reuse_mode: 3",
				"address 10.1.0.100/32 dev eth0",
				"service tcp 10.1.0.100:80: rr",
				"server tcp 10.1.0.100:80 -> 10.1.0.11:80: dr  weight 1",
				"server tcp 10.1.0.100:80 -> 10.1.0.12:80: dr  weight 1",
			},
		},
	},
	{
		name: "dr: behind a router, the VIP off its subnets, on devices of choice",
		text: lan + `
router "gw" {
  interface "eth0" { address = "10.1.0.1/24" }
  interface "eth1" { address = "192.0.2.1/24" }
}
real_server "c" {
  interface "eth0" { address = "10.1.0.13/24" }
  vip_interface = "dummy0"
  gateway       = "10.1.0.254"
}
virtual_server "web" {
  vip          = "10.9.0.1"
  port         = 80
  mode         = "dr"
  interface    = "eth0"
  real_servers = ["a", "c"]
}`,
		want: map[string][]string{
			"a": {
				"sysctl net.ipv4.conf.all.arp_announce: 2",
				"sysctl net.ipv4.conf.all.arp_ignore: 1",
				"sysctl net.ipv4.conf.lo.arp_announce: 2",
				"sysctl net.ipv4.conf.lo.arp_ignore: 1",
				"address 10.9.0.1/32 dev lo",
				"route default: via 10.1.0.1 dev eth0",
			},
			"b": nil,
			"c": {
				"sysctl net.ipv4.conf.all.arp_announce: 2",
				"sysctl net.ipv4.conf.all.arp_ignore: 1",
				"sysctl net.ipv4.conf.dummy0.arp_announce: 2",
				"sysctl net.ipv4.conf.dummy0.arp_ignore: 1",
				"address 10.9.0.1/32 dev dummy0",
				"route default: via 10.1.0.254 dev eth0",
			},
			"gw": {
				"sysctl net.ipv4.ip_forward: 1",
				"sysctl net.ipv4.conf.eth0.rp_filter: 2",
				"route 10.9.0.1/32: via 10.1.0.2 dev eth0",
			},
			"lvs": {
				"package ipvsadm",
				"module ip_vs",
				"sysctl net.ipv4.vs.conn_reuse_mode: 3",
				"address 10.9.0.1/32 dev eth0",
				"service tcp 10.9.0.1:80: wlc",
				"server tcp 10.9.0.1:80 -> 10.1.0.11:80: dr  weight 1",
				"server tcp 10.9.0.1:80 -> 10.1.0.13:80: dr  weight 1",
			},
		},
	},
	{
		name: "dr: IPv6 needs no ARP",
		text: `
director "lvs" {
  interface "eth0" { address = "fd00:1::2/64" }
}
real_server "a" {
  interface "eth0" { address = "fd00:1::11/64" }
}
router "gw" {
  interface "eth0" { address = "fd00:1::1/64" }
}
virtual_server "web" {
  vip          = "fd00:1::100"
  port         = 443
  mode         = "dr"
  real_servers = ["a"]
}`,
		want: map[string][]string{
			"a": {
				"address fd00:1::100/128 dev lo",
				"route default6: via fd00:1::1 dev eth0",
			},
			"gw": {
				"sysctl net.ipv6.conf.all.forwarding: 1",
			},
			"lvs": {
				"package ipvsadm",
				"module ip_vs",
				"sysctl net.ipv4.vs.conn_reuse_mode: 3",
				"address fd00:1::100/128 dev eth0",
				"service tcp [fd00:1::100]:443: wlc",
				"server tcp [fd00:1::100]:443 -> [fd00:1::11]:443: dr  weight 1",
			},
		},
	},
	{
		name: "tun",
		text: lan + `virtual_server "web" {
  vip  = "10.1.0.100"
  mode = "tun"
  mss  = 1440` + service + `}`,
		want: map[string][]string{
			"a": {
				"package iptables",
				"module ipip",
				"sysctl net.ipv4.conf.all.arp_announce: 2",
				"sysctl net.ipv4.conf.all.arp_ignore: 1",
				"sysctl net.ipv4.conf.tunl0.arp_announce: 2",
				"sysctl net.ipv4.conf.tunl0.arp_ignore: 1",
				"sysctl net.ipv4.conf.tunl0.rp_filter: 2",
				"rule ip mangle OUTPUT lvsctl:web:web:mss: -s 10.1.0.100 -p tcp -m tcp --sport 80 --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1440",
				"link tunl0: up",
				"address 10.1.0.100/32 dev tunl0",
			},
			"lvs": {
				"package ipvsadm",
				"module ip_vs",
				"sysctl net.ipv4.vs.conn_reuse_mode: 3",
				"address 10.1.0.100/32 dev eth0",
				"service tcp 10.1.0.100:80: rr",
				"server tcp 10.1.0.100:80 -> 10.1.0.11:80: tun  weight 1",
				"server tcp 10.1.0.100:80 -> 10.1.0.12:80: tun  weight 1",
			},
		},
	},
	{
		name: "fullnat",
		text: lan + `virtual_server "web" {
  vip  = "10.1.0.100"
  mode = "fullnat"` + service + `}`,
		want: map[string][]string{
			"a": nil,
			"lvs": {
				"package iptables",
				"package ipvsadm",
				"module ip_vs",
				"sysctl net.ipv4.ip_forward: 1",
				"sysctl net.ipv4.conf.all.send_redirects: 0",
				"sysctl net.ipv4.conf.default.send_redirects: 0",
				"sysctl net.ipv4.conf.eth0.send_redirects: 0",
				"sysctl net.ipv4.vs.conn_reuse_mode: 3",
				"sysctl net.ipv4.vs.conntrack: 1",
				"rule ip nat POSTROUTING lvsctl:web:web:masquerade: -m ipvs --vproto 6 --vaddr 10.1.0.100 --vport 80 --vmethod MASQ -j MASQUERADE",
				"address 10.1.0.100/32 dev eth0",
				"service tcp 10.1.0.100:80: rr",
				"server tcp 10.1.0.100:80 -> 10.1.0.11:80: nat  weight 1",
				"server tcp 10.1.0.100:80 -> 10.1.0.12:80: nat  weight 1",
			},
		},
	},
	{
		name: "each server in a mode of its own",
		text: lan + `
real_server "c" {
  interface "eth0" { address = "10.1.0.13/24" }
}
virtual_server "web" {
  vip  = "10.1.0.100"
  port = 80
  mode = "dr"
  real_server "a" {}
  real_server "b" { mode = "tun" }
  real_server "c" { mode = "nat" }
}`,
		want: map[string][]string{
			"a": {
				"sysctl net.ipv4.conf.all.arp_announce: 2",
				"sysctl net.ipv4.conf.all.arp_ignore: 1",
				"sysctl net.ipv4.conf.lo.arp_announce: 2",
				"sysctl net.ipv4.conf.lo.arp_ignore: 1",
				"address 10.1.0.100/32 dev lo",
			},
			"b": {
				"module ipip",
				"sysctl net.ipv4.conf.all.arp_announce: 2",
				"sysctl net.ipv4.conf.all.arp_ignore: 1",
				"sysctl net.ipv4.conf.tunl0.arp_announce: 2",
				"sysctl net.ipv4.conf.tunl0.arp_ignore: 1",
				"sysctl net.ipv4.conf.tunl0.rp_filter: 2",
				"link tunl0: up",
				"address 10.1.0.100/32 dev tunl0",
			},
			"c": {
				"route default: via 10.1.0.2 dev eth0",
			},
			"lvs": {
				"package ipvsadm",
				"module ip_vs",
				"sysctl net.ipv4.ip_forward: 1",
				"sysctl net.ipv4.conf.all.send_redirects: 0",
				"sysctl net.ipv4.conf.default.send_redirects: 0",
				"sysctl net.ipv4.conf.eth0.send_redirects: 0",
				"sysctl net.ipv4.vs.conn_reuse_mode: 3",
				"address 10.1.0.100/32 dev eth0",
				"service tcp 10.1.0.100:80: wlc",
				"server tcp 10.1.0.100:80 -> 10.1.0.11:80: dr  weight 1",
				"server tcp 10.1.0.100:80 -> 10.1.0.12:80: tun  weight 1",
				"server tcp 10.1.0.100:80 -> 10.1.0.13:80: nat  weight 1",
			},
		},
	},
	{
		name: "the service's tunnel, a server's own, and two for one VIP",
		text: lan + `
virtual_server "web" {
  vip  = "10.1.0.100"
  port = 80
  mode = "tun"
  tunnel {
    type     = "gue"
    port     = 6080
    checksum = "inner"
  }
  real_server "a" {}
  real_server "b" {
    tunnel { type = "gre" }
  }
}
virtual_server "tls" {
  vip          = "10.1.0.100"
  port         = 443
  mode         = "tun"
  real_servers = ["b"]
}`,
		want: map[string][]string{
			"a": {
				"module fou",
				"module ipip",
				"sysctl net.ipv4.conf.all.arp_announce: 2",
				"sysctl net.ipv4.conf.all.arp_ignore: 1",
				"sysctl net.ipv4.conf.tunl0.arp_announce: 2",
				"sysctl net.ipv4.conf.tunl0.arp_ignore: 1",
				"sysctl net.ipv4.conf.tunl0.rp_filter: 2",
				"link tunl0: up",
				"fou port 6080: gue",
				"address 10.1.0.100/32 dev tunl0",
			},
			"b": {
				"module ip_gre",
				"module ipip",
				"sysctl net.ipv4.conf.all.arp_announce: 2",
				"sysctl net.ipv4.conf.all.arp_ignore: 1",
				"sysctl net.ipv4.conf.gre0.arp_announce: 2",
				"sysctl net.ipv4.conf.gre0.arp_ignore: 1",
				"sysctl net.ipv4.conf.gre0.rp_filter: 2",
				"sysctl net.ipv4.conf.tunl0.arp_announce: 2",
				"sysctl net.ipv4.conf.tunl0.arp_ignore: 1",
				"sysctl net.ipv4.conf.tunl0.rp_filter: 2",
				"link gre0: up",
				"link tunl0: up",
				"address 10.1.0.100/32 dev gre0",
				"address 10.1.0.100/32 dev tunl0",
			},
			"lvs": {
				"package ipvsadm",
				"module ip_vs",
				"sysctl net.ipv4.vs.conn_reuse_mode: 3",
				"address 10.1.0.100/32 dev eth0",
				"service tcp 10.1.0.100:80: wlc",
				"service tcp 10.1.0.100:443: wlc",
				"server tcp 10.1.0.100:80 -> 10.1.0.11:80: tun  weight 1 --tun-type gue --tun-port 6080 --tun-csum",
				"server tcp 10.1.0.100:80 -> 10.1.0.12:80: tun  weight 1 --tun-type gre --tun-nocsum",
				"server tcp 10.1.0.100:443 -> 10.1.0.12:443: tun  weight 1",
			},
		},
	},
	{
		name: "a VIP beside the tunnel is on its device too",
		text: `
director "lvs" {
  interface "eth0" { address = "10.1.0.2/24" }
}
real_server "a" {
  interface "eth0" { addresses = ["10.1.0.11/24", "fd00:1::11/64"] }
  vip_interface = "dummy0"
}
virtual_server "web" {
  vip          = "10.1.0.100"
  port         = 80
  mode         = "tun"
  real_servers = ["a"]
}`,
		want: map[string][]string{
			"a": {
				"module ipip",
				"sysctl net.ipv4.conf.all.arp_announce: 2",
				"sysctl net.ipv4.conf.all.arp_ignore: 1",
				"sysctl net.ipv4.conf.dummy0.arp_announce: 2",
				"sysctl net.ipv4.conf.dummy0.arp_ignore: 1",
				"sysctl net.ipv4.conf.tunl0.rp_filter: 2",
				"link tunl0: up",
				"address 10.1.0.100/32 dev dummy0",
				"address 10.1.0.100/32 dev tunl0",
			},
			"lvs": {
				"package ipvsadm",
				"module ip_vs",
				"sysctl net.ipv4.vs.conn_reuse_mode: 3",
				"address 10.1.0.100/32 dev eth0",
				"service tcp 10.1.0.100:80: wlc",
				"server tcp 10.1.0.100:80 -> 10.1.0.11:80: tun  weight 1",
			},
		},
	},
	{
		name: "several services a director, several VIPs a real server",
		text: lan + `
virtual_server "web" {
  vip  = "10.1.0.100"
  mode = "dr"` + service + `}
virtual_server "tls" {
  vip          = "10.1.0.100"
  port         = 443
  mode         = "dr"
  scheduler    = "sh"
  scheduler_flags = ["sh-port", "sh-fallback"]
  real_servers = { a = 3, b = 0 }
}
virtual_server "dns" {
  vip          = "10.1.0.101"
  port         = 53
  protocol     = "udp"
  one_packet   = true
  mode         = "dr"
  drain        = "5s"
  real_servers = ["a"]
}
virtual_server "any" {
  vip          = "10.1.0.102"
  port         = 0
  mode         = "dr"
  persistence {
    timeout = 300
    netmask = "255.255.255.0"
  }
  real_server "b" {
    upper_threshold = 100
    lower_threshold = 80
  }
}`,
		want: map[string][]string{
			"a": {
				"sysctl net.ipv4.conf.all.arp_announce: 2",
				"sysctl net.ipv4.conf.all.arp_ignore: 1",
				"sysctl net.ipv4.conf.lo.arp_announce: 2",
				"sysctl net.ipv4.conf.lo.arp_ignore: 1",
				"address 10.1.0.100/32 dev lo",
				"address 10.1.0.101/32 dev lo",
			},
			"b": {
				"sysctl net.ipv4.conf.all.arp_announce: 2",
				"sysctl net.ipv4.conf.all.arp_ignore: 1",
				"sysctl net.ipv4.conf.lo.arp_announce: 2",
				"sysctl net.ipv4.conf.lo.arp_ignore: 1",
				"address 10.1.0.100/32 dev lo",
				"address 10.1.0.102/32 dev lo",
			},
			"lvs": {
				"package ipvsadm",
				"module ip_vs",
				"sysctl net.ipv4.vs.conn_reuse_mode: 3",
				"address 10.1.0.100/32 dev eth0",
				"address 10.1.0.101/32 dev eth0",
				"address 10.1.0.102/32 dev eth0",
				"service tcp 10.1.0.100:80: rr",
				"service tcp 10.1.0.100:443: sh (sh-fallback,sh-port)",
				"service tcp 10.1.0.102:0: wlc persistent 300 mask /24",
				"service udp 10.1.0.101:53: wlc ops",
				"server tcp 10.1.0.100:80 -> 10.1.0.11:80: dr  weight 1",
				"server tcp 10.1.0.100:80 -> 10.1.0.12:80: dr  weight 1",
				"server tcp 10.1.0.100:443 -> 10.1.0.11:443: dr  weight 3",
				"server tcp 10.1.0.100:443 -> 10.1.0.12:443: dr  weight 0",
				"server tcp 10.1.0.102:0 -> 10.1.0.12:0: dr  weight 1 upper 100 lower 80",
				"server udp 10.1.0.101:53 -> 10.1.0.11:53: dr  weight 1",
			},
		},
	},
	{
		name: "a director that serves too",
		text: lan + `virtual_server "web" {
  vip          = "10.1.0.100"
  port         = 80
  mode         = "dr"
  real_servers = ["a", "lvs"]
}`,
		want: map[string][]string{
			"a": {
				"sysctl net.ipv4.conf.all.arp_announce: 2",
				"sysctl net.ipv4.conf.all.arp_ignore: 1",
				"sysctl net.ipv4.conf.lo.arp_announce: 2",
				"sysctl net.ipv4.conf.lo.arp_ignore: 1",
				"address 10.1.0.100/32 dev lo",
			},
			"lvs": {
				"package ipvsadm",
				"module ip_vs",
				"sysctl net.ipv4.vs.conn_reuse_mode: 3",
				"address 10.1.0.100/32 dev eth0",
				"service tcp 10.1.0.100:80: wlc",
				"server tcp 10.1.0.100:80 -> 10.1.0.2:80: dr  weight 1",
				"server tcp 10.1.0.100:80 -> 10.1.0.11:80: dr  weight 1",
			},
		},
	},
	{
		name: "a firewall mark with its rules",
		text: lan + `virtual_server "web" {
  vip    = "10.1.0.100"
  fwmark = 7
  mode   = "dr"
  mark {
    protocol = "tcp"
    ports    = [80, 443, "8000-8010"]
  }
  real_servers = ["a"]
}`,
		want: map[string][]string{
			"a": {
				"sysctl net.ipv4.conf.all.arp_announce: 2",
				"sysctl net.ipv4.conf.all.arp_ignore: 1",
				"sysctl net.ipv4.conf.lo.arp_announce: 2",
				"sysctl net.ipv4.conf.lo.arp_ignore: 1",
				"address 10.1.0.100/32 dev lo",
			},
			"lvs": {
				"package iptables",
				"package ipvsadm",
				"module ip_vs",
				"sysctl net.ipv4.vs.conn_reuse_mode: 3",
				"rule ip mangle PREROUTING lvsctl:web:web:tcp: -d 10.1.0.100 -p tcp -m multiport --dports 80,443,8000:8010 -j MARK --set-xmark 0x7/0xffffffff",
				"address 10.1.0.100/32 dev eth0",
				"service fwm 7: wlc",
				"server fwm 7 -> 10.1.0.11:0: dr  weight 1",
			},
		},
	},
	{
		name: "timeouts and sync daemons, a director without a service, another with exclusive",
		text: `
director "one" {
  interface "eth0" { address = "10.1.0.2/24" }
  timeouts {
    tcp = 600
    udp = 30
  }
  sync {
    role      = "both"
    interface = "eth0"
    id        = 3
  }
}
director "two" {
  interface "eth0" { address = "10.1.0.3/24" }
  exclusive = true
}
director "three" {
  interface "eth0" { address = "10.1.0.4/24" }
}
`,
		want: map[string][]string{
			"one": {
				"package ipvsadm",
				"module ip_vs",
				"timeout tcp: 600s",
				"timeout udp: 30s",
				"sync backup: dev eth0 id 3",
				"sync master: dev eth0 id 3",
			},
			"three": nil,
			"two": {
				"package ipvsadm",
				"module ip_vs",
			},
		},
	},
	{
		name: "what a node asks for itself",
		text: `
director "lvs" {
  interface "eth0" { address = "10.1.0.2/24" }
}
real_server "a" {
  interface "eth0" {
    address   = "10.1.0.11/24"
    rp_filter = 1
  }
  interface "eth1" { addresses = ["10.2.0.11/24", "fd00:2::11/64"] }
  gateway    = "10.1.0.254"
  ip_forward = false
  hosts      = true
  sysctl = {
    "net.core.somaxconn" = 4096
    "net.ipv4.conf.eth0/100.rp_filter" = 2
  }
  route {
    to     = "10.60.0.0/16"
    via    = "10.2.0.1"
    metric = 50
  }
  route {
    to  = "fd00:60::/48"
    dev = "eth1"
  }
}
client "c" {
  interface "eth0" { address = "10.1.0.50/24" }
}
`,
		want: map[string][]string{
			"a": {
				"sysctl net.ipv4.ip_forward: 0",
				"sysctl net.core.somaxconn: 4096",
				"sysctl net.ipv4.conf.eth0/100.rp_filter: 2",
				"sysctl net.ipv4.conf.eth0.rp_filter: 1",
				"route default: via 10.1.0.254 dev eth0",
				"route 10.60.0.0/16 metric 50: via 10.2.0.1 dev eth1",
				"route fd00:60::/48: dev eth1",
				"file /etc/hosts: 4 lines",
			},
			"lvs": nil,
		},
	},
}
