# Every mode over IPv6 alone.

router "router" {
  interface "eth0" { address = "fd00:1::1/64" }
  interface "eth1" { address = "fd00:9::1/64" }
  interface "eth2" { address = "fd00:3::1/64" }
}

director "lvs" {
  interface "eth0" { address = "fd00:1::2/64" }
  interface "eth1" { address = "fd00:2::2/64" }
  gateway = "router"
  hosts   = true
}

# For nat, whose way back is another than everyone else's.
director "gate" {
  interface "eth0" { address = "fd00:4::2/64" }
  interface "eth1" { address = "fd00:1::3/64" }
  gateway = "router"
}

real_server "web" {
  for_each = { "1" = "fd00:1::11", "2" = "fd00:1::12" }
  interface "eth0" { address = "${each.value}/64" }
}

real_server "app" {
  for_each = { "1" = "fd00:2::11", "2" = "fd00:2::12" }
  interface "eth0" { address = "${each.value}/64" }
}

real_server "far" {
  interface "eth0" { address = "fd00:3::11/64" }
}

real_server "inner" {
  for_each = { "1" = "fd00:4::11", "2" = "fd00:4::12" }
  interface "eth0" { address = "${each.value}/64" }
}

client "client" {
  interface "eth0" { address = "fd00:9::9/64" }
}

virtual_server "direct" {
  vip          = "fd00:1::100"
  port         = 80
  mode         = "dr"
  scheduler    = "rr"
  director     = "lvs"
  real_servers = ["web"]
}

virtual_server "tunnel" {
  vip          = "fd00:1::101"
  port         = 80
  mode         = "tun"
  scheduler    = "rr"
  mss          = 1400
  director     = "lvs"
  real_servers = ["web-1", "far"]
}

virtual_server "full" {
  vip       = "fd00:1::102"
  port      = 80
  mode      = "fullnat"
  scheduler = "rr"
  director  = "lvs"
  real_server "app" { port = 8080 }
}

virtual_server "marked" {
  vip       = "fd00:1::103"
  fwmark    = 9
  mode      = "dr"
  scheduler = "rr"
  director  = "lvs"
  mark { ports = [80, "8000-8010"] }
  mark {
    protocol = "udp"
    ports    = [53]
  }
  persistence {
    timeout = 60
    netmask = "/64"
  }
  real_servers = ["web"]
}

virtual_server "translated" {
  vip       = "fd00:1::104"
  port      = 80
  mode      = "nat"
  scheduler = "rr"
  director  = "gate"
  real_server "inner" { port = 8081 }
}
