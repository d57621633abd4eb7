
lvsctl { name = "shop" }
client "office" {
  interface "eth0" { address = "203.0.113.10/24" }
}
client "internet" {
  interface "eth0" { address = "198.51.100.7/24" }
}
router "edge" {
  interface "eth0" { address = "203.0.113.1/24" }
  interface "eth1" { address = "198.51.100.1/24" }
  interface "eth2" { address = "10.1.0.1/16" }
  interface "eth3" { address = "10.2.0.1/16" }
}
director "lvs" {
  for_each = { "1" = "10.1.0.2", "2" = "10.1.0.3" }
  interface "eth0" { address = "${each.value}/16" }
  gateway = "edge"
}
director "inner" {
  dip = "10.3.0.1"
  interface "eth0" { address = "10.1.0.4/16" }
  interface "eth1" { address = "10.3.0.1/16" }
  gateway = "10.1.0.1"
}
real_server "web" {
 for_each = { "1" = "10.1.1.1", "2" = "10.1.1.2", "3" = "10.1.1.3", "4" = "10.1.1.4", "5" = "10.1.1.5", "6" = "10.1.1.6", "7" = "10.1.1.7", "8" = "10.1.1.8", "9" = "10.1.1.9", "10" = "10.1.1.10", "11" = "10.1.1.11", "12" = "10.1.1.12", "13" = "10.1.1.13", "14" = "10.1.1.14", "15" = "10.1.1.15", "16" = "10.1.1.16", "17" = "10.1.1.17", "18" = "10.1.1.18", "19" = "10.1.1.19", "20" = "10.1.1.20", "21" = "10.1.1.21", "22" = "10.1.1.22", "23" = "10.1.1.23", "24" = "10.1.1.24", "25" = "10.1.1.25", "26" = "10.1.1.26", "27" = "10.1.1.27", "28" = "10.1.1.28", "29" = "10.1.1.29", "30" = "10.1.1.30" }
 interface "eth0" { address = "${each.value}/16" }
 
}
real_server "far" {
 for_each = { "1" = "10.2.1.1", "2" = "10.2.1.2", "3" = "10.2.1.3", "4" = "10.2.1.4", "5" = "10.2.1.5", "6" = "10.2.1.6", "7" = "10.2.1.7", "8" = "10.2.1.8", "9" = "10.2.1.9", "10" = "10.2.1.10", "11" = "10.2.1.11", "12" = "10.2.1.12" }
 interface "eth0" { address = "${each.value}/16" }
 
}
real_server "db" {
 for_each = { "1" = "10.3.1.1", "2" = "10.3.1.2", "3" = "10.3.1.3", "4" = "10.3.1.4", "5" = "10.3.1.5", "6" = "10.3.1.6", "7" = "10.3.1.7", "8" = "10.3.1.8" }
 interface "eth0" { address = "${each.value}/16" }
 
}
real_server "old" {
 interface "eth0" { address = "10.1.9.9/16" }
 maintenance = true
}
virtual_server "web-80" {
 vip = "10.1.0.100"
 port = 80
 mode = "dr"
 scheduler = "wrr"
 directors = ["lvs-1"]
 real_servers = { web = 2, old = 1 }
 persistence { timeout = 300 }
}
virtual_server "web-443" {
 vip = "10.1.0.100"
 port = 443
 mode = "dr"
 scheduler = "wrr"
 directors = ["lvs-1"]
 real_servers = { web = 2, old = 1 }
 persistence { timeout = 300 }
}
virtual_server "web-8080" {
 vip = "10.1.0.100"
 port = 8080
 mode = "dr"
 scheduler = "wrr"
 directors = ["lvs-1"]
 real_servers = { web = 2, old = 1 }
 persistence { timeout = 300 }
}
virtual_server "web-8443" {
 vip = "10.1.0.100"
 port = 8443
 mode = "dr"
 scheduler = "wrr"
 directors = ["lvs-1"]
 real_servers = { web = 2, old = 1 }
 persistence { timeout = 300 }
}
virtual_server "web-9000" {
 vip = "10.1.0.100"
 port = 9000
 mode = "dr"
 scheduler = "wrr"
 directors = ["lvs-1"]
 real_servers = { web = 2, old = 1 }
 persistence { timeout = 300 }
}
virtual_server "web-9001" {
 vip = "10.1.0.100"
 port = 9001
 mode = "dr"
 scheduler = "wrr"
 directors = ["lvs-1"]
 real_servers = { web = 2, old = 1 }
 persistence { timeout = 300 }
}
virtual_server "web-9002" {
 vip = "10.1.0.100"
 port = 9002
 mode = "dr"
 scheduler = "wrr"
 directors = ["lvs-1"]
 real_servers = { web = 2, old = 1 }
 persistence { timeout = 300 }
}
virtual_server "far" {
 vip = "10.1.0.101"
 port = 80
 mode = "tun"
 scheduler = "wlc"
 directors = ["lvs-1"]
 real_servers = ["far"]
}
virtual_server "db" {
 vip = "10.1.0.110"
 port = 5432
 mode = "nat"
 scheduler = "lc"
 director = "inner"
 real_server "db" { port = 15432 }
}
virtual_server "snat" {
 vip = "10.1.0.111"
 port = 80
 mode = "fullnat"
 scheduler = "lc"
 director = "inner"
 real_servers = ["far"]
}
