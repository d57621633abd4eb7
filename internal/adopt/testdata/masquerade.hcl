# backup is left out: it has no virtual service, no director sends to it, and it forwards nothing.
#   Say what it is: --director, --real-server or --router backup. (backup)

director "lb" {
  dip    = "10.0.0.1"
  sysctl = { "net.ipv4.vs.conn_reuse_mode" = 0, "net.ipv4.vs.expire_nodest_conn" = 1 }

  interface "eth0" { address = "192.0.2.2/24" }
  interface "eth1" { address = "10.0.0.1/24" }

  route {
    to  = "10.8.0.0/16"
    via = "10.0.0.9"
  }

  timeouts { tcp_fin = 30 }
}

# rs-10.0.0.13: 10.0.0.13 was not read; its name, device and prefix length are guessed. Add it to
#   the import: lvsctl import ... 10.0.0.13. (lb)
# rs-10.8.0.5: 10.8.0.5 was not read; its name, device and prefix length are guessed. Add it to the
#   import: lvsctl import ... 10.8.0.5. (lb)
real_server "rs" {
  for_each = { "10.0.0.13" = "10.0.0.13", "10.8.0.5" = "10.8.0.5" }

  interface "ens3" { address = "${each.value}/24" }
}

real_server "web-1" {
  sysctl = { "net.ipv4.conf.all.arp_ignore" = 1 }

  interface "ens3" { address = "10.0.0.11/24" }
}

# Its default route does not lead to the director, so its answers are led there by a rule (ip rule).
#   If the director rewrites the clients' addresses, say mode "fullnat" and leave way_back out.
#   (web-2)
real_server "web-2" {
  way_back = "rule"

  interface "ens3" { address = "10.0.0.12/24" }
}

virtual_server "http" {
  vip       = "192.0.2.100/24"
  port      = 80
  mode      = "nat"
  scheduler = "wrr"

  real_server "web-1" {
    weight = 2
    port   = 8080
  }
  real_server "web-2" { port = 8080 }
  real_server "rs-10.0.0.13" {
    weight = 0
    port   = 8080
  }

  persistence { timeout = 300 }
}

virtual_server "https" {
  vip             = "192.0.2.100/24"
  port            = 443
  mode            = "nat"
  scheduler       = "sh"
  scheduler_flags = ["sh-port"]
  real_servers    = ["web-1"]
}

# lvsctl adds a rule of its own beside this one, to the same effect: iptables -t mangle -A
#   PREROUTING -d 192.0.2.101 -p tcp -m tcp --dport 8000:8010 -j MARK --set-xmark 0x5/0xffffffff.
#   (lb)
virtual_server "mark-5" {
  vip          = "192.0.2.101"
  fwmark       = 5
  mode         = "nat"
  scheduler    = "rr"
  real_servers = ["web-2"]

  mark { ports = ["8000-8010"] }
}

virtual_server "sip" {
  vip          = "192.0.2.100/24"
  port         = 5060
  protocol     = "udp"
  mode         = "tun"
  scheduler    = "rr"
  one_packet   = true
  real_servers = ["rs-10.8.0.5"]
}
