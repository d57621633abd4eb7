# FULLNAT: the director is both ends of what a real server sees. Replies come
# back to it whatever the real servers' routes are, so a client may be on the
# real servers' own LAN, and a real server behind a router.

director "lvs-server" {
  interface "ens33" { address = "192.168.246.166/24" }
  interface "ens37" { address = "192.168.50.128/24" }
  route {
    to  = "192.168.247.0/24"
    via = "router"
  }
}

router "router" {
  interface "ens33" { address = "192.168.246.2/24" }
  interface "ens37" { address = "192.168.247.2/24" }
}

real_server "real-server1" {
  interface "ens33" { address = "192.168.246.161/24" }
}

real_server "real-server2" {
  interface "ens33" { address = "192.168.246.162/24" }
}

# On another subnet. Its way to the director is its own affair: any would do.
real_server "real-server3" {
  interface "ens33" { address = "192.168.247.163/24" }
  gateway = "router"
}

client "client" {
  interface "ens33" { address = "192.168.50.10/24" }
}

client "neighbour" {
  interface "ens33" { address = "192.168.246.10/24" }
  gateway = "lvs-server" # the way to the VIP
}

virtual_server "web" {
  vip          = "192.168.50.128"
  port         = 80
  mode         = "fullnat"
  scheduler    = "rr"
  real_servers = ["real-server1", "real-server2", "real-server3"]
}
