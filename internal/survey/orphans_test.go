package survey

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// member is a node at 10.0.0.N, which is reached by its name or by where.
func memberAt(role, name string, n int, where ...string) state.Member {
	m := state.Member{Name: name, Role: role, Place: state.Place{Host: name}}
	m.Addresses = []state.AddressKey{{Prefix: netip.MustParsePrefix(fmt.Sprintf("10.0.0.%d/24", n)), Dev: "eth0"}}
	if len(where) > 0 {
		m.Host = where[0]
	}
	return m
}

// recorded is a host that was read, with a record that holds something and names others.
func recorded(mark string, self state.Member, others ...state.Member) *live.Node {
	r := state.NewRecord("web")
	r.Set.Sysctls["net/ipv4/conf/all/arp_ignore"] = "1"
	r.Members = state.Membership{Mark: mark, Self: self, Others: others}
	return &live.Node{State: state.New(), Record: r, RecordText: fmt.Sprintf("%s %+v %+v", mark, self, others)}
}

// empty is a host without a record.
func empty() *live.Node { return &live.Node{State: state.New(), Record: state.NewRecord("web")} }

// world is hosts by where they are, and who was asked.
type world struct {
	hosts map[string]*live.Node
	asked []string
}

// search surveys a topology of some nodes in a world, as Take does.
func (w *world) search(o Options, nodes ...state.Member) *Survey {
	o.Visit = func(name string, m state.Member) func(context.Context) (remote.Runner, error) {
		return func(context.Context) (remote.Runner, error) { return nil, errors.New("never dialled") }
	}
	s := &Survey{topology: "web", options: o}
	for _, m := range nodes {
		s.Nodes = append(s.Nodes, Node{Input: plan.Input{Name: m.Name, Role: m.Role, Member: m, Want: state.New(), Live: w.hosts[m.Host]}})
	}
	search := newOrphans(s)
	for begin := 0; begin < len(s.Nodes); {
		end := len(s.Nodes)
		search.follow(begin)
		for i := end; i < len(s.Nodes); i++ {
			n := &s.Nodes[i]
			if n.Dial != nil {
				w.asked = append(w.asked, n.Member.Host)
				if n.Live = w.hosts[n.Member.Host]; n.Live == nil {
					n.Err = errors.New("unreachable")
				}
			}
			search.judge(i)
		}
		begin = end
	}
	search.end()
	s.mark()
	return s
}

// shown are a survey's orphans: NAME (PLACE), and what is the matter with each.
func shown(s *Survey) []string {
	var list []string
	for _, n := range s.Nodes {
		if !n.Orphan {
			continue
		}
		text := fmt.Sprintf("%s %s (%s)", n.Role, n.Name, n.Address)
		for _, a := range n.Aliases {
			text += " also " + a.Name + " (" + a.Place.String() + ")"
		}
		switch {
		case n.Forgotten:
			text += ": forgotten"
		case n.Err != nil:
			why, _, _ := strings.Cut(n.Err.Error(), "\n")
			text += ": " + why
		case !n.Live.Record.Holds():
			text += ": clean"
		}
		list = append(list, text)
	}
	return list
}

func TestOrphans(t *testing.T) {
	const director, server, router = "director", "real_server", "router"
	lvs, old := memberAt(director, "lvs", 2), memberAt(director, "old", 3)
	one, two, three := memberAt(server, "web-1", 11), memberAt(server, "web-2", 12), memberAt(server, "web-3", 13)
	gw := memberAt(router, "gw", 1)
	const mark = "M"
	for name, c := range map[string]struct {
		hosts    map[string]*live.Node
		topology []state.Member
		forget   []string
		want     []string
		asked    []string
	}{
		"nobody is missing": {
			hosts:    map[string]*live.Node{"lvs": recorded(mark, lvs, one), "web-1": recorded(mark, one, lvs)},
			topology: []state.Member{lvs, one},
		},
		"a first apply": {
			hosts:    map[string]*live.Node{"lvs": empty(), "web-1": empty()},
			topology: []state.Member{lvs, one},
		},
		"real servers and a router": {
			hosts:    map[string]*live.Node{"lvs": recorded(mark, lvs, gw, one, two, three), "web-1": recorded(mark, one, lvs), "web-2": recorded(mark, two, lvs), "web-3": empty(), "gw": recorded(mark, gw, lvs)},
			topology: []state.Member{lvs, one},
			want:     []string{"router gw (gw)", "real_server web-2 (web-2)", "real_server web-3 (web-3): clean"},
			asked:    []string{"gw", "web-2", "web-3"},
		},
		"one is out of reach, and one is forgotten": {
			hosts:    map[string]*live.Node{"lvs": recorded(mark, lvs, one, two, three), "web-1": recorded(mark, one, lvs)},
			topology: []state.Member{lvs, one},
			forget:   []string{"web-3"},
			want:     []string{"real_server web-2 (web-2): unreachable", "real_server web-3 (web-3): forgotten"},
			asked:    []string{"web-2"},
		},
		"the only director, which knows of another": {
			hosts: map[string]*live.Node{
				"lvs": empty(), "web-1": recorded(mark, one, old), "web-2": recorded(mark, two, old),
				"old": recorded(mark, old, one, two, three), "web-3": recorded(mark, three, old),
			},
			topology: []state.Member{lvs, one, two},
			want:     []string{"director old (old)", "real_server web-3 (web-3)"},
			asked:    []string{"old", "web-3"},
		},
		"the director is out of reach": {
			hosts:    map[string]*live.Node{"web-1": recorded(mark, one, lvs)},
			topology: []state.Member{lvs, one},
		},
		"a real server's word about real servers does not count": {
			hosts:    map[string]*live.Node{"lvs": recorded(mark, lvs, one), "web-1": recorded(mark, one, lvs, three), "web-3": recorded(mark, three)},
			topology: []state.Member{lvs, one},
		},
		"a topology without a director": {
			hosts:    map[string]*live.Node{"web-1": recorded(mark, one, two, three), "web-2": recorded(mark, two, one), "web-3": recorded(mark, three, one)},
			topology: []state.Member{two},
			want:     []string{"real_server web-1 (web-1)", "real_server web-3 (web-3)"},
			asked:    []string{"web-1", "web-3"},
		},
		"a first director, and a block deleted with the same edit": {
			hosts:    map[string]*live.Node{"lvs": empty(), "web-1": recorded(mark, one, two, three), "web-2": recorded(mark, two, one), "web-3": recorded(mark, three, one)},
			topology: []state.Member{lvs, one, two},
			want:     []string{"real_server web-3 (web-3)"},
			asked:    []string{"web-3"},
		},
		"another name for the same place": {
			hosts:    map[string]*live.Node{"lvs": recorded(mark, lvs, one, two), "web-1": recorded(mark, one, lvs), "web-2": recorded(mark, two, lvs)},
			topology: []state.Member{lvs, one, memberAt(server, "db", 12, "WEB-2")},
		},
		"another place, with an address that is the same": {
			hosts:    map[string]*live.Node{"lvs": recorded(mark, lvs, one), "10.0.0.11": recorded(mark, one, lvs)},
			topology: []state.Member{lvs, memberAt(server, "web-9", 11, "10.0.0.11")},
		},
		"another name, place and address, and the host still says who it was": {
			hosts:    map[string]*live.Node{"lvs": recorded(mark, lvs, one, three), "web-1": recorded(mark, one, lvs), "db": recorded(mark, three, lvs), "web-3": recorded(mark, three, lvs)},
			topology: []state.Member{lvs, one, memberAt(server, "db", 21)},
		},
		"the same name for another host": {
			hosts:    map[string]*live.Node{"lvs": recorded(mark, lvs, one, three), "new": empty(), "web-1": recorded(mark, one, lvs), "web-3": recorded(mark, three, lvs)},
			topology: []state.Member{lvs, one, memberAt(server, "web-3", 23, "new")},
			want:     []string{"real_server web-3@web-3 (web-3)"},
			asked:    []string{"web-3"},
		},
		"the only one of its kind": {
			hosts:    map[string]*live.Node{"lvs": recorded(mark, lvs, gw, one), "web-1": recorded(mark, one, lvs), "gw": empty()},
			topology: []state.Member{lvs},
			want:     []string{"router gw (gw): clean", "real_server web-1 (web-1)"},
			asked:    []string{"gw", "web-1"},
		},
		"one host that is named twice": {
			hosts: map[string]*live.Node{
				"lvs": recorded(mark, lvs, three, memberAt(server, "web-3", 33, "alias"), memberAt(server, "web-4", 13, "other")), "web-3": recorded(mark, three, lvs), "alias": recorded(mark, three, lvs),
			},
			topology: []state.Member{lvs},
			want:     []string{"real_server web-3@web-3 (web-3) also web-4 (other) also web-3 (alias)"},
			asked:    []string{"alias", "web-3"},
		},
		"a host knows its own role and addresses": {
			hosts:    map[string]*live.Node{"lvs": recorded(mark, lvs, memberAt(router, "web-3", 99)), "web-3": recorded(mark, three, lvs)},
			topology: []state.Member{lvs},
			want:     []string{"real_server web-3 (web-3)"},
			asked:    []string{"web-3"},
		},
		"a node of the topology by an address that only its record tells": {
			hosts:    map[string]*live.Node{"lvs": recorded(mark, lvs, memberAt(server, "evil", 99, "alias")), "web-1": recorded(mark, one, lvs), "alias": recorded(mark, one, lvs)},
			topology: []state.Member{lvs, one},
			asked:    []string{"alias"},
		},
		"a host of another topology of that name": {
			hosts:    map[string]*live.Node{"lvs": recorded(mark, lvs, three, two), "web-3": recorded("N", three, old), "web-2": recorded("", two, old)},
			topology: []state.Member{lvs},
			want:     []string{"real_server web-2 (web-2): its record does not bear this topology's mark, so what it names may be another topology's of the same name; nothing is taken away there", "real_server web-3 (web-3): its record does not bear this topology's mark, so what it names may be another topology's of the same name; nothing is taken away there"},
			asked:    []string{"web-2", "web-3"},
		},
		"a mark that only an orphan bears gives no right to others": {
			hosts:    map[string]*live.Node{"lvs": recorded(mark, lvs, old), "old": recorded("N", old, three), "web-3": recorded("N", three, old)},
			topology: []state.Member{lvs},
			want:     []string{"director old (old): its record does not bear this topology's mark, so what it names may be another topology's of the same name; nothing is taken away there"},
			asked:    []string{"old"},
		},
		"no record bears a mark": {
			hosts:    map[string]*live.Node{"lvs": recorded("", lvs, three), "web-3": recorded("", three, lvs)},
			topology: []state.Member{lvs},
			want:     []string{"real_server web-3 (web-3): its record does not bear this topology's mark, so what it names may be another topology's of the same name; nothing is taken away there"},
			asked:    []string{"web-3"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{hosts: c.hosts}
			s := w.search(Options{Forget: c.forget}, c.topology...)
			if d := cmp.Diff(c.want, shown(s)); d != "" {
				t.Errorf("orphans (-want +have):\n%s", d)
			}
			if d := cmp.Diff(c.asked, w.asked); d != "" {
				t.Errorf("asked (-want +have):\n%s", d)
			}
			for _, n := range s.Nodes {
				if n.Mark == "" || n.Mark != s.Nodes[0].Mark || name != "a first apply" && name != "no record bears a mark" && n.Mark != mark {
					t.Errorf("%s gets the mark %q", n.Name, n.Mark)
				}
			}
		})
	}
}

// TestRecordThatMakesNoSense: it is its own node's error, and nobody is asked.
func TestRecordThatMakesNoSense(t *testing.T) {
	lvs, one := memberAt("director", "lvs", 2), memberAt("real_server", "web-1", 11)
	good := memberAt("real_server", "web-3", 13)
	for name, spoil := range map[string]func(*state.Member){
		"no name":             func(m *state.Member) { m.Name = "" },
		"a name with a blank": func(m *state.Member) { m.Name = "web 3" },
		"an escape sequence":  func(m *state.Member) { m.Name = "web\x1b[2J" },
		"a client":            func(m *state.Member) { m.Role = "client" },
		"no role":             func(m *state.Member) { m.Role = "" },
		"no place":            func(m *state.Member) { m.Host = "" },
		"an option of ssh":    func(m *state.Member) { m.Host = "-oProxyCommand=id" },
		"a command":           func(m *state.Member) { m.Host = "a;id" },
		"another port":        func(m *state.Member) { m.Port = 70000 },
		"a negative one":      func(m *state.Member) { m.Port = -1 },
		"a user with a blank": func(m *state.Member) { m.User = "root id" },
		"a jump by a command": func(m *state.Member) { m.Jump = "a,`id`" },
		"a jump with options": func(m *state.Member) { m.Jump = "-oProxyCommand=id" },
		"a key that is none":  func(m *state.Member) { m.HostKey = "ssh-ed25519 AAAA" },
		"options before a key": func(m *state.Member) {
			m.HostKey = "command=\"id\" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJLXgzJ7rA0jli0trldpvML9FEhmANmsAEuoPSbk21p"
		},
	} {
		t.Run(name, func(t *testing.T) {
			bad := good
			spoil(&bad)
			w := &world{hosts: map[string]*live.Node{"lvs": recorded("M", lvs, good, bad), "web-1": recorded("M", one, lvs), "web-3": recorded("M", good, lvs)}}
			s := w.search(Options{}, lvs, one)
			if len(w.asked) > 0 || len(s.Nodes) != 2 {
				t.Errorf("asked: %v", w.asked)
			}
			if err := s.Nodes[0].Err; err == nil || !strings.HasPrefix(err.Error(), "cannot use /var/lib/lvsctl/web.json: in its members, ") {
				t.Errorf("error: %v", err)
			}
			if s.Nodes[1].Err != nil || s.Nodes[1].Live == nil {
				t.Errorf("the other node has the error too: %v", s.Nodes[1].Err)
			}
		})
	}
}

// TestManyOrphans: a record that names a network is no port scan.
func TestManyOrphans(t *testing.T) {
	lvs := memberAt("director", "lvs", 2)
	var many []state.Member
	for i := range 3 * mostOrphans {
		many = append(many, state.Member{Name: fmt.Sprintf("web-%04d", i), Role: "real_server", Place: state.Place{Host: fmt.Sprintf("h%04d", i)}})
	}
	w := &world{hosts: map[string]*live.Node{"lvs": recorded("M", lvs, many...)}}
	s := w.search(Options{}, lvs)
	if len(w.asked) != mostOrphans || len(s.Nodes) != 1+len(many) {
		t.Errorf("%d are asked of %d", len(w.asked), len(s.Nodes))
	}
	if i := slices.IndexFunc(s.Nodes, func(n Node) bool { return n.Err == errNotVisited }); i != 1+mostOrphans {
		t.Errorf("the first that is not asked is %d", i)
	}
}
