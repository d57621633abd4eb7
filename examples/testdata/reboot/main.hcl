# Every mode, by two directors: each node is rebooted, and the power of one fails.
ssh {
  connect_timeout = "30s" # a host that boots is asked again, not waited for
}

variable "more" {
  type    = bool
  default = false
}

variable "pass" {
  default = "first"
}

director "lb-1" {
  dip = "10.1.0.1"
  interface "eth0" { address = "10.1.0.1/24" }
  interface "eth1" { address = "10.9.0.1/24" }
}

director "lb-2" {
  dip = "10.1.0.2"
  interface "ens4" { address = "10.1.0.2/24" }
  interface "eth1" { address = "10.9.0.2/24" }
}

real_server "rs" {
  for_each = { 1 = "10.1.0.11", 2 = "10.1.0.12" }
  interface "eth0" { address = "${each.value}/24" }
  route {
    to  = "10.60.0.0/16"
    via = "10.1.0.249"
  }
}

client "client" {
  interface "eth0" { address = "10.1.0.200/24" }
  interface "eth1" { address = "10.9.0.200/24" }
}

virtual_server "dr" {
  for_each     = var.more ? { web = 101, more = 104 } : { web = 101 }
  vip          = "10.1.0.${each.value}"
  port         = 80
  mode         = "dr"
  scheduler    = "rr"
  director     = "lb-1"
  real_servers = ["rs"]
}

virtual_server "tun" {
  vip       = "10.1.0.102"
  port      = 80
  mode      = "tun"
  scheduler = "rr"
  director  = "lb-1"
  real_server "rs" { upper_threshold = 100 }
}

virtual_server "fullnat" {
  vip          = "10.1.0.103"
  port         = 80
  mode         = "fullnat"
  scheduler    = "rr"
  director     = "lb-2"
  real_servers = ["rs"]
}

# The replies of a NAT service leave by the director, so the client asks from
# elsewhere.
virtual_server "nat" {
  vip          = "10.9.0.100"
  port         = 80
  mode         = "nat"
  scheduler    = "rr"
  director     = "lb-2"
  real_servers = ["rs"]
}

# Two VIPs that keepalived moves: each director is master of one.
vrrp_instance "left" {
  directors         = ["lb-1", "lb-2"]
  interface         = "eth1"
  virtual_router_id = 51
  advert_int        = "2s"
  auth_pass         = var.pass
}

vrrp_instance "right" {
  directors         = ["lb-2", "lb-1"]
  interface         = "eth1"
  virtual_router_id = 52
  advert_int        = "2s"
  auth_pass         = var.pass
}

virtual_server "pair" {
  for_each     = { left = { vip = "10.9.0.101", directors = ["lb-1", "lb-2"] }, right = { vip = "10.9.0.102", directors = ["lb-2", "lb-1"] } }
  vip          = each.value.vip
  port         = 80
  mode         = "fullnat"
  scheduler    = "rr"
  directors    = each.value.directors
  real_servers = ["rs"]
}
