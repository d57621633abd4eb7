# Nodes that others have had before: an old iptables, programs with services of
# their own, parameters that overrule, a default route by router advertisement.

# A kernel parameter that no kernel has.
variable "missing" {
  type    = bool
  default = false
}

# Whether the default route may stay.
variable "keep" {
  type    = bool
  default = false
}

director "lvs" {
  interface "eth0" { addresses = ["10.1.0.2/24", "fd00:1::2/64"] }
  interface "eth1" { addresses = ["10.2.0.2/24", "fd00:2::2/64"] }
  sysctl = merge(
    { "net.ipv4.conf.all.rp_filter" = "0" },
    var.missing ? { "net.ipv4.conf.all.arp_patience" = "1" } : {},
    var.keep ? { "net.ipv6.conf.eth0.accept_ra" = "2" } : {},
  )
}

real_server "web" {
  for_each = { "1" = "10.1.0.11", "2" = "10.1.0.12" }
  interface "eth0" { address = "${each.value}/24" }
}

real_server "app" {
  interface "eth0" { addresses = ["10.2.0.11/24", "fd00:2::11/64"] }
}

client "client" {
  interface "eth0" { addresses = ["10.1.0.9/24", "fd00:1::9/64"] }
}

virtual_server "signalling" {
  vip          = "10.1.0.100"
  port         = 90
  protocol     = "sctp"
  mode         = "dr"
  scheduler    = "rr"
  real_servers = ["web"]
}

virtual_server "full" {
  vip          = "10.1.0.103"
  port         = 80
  mode         = "fullnat"
  real_servers = ["app"]
}

virtual_server "full6" {
  vip          = "fd00:1::103"
  port         = 80
  mode         = "fullnat"
  real_servers = ["app"]
}
