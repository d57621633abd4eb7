package plan_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/golden"
	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// encoded returns a plan as JSON.
func encoded(t *testing.T, p *plan.Plan) []byte {
	t.Helper()
	text, err := json.MarshalIndent(p.Document(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// checkGolden compares a plan's text and JSON with the files in testdata/plan.
func checkGolden(t *testing.T, name string, p *plan.Plan) {
	t.Helper()
	var text strings.Builder
	for _, l := range p.Lines(plan.Detail{Files: true, Each: true}) {
		text.WriteString(strings.TrimRight(l.Text, " ") + "\n")
	}
	text.WriteString("\n" + p.Summary() + "\n")
	for ext, have := range map[string][]byte{".txt": []byte(text.String()), ".json": append(encoded(t, p), '\n')} {
		golden.Check(t, filepath.Join("..", "testdata", "plan", name+ext), string(have))
	}
}

// edited is a nat topology with other ports, and an address of the director on each side.
const edited = `
lvsctl { name = "web" }
director "lvs" {
  interface "eth0" { address = "10.1.0.2/24" }
  interface "eth1" { address = "192.0.2.2/24" }
  timeouts { tcp = 600 }
}
real_server "a" {
  interface "eth0" { address = "10.1.0.11/24" }
}
real_server "b" {
  interface "eth0" { address = "10.1.0.12/24" }
  hosts = true
}
virtual_server "web" {
  vip       = "192.0.2.2"
  port      = 80
  mode      = "nat"
  scheduler = SCHEDULER
  drain     = "30s"
  real_server "a" {
    port   = 8080
    weight = WEIGHT
  }
  SECOND
}
`

func edit(scheduler, weight, second string) string {
	return strings.NewReplacer("SCHEDULER", `"`+scheduler+`"`, "WEIGHT", weight, "SECOND", second).Replace(edited)
}

func TestGolden(t *testing.T) {
	for name, c := range map[string]func(t *testing.T, c *cluster) (text string, destroy bool){
		"dr-first": func(t *testing.T, c *cluster) (string, bool) {
			return onLAN("dr", "rr", "a", "b"), false
		},
		"tun-first": func(t *testing.T, c *cluster) (string, bool) {
			return onLAN("tun", "rr", "a"), false
		},
		"nat-edited": func(t *testing.T, c *cluster) (string, bool) {
			c.bring(t, edit("rr", "1", `real_server "b" {}`))
			c.connections["tcp 192.0.2.2:80 -> 10.1.0.12:80"] = state.Connections{Active: 7, Inactive: 3}
			return edit("wlc", "5", ""), false
		},
		"nat-drifted": func(t *testing.T, c *cluster) (string, bool) {
			text := edit("rr", "1", `real_server "b" {}`)
			c.bring(t, text)
			c.exec(t, "lvs", "0 > /proc/sys/net/ipv4/ip_forward")
			c.exec(t, "lvs", "ipvsadm -e -t 192.0.2.2:80 -r 10.1.0.11:8080 -m -w 9")
			c.exec(t, "lvs", "ipvsadm -d -t 192.0.2.2:80 -r 10.1.0.12:80")
			c.exec(t, "lvs", "ipvsadm -a -t 192.0.2.2:80 -r 10.1.0.99:80 -m")
			c.exec(t, "lvs", "ipvsadm -A -t 192.0.2.2:443 -s rr")
			c.exec(t, "lvs", "ipvsadm -a -t 192.0.2.2:443 -r 10.1.0.98:443 -m")
			c.exec(t, "a", "ip -4 route replace default via 10.1.0.254 dev eth0")
			c.hosts["a"].Files["/etc/network/if-up.d/lvsctl-web"] = "#!/bin/sh\nexit 0\n"
			return text, false
		},
		"session": func(t *testing.T, c *cluster) (string, bool) {
			c.wants(t, onLAN("nat", "rr", "a", "b"))
			c.exec(t, "a", "ip -4 route add default via 10.1.0.1 dev eth0 proto static")
			c.facts["a"] = live.Facts{Kernel: "6.1.0", Root: true, SSHClient: "198.51.100.7", SSHServer: "10.1.0.11"}
			return onLAN("nat", "rr", "a", "b"), false
		},
		"tun-destroy": func(t *testing.T, c *cluster) (string, bool) {
			c.wants(t, onLAN("tun", "rr", "a", "b"))
			c.exec(t, "a", "ip -4 route add default via 10.1.0.254 dev eth0 proto static")
			c.exec(t, "gw", "2 > /proc/sys/net/ipv4/conf/eth0/rp_filter")
			c.bring(t, onLAN("tun", "rr", "a", "b"))
			return onLAN("tun", "rr", "a", "b"), true
		},
		"problems": func(t *testing.T, c *cluster) (string, bool) {
			c.wants(t, onLAN("dr", "rr", "a", "b"))
			c.lost["b"] = true
			c.hosts["lvs"].Manager = ""
			delete(c.hosts["lvs"].Commands, "ipvsadm")
			c.exec(t, "a", "ip -4 addr del 10.1.0.11/24 dev eth0")
			c.exec(t, "a", "ip -4 addr add 10.1.0.21/24 dev eth0")
			c.facts["gw"] = live.Facts{Kernel: "6.1.0"}
			return onLAN("dr", "rr", "a", "b"), false
		},
		"held": func(t *testing.T, c *cluster) (string, bool) {
			c.bring(t, onLAN("dr", "rr", "a"))
			c.lost["b"] = true
			return onLAN("dr", "wlc", "a", "b"), false
		},
	} {
		t.Run(name, func(t *testing.T) {
			cl := newCluster()
			cl.persists = true
			text, destroy := c(t, cl)
			inputs := cl.inputs(t, cl.wants(t, text), destroy)
			p := plan.Build(topologyName, inputs)
			checkGolden(t, name, p)
			again := plan.Build(topologyName, cl.inputs(t, cl.wants(t, text), destroy))
			if !bytes.Equal(encoded(t, p), encoded(t, again)) {
				t.Error("the same input has two plans")
			}
		})
	}
}

// TestDetail compares the one golden text that has commands.
func TestDetail(t *testing.T) {
	c := newCluster()
	p := plan.Build(topologyName, c.inputs(t, c.wants(t, onLAN("dr", "rr", "a")), false))
	var have []string
	for _, l := range p.Lines(plan.Detail{Commands: true}) {
		if strings.Contains(l.Text, "10.1.0.100/32") && !strings.Contains(l.Text, "eth0") {
			have = append(have, l.Text)
		}
	}
	want := []string{
		"  + address   10.1.0.100/32 dev lo",
		"      $ ip -4 addr add 10.1.0.100/32 dev lo",
		"      undo: ip -4 addr del 10.1.0.100/32 dev lo",
	}
	if d := cmp.Diff(want, have); d != "" {
		t.Error(d)
	}
}
