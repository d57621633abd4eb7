# LVS-DR with two directors: keepalived moves the VIP to the one that lives, and
# takes out real servers that do not answer.

director "director-1" {
  gateway = "router"
  interface "ens33" { address = "192.168.179.50/24" }
}

director "director-2" {
  gateway = "router"
  interface "ens33" { address = "192.168.179.51/24" }
}

real_server "rs1" {
  interface "ens33" { address = "192.168.179.52/24" }
}

real_server "rs2" {
  interface "ens33" { address = "192.168.179.53/24" }
}

router "router" {
  interface "ens33" { address = "192.168.179.54/24" }
  interface "ens36" { address = "192.168.100.54/24" }
}

client "client" {
  gateway = "router"
  interface "ens33" { address = "192.168.100.60/24" }
}

variable "vrrp_password" {
  type        = string
  default     = "11112222"
  sensitive   = true
  description = "what the directors show each other; set LVSCTL_VAR_vrrp_password"
}

vrrp_instance "pair" {
  directors         = ["director-1", "director-2"]
  interface         = "ens33"
  virtual_router_id = 51
  auth_pass         = var.vrrp_password
}

virtual_server "web" {
  vip          = "192.168.179.10"
  port         = 80
  mode         = "dr"
  scheduler    = "wrr"
  directors    = ["director-1", "director-2"]
  real_servers = { "rs1" = 1, "rs2" = 2 }
  sorry_server = "127.0.0.1"

  health_check {
    tcp {}
    interval = "6s"
    timeout  = "3s"
    retries  = 3
  }
}
