# Every tunnel that a director can send by, over IPv4 and IPv6.

router "router" {
  interface "eth0" { addresses = ["10.1.0.1/24", "fd00:1::1/64"] }
  interface "eth1" { addresses = ["10.9.0.1/24", "fd00:9::1/64"] }
  interface "eth2" { addresses = ["10.3.0.1/24", "fd00:3::1/64"] }
}

director "lvs" {
  interface "eth0" { addresses = ["10.1.0.2/24", "fd00:1::2/64"] }
  gateway = "router"
}

real_server "near" {
  interface "eth0" { addresses = ["10.1.0.11/24", "fd00:1::11/64"] }
}

real_server "far" {
  interface "eth0" { addresses = ["10.3.0.11/24", "fd00:3::11/64"] }
  vip_interface = "lo"
}

client "client" {
  interface "eth0" { addresses = ["10.9.0.9/24", "fd00:9::9/64"] }
}

virtual_server "gue" {
  vip          = "10.1.0.100"
  port         = 80
  mode         = "tun"
  scheduler    = "rr"
  real_servers = ["near", "far"]
  tunnel {
    type = "gue"
    port = 6080
  }
}

virtual_server "gre" {
  vip          = "10.1.0.101"
  port         = 80
  mode         = "tun"
  scheduler    = "rr"
  real_servers = ["near", "far"]
  tunnel { type = "gre" }
}

virtual_server "mixed" {
  vip       = "10.1.0.102"
  port      = 80
  mode      = "tun"
  scheduler = "rr"
  mss       = 1420
  tunnel {
    type     = "gue"
    port     = 6081
    checksum = "inner"
  }
  real_server "near" {
    tunnel { type = "ipip" }
  }
  real_server "far" {}
}

virtual_server "remote" {
  vip          = "10.1.0.103"
  port         = 80
  mode         = "tun"
  scheduler    = "rr"
  real_servers = ["near", "far"]
  tunnel {
    type     = "gue"
    port     = 6080
    checksum = "remote"
  }
}

virtual_server "gue6" {
  vip          = "fd00:1::100"
  port         = 80
  mode         = "tun"
  scheduler    = "rr"
  real_servers = ["near", "far"]
  tunnel {
    type = "gue"
    port = 6080
  }
}

virtual_server "gre6" {
  vip          = "fd00:1::101"
  port         = 80
  mode         = "tun"
  scheduler    = "rr"
  real_servers = ["near", "far"]
  tunnel { type = "gre" }
}
