director "east" {
  interface "eth0" { address = "10.1.0.2/24" }
}
director "west" {
  interface "eth0" { address = "10.1.0.3/24" }
}
real_server "app" {
  for_each = { "1" = { ip = "10.1.0.11", gw = "10.1.0.2" }, "2" = { ip = "10.1.0.12", gw = "10.1.0.3" } }
  gateway  = each.value.gw
  interface "eth0" { address = "${each.value.ip}/24" }
}
real_server "files" {
  interface "eth0" { addresses = ["10.1.0.20/24", "10.1.0.21/24"] }
  rip = "10.1.0.21"
}
virtual_server "app" {
  directors    = ["east", "west"]
  vip          = "10.1.0.100"
  port         = 8080
  mode         = "nat"
  real_servers = ["app"]
}
virtual_server "files-east" {
  director     = "east"
  vip          = "10.1.0.101"
  port         = 21
  mode         = "dr"
  real_servers = ["files"]
}
virtual_server "files-west" {
  director     = "west"
  vip          = "10.1.0.101"
  port         = 21
  mode         = "dr"
  scheduler    = "rr"
  real_servers = ["files"]
}
