# Every scheduler that the lab's kernel has, each on a VIP of its own.

# One that it has not.
variable "twos" {
  type    = bool
  default = false
}

director "lvs" {
  interface "eth0" { address = "10.1.0.2/24" }
}

real_server "one" {
  interface "eth0" { address = "10.1.0.11/24" }
}

real_server "two" {
  interface "eth0" { address = "10.1.0.12/24" }
}

real_server "three" {
  interface "eth0" { address = "10.1.0.13/24" }
}

# Weight 0: it is given nothing new.
real_server "none" {
  interface "eth0" { address = "10.1.0.14/24" }
}

client "client" {
  interface "eth0" { addresses = [for i in range(12) : "10.1.0.${200 + i}/24"] }
}

virtual_server "by" {
  for_each = merge({
    rr    = 101
    wrr   = 102
    lc    = 103
    wlc   = 104
    lblc  = 105
    lblcr = 106
    dh    = 107
    sh    = 108
    sed   = 109
    nq    = 110
    fo    = 111
    ovf   = 112
    mh    = 113
  }, var.twos ? { twos = 114 } : {})
  vip          = "10.1.0.${each.value}"
  port         = 80
  mode         = "dr"
  scheduler    = each.key
  real_servers = { one = 1, two = 2, three = 3, none = 0 }
}
