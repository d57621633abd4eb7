package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// TestModeChange checks the actions and risks of a real server whose mode changes, so
// that its replies take another route.
func TestModeChange(t *testing.T) {
	const (
		server = "tcp 10.1.0.100:80 -> 10.1.0.11:80"
		begin  = "lvsctl_reply_route 10.1.0.100 10.1.0.1 eth0 301"
		end    = "lvsctl_reply_route_end 10.1.0.100"
		direct = "ip -4 route replace default via 10.1.0.1 dev eth0"
		nat    = "ip -4 route replace default via 10.1.0.2 dev eth0"
	)
	byNAT, byDR := onLAN("nat", "rr", "a"), onLAN("dr", "rr", "a")
	keeping := func(text string) string {
		return strings.Replace(text, `director "lvs" {`, `director "lvs" {
  sysctl = { "net.ipv4.vs.conn_reuse_mode" = "1" }`, 1)
	}
	for _, c := range []struct {
		name, from, to string
		prepare        func(c *cluster)
		// want are the changes of the real server's routes and of the director's table,
		// in order.
		want []string
		risk plan.Risk
		// warned is part of the director's warning.
		warned string
	}{
		{
			name: "nat to dr", from: byNAT, to: byDR,
			want: []string{begin, "lvs changes", direct, end}, risk: "cuts what is left of 3 open connections that came by nat",
		},
		{
			name: "dr to nat", from: byDR, to: byNAT,
			want: []string{begin, nat, "lvs changes", end}, risk: "cuts what is left of 3 open connections that came by dr",
		},
		{
			name: "a director that is to keep closed connections", from: keeping(byNAT), to: keeping(byDR),
			want: []string{begin, "lvs changes", direct, end}, risk: "cuts what is left of 3 open connections that came by nat",
			warned: "real servers go from nat to dr with net.ipv4.vs.conn_reuse_mode = 1: requests of clients that use a port again within two minutes may fail; leave that parameter to lvsctl to lose none",
		},
		{
			name: "without the director", from: byNAT, to: byDR, prepare: func(c *cluster) { c.leftOut["lvs"] = true },
			want: []string{"held: lvs is left out", direct},
		},
		{
			name: "to nat without the director", from: byDR, to: byNAT, prepare: func(c *cluster) { c.leftOut["lvs"] = true },
			want: []string{"held: lvs is left out", nat},
		},
		{
			name: "a director that cannot be changed", from: byNAT, to: byDR, prepare: func(c *cluster) { c.breakBase("lvs") },
			want: []string{"held: lvs cannot be changed", direct},
		},
		{
			name: "to nat by a director that cannot be changed", from: byDR, to: byNAT, prepare: func(c *cluster) { c.breakBase("lvs") },
			want: []string{"held: lvs cannot be changed", nat},
		},
		{
			name: "a director that could not be read", from: byNAT, to: byDR, prepare: func(c *cluster) { c.lost["lvs"] = true },
			want: []string{"held: lvs could not be read and may still send there", direct},
		},
		{
			name: "a real server that was nobody's", from: onLAN("", ""), to: byNAT,
			prepare: func(c *cluster) { c.exec(t, "a", "ip -4 route add default via 10.1.0.1 dev eth0") },
			want:    []string{nat},
		},
		{
			name: "one that keeps its way", from: byDR, to: byDR,
			prepare: func(c *cluster) { c.exec(t, "a", "ip -4 route replace default via 10.1.0.7 dev eth0") },
			want:    []string{direct},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := newCluster()
			cl.bring(t, c.from)
			cl.connections[server] = state.Connections{Active: 3}
			if c.prepare != nil {
				c.prepare(cl)
			}
			p := plan.Build(topologyName, cl.inputs(t, cl.wants(t, c.to), false))
			var have []string
			risk := plan.Risk("")
			for _, a := range p.Actions {
				if a.Kind == state.KindServer && a.Held == "" && c.risk != "" {
					have = append(have, "lvs changes")
				}
				for _, command := range a.Do {
					if text := command.String(); a.Node == "a" && (strings.Contains(text, "default via") || strings.HasPrefix(text, "lvsctl_")) {
						if a.Held != "" {
							have = append(have, "held: "+a.Held)
						}
						have = append(have, text)
					}
				}
				if a.Node == "a" {
					risk += a.Risk
				}
			}
			if d := cmp.Diff(c.want, slices.Compact(have)); d != "" {
				t.Errorf("%s\n%q", d, shown(p))
			}
			if d := cmp.Diff(c.risk, risk); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(c.warned, strings.Join(p.Nodes[0].Warnings, "\n")); d != "" {
				t.Error(d)
			}
		})
	}
}
