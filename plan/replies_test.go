package plan_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// TestReplies has rules (ip rule) of a real server's own, which lead its replies to their
// gateway already, or somewhere else.
func TestReplies(t *testing.T) {
	rip, dip, vip := netip.MustParseAddr("10.1.0.5"), netip.MustParseAddr("10.1.0.1"), netip.MustParseAddr("10.1.0.100")
	management := state.Route{Via: netip.MustParseAddr("10.1.0.254"), Dev: "eth0"}
	anywhere := state.NewRouteKey(netip.MustParsePrefix("0.0.0.0/0"), 0)
	table100 := anywhere
	table100.Table = "100"
	nat := state.Reply{Flow: state.Flow{From: rip, Protocol: state.TCP, Port: 80}, Via: dip, Exactly: true}
	dr := state.Reply{Flow: state.Flow{From: vip, Protocol: state.TCP, Port: 80}, Via: management.Via, Never: []netip.Addr{dip}}
	through := func(via string) state.Route { return state.Route{Via: netip.MustParseAddr(via), Dev: "eth0"} }

	for name, c := range map[string]struct {
		reply    state.Reply
		selector string
		action   string
		table    *state.Route // the default route of table 100
		halves   *state.Route // the routes 0.0.0.0/1 and 128.0.0.0/1
		ours     bool         // the record has the default route
		want     []string     // changes
		note     string
		problem  string
	}{
		"no rule": {reply: nat, want: []string{"change route default"}},
		"a rule leads to the director": {
			reply: nat, selector: "from 10.1.0.5", action: "lookup 100", table: new(through("10.1.0.1")),
			note: `replies take their way by the node's own rule "50 from 10.1.0.5 lookup 100"`,
		},
		"a rule for the port leads to the director": {
			reply: nat, selector: "from 10.1.0.5 ipproto tcp sport 80", action: "lookup 100", table: new(through("10.1.0.1")),
			note: `replies take their way`,
		},
		"a rule for another port": {
			reply: nat, selector: "from 10.1.0.5 ipproto tcp sport 81", action: "lookup 100", table: new(through("10.1.0.1")),
			want: []string{"change route default"},
		},
		"a rule for marked packets": {
			reply: nat, selector: "fwmark 0x1", action: "lookup 100", table: new(through("10.1.0.9")),
			want: []string{"change route default"},
		},
		"a rule whose table is empty": {
			reply: nat, selector: "from 10.1.0.5", action: "lookup 100", want: []string{"change route default"},
		},
		"the topology set the default route before there was a rule": {
			reply: nat, selector: "from 10.1.0.5", action: "lookup 100", table: new(through("10.1.0.1")), ours: true,
			want: []string{"change route default"},
		},
		"a rule leads elsewhere": {
			reply: nat, selector: "from 10.1.0.0/24", action: "lookup 100", table: new(through("10.1.0.9")),
			problem: `its rule "50 from 10.1.0.0/24 lookup 100" (ip rule) comes before the default route: replies from 10.1.0.5 leave via 10.1.0.9 dev eth0 instead of via 10.1.0.1`,
		},
		"a rule refuses": {
			reply: nat, selector: "from 10.1.0.5", action: "unreachable",
			problem: `replies from 10.1.0.5 do not leave at all`,
		},
		"two routes for everything, as a VPN sets them": {
			reply: nat, halves: new(state.Route{Via: netip.MustParseAddr("10.8.0.1"), Dev: "tun0"}),
			problem: `comes before the default route: replies from 10.1.0.5 leave via 10.8.0.1 dev tun0 instead of via 10.1.0.1; take that route away on the node, or say way_back = "rule"`,
		},
		"two routes for everything, and a rule for the replies": {
			reply: nat, halves: new(state.Route{Via: netip.MustParseAddr("10.8.0.1"), Dev: "tun0"}), selector: "from 10.1.0.5", action: "lookup 100", table: new(through("10.1.0.1")),
			note: `replies take their way`,
		},
		"a rule for what the node itself sends": {
			reply: nat, selector: "iif lo", action: "lookup 100", table: new(through("10.1.0.9")),
			problem: `its rule "50 iif lo lookup 100" (ip rule) comes before the default route`,
		},
		"a rule as wg-quick sets it, for what is not its own": {
			reply: nat, selector: "not from all fwmark 0xca6c", action: "lookup 100", table: new(through("10.1.0.9")),
			problem: `(ip rule) comes before the default route`,
		},
		"dr: a rule leads by another router": {
			reply: dr, selector: "from 10.1.0.100", action: "lookup 100", table: new(through("10.1.0.9")),
			note: `replies take their way`,
		},
		"dr: a rule leads to the director": {
			reply: dr, selector: "from 10.1.0.100", action: "lookup 100", table: new(through("10.1.0.1")),
			problem: `replies from 10.1.0.100 leave via 10.1.0.1 dev eth0 instead of via 10.1.0.254`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := state.New()
			want.Routes[anywhere] = through(c.reply.Via.String())
			in := onEth0(want)
			in.Replies, in.ByRole = []state.Reply{c.reply}, map[state.Ref]bool{{Kind: state.KindRoute, Key: anywhere}: true}
			live := in.Live.State
			live.Routes[anywhere] = through("10.1.0.253")
			live.Policies[state.PolicyKey{Priority: 32766}] = state.Policy{Action: "lookup main"}
			if c.action != "" {
				live.Policies[state.PolicyKey{Priority: 50, Selector: c.selector}] = state.Policy{Action: c.action}
			}
			if c.table != nil {
				live.Routes[table100] = *c.table
			}
			if c.halves != nil {
				live.Routes[state.NewRouteKey(netip.MustParsePrefix("0.0.0.0/1"), 0)] = *c.halves
				live.Routes[state.NewRouteKey(netip.MustParsePrefix("128.0.0.0/1"), 0)] = *c.halves
			}
			if c.ours {
				in.Live.Record.Set.Routes[anywhere] = through(c.reply.Via.String())
			}
			p := plan.Build(topologyName, []plan.Input{in})
			var have []string
			for _, a := range p.Actions {
				if !a.Kind.Persistent() {
					have = append(have, string(a.Op)+" "+a.Ref.String())
				}
			}
			if d := cmp.Diff(c.want, have); d != "" {
				t.Errorf("changes (-want +have):\n%s", d)
			}
			n := p.Nodes[0]
			if notes := strings.Join(n.Notes, "\n"); !strings.Contains(notes, c.note) || c.note == "" && strings.Contains(notes, "replies") {
				t.Errorf("notes: want %q, have %q", c.note, notes)
			}
			if problems := strings.Join(n.Problems, "\n"); !strings.Contains(problems, c.problem) || c.problem == "" && problems != "" {
				t.Errorf("problems: want %q, have %q", c.problem, problems)
			}
		})
	}
}
