director "lvs" {
  dip = "10.1.0.2"
  interface "eth0" { address = "203.0.113.2/24" }
  interface "eth1" { addresses = ["10.1.0.2/24", "fd00::2/64"] }
  interface "eth2" { address = "10.2.0.2/24" }
  gateway = "203.0.113.1"
  sysctl = {
    "net.ipv4.vs.expire_nodest_conn" = 1
    "net.core.somaxconn"             = 4096
  }
  timeouts { udp = 30 }
  route {
    to     = "198.51.100.0/24"
    via    = "203.0.113.9"
    metric = 50
  }
}
real_server "by-rule" {
  way_back = "rule"
  gateway  = "192.0.2.1"
  interface "eth0" { addresses = ["10.1.0.11/24", "fd00::11/64"] }
  interface "eth1" { address = "192.0.2.11/24" }
}
real_server "by-route" {
  interface "eth0" { address = "10.1.0.12/24" }
  ip_forward = false
}
real_server "other-side" {
  interface "ens5" { address = "10.2.0.12/24" }
  route {
    to  = "172.16.0.0/12"
    via = "10.2.0.1"
  }
}
virtual_server "web" {
  vip          = "203.0.113.100"
  port         = 80
  mode         = "nat"
  real_servers = ["by-rule", "by-route"]
}
virtual_server "web-too" {
  vip          = "203.0.113.100"
  port         = 81
  mode         = "fullnat"
  real_servers = ["other-side"]
}
virtual_server "web6" {
  vip          = "fd00::100"
  port         = 80
  mode         = "nat"
  real_servers = ["by-rule"]
}
