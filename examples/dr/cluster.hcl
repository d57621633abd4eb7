# DR behind a router: requests come in through the director, replies leave
# straight from the real servers.

router "router" {
  interface "eth0" { address = "192.168.188.200/24" }
  interface "eth1" { address = "192.168.10.200/24" }
}

director "lvs" {
  interface "eth0" { address = "192.168.188.8/24" }
  gateway = "router"
}

real_server "web" {
  for_each = { "1" = "192.168.188.81", "2" = "192.168.188.82" }
  interface "eth0" { address = "${each.value}/24" }
}

client "internet" {
  interface "eth0" { address = "192.168.10.6/24" }
}

virtual_server "http" {
  vip          = "192.168.188.100"
  port         = 80
  mode         = "dr"
  scheduler    = "rr"
  real_servers = ["web"]
}
