# Every kind of service that one director can hold at once.

router "router" {
  interface "eth0" { address = "10.1.0.1/24" }
  interface "eth1" { address = "10.9.0.1/24" }
  interface "eth2" { address = "10.3.0.1/24" }
}

director "lvs" {
  interface "eth0" { address = "10.1.0.2/24" }
  interface "eth1" { address = "10.2.0.2/24" }
  gateway   = "router"
  hosts     = true
  exclusive = true
  timeouts {
    tcp     = 1200
    tcp_fin = 60
  }
  sync {
    role      = "both"
    interface = "eth0"
    id        = 7
  }
}

real_server "web" {
  for_each = { "1" = "10.1.0.11", "2" = "10.1.0.12" }
  interface "eth0" { address = "${each.value}/24" }
}

# Behind the director, with no way to the clients of their own.
real_server "app" {
  for_each = { "1" = "10.2.0.11", "2" = "10.2.0.12" }
  interface "eth0" { address = "${each.value}/24" }
  hosts = true
}

real_server "far" {
  interface "eth0" { address = "10.3.0.11/24" }
}

client "client" {
  interface "eth0" { address = "10.9.0.9/24" }
}

virtual_server "dns" {
  vip          = "10.1.0.100"
  port         = 53
  protocol     = "udp"
  mode         = "dr"
  scheduler    = "rr"
  one_packet   = true
  real_servers = ["web"]
}

virtual_server "signalling" {
  vip          = "10.1.0.100"
  port         = 90
  protocol     = "sctp"
  mode         = "dr"
  scheduler    = "rr"
  real_servers = ["web"]
}

virtual_server "sticky" {
  vip       = "10.1.0.101"
  port      = 0
  mode      = "dr"
  scheduler = "rr"
  persistence {
    timeout = 60
    netmask = "/24"
  }
  real_servers = ["web"]
}

virtual_server "marked" {
  vip       = "10.1.0.102"
  fwmark    = 11
  mode      = "dr"
  scheduler = "rr"
  mark { ports = [443, 80, "8000-8010"] }
  mark {
    protocol = "udp"
    ports    = [53]
  }
  real_servers = ["web"]
}

virtual_server "marked-elsewhere" {
  fwmark       = 12
  mode         = "dr"
  real_servers = ["web"]
}

virtual_server "full" {
  vip       = "10.1.0.103"
  port      = 80
  mode      = "fullnat"
  scheduler = "rr"
  real_server "app" { port = 8080 }
}

virtual_server "full-marked" {
  vip       = "10.1.0.104"
  fwmark    = 13
  mode      = "fullnat"
  scheduler = "rr"
  mark { ports = [80, 81] }
  real_servers = ["app"]
}

virtual_server "full-dns" {
  vip          = "10.1.0.103"
  port         = 53
  protocol     = "udp"
  mode         = "fullnat"
  scheduler    = "rr"
  real_servers = ["app"]
}

# Each server its own way, the director among them.
virtual_server "mixed" {
  vip       = "10.1.0.105"
  port      = 80
  mode      = "dr"
  scheduler = "rr"
  real_server "web-1" { }
  real_server "app-1" { mode = "fullnat" }
  real_server "far" { mode = "tun" }
  real_server "lvs" { }
}

virtual_server "limited" {
  vip       = "10.1.0.106"
  port      = 80
  mode      = "dr"
  scheduler = "wrr"
  real_server "web-1" {
    weight          = 3
    upper_threshold = 100
    lower_threshold = 50
  }
  real_server "web-2" { weight = 0 }
}

virtual_server "tunnel" {
  vip          = "10.1.0.107"
  port         = 80
  mode         = "tun"
  scheduler    = "rr"
  mss          = 1400
  real_servers = ["far"]
}

virtual_server "phones" {
  vip       = "10.1.0.108"
  port      = 5060
  protocol  = "udp"
  mode      = "dr"
  scheduler = "rr"
  persistence {
    timeout = 300
    engine  = "sip"
  }
  real_servers = ["web"]
}
