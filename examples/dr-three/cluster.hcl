# DR on one LAN with three real servers.

locals {
  lan = "192.168.122.0/24"
}

director "lvs-server" {
  interface "ens33" { address = "${cidrhost(local.lan, 2)}/24" }
  hosts = true
}

real_server "real-server" {
  for_each = { "1" = 10, "2" = 20, "3" = 30 }
  interface "ens33" { address = "${cidrhost(local.lan, each.value)}/24" }
  hosts = true
}

client "client" {
  interface "ens33" { address = "${cidrhost(local.lan, 1)}/24" }
}

virtual_server "web" {
  vip          = cidrhost(local.lan, 100)
  port         = 80
  mode         = "dr"
  scheduler    = "rr"
  real_servers = ["real-server"] # all three
}
