ssh {
  user = "admin"
  sudo = true
}
director "lvs" {
  interface "bond0.100" { address = "10.1.0.2/24" }
  sysctl = { "net/ipv4/conf/bond0.100/rp_filter" = 2 }
}
router "gate" {
  interface "eth0" { address = "10.1.0.1/24" }
  interface "eth1" { address = "10.3.0.1/24" }
  interface "eth2" { address = "10.4.0.1/24" }
}
real_server "far" {
  for_each      = { "1" = "10.3.0.11", "2" = "10.4.0.12" }
  vip_interface = "dummy0"
  gateway       = cidrhost("${each.value}/24", 1)
  interface "eth0" { address = "${each.value}/24" }
}
real_server "near" {
  interface "eth0" {
    address   = "10.1.0.13/24"
    rp_filter = 0
  }
}
virtual_server "web" {
  vip          = "10.1.0.100"
  port         = 80
  mode         = "tun"
  mss          = 1440
  scheduler    = "mh"
  real_servers = ["far", "near"]
}
virtual_server "over-udp" {
  vip       = "10.1.0.102"
  port      = 80
  mode      = "tun"
  scheduler = "rr"
  tunnel {
    type     = "gue"
    port     = 6080
    checksum = "remote"
  }
  real_servers = ["far"]
  real_server "near" {
    tunnel { type = "ipip" }
  }
}
virtual_server "nothing" {
  vip  = "10.1.0.101"
  port = 80
  mode = "dr"
}
virtual_server "mixed" {
  vip          = "172.16.5.5"
  port         = 443
  mode         = "dr"
  interface    = "lo"
  real_servers = ["near"]
  real_server "far-1" {
    mode            = "tun"
    weight          = 0
    upper_threshold = 10
  }
}
