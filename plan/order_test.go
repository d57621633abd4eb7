package plan_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/state/statetest"
	"github.com/lvsctl/lvsctl/plan"
)

const vip = "10.1.0.100"

// onLAN is a topology with one service of these servers in a mode.
func onLAN(mode, scheduler string, servers ...string) string {
	text := `
lvsctl { name = "web" }
director "lvs" {
  interface "eth0" { address = "10.1.0.2/24" }
}
router "gw" {
  interface "eth0" { address = "10.1.0.1/24" }
  interface "eth1" { address = "192.0.2.1/24" }
}
`
	for i, name := range []string{"a", "b"} {
		text += fmt.Sprintf("real_server %q {\n  interface \"eth0\" { address = \"10.1.0.1%d/24\" }\n}\n", name, i+1)
	}
	if mode == "" {
		return text
	}
	return text + fmt.Sprintf(`
virtual_server "web" {
  vip          = %q
  port         = 80
  mode         = %q
  scheduler    = %q
  drain        = "1s"
  real_servers = ["%s"]
}
`, vip, mode, scheduler, strings.Join(servers, `", "`))
}

// TestSafeAtEveryStep changes each topology into each other one, and destroys it. After
// every action it checks the whole cluster: each real server that the director sends to
// can answer, and only the director answers ARP for the VIP.
func TestSafeAtEveryStep(t *testing.T) {
	topologies := oneServiceEach()
	for from := range topologies {
		for to := range topologies {
			t.Run(from+" and then "+to, func(t *testing.T) {
				c := newCluster()
				c.bring(t, topologies[from])
				inputs := c.inputs(t, c.wants(t, topologies[to]), false)
				p := plan.Build(topologyName, inputs)
				c.apply(t, p, func(done *plan.Action) { c.safe(t, done) })
				c.confirm(t, p, inputs)
				again := plan.Build(topologyName, c.inputs(t, c.wants(t, topologies[to]), false))
				if want := "No changes. All 4 nodes match the topology."; again.Summary() != want {
					t.Errorf("planned again: %s", again.Summary())
				}

				inputs = c.inputs(t, c.wants(t, topologies[to]), true)
				p = plan.Build(topologyName, inputs)
				c.apply(t, p, func(done *plan.Action) { c.safe(t, done) })
				c.confirm(t, p, inputs)
				for name, r := range c.records {
					if !r.Empty() || len(c.hosts[name].ReplyRoutes) > 0 {
						t.Errorf("%s still has a record, or a reply route", name)
					}
				}
			})
		}
	}
}

// oneServiceEach are topologies with one service, in every mode.
func oneServiceEach() map[string]string {
	return map[string]string{
		"nat":        onLAN("nat", "rr", "a", "b"),
		"dr":         onLAN("dr", "rr", "a", "b"),
		"dr to one":  onLAN("dr", "wlc", "b"),
		"tun":        onLAN("tun", "rr", "a", "b"),
		"tun to one": onLAN("tun", "wrr", "a"),
		"none":       onLAN("", ""),
	}
}

// TestSafeBesideUnchangedDirector is TestSafeAtEveryStep with a director that is not
// changed, for each possible reason. It sends as before, and the real servers must still
// be able to answer. They must not depend on reply routes for that, which end by
// themselves.
func TestSafeBesideUnchangedDirector(t *testing.T) {
	topologies := oneServiceEach()
	topologies["nowhere"] = "" // a destroy
	for how, stand := range map[string]func(*cluster){
		"lost":              func(c *cluster) { c.lost["lvs"] = true },
		"left out":          func(c *cluster) { c.leftOut["lvs"] = true },
		"not as expected":   func(c *cluster) { c.breakBase("lvs") },
		"cannot be changed": func(c *cluster) { c.forbid("lvs") },
	} {
		for from := range topologies {
			if from == "nowhere" {
				continue
			}
			for to := range topologies {
				t.Run(how+", "+from+" and then "+to, func(t *testing.T) {
					c := newCluster()
					c.bring(t, topologies[from])
					stand(c)
					text, destroy := topologies[to], to == "nowhere"
					if destroy {
						text = topologies[from]
					}
					before := c.hosts["lvs"].Dump()
					p := plan.Build(topologyName, c.inputs(t, c.wants(t, text), destroy))
					if destroy && how == "not as expected" {
						return // a destroy does not need a node's own addresses
					}
					c.apply(t, p, func(done *plan.Action) { c.safe(t, done) })
					if d := cmp.Diff(before, c.hosts["lvs"].Dump()); d != "" {
						t.Fatalf("the director was changed:\n%s", d)
					}
					for _, n := range c.hosts {
						clear(n.ReplyRoutes)
					}
					if len(p.Actions) > 0 {
						c.safe(t, &p.Actions[len(p.Actions)-1])
					}
					if n := c.hosts["gw"]; from != "none" && n.Sysctls["net/ipv4/ip_forward"] != "1" {
						t.Error("the router forwards no more")
					}
				})
			}
		}
	}
}

// safe checks the real server of every entry in the director's table that traffic can
// reach.
func (c *cluster) safe(t *testing.T, done *plan.Action) {
	t.Helper()
	fail := func(format string, args ...any) {
		t.Helper()
		t.Fatalf("after %s on %s %s: %s", done.Op, done.Node, done.Sentence(), fmt.Sprintf(format, args...))
	}
	director := c.hosts["lvs"]
	addr := netip.MustParseAddr(vip)
	for _, name := range []string{"a", "b"} {
		if n := c.hosts[name]; n.Has(addr) && (n.Sysctls["net/ipv4/conf/all/arp_ignore"] != "1" || n.Sysctls["net/ipv4/conf/all/arp_announce"] != "2") {
			fail("%s answers the director's neighbours for %s", name, vip)
		}
	}
	if !director.Has(addr) {
		return
	}
	s := director.Services["-t "+vip+":80"]
	if s == nil || len(s.Servers) == 0 {
		fail("the VIP attracts traffic that nobody serves")
	}
	for _, d := range s.Servers {
		name := map[string]string{"10.1.0.11": "a", "10.1.0.12": "b"}[d.Addr.Addr().String()]
		n := c.hosts[name]
		if d.Weight > 0 && !takes(n, d.Forward) {
			fail("%s is sent requests by %s that it does not take", name, d.Forward)
		}
		if via := wayBack(n, d.Forward); d.Weight > 0 && (via == "10.1.0.2") != (d.Forward == "-m") {
			fail("%s is sent requests by %s, and answers through %s", name, d.Forward, via)
		}
	}
}

// takes reports whether a real server accepts packets that come by a forwarding method.
func takes(n *statetest.Node, method string) bool {
	dev := map[string]string{"-g": "lo", "-i": "tunl0"}[method]
	if method == "-i" && (!n.Links[dev] || n.Sysctls["net/ipv4/conf/tunl0/rp_filter"] != "2") {
		return false
	}
	return method == "-m" || slices.ContainsFunc(n.Addresses, func(a statetest.Address) bool {
		return a.Dev == dev && a.Prefix == netip.MustParsePrefix(vip+"/32")
	})
}

// wayBack is the next hop of a node's reply to a packet that came by a forwarding method.
func wayBack(n *statetest.Node, method string) string {
	if via, ok := n.ReplyRoutes[vip]; ok && method != "-m" {
		return via
	}
	return gateway(n)
}

// gateway is the node's next hop for addresses outside its own subnet.
func gateway(n *statetest.Node) string {
	for _, r := range n.Routes {
		if r.Dst == netip.MustParsePrefix("0.0.0.0/0") {
			return r.Via
		}
	}
	return ""
}

// shown lists a plan's actions as NODE OP KIND KEY, with what they need and why they are
// held back.
func shown(p *plan.Plan) []string {
	var list []string
	for _, a := range p.Actions {
		line := fmt.Sprintf("%d %s %s %s %s", a.ID, a.Node, a.Op, a.Kind, a.Key)
		if len(a.Needs) > 0 {
			line += fmt.Sprintf(" needs %v", a.Needs)
		}
		if a.Held != "" {
			line += ": " + a.Held
		}
		list = append(list, line)
	}
	return list
}
