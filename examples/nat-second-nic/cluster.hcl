# NAT with two NICs: clients reach the director on the outer one, whose address
# is the VIP; real servers send their replies back through the inner one.

director "lvs-server" {
  interface "ens33" { address = "192.168.246.166/24" }
  interface "ens37" { address = "192.168.50.128/24" }
  hosts = true
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
  interface "ens33" { address = "192.168.50.10/24" }
}

virtual_server "web" {
  vip          = "192.168.50.128"
  port         = 80
  mode         = "nat"
  scheduler    = "rr"
  real_servers = ["real-server1", "real-server2"]
}
