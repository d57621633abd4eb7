package plan

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
)

// twoSysctls is a node that has one key as wanted and one not, and says so.
func twoSysctls(redirects, ignore string) Input {
	n := live.Node{State: state.New(), Record: state.NewRecord("t"), Facts: live.Facts{Root: true}}
	n.State.Sysctls["net/ipv4/conf/all/send_redirects"] = redirects
	n.State.Sysctls["net/ipv4/conf/all/arp_ignore"] = ignore
	want := state.New()
	want.Sysctls["net/ipv4/conf/all/send_redirects"] = "0"
	want.Sysctls["net/ipv4/conf/all/arp_ignore"] = "1"
	return Input{Name: "n", Role: "real_server", Address: "n", Want: want, Chosen: true, Live: &n}
}

func save(t *testing.T, in Input) Saved {
	t.Helper()
	text, err := Build("t", []Input{in}).Save(Saved{Path: "/t", Digest: "d"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := ReadSaved(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestReadSavedRefuses(t *testing.T) {
	text, err := Build("t", []Input{twoSysctls("1", "0")}).Save(Saved{Path: "/t", Digest: "d"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"a topology":        {`director "a" {}`, ErrNotSaved.Error()},
		"other JSON":        {`{"format_version": "1.0"}`, ErrNotSaved.Error()},
		"another command":   {strings.Replace(string(text), "arp_ignore", "arp_filter", 1), "changed after it was made"},
		"another path":      {strings.Replace(string(text), `"/t"`, `"/u"`, 1), "changed after it was made"},
		"a later format":    {strings.Replace(string(text), `"1.0"`, `"2.0"`, 1), "format 2.0"},
		"cut in the middle": {string(text[:len(text)/2]), ErrNotSaved.Error()},
	} {
		if _, err := ReadSaved([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want %q, have %v", name, c.want, err)
		}
	}
}

// TestRestrict holds a saved plan against nodes that have changed since.
func TestRestrict(t *testing.T) {
	saved := save(t, twoSysctls("1", "0"))
	for name, c := range map[string]struct {
		now   Input
		do    []string
		stale []Conflict
	}{
		"as planned on":          {twoSysctls("1", "0"), []string{"net.ipv4.conf.all.arp_ignore", "net.ipv4.conf.all.send_redirects"}, nil},
		"one as wanted already":  {twoSysctls("0", "0"), []string{"net.ipv4.conf.all.arp_ignore"}, nil},
		"all as wanted already":  {twoSysctls("0", "1"), nil, nil},
		"one as nobody expected": {twoSysctls("1", "8"), nil, []Conflict{{"sysctl", "net.ipv4.conf.all.arp_ignore", "0", "1", "8"}}},
	} {
		p := Build("t", []Input{c.now})
		p.Restrict(saved)
		var do []string
		for _, a := range p.Actions {
			if a.Held == "" {
				do = append(do, a.Key.String())
			}
		}
		if diff := cmp.Diff(c.do, do); diff != "" {
			t.Errorf("%s: (-want +have)\n%s", name, diff)
		}
		var conflicts []Conflict
		if e := p.Nodes[0].Stale; e != nil {
			conflicts = e.Conflicts
		}
		if diff := cmp.Diff(c.stale, conflicts); diff != "" {
			t.Errorf("%s: (-want +have)\n%s", name, diff)
		}
	}
}

// TestRestrictLeavesUnrelatedAlone: what differs now and did not when the plan
// was made is no business of the saved plan's.
func TestRestrictLeavesUnrelatedAlone(t *testing.T) {
	saved := save(t, twoSysctls("1", "1"))
	p := Build("t", []Input{twoSysctls("1", "0")})
	p.Restrict(saved)
	if len(p.Actions) != 1 || p.Actions[0].Key.String() != "net.ipv4.conf.all.send_redirects" {
		t.Errorf("want the saved change alone, have %v", p.Actions)
	}
}

func TestDigestTellsTopologiesApart(t *testing.T) {
	a, b := twoSysctls("1", "0"), twoSysctls("1", "0")
	b.Want.Sysctls["net/ipv4/conf/all/arp_ignore"] = "2"
	da, err1 := Digest("t", []Input{a})
	db, err2 := Digest("t", []Input{b})
	if err := errors.Join(err1, err2); err != nil || da == db {
		t.Errorf("two topologies have digests %s and %s, %v", da, db, err)
	}
}

// TestSessionRisk marks the change of the route that the session itself uses.
func TestSessionRisk(t *testing.T) {
	in := twoSysctls("0", "1")
	in.Live.Facts.SSHClient, in.Live.Facts.SSHServer = "203.0.113.5", "10.0.0.2"
	in.Live.State.Links["eth0"] = state.Link{Up: true}
	def := state.NewRouteKey(netip.MustParsePrefix("0.0.0.0/0"), 0)
	lan := state.NewRouteKey(netip.MustParsePrefix("10.0.0.0/24"), 0)
	in.Live.State.Routes[def] = state.Route{Via: netip.MustParseAddr("10.0.0.1"), Dev: "eth0"}
	in.Live.State.Routes[lan] = state.Route{Dev: "eth0", Rest: "proto kernel scope link"}
	in.Want.Routes[def] = state.Route{Via: netip.MustParseAddr("10.0.0.9"), Dev: "eth0"}
	p := Build("t", []Input{in})
	if len(p.Actions) != 1 || !strings.Contains(string(p.Actions[0].Risk), "this SSH session answers 203.0.113.5 via 10.0.0.1 dev eth0; after this change via 10.0.0.9 dev eth0") {
		t.Errorf("the change is not marked: %+v", p.Actions)
	}
	in.Live.Facts.SSHClient = "10.0.0.7" // on the same link: the default route does not matter
	if p := Build("t", []Input{in}); p.Actions[0].Risk != "" {
		t.Errorf("a harmless change is marked: %s", p.Actions[0].Risk)
	}
}

// TestCutConnections says how many open connections a removal ends.
func TestCutConnections(t *testing.T) {
	in := twoSysctls("0", "1")
	in.Role = director
	k := state.ServiceKey{Protocol: state.TCP, Addr: netip.MustParseAddrPort("10.0.0.100:80")}
	rs := state.ServerKey{Service: k, Addr: netip.MustParseAddrPort("10.0.0.2:80")}
	in.Live.State.Services[k] = state.Service{Scheduler: "rr"}
	in.Want.Services[k] = state.Service{Scheduler: "rr"}
	in.Live.State.Servers[rs] = state.Server{Forward: state.Direct, Weight: 1}
	in.Live.State.Connections[rs] = state.Connections{Active: 12, Inactive: 30}
	p := Build("t", []Input{in})
	if len(p.Actions) != 1 || p.Actions[0].Risk != "cuts 12 open connections; a drain time on the virtual server would let them end" {
		t.Errorf("the cut is not announced: %+v", p.Actions)
	}
}
