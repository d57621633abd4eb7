# NAT with weights: RS2 gets three requests for every two of RS1.

director "director" {
  interface "ens33" { address = "192.168.179.110/24" }
  interface "ens37" { address = "192.168.1.10/24" }
}

real_server "RS1" {
  interface "ens33" { address = "192.168.179.111/24" }
}

real_server "RS2" {
  interface "ens33" { address = "192.168.179.113/24" }
}

client "client" {
  interface "ens33" { address = "192.168.1.20/24" }
}

virtual_server "web" {
  vip          = "192.168.1.10"
  port         = 80
  mode         = "nat"
  scheduler    = "wrr"
  real_servers = { RS1 = 2, RS2 = 3 }
}
