package adopt

import (
	"fmt"
	"strings"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// A Proof is what a plan would do with the nodes that a draft was made of.
type Proof struct {
	// Nodes are all that were planned, in the plan's order.
	Nodes []string
	// Changes are what is live now and would change, and what keeps a node from being
	// planned. There are none if the draft is right.
	Changes []Finding
	// Added are what a node lacks and would get.
	Added []Finding
}

// A Finding is one change on one node.
type Finding struct{ Node, What, Why string }

// Prove sorts what a plan would do.
func Prove(p *plan.Plan, inputs []plan.Input) Proof {
	var proof Proof
	byName := map[string]plan.Input{}
	for _, in := range inputs {
		byName[in.Name] = in
	}
	for _, alarm := range p.Alarms {
		proof.Changes = append(proof.Changes, Finding{"", alarm, ""})
	}
	for _, n := range p.Nodes {
		if n.Chosen {
			proof.Nodes = append(proof.Nodes, n.Name)
			for _, problem := range n.Problems {
				proof.Changes = append(proof.Changes, Finding{n.Name, problem, "a plan refuses the node until this is mended"})
			}
		}
	}
	doc := p.Document()
	for i := range p.Actions {
		a := &p.Actions[i]
		f := Finding{Node: a.Node, What: doc.Changes[i].Text()}
		var added bool
		if f.Why, added = additional(a, byName[a.Node]); added {
			proof.Added = append(proof.Added, f)
			continue
		}
		f.Why = strings.TrimSpace(string(a.Risk))
		proof.Changes = append(proof.Changes, f)
	}
	return proof
}

// additional says why lvsctl would add something, and reports whether it is no more than
// that: nothing that is live changes.
func additional(a *plan.Action, in plan.Input) (why string, added bool) {
	switch {
	case a.Op == state.Remove:
		return "", false
	case a.Kind.Persistent():
		return "brings back at the next boot what is live now", true
	case a.Kind == state.KindSysctl:
		key, _ := a.Key.(state.SysctlKey)
		usual, known := state.DefaultSysctl(string(key))
		unset := a.Op == state.Add || known && strings.Join(strings.Fields(usual), " ") == strings.Join(strings.Fields(a.Before), " ") || strings.HasSuffix(string(key), "/rp_filter")
		return parameters[lastPart(string(key))], unset
	case a.Kind == state.KindLink:
		return "the device takes packets only if it is up", true
	case a.Kind == state.KindConf:
		return sameKeepalived(in)
	case a.Kind == state.KindKeepalived && a.Op == state.Edit:
		return sameKeepalived(in)
	case a.Op == state.Add:
		why, added = additions[a.Kind]
		return why, added
	}
	return "", false
}

// additions are why lvsctl adds entries of a kind that are not there. Services and servers
// are not among them: with them the director balances otherwise.
var additions = map[state.Kind]string{
	state.KindPackage: "lvsctl sets the node up with it",
	state.KindModule:  "it is loaded before it is needed",
	state.KindRule:    "a rule of lvsctl's own, to the effect of the node's",
	state.KindFOU:     "gue packets come to that port",
	state.KindAddress: "the node takes packets to the VIP only if it has it",
	state.KindRoute:   "the answers need a way back",
	state.KindPolicy:  "it leads the answers to the director",
}

// parameters are why the roles want a kernel parameter.
var parameters = map[string]string{
	"arp_ignore":                "the real server must not answer for the VIP",
	"arp_announce":              "the real server must not announce the VIP",
	"ip_forward":                "the node forwards packets",
	"forwarding":                "the node forwards packets",
	"send_redirects":            "the director must not lead packets around itself",
	"conn_reuse_mode":           "a client that uses a port again is scheduled again",
	"conntrack":                 "netfilter must see the packets whose source it rewrites",
	"rp_filter":                 "packets come in by another device than answers leave by",
	"expire_quiescent_template": "clients that persist leave a real server without weight",
}

func lastPart(key string) string { return key[strings.LastIndexByte(key, '/')+1:] }

// sameKeepalived reports whether keepalived does the same by the file that lvsctl would
// write.
func sameKeepalived(in plan.Input) (why string, same bool) {
	if in.Keepalived == nil || in.Live == nil {
		return "", false
	}
	k := in.Live.Facts.Keepalived
	if len(keepalived.Reload(k.Loaded, *in.Keepalived, k.Version)) > 0 || !sameEntries(k.Loaded, *in.Keepalived) {
		return "", false
	}
	return "lvsctl writes the same in its own words; the old file stays beside it", true
}

// sameEntries reports whether two configurations have the same instances with the same
// addresses, and the same services with the same servers.
func sameEntries(a, b keepalived.Config) bool {
	list := func(c keepalived.Config) map[string]bool {
		all := map[string]bool{}
		for _, i := range c.Instances {
			all[fmt.Sprint("instance ", i.RouterID, i.Interface, i.Priority)] = true
			for _, addr := range i.Addresses() {
				all[fmt.Sprint("address ", i.RouterID, addr.Prefix, addr.Dev)] = true
			}
		}
		for _, s := range c.Services {
			k := live.KeepalivedService(s).String()
			all[fmt.Sprint("service ", k, s.Scheduler, s.Persistence, s.Sorry)] = true
			for _, r := range s.Servers {
				all[fmt.Sprint("server ", k, r.Addr, r.Weight)] = true
			}
		}
		return all
	}
	have, want := list(a), list(b)
	for e := range have {
		if !want[e] {
			return false
		}
	}
	return len(have) == len(want)
}
