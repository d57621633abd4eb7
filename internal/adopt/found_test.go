package adopt

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/lvsctl/lvsctl/internal/golden"
	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/topology"
)

// read makes a node of what its tools print, by section.
func read(t *testing.T, name string, sections map[string]string) Seen {
	t.Helper()
	s := Seen{Name: name, State: state.New(), Record: state.NewRecord("")}
	for _, part := range state.Sections(state.Wanted{}) {
		if text, ok := sections[part.Name]; ok {
			if err := part.Parse(text, s.State); err != nil {
				t.Fatalf("%s of %s: %v", part.Name, name, err)
			}
		}
	}
	s.Rules = state.ParseEveryRule(sections["every rule"])
	return s
}

// TestByHand imports clusters as people have made them, and compares what is written with
// golden files.
func TestByHand(t *testing.T) {
	for name, seen := range map[string][]Seen{
		"masquerade": {
			read(t, "lb", map[string]string{
				"addresses4": `1: lo    inet 127.0.0.1/8 scope host lo\
2: eth0    inet 192.0.2.2/24 brd 192.0.2.255 scope global eth0\
2: eth0    inet 192.0.2.100/24 brd 192.0.2.255 scope global secondary eth0:0\
3: eth1    inet 10.0.0.1/24 scope global eth1\
4: docker0    inet 172.17.0.1/16 scope global docker0\
`,
				"addresses6": `2: eth0    inet6 fe80::1/64 scope link \
2: eth0    inet6 2001:db8::1234/64 scope global dynamic mngtmpaddr \
`,
				"routes4": "default via 192.0.2.1 dev eth0 proto dhcp src 192.0.2.2 metric 100\n10.0.0.0/24 dev eth1 proto kernel scope link src 10.0.0.1\n10.8.0.0/16 via 10.0.0.9 dev eth1\n10.9.0.0/16 via 10.0.0.9 dev eth1 proto bird metric 32\n",
				"ipvs": `-A -t 192.0.2.100:80 -s wrr -p 300
-a -t 192.0.2.100:80 -r 10.0.0.11:8080 -m -w 2
-a -t 192.0.2.100:80 -r 10.0.0.12:8080 -m -w 1
-a -t 192.0.2.100:80 -r 10.0.0.13:8080 -m -w 0
-A -t 192.0.2.100:443 -s sh -b sh-port
-a -t 192.0.2.100:443 -r 10.0.0.11:443 -m -w 1
-A -f 5 -s rr
-a -f 5 -r 10.0.0.12:0 -m -w 1
-A -u 192.0.2.100:5060 -s rr -o
-a -u 192.0.2.100:5060 -r 10.8.0.5:5060 -i -w 1
`,
				"timeouts": "Timeout (tcp tcpfin udp): 900 30 300\n",
				"sysctls":  "/proc/sys/net/ipv4/ip_forward:1\n/proc/sys/net/ipv4/vs/conn_reuse_mode:0\n/proc/sys/net/ipv4/vs/expire_nodest_conn:1\n/proc/sys/net/ipv4/vs/drop_entry:0\n/proc/sys/net/ipv4/conf/all/rp_filter:1\n",
				"every rule": `iptables
*mangle
-A PREROUTING -d 192.0.2.101/32 -p tcp -m tcp --dport 8000:8010 -j MARK --set-xmark 0x5/0xffffffff
-A PREROUTING -d 192.0.2.101/32 -i eth0 -p udp -m udp --dport 53 -j MARK --set-xmark 0x5/0xffffffff
*filter
-A FORWARD -j ACCEPT
`,
			}),
			read(t, "web-1", map[string]string{
				"addresses4": "2: ens3    inet 10.0.0.11/24 scope global ens3\\\n",
				"routes4":    "default via 10.0.0.1 dev ens3\n",
				"sysctls":    "/proc/sys/net/ipv4/ip_forward:1\n/proc/sys/net/ipv4/conf/all/arp_ignore:1\n",
			}),
			read(t, "web-2", map[string]string{
				"addresses4": "2: ens3    inet 10.0.0.12/24 scope global ens3\\\n",
				"routes4":    "default via 10.0.0.254 dev ens3\n",
			}),
			read(t, "backup", map[string]string{"addresses4": "2: ens3    inet 10.0.0.99/24 scope global ens3\\\n"}),
		},
		"one-arm": {
			read(t, "lvs", map[string]string{
				"addresses4": "2: eth0    inet 10.1.0.2/24 scope global eth0\\\n2: eth0    inet 10.1.0.100/32 scope global eth0\\\n",
				"ipvs": `-A -t 10.1.0.100:3306 -s lc
-a -t 10.1.0.100:3306 -r 10.1.0.11:3306 -m -w 1
-a -t 10.1.0.100:3306 -r 10.1.0.12:3306 -m -w 1
-A -t 10.1.0.2:25 -s rr
-a -t 10.1.0.2:25 -r 10.1.0.11:25 -g -w 1
-a -t 10.1.0.2:25 -r 10.1.0.2:25 -g -w 1
`,
				"thresholds":   "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn\n  -> RemoteAddress:Port\nTCP  10.1.0.100:3306 lc\n  -> 10.1.0.11:3306               100        80         0          0\n  -> 10.1.0.12:3306               100        80         0          0\n",
				"sync daemons": "master sync daemon (mcast=eth0, syncid=3)\nbackup sync daemon (mcast=eth1, syncid=3)\n",
				"sysctls":      "/proc/sys/net/ipv4/ip_forward:1\n/proc/sys/net/ipv4/vs/conntrack:1\n",
				"every rule":   "iptables\n*nat\n-A POSTROUTING -d 10.1.0.0/24 -m ipvs --vaddr 10.1.0.100/32 -j SNAT --to-source 10.1.0.2\n",
			}),
			read(t, "db-a", map[string]string{
				"addresses4": "1: lo    inet 10.1.0.100/32 scope global lo:0\\\n2: eth0    inet 10.1.0.11/24 scope global eth0\\\n",
				"routes4":    "default via 10.1.0.1 dev eth0 proto static\n192.168.7.0/24 nexthop via 10.1.0.7 dev eth0 weight 1 nexthop via 10.1.0.8 dev eth0 weight 1\n",
			}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := FromNodes("", seen)
			text := Write(d)
			golden.Check(t, "testdata/"+name+".hcl", string(text))
			for _, r := range d.Remarks {
				if !strings.Contains(strings.Join(strings.Fields(strings.ReplaceAll(string(text), "#", "")), " "), strings.Join(strings.Fields(r.Text), " ")) {
					t.Errorf("no comment says %q", r.Text)
				}
			}
		})
	}
}

// TestForeignPair imports a pair of directors with somebody else's keepalived.conf, whose
// real servers are partly down.
func TestForeignPair(t *testing.T) {
	conf := func(name, priority string) *keepalived.Config {
		text := `global_defs { router_id ` + name + ` }
vrrp_instance VI_1 {
    state BACKUP
    nopreempt
    interface eth0
    virtual_router_id 51
    priority ` + priority + `
    advert_int 2
    authentication {
        auth_type PASS
        auth_pass 1111
    }
    virtual_ipaddress {
        192.0.2.100/24 dev eth0
        10.0.0.254/24 dev eth1
    }
}
virtual_server 192.0.2.100 80 {
    delay_loop 6
    lb_algo wlc
    lb_kind NAT
    protocol TCP
    sorry_server 10.0.0.99 80
    real_server 10.0.0.11 80 {
        weight 3
        HTTP_GET {
            url {
              path /health
              status_code 200
            }
            connect_timeout 3
            retry 3
            delay_before_retry 3
        }
    }
    real_server 10.0.0.12 80 {
        weight 3
        HTTP_GET {
            url {
              path /health
              status_code 200
            }
            connect_timeout 3
            retry 3
            delay_before_retry 3
        }
    }
}
`
		c, err := keepalived.Parse(keepalived.Text{Path: keepalived.File, Text: text}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return &c
	}
	one := read(t, "lb1", map[string]string{
		"addresses4": "2: eth0    inet 192.0.2.1/24 scope global eth0\\\n2: eth0    inet 192.0.2.100/24 scope global secondary eth0\\\n3: eth1    inet 10.0.0.1/24 scope global eth1\\\n3: eth1    inet 10.0.0.254/24 scope global secondary eth1\\\n",
		"ipvs":       "-A -t 192.0.2.100:80 -s wlc\n-a -t 192.0.2.100:80 -r 10.0.0.11:80 -m -w 3\n",
		"sysctls":    "/proc/sys/net/ipv4/ip_forward:1\n",
	})
	two := read(t, "lb2", map[string]string{
		"addresses4": "2: eth0    inet 192.0.2.2/24 scope global eth0\\\n3: eth1    inet 10.0.0.2/24 scope global eth1\\\n",
		"ipvs":       "-A -t 192.0.2.100:80 -s wlc\n-a -t 192.0.2.100:80 -r 10.0.0.99:80 -m -w 1\n",
		"sysctls":    "/proc/sys/net/ipv4/ip_forward:1\n",
	})
	app := read(t, "app1", map[string]string{
		"addresses4": "2: eth0    inet 10.0.0.11/24 scope global eth0\\\n",
		"routes4":    "default via 10.0.0.254 dev eth0\n",
	})
	one.Keepalived, two.Keepalived = conf("lb1", "150"), conf("lb2", "100")
	d := FromNodes("", []Seen{two, app, one})
	text := Write(d)
	golden.Check(t, "testdata/pair.hcl", string(text))
	top := loaded(t, d, text)
	if len(top.VRRP) != 1 || len(top.Services) != 1 || top.Services[0].VRRPInstance == nil {
		t.Errorf("%d instances, %d services\n%s", len(top.VRRP), len(top.Services), text)
	}
}

// TestSee takes the record of the topology that is imported, and no other's.
func TestSee(t *testing.T) {
	shop, db := state.NewRecord("shop"), state.NewRecord("db")
	shop.Set.Modules["ip_vs"] = state.Module{}
	n := live.Node{State: state.New(), Record: state.Record{Others: []state.Record{db, shop}}, Facts: live.Facts{SSHServer: "10.0.0.1"}}
	if have := Recorded(n); len(have) != 1 || have[0] != "shop" {
		t.Errorf("recorded: %q", have)
	}
	s := See("lb", "shop", n, live.Found{})
	if len(s.Record.Set.Modules) != 1 || s.SSHServer != netip.MustParseAddr("10.0.0.1") {
		t.Errorf("record %v, ssh at %s", s.Record.Set.Modules, s.SSHServer)
	}
	if s := See("lb", "", n, live.Found{}); s.Record.Holds() {
		t.Error("a record of another topology counts")
	}
	if f := FromNodes("", []Seen{{Name: "lb", Role: topology.Director, State: state.New(), Record: state.NewRecord("")}}); len(f.Topology.Nodes) != 1 {
		t.Error("what a person says is not taken")
	}
}
