package apply_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/apply"
	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// oldState and newState are the two wanted States of these tests' hosts. The way from one
// to the other adds, changes and removes entries, and sets forwarding, along with which
// the kernel sets other parameters.
func oldState() *state.State {
	s := state.New()
	s.Sysctls["net/ipv4/conf/lo/arp_ignore"] = "1"
	addAddress(s, "10.0.0.100/32")
	addRoute(s, "10.1.0.0/16", "10.0.0.253")
	return s
}

func newState() *state.State {
	s := state.New()
	s.Sysctls["net/ipv4/ip_forward"] = "1"
	s.Sysctls["net/ipv4/conf/lo/arp_ignore"] = "1"
	s.Sysctls["net/ipv4/conf/all/arp_ignore"] = "1"
	s.Sysctls["net/ipv4/conf/all/arp_announce"] = "2"
	addAddress(s, "10.0.0.101/32")
	addRoute(s, "0.0.0.0/0", "10.0.0.254")
	addRoute(s, "10.2.0.0/16", "10.0.0.253")
	return s
}

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func addAddress(s *state.State, p string) {
	s.Addresses[state.AddressKey{Prefix: prefix(p), Dev: "lo"}] = state.Address{}
}

func addRoute(s *state.State, dst, via string) {
	s.Routes[state.NewRouteKey(prefix(dst), 0)] = state.Route{Via: netip.MustParseAddr(via), Dev: "eth0"}
}

// passage is a host that goes from its old state to its new one.
type passage struct {
	*node
	// states are the snapshots that are allowed: the old state, the state after the
	// first of the two transactions, and the new state.
	states []string
	record string // in the new state
	places int    // how many places for a gate an apply has
	// reset is a script that takes the host from its new state to its old one: the
	// commands of a plan, and the old record.
	reset, oldRecord string
	known            map[string][]int
}

// newPassage starts a host, and takes it to its new state and back, to know the states and
// the places.
func newPassage(t testing.TB, h hostOptions) *passage {
	t.Helper()
	h.setup += ethernet
	p := &passage{node: start(t, h), known: map[string][]int{}}
	must(t, job{node: p.node, want: oldState()})
	before := p.snapshot()
	p.oldRecord = p.node.record()
	s := look(t, job{node: p.node, want: newState()})
	s.Plan.Actions = slices.DeleteFunc(s.Plan.Actions, func(a plan.Action) bool { return a.Stage != plan.Ready })
	if r := s.apply(t.Context(), nil); !r.Complete() {
		t.Fatal(explain(r))
	}
	p.states = []string{before, p.snapshot()}
	must(t, job{node: p.node, want: newState()})
	p.states = append(p.states, p.snapshot())
	p.reset = p.resetScript()
	p.back()

	g := &gates{where: nowhere}
	s = look(t, job{node: p.node, want: newState(), wrap: g.wrap})
	g.open()
	if r := s.apply(t.Context(), nil); !r.Complete() {
		t.Fatal(explain(r))
	}
	p.places, p.record = g.places(), p.node.record()
	p.back()
	return p
}

// resetScript makes reset of the plan for the old state. The host is in its new one.
func (p *passage) resetScript() string {
	p.Helper()
	back := look(p, job{node: p.node, want: oldState()})
	var s shell.Script
	s.Line("set -e")
	for _, a := range back.Plan.Actions {
		for _, c := range a.Do {
			s.Line(c)
		}
	}
	s.Line(shell.Cmd("printf", "%s\n", strings.TrimSuffix(p.oldRecord, "\n")), " >", live.RecordPath(topologyName))
	return s.String()
}

// back takes the host from its new state to its old one. It does not apply: the tests go
// back after each place, and an apply would cost them a third of their time.
func (p *passage) back() {
	p.Helper()
	p.sh(p.reset)
	if have := p.node.record(); have != p.oldRecord {
		p.Fatalf("the record does not come back:\n%s", have)
	}
	if diff := cmp.Diff(p.states[0], p.snapshot()); diff != "" {
		p.Fatalf("the host does not come back to its old state (-want +have):\n%s", diff)
	}
}

// atRest is a command that succeeds if the host neither waits to be confirmed nor puts
// itself back. It looks in this order, because the one turns into the other.
const atRest = "! ls /run/lvsctl/*/armed 2>/dev/null && ! ls /run/lvsctl/*/firing.* 2>/dev/null"

// awaitRest waits until no apply and no rollback works on the host any more, and checks
// that the host is in one of its states. It looks for the shell first, because that may
// still arm the host.
func (p *passage) awaitRest() {
	p.Helper()
	eventually(p.node, time.Minute, "the host is at rest", func() bool {
		_, err := p.try(`! pgrep -f "^/bin/sh -s" && flock -n /run/lvsctl/lock true && ` + atRest)
		return err == nil
	})
	have := p.snapshot()
	if !slices.Contains(p.states, have) {
		p.Errorf("the host is in between; from the old state (-old +have):\n%s\nfrom the new one (-new +have):\n%s",
			cmp.Diff(p.states[0], have), cmp.Diff(p.states[len(p.states)-1], have))
	}
}

// finish applies once more. Then the host must be in its new state with nothing left
// over. It takes the host back to its old state.
func (p *passage) finish() {
	p.Helper()
	must(p, job{node: p.node, want: newState()})
	if diff := cmp.Diff(p.states[len(p.states)-1], p.snapshot()); diff != "" {
		p.Errorf("the next apply does not finish (-want +have):\n%s", diff)
	}
	if diff := cmp.Diff(p.record, p.node.record()); diff != "" {
		p.Errorf("the record afterwards (-want +have):\n%s", diff)
	}
	if left := p.left(); left != "" {
		p.Errorf("left over:\n%s", left)
	}
	p.back()
}

// everyPlace calls test for each place, on several hosts at the same time.
func everyPlace(t *testing.T, hosts int, h hostOptions, test func(t *testing.T, p *passage, place int)) {
	for i := range hosts {
		t.Run(fmt.Sprintf("host %d", i+1), func(t *testing.T) {
			t.Parallel()
			p := newPassage(t, h)
			for place := i; place < p.places; place += hosts {
				ok := t.Run(fmt.Sprintf("place %d", place), func(t *testing.T) {
					p.TB = t
					p.node.TB = t
					test(t, p, place)
				})
				p.TB, p.node.TB = t, t
				if !ok {
					return // after a failure the host's state is not known
				}
			}
		})
	}
}

// broken applies with a gate and returns the result.
func (p *passage) broken(g *gates) apply.Result {
	p.Helper()
	g.known = p.known
	s := look(p, job{node: p.node, want: newState(), wrap: g.wrap})
	g.open()
	r := s.apply(p.Context(), nil)
	if !g.passed() {
		p.Errorf("the gate was not reached: %s", explain(r))
	}
	return r
}

// checkComplete checks that a result is complete if and only if the host is as wanted.
func (p *passage) checkComplete(r apply.Result) {
	p.Helper()
	if is := p.snapshot() == p.states[len(p.states)-1]; is != r.Complete() {
		p.Errorf("that the host is as wanted is %t, and the result: %s", is, explain(r))
	}
}

// TestCutEverywhere cuts the connection between any two statements of an apply, while the
// host waits there, and while it goes on.
func TestCutEverywhere(t *testing.T) {
	needNodes(t)
	for name, goesOn := range map[string]bool{"held up": false, "going on": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			everyPlace(t, 4, hostOptions{}, func(t *testing.T, p *passage, place int) {
				g := &gates{where: where{number: place}, text: waiting}
				g.reached = func() {
					p.wire.cut()
					if goesOn {
						p.sh(": >/run/go")
					}
				}
				r := p.broken(g)
				p.sh(": >/run/go")
				p.awaitRest()
				p.checkComplete(r)
				p.sh("rm /run/go")
				p.finish()
			})
		})
	}
}

// TestShellKilledEverywhere kills the shell on the host between any two statements, as the
// kernel does when memory is short. The connection stays.
func TestShellKilledEverywhere(t *testing.T) {
	needNodes(t)
	everyPlace(t, 4, hostOptions{}, func(t *testing.T, p *passage, place int) {
		r := p.broken(&gates{where: where{number: place}, text: dying})
		p.awaitRest()
		p.checkComplete(r)
		p.finish()
	})
}
