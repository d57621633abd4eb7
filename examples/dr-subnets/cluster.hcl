# DR with a VIP that is in nobody's subnet: the router has a route to it, through
# the director, and otherwise nothing changes.

variable "vip" {
  type    = string
  default = "172.16.0.100"
}

variable "scheduler" {
  type    = string
  default = "wrr"
}

locals {
  real_servers = { "web1" = "192.168.188.81", "web2" = "192.168.188.82" }
}

router "router" {
  interface "eth0" { address = "192.168.188.200/24" }
  interface "eth1" { address = "192.168.10.200/24" }
}

director "lvs" {
  interface "eth0" { address = "192.168.188.8/24" }
  gateway = "router"
}

real_server "web1" {
  interface "eth0" { address = "${local.real_servers["web1"]}/24" }
}

real_server "web2" {
  interface "eth0" { address = "${local.real_servers["web2"]}/24" }
}

client "internet" {
  interface "eth0" { address = "192.168.10.6/24" }
}

virtual_server "http" {
  vip          = var.vip
  port         = 80
  mode         = "dr"
  scheduler    = var.scheduler
  interface    = "lo" # nobody asks for the VIP by ARP: any device will do
  real_servers = { for name in keys(local.real_servers) : name => 1 }
}
