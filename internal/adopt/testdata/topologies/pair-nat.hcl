variable "pass" {
  default   = "s3cret"
  sensitive = true
}

director "d1" {
  dip = "10.0.0.1"
  interface "eth0" { addresses = ["192.0.2.1/24", "2001:db8::1/64"] }
  interface "eth1" { address = "10.0.0.1/24" }
}
director "d2" {
  dip = "10.0.0.2"
  interface "eth0" { addresses = ["192.0.2.2/24", "2001:db8::2/64"] }
  interface "eth1" { address = "10.0.0.2/24" }
}

real_server "app" {
  for_each = { a = 11, b = 12, c = 13 }
  interface "eth0" { address = "10.0.0.${each.value}/24" }
}

vrrp_instance "pair" {
  directors         = ["d2", "d1"]
  interface         = "eth0"
  virtual_router_id = 51
  auth_pass         = var.pass
  priorities        = [200, 150]
  preempt           = false
  unicast           = true
  sync              = true
  addresses         = ["10.0.0.254/24", "192.0.2.250/24 dev eth0"]
}

virtual_server "web" {
  directors    = ["d1", "d2"]
  vip          = "192.0.2.100/24"
  port         = 80
  mode         = "nat"
  sorry_server = "10.0.0.99:8000"
  real_server "app" {
    port   = 8080
    weight = 5
  }
  health_check {
    http {
      path   = "/ready"
      status = 204
    }
    interval = "2s"
    retries  = 1
  }
}
virtual_server "radius" {
  directors       = ["d1", "d2"]
  vip             = "192.0.2.101"
  port            = 1812
  protocol        = "udp"
  mode            = "nat"
  scheduler       = "sh"
  scheduler_flags = ["sh-fallback", "sh-port"]
  real_servers    = { "app-a" = 1, "app-b" = 3 }
  health_check {
    misc { command = "/usr/local/bin/check radius" }
    timeout = "1s"
  }
}
