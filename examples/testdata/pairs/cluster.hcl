# Two directors with keepalived, each of which is master of an instance, and every mode.

director "d" {
  for_each = { 1 = 2, 2 = 3 }
  dip      = "10.8.0.${each.value}"
  interface "eth0" { addresses = ["10.9.0.${each.value}/24", "2001:db8:9::${each.value}/64"] }
  interface "eth1" { address = "10.8.0.${each.value}/24" }
}

real_server "web" {
  for_each = { 1 = 11, 2 = 12 }
  rip      = "10.8.0.2${each.value}"
  interface "eth0" { addresses = ["10.9.0.${each.value}/24", "2001:db8:9::${each.value}/64"] }
  interface "eth1" { address = "10.8.0.2${each.value}/24" }
}

real_server "inner" {
  for_each = { 1 = 11, 2 = 12 }
  interface "eth0" { address = "10.8.0.${each.value}/24" }
}

client "client" {
  interface "eth0" { addresses = ["10.9.0.10/24", "2001:db8:9::10/64"] }
}

# d-1 is master; nat's real servers answer through an address that moves along.
vrrp_instance "one" {
  directors         = ["d-1", "d-2"]
  interface         = "eth0"
  virtual_router_id = 51
  auth_pass         = "secret"
  addresses         = ["10.8.0.254/24"]
}

# Whoever is master stays it, and the other one has the connection table too.
vrrp_instance "two" {
  directors         = ["d-2", "d-1"]
  interface         = "eth0"
  virtual_router_id = 52
  unicast           = true
  preempt           = false
  sync              = true
}

virtual_server "nat" {
  vip          = "10.9.0.100"
  port         = 80
  mode         = "nat"
  scheduler    = "rr"
  directors    = ["d-1", "d-2"]
  real_servers = ["inner"]
}

virtual_server "fullnat" {
  vip          = "10.9.0.101"
  port         = 80
  mode         = "fullnat"
  scheduler    = "rr"
  directors    = ["d-1", "d-2"]
  real_servers = ["inner"]
  health_check {
    http {}
  }
}

virtual_server "tun" {
  vip       = "10.9.0.102"
  port      = 80
  mode      = "tun"
  scheduler = "rr"
  directors = ["d-1", "d-2"]
  real_server "web-1" { upper_threshold = 1000 }
  real_server "web-2" {}
}

virtual_server "six" {
  vip          = "2001:db8:9::100"
  port         = 80
  mode         = "dr"
  scheduler    = "rr"
  directors    = ["d-1", "d-2"]
  real_servers = ["web"]
}

virtual_server "dr" {
  vip          = "10.9.0.110"
  port         = 80
  mode         = "dr"
  scheduler    = "rr"
  directors    = ["d-2", "d-1"]
  real_servers = ["web"]
}

virtual_server "marked" {
  vip          = "10.9.0.111"
  fwmark       = 7
  mode         = "dr"
  scheduler    = "rr"
  directors    = ["d-2", "d-1"]
  real_servers = ["web"]
  mark { ports = [80, 8443] }
  health_check {
    misc { command = "/bin/true" }
  }
}

virtual_server "names" {
  vip          = "10.9.0.112"
  port         = 53
  protocol     = "udp"
  mode         = "dr"
  scheduler    = "rr"
  directors    = ["d-2", "d-1"]
  real_servers = ["web"]
  health_check {
    none {}
  }
}
