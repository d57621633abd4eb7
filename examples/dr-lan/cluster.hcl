# DR on one LAN: a director, two real servers and the client share a subnet.

director "lvs-server" {
  interface "ens33" { address = "192.168.246.166/24" }
  hosts = true # every node by name in /etc/hosts
}

real_server "real-server1" {
  interface "ens33" { address = "192.168.246.161/24" }
  hosts = true
}

real_server "real-server2" {
  interface "ens33" { address = "192.168.246.162/24" }
  hosts = true
}

client "client" {
  interface "ens33" { address = "192.168.246.10/24" }
}

virtual_server "web" {
  vip          = "192.168.246.160"
  port         = 80
  mode         = "dr"
  scheduler    = "rr"
  real_servers = ["real-server1", "real-server2"]
}
