# Every scheduler in turn: lvsctl apply --lab --var scheduler=sed

variable "scheduler" {
  type    = string
  default = "rr"
  validation {
    condition     = contains(["rr", "wrr", "dh", "sh", "lc", "wlc", "sed", "nq", "lblc", "lblcr"], var.scheduler)
    error_message = "The chapter has rr, wrr, dh, sh, lc, wlc, sed, nq, lblc and lblcr."
  }
}

variable "weights" {
  type    = map(number)
  default = { RS1 = 1, RS2 = 2 }
}

director "director" {
  interface "ens33" { address = "192.168.179.50/24" }
}

real_server "RS1" {
  interface "ens33" { address = "192.168.179.51/24" }
}

real_server "RS2" {
  interface "ens33" { address = "192.168.179.52/24" }
}

client "client" {
  interface "ens33" { address = "192.168.179.203/24" }
}

virtual_server "web" {
  vip          = "192.168.179.10"
  port         = 80
  mode         = "dr"
  scheduler    = var.scheduler
  real_servers = var.weights
}
