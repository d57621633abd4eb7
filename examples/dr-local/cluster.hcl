# DR where the director serves too. The VIP is on the clients' LAN, the real
# servers are on another, and replies leave through the router.

variable "client" {
  type        = string
  default     = "192.168.31.203"
  description = "The client whose local replies take the router."
}

router "router" {
  interface "ens33" { address = "192.168.31.72/24" }
  interface "ens37" { address = "192.168.179.53/24" } # lvsctl sets its rp_filter to 2
}

director "director" {
  interface "ens33" { address = "192.168.179.50/24" }
  interface "ens37" { address = "192.168.31.213/24" }

  # What the director answers itself goes the way of the others' replies.
  route {
    to  = var.client
    via = "192.168.31.72"
  }
}

real_server "RS1" {
  interface "ens33" { address = "192.168.179.51/24" }
}

real_server "RS2" {
  interface "ens33" { address = "192.168.179.52/24" }
}

client "client" {
  interface "ens33" { address = "${var.client}/24" }
}

virtual_server "web" {
  vip       = "192.168.31.213"
  port      = 80
  mode      = "dr"
  scheduler = "wrr"

  real_server "RS1" { weight = 1 }
  real_server "RS2" { weight = 2 }
  real_server "director" { weight = 2 } # RS3 of the tutorial, 127.0.0.1 there
}
