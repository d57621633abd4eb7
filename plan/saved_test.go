package plan

import (
	"encoding/json"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
)

// twoSysctls is a node of which two parameters are wanted. redirects and ignore are the
// values that it has.
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
		"a later format":    {strings.Replace(string(text), `"`+FormatVersion+`"`, `"2.0"`, 1), "format 2.0"},
		"cut in the middle": {string(text[:len(text)/2]), ErrNotSaved.Error()},
	} {
		if _, err := ReadSaved([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want %q, have %v", name, c.want, err)
		}
	}
}

// forge returns a saved plan's file after a change, with a checksum that fits.
func forge(t *testing.T, in Input, change func(*Saved)) []byte {
	t.Helper()
	s := save(t, in)
	change(&s)
	s.Sum = ""
	var err error
	if s.Sum, err = sum(s); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestForgedPlanIsRefused has saved plans that contradict themselves. They are refused.
func TestForgedPlanIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Saved)
		want   string
	}{
		"no nodes":          {func(s *Saved) { s.Nodes = nil }, `it changes node "n", and does not list it`},
		"another node":      {func(s *Saved) { s.Nodes[0].Name = "m" }, `it changes node "n", and does not list it`},
		"a node twice":      {func(s *Saved) { s.Nodes = append(s.Nodes, s.Nodes...) }, `node "n" stands there twice`},
		"a node in trouble": {func(s *Saved) { s.Nodes[0].Problems = []string{"x"} }, `it changes node "n", and says that it cannot`},
		"an unread node":    {func(s *Saved) { s.Nodes[0].Error = "x" }, `it changes node "n", and says that it cannot`},
		"a summary":         {func(s *Saved) { s.Summary.Text = "No changes. All 1 nodes match the topology." }, "its summary is of other changes"},
		"a count":           {func(s *Saved) { s.Summary.Change = 0 }, "its summary is of other changes"},
		"a change less":     {func(s *Saved) { s.Changes = s.Changes[1:] }, "its summary is of other changes"},
		"a change twice":    {func(s *Saved) { s.Changes = append(s.Changes, s.Changes[0]) }, "is changed twice"},
		"an unknown kind":   {func(s *Saved) { s.Changes[0].Kind = "note" }, `"note" is no kind of change`},
		"an unknown action": {func(s *Saved) { s.Changes[0].Action = "keep" }, `"keep" is nothing that is done`},
		"held, not counted": {func(s *Saved) { s.Changes[0].HeldBack = "x" }, "its summary is of other changes"},
	} {
		if _, err := ReadSaved(forge(t, twoSysctls("1", "0"), c.change)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want %q, have %v", name, c.want, err)
		}
	}
}

// TestForgedChangeIsStale has saved plans with forged changes. The file alone does not
// show that. The new plan does, before any node is changed.
func TestForgedChangeIsStale(t *testing.T) {
	in := twoSysctls("1", "0")
	in.Live.Facts.Owners, in.Role = []string{"keepalived"}, director
	in.Exclusive = true // and another program manages the table too
	for name, change := range map[string]func(*Saved){
		"the value before":    func(s *Saved) { s.Changes[0].Before = "7" },
		"the value after":     func(s *Saved) { s.Changes[0].After = "7" },
		"the reason":          func(s *Saved) { s.Changes[0].Reason = Drift },
		"the lines of a file": func(s *Saved) { s.Changes[0].Diff = "+x" },
		"a command":           func(s *Saved) { s.Changes[0].Commands = nil },
		"the way back":        func(s *Saved) { s.Changes[0].Inverse = nil },
		"the role":            func(s *Saved) { s.Nodes[0].Role = "router" },
		"the address":         func(s *Saved) { s.Nodes[0].Address = "10.0.0.9" },
		"the warnings":        func(s *Saved) { s.Nodes[0].Warnings = nil },
	} {
		s, err := ReadSaved(forge(t, in, change))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		p := Build("t", []Input{in})
		p.Restrict(s)
		if p.Nodes[0].Stale == nil || p.Count().Any() {
			t.Errorf("%s is taken from the file: %+v", name, p.Count())
		}
	}
}

// TestRestrict restricts plans of nodes that have changed since a plan was saved.
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

// TestRestrictLeavesUnrelatedAlone has a difference that came after the plan was saved.
// The saved plan does not have it, so it is not done.
func TestRestrictLeavesUnrelatedAlone(t *testing.T) {
	saved := save(t, twoSysctls("1", "1"))
	p := Build("t", []Input{twoSysctls("1", "0")})
	p.Restrict(saved)
	if len(p.Actions) != 1 || p.Actions[0].Key.String() != "net.ipv4.conf.all.send_redirects" {
		t.Errorf("want the saved change alone, have %v", p.Actions)
	}
}

// TestRestrictKeepsHeld has an action that the saved plan shows as held back. It is not
// done, even if the new plan would do it.
func TestRestrictKeepsHeld(t *testing.T) {
	s, err := ReadSaved(forge(t, twoSysctls("1", "0"), func(s *Saved) {
		s.Changes[0].HeldBack = "waits for lb"
		s.Summary = s.summary()
	}))
	if err != nil {
		t.Fatal(err)
	}
	p := Build("t", []Input{twoSysctls("1", "0")})
	p.Restrict(s)
	if p.Actions[0].Held != "waits for lb" || p.Count().Change != 1 {
		t.Errorf("want one of two held, have %+v", p.Count())
	}
}

// TestRestrictRefusesNewDanger has risks that came after the plan was saved. A new one is
// refused. One whose number has grown is not.
func TestRestrictRefusesNewDanger(t *testing.T) {
	k := state.ServiceKey{Protocol: state.TCP, Addr: netip.MustParseAddrPort("10.0.0.100:80")}
	rs := state.ServerKey{Service: k, Addr: netip.MustParseAddrPort("10.0.0.2:80")}
	leaving := func(open int) Input {
		in := twoSysctls("0", "1")
		in.Role = director
		in.Live.State.Services[k] = state.Service{Scheduler: "rr"}
		in.Want.Services[k] = state.Service{Scheduler: "rr"}
		in.Live.State.Servers[rs] = state.Server{Forward: state.Direct, Weight: 1}
		in.Live.State.Connections[rs] = state.Connections{Active: open}
		return in
	}
	for _, c := range []struct {
		then, now int
		stale     bool
	}{{0, 0, false}, {5, 0, false}, {5, 9, false}, {1, 9, false}, {0, 9, true}} {
		p := Build("t", []Input{leaving(c.now)})
		p.Restrict(save(t, leaving(c.then)))
		if e := p.Nodes[0].Stale; (e != nil) != c.stale || e != nil && !strings.Contains(e.Error(), "the plan does not say: server tcp 10.0.0.100:80 -> 10.0.0.2:80 cuts 9 open connections") {
			t.Errorf("%d connections, then %d: %v", c.then, c.now, e)
		}
	}
	s, err := ReadSaved(forge(t, leaving(9), func(s *Saved) { s.Changes[0].Risk = "cuts nothing" }))
	if err != nil {
		t.Fatal(err)
	}
	p := Build("t", []Input{leaving(9)})
	if p.Restrict(s); p.Nodes[0].Stale == nil {
		t.Error("another danger is taken from the file")
	}
	for a, b := range map[string]string{
		"this SSH session answers 10.0.0.7 via 10.0.0.1 dev eth0.": "this SSH session answers 2001:db8::beef via fe80::1 dev eth0.",
		"cuts 1 open connection; a drain":                          "cuts 12 open connections; a drain",
	} {
		if withoutNumbers(a) != withoutNumbers(b) {
			t.Errorf("%q and %q", withoutNumbers(a), withoutNumbers(b))
		}
	}
}

// TestDigest changes each field of the input. The digest differs exactly for those that
// the topology decides.
func TestDigest(t *testing.T) {
	full := func() Input {
		in := twoSysctls("1", "0")
		in.Base = []state.AddressKey{{Prefix: netip.MustParsePrefix("10.0.0.2/24"), Dev: "eth0"}}
		in.Servers = map[netip.Addr]string{netip.MustParseAddr("10.0.0.3"): "rs"}
		in.Schedulers = []string{"rr"}
		in.Want.Drain[state.ServiceKey{Protocol: state.TCP}] = time.Second
		return in
	}
	of := func(in Input) string {
		t.Helper()
		d, err := Digest("t", []Input{in})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	binds := map[string]func(*Input){
		"Name":         func(in *Input) { in.Name = "m" },
		"Role":         func(in *Input) { in.Role = "router" },
		"Address":      func(in *Input) { in.Address = "m" },
		"Access":       func(in *Input) { in.Access = "port 2222" },
		"Base":         func(in *Input) { in.Base = nil },
		"Exclusive":    func(in *Input) { in.Exclusive = true },
		"Persist":      func(in *Input) { in.Persist = "none" },
		"RequireTools": func(in *Input) { in.RequireTools = true },
		"Schedulers":   func(in *Input) { in.Schedulers = nil },
		"Servers":      func(in *Input) { in.Servers = nil },
		"Replies":      func(in *Input) { in.Replies = []state.Reply{{}} },
		"ByRole":       func(in *Input) { in.ByRole = map[state.Ref]bool{{Kind: state.KindRoute, Key: state.Path("x")}: true} },
		"Forwards":     func(in *Input) { in.Forwards = map[string]hcl.Range{"x": {}} },
		"Keepalived":   func(in *Input) { in.Keepalived = &keepalived.Config{RouterID: "m"} },
		"Want":         func(in *Input) { in.Want.Sysctls["net/ipv4/conf/all/arp_ignore"] = "2" },
	}
	free := map[string]func(*Input){
		"pair":    func(in *Input) { in.pair.holds = true },
		"Beside":  func(in *Input) { in.Beside = []string{"x"} },
		"Range":   func(in *Input) { in.Range = hcl.Range{Filename: "x"} },
		"Ranges":  func(in *Input) { in.Ranges = map[state.Ref]hcl.Range{{}: {}} },
		"Chosen":  func(in *Input) { in.Chosen = !in.Chosen },
		"Live":    func(in *Input) { in.Live = nil },
		"Destroy": func(in *Input) { in.Destroy = true }, // Want says it
		"Err":     func(in *Input) { in.Err = errors.New("x") },
		// Access and Base say it.
		"Member": func(in *Input) { in.Member.Host = "x" },
		// Records say these; what is done on an orphan is in the plan itself.
		"Mark":      func(in *Input) { in.Mark = "x" },
		"Orphan":    func(in *Input) { in.Orphan = true },
		"Forgotten": func(in *Input) { in.Forgotten = true },
		"Aliases":   func(in *Input) { in.Aliases = []state.Member{{}} },
	}
	for i := range reflect.TypeFor[Input]().NumField() {
		name := reflect.TypeFor[Input]().Field(i).Name
		in := full()
		switch change := binds[name]; {
		case change != nil:
			if change(&in); of(in) == of(full()) {
				t.Errorf("%s binds no plan", name)
			}
		case free[name] == nil:
			t.Errorf("does %s bind a plan? Say so here", name)
		default:
			if free[name](&in); of(in) != of(full()) {
				t.Errorf("%s binds a plan", name)
			}
		}
	}
	in := full()
	clear(in.Want.Drain)
	if of(in) == of(full()) {
		t.Error("a drain time binds no plan")
	}
}

// TestSessionRisk changes the route of the SSH session's replies, which is a risk.
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
	in.Live.Facts.SSHClient = "10.0.0.7" // on the same link, so the default route is no risk
	if p := Build("t", []Input{in}); p.Actions[0].Risk != "" {
		t.Errorf("a harmless change is marked: %s", p.Actions[0].Risk)
	}
}

// TestCutConnections checks the risk of a removal: the number of open connections.
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
