# Its backup sync daemon is on eth1 with syncid 3, and its master sync daemon on eth0 with syncid 3;
#   a topology has one of both. (lvs)
director "lvs" {
  interface "eth0" { address = "10.1.0.2/24" }

  sync {
    role      = "master"
    interface = "eth0"
    id        = 3
  }
}

real_server "db-a" {
  gateway = "10.1.0.1"

  interface "eth0" { address = "10.1.0.11/24" }
}

# 10.1.0.12 was not read; its name, device and prefix length are guessed. Add it to the import:
#   lvsctl import ... 10.1.0.12. (lvs)
real_server "rs-10.1.0.12" {
  interface "eth0" { address = "10.1.0.12/24" }
}

virtual_server "mysql" {
  vip       = "10.1.0.100"
  port      = 3306
  mode      = "fullnat"
  scheduler = "lc"

  real_server "db-a" {
    upper_threshold = 100
    lower_threshold = 80
  }
  real_server "rs-10.1.0.12" {
    upper_threshold = 100
    lower_threshold = 80
  }
}

virtual_server "smtp" {
  vip          = "10.1.0.2"
  port         = 25
  mode         = "dr"
  scheduler    = "rr"
  real_servers = ["lvs", "db-a"]
}
