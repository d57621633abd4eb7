# TUN: the director wraps each request in a packet to the real server, which may
# be on any subnet; replies leave straight from there.

router "router" {
  interface "eth0" { address = "192.168.229.1/24" }
  interface "eth1" { address = "192.168.230.1/24" }
  interface "eth2" { address = "192.168.1.1/24" }
}

director "director" {
  interface "eth0" { address = "192.168.229.133/24" }
  gateway = "router" # the way to the real server on the other subnet
}

real_server "real-server1" {
  interface "eth0" { address = "192.168.229.132/24" }
}

real_server "real-server2" {
  interface "eth0" { address = "192.168.230.134/24" }
}

client "client" {
  interface "eth0" { address = "192.168.1.10/24" }
}

virtual_server "http" {
  vip          = "192.168.229.111"
  port         = 80
  mode         = "tun"
  scheduler    = "rr"
  real_servers = ["real-server1", "real-server2"]
}
