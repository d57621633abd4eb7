# NAT: requests and replies both pass the director, which is the real servers'
# default gateway. The VIP is the address of its outer NIC.

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

virtual_server "http" {
  vip          = "192.168.10.100"
  port         = 80
  mode         = "nat"
  scheduler    = "rr"
  real_servers = ["web1", "web2"]
}
