director "lvs" {
  for_each = { "1" = "192.0.2.1", "2" = "192.0.2.2" }
  gateway  = "192.0.2.254"
  interface "eth0" { address = "${each.value}/24" }
}
real_server "web" {
  for_each = { "1" = "192.0.2.11", "2" = "192.0.2.12" }
  gateway  = "192.0.2.254"
  interface "eth0" { address = "${each.value}/24" }
}
vrrp_instance "a" {
  directors         = ["lvs-1", "lvs-2"]
  interface         = "eth0"
  virtual_router_id = 1
  advert_int        = "0.5s"
}
vrrp_instance "b" {
  directors         = ["lvs-2", "lvs-1"]
  interface         = "eth0"
  virtual_router_id = 2
}
virtual_server "marked" {
  directors    = ["lvs-1", "lvs-2"]
  vip          = "192.0.2.100"
  fwmark       = 7
  mode         = "dr"
  real_servers = ["web"]
  mark { ports = [80, 443] }
  health_check {
    none {}
  }
}
virtual_server "other" {
  directors    = ["lvs-2", "lvs-1"]
  vip          = "192.0.2.101"
  port         = 443
  mode         = "dr"
  real_servers = ["web"]
  persistence {
    timeout = "10m"
    netmask = "255.255.255.0"
  }
}
