# NAT with two services on one VIP: a web server and Redis.

director "lvs" {
  interface "eth0" { address = "192.168.188.81/24" }
  interface "eth1" { address = "192.168.10.100/24" }
}

real_server "web1" {
  interface "eth0" { address = "192.168.188.82/24" }
}

real_server "web2" {
  interface "eth0" { address = "192.168.188.83/24" }
}

client "internet" {
  interface "eth0" { address = "192.168.10.200/24" }
}

locals {
  services = {
    http  = { port = 80, scheduler = "rr" }
    redis = { port = 6379, scheduler = "wlc" }
  }
}

virtual_server "web" {
  for_each     = local.services
  vip          = "192.168.10.100"
  port         = each.value.port
  mode         = "nat"
  scheduler    = each.value.scheduler
  real_servers = ["web1", "web2"]
}
