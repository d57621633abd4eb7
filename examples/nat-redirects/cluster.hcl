# NAT between two networks. A director that translates must not tell real
# servers of a shorter way: lvsctl turns send_redirects off on all, default and
# both NICs.

director "director" {
  interface "eth0" { address = "192.168.229.133/24" }
  interface "eth1" { address = "192.168.1.111/24" }
}

real_server "RealServer1" {
  interface "eth0" { address = "192.168.229.132/24" }
}

real_server "RealServer2" {
  interface "eth0" { address = "192.168.229.134/24" }
}

client "client" {
  interface "eth0" { address = "192.168.1.10/24" }
}

virtual_server "http" {
  vip          = "192.168.1.111"
  port         = 80
  mode         = "nat"
  scheduler    = "rr"
  real_servers = ["RealServer1", "RealServer2"]
}
