# The password of VRRP is not written here. Set it: export LVSCTL_VAR_auth_pass=...
variable "auth_pass" {
  type      = string
  sensitive = true
}

director "lb1" {
  dip = "10.0.0.1"

  interface "eth0" { address = "192.0.2.1/24" }
  interface "eth1" { address = "10.0.0.1/24" }
}

director "lb2" {
  dip = "10.0.0.2"

  interface "eth0" { address = "192.0.2.2/24" }
  interface "eth1" { address = "10.0.0.2/24" }
}

real_server "app1" {
  interface "eth0" { address = "10.0.0.11/24" }
}

# 10.0.0.12 was not read; its name, device and prefix length are guessed. Add it to the import:
#   lvsctl import ... 10.0.0.12. (lb2)
real_server "rs-10.0.0.12" {
  interface "eth0" { address = "10.0.0.12/24" }
}

vrrp_instance "VI_1" {
  directors         = ["lb1", "lb2"]
  interface         = "eth0"
  virtual_router_id = 51
  advert_int        = "2s"
  preempt           = false
  auth_pass         = var.auth_pass
  priorities        = [150, 100]
  addresses         = ["10.0.0.254/24"]
}

# keepalived waits 3s before it tries a check again; lvsctl's waits 1s. (lb1)
virtual_server "http" {
  directors    = ["lb1", "lb2"]
  vip          = "192.0.2.100/24"
  port         = 80
  mode         = "nat"
  sorry_server = "10.0.0.99"
  real_servers = { "app1" = 3, "rs-10.0.0.12" = 3 }

  health_check {
    interval = "6s"
    http { path = "/health" }
  }
}
