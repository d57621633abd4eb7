# DR on one LAN: the director has the VIP beside its own address, each real server
# on lo.

director "director" {
  interface "eth0" { address = "192.168.229.133/24" }
}

real_server "RealServer1" {
  interface "eth0" { address = "192.168.229.132/24" }
}

real_server "RealServer2" {
  interface "eth0" { address = "192.168.229.134/24" }
}

client "client" {
  interface "eth0" { address = "192.168.229.10/24" }
}

virtual_server "http" {
  vip          = "192.168.229.111"
  port         = 80
  mode         = "dr"
  scheduler    = "rr"
  real_servers = ["RealServer1", "RealServer2"]
}
