package adopt

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/roles"
	"github.com/lvsctl/lvsctl/topology"
)

// applied are the nodes of a topology as they are read when it was applied. byHand leaves
// out the record: then somebody else has made them so.
func applied(t *topology.Topology, wants []roles.Want, byHand bool) []Seen {
	var list []Seen
	for _, w := range wants {
		s := Seen{Name: w.Node.Name, State: w.State.Clone(), Record: state.NewRecord(t.Name), Keepalived: w.Keepalived}
		for _, i := range w.Node.Interfaces {
			for _, p := range i.Addresses {
				s.State.Addresses[state.AddressKey{Prefix: p, Dev: i.Name}] = state.Address{}
			}
		}
		if w.Keepalived != nil {
			for _, i := range w.Keepalived.Instances {
				for _, a := range i.Addresses() {
					s.State.Addresses[state.AddressKey{Prefix: a.Prefix, Dev: a.Dev}] = state.Address{}
				}
			}
		}
		for k, r := range w.State.Rules {
			tool := "iptables\n"
			if k.V6 {
				tool = "ip6tables\n"
			}
			s.Rules = append(s.Rules, state.ParseEveryRule(tool+"*"+k.Table+"\n-A "+k.Chain+" "+r.Spec+"\n")...)
		}
		if !byHand {
			s.Record.Set = w.State.Clone()
			s.Record.Exclusive = w.Node.Exclusive
		}
		list = append(list, s)
	}
	return list
}

// entries are what a State wants, one a line.
func entries(s *state.State) []string {
	var list []string
	for _, c := range state.Diff(state.New(), s) {
		list = append(list, strings.TrimSuffix(c.Ref.String()+": "+c.After, ": "))
	}
	return list
}

// TestFoundAgain applies each topology in thought, makes a draft of what is read then,
// and asks what that wants: the same of every node. A second import writes the same bytes.
func TestFoundAgain(t *testing.T) {
	for _, g := range allGiven(t) {
		if _, diags := roles.Wants(g.Topology); diags.HasErrors() {
			continue // it contradicts itself: no node is as it wants
		}
		t.Run(g.name, func(t *testing.T) { foundAgain(t, g.Topology, false) })
		t.Run(g.name+" by hand", func(t *testing.T) { foundAgain(t, g.Topology, true) })
	}
}

func foundAgain(t *testing.T, top *topology.Topology, byHand bool) {
	wants, diags := roles.Wants(top)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	d := FromNodes(top.Name, applied(top, wants, byHand))
	text := Write(d)
	have := loaded(t, d, text)
	again, diags := roles.Wants(have)
	if diags.HasErrors() {
		t.Fatalf("%v\n%s", diags, text)
	}
	byName := map[string]roles.Want{}
	for _, w := range again {
		byName[w.Node.Name] = w
	}
	for _, w := range wants {
		found, ok := byName[w.Node.Name]
		if !ok {
			if lines := entries(w.State); len(lines) > 0 && !leftOut(d, w.Node.Name) {
				t.Errorf("%s was not found, which wants %q", w.Node.Name, lines)
			}
			continue
		}
		if diff := cmp.Diff(w.Keepalived, found.Keepalived, alike); diff != "" {
			t.Errorf("keepalived of %s (-want +have):\n%s", w.Node.Name, diff)
		}
		want, have := entries(w.State), entries(found.State)
		if byHand {
			// What nobody has set is not asked for: nothing is that is not live.
			for _, line := range have {
				if !slices.Contains(want, line) {
					t.Errorf("%s: %s is wanted and was not there", w.Node.Name, line)
				}
			}
			continue
		}
		if diff := cmp.Diff(w.State.Blocks, found.State.Blocks); diff != "" {
			t.Errorf("files of %s (-want +have):\n%s", w.Node.Name, diff)
		}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("%s (-want +have):\n%s", w.Node.Name, diff)
		}
	}
	if t.Failed() {
		t.Logf("%s", text)
	}
	all := applied(have, again, byHand)
	for _, s := range applied(top, wants, byHand) {
		if leftOut(d, s.Name) {
			all = append(all, s)
		}
	}
	second := Write(FromNodes(top.Name, all))
	if !bytes.Equal(text, second) && !t.Failed() {
		t.Errorf("the second import differs (-first +second):\n%s", cmp.Diff(string(text), string(second)))
	}
}

func leftOut(d Draft, node string) bool {
	return slices.ContainsFunc(d.Remarks, func(r Remark) bool { return r.Source == node && r.Kind == Lost && r.At == Element{} })
}
