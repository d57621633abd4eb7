package apply_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lvsctl/lvsctl/apply"
	"github.com/lvsctl/lvsctl/internal/netsystem"
	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/internal/survey"
	"github.com/lvsctl/lvsctl/plan"
)

const topologyName = "test"

// job is a host and what it should have.
type job struct {
	*node
	want *state.State
	// wrap, if set, returns the runner that the apply uses in place of each connection.
	wrap func(remote.Runner) remote.Runner
	role string // default real_server
	// persist is the network system for the files of the next boot; default none.
	persist netsystem.Name
	// named is set if records name the host.
	named bool
}

func (j job) dial(ctx context.Context) (remote.Runner, error) {
	r, err := j.node.dial(ctx)
	if err == nil && j.wrap != nil {
		r = j.wrap(r)
	}
	return r, err
}

// look reads hosts and makes a plan.
func look(t testing.TB, jobs ...job) *surveyed {
	t.Helper()
	s, err := take(t.Context(), jobs...)
	check(t, err)
	t.Cleanup(s.Close)
	return s
}

// surveyed is a plan with the connections over which the hosts were read.
type surveyed struct{ *survey.Survey }

// take reads hosts and makes a plan. A host that cannot be read is an error.
func take(ctx context.Context, jobs ...job) (*surveyed, error) {
	var nodes []survey.Node
	for _, j := range jobs {
		role := j.role
		if role == "" {
			role = "real_server"
		}
		in := plan.Input{Name: j.name, Role: role, Address: j.name, Want: j.want, Persist: j.persist, Chosen: true}
		if j.named {
			in.Member = state.Member{Name: j.name, Role: role, Place: state.Place{Host: j.name}}
		}
		nodes = append(nodes, survey.Node{Input: in, Dial: j.dial})
	}
	s, err := survey.Take(ctx, topologyName, nodes, survey.Options{})
	if err != nil {
		return nil, err
	}
	for _, n := range s.Nodes {
		if n.Err != nil {
			s.Close()
			return nil, n.Err
		}
	}
	return &surveyed{s}, nil
}

// longTimeout is the rollback timeout for hosts that lvsctl comes back to: a busy machine
// must not fail.
const longTimeout = time.Minute

func (s *surveyed) apply(ctx context.Context, change func(*apply.Options)) apply.Result {
	o := apply.Options{Parallelism: 8, Rollback: longTimeout, Owner: "somebody@here"}
	if change != nil {
		change(&o)
	}
	return apply.Run(ctx, s.Plan, s.Reach(), o)
}

// must applies, and fails the test unless the result is complete.
func must(t testing.TB, jobs ...job) {
	t.Helper()
	s := look(t, jobs...)
	if result := s.apply(t.Context(), nil); !result.Complete() {
		t.Fatalf("cannot apply: %s", explain(result))
	}
}

// explain is a result in words, for a failed test.
func explain(r apply.Result) string {
	var b strings.Builder
	fmt.Fprintln(&b, r.Summary("Apply"))
	for _, a := range r.Plan.Actions {
		fmt.Fprintf(&b, "%s: %s %s: %s: %v\n", a.Node, a.Kind, a.Key, r.Outcomes[a.ID].Status, r.Outcomes[a.ID].Err)
	}
	for name, err := range r.Reverted {
		fmt.Fprintf(&b, "%s was put back: %v\n", name, err)
	}
	for name, err := range r.Unconfirmed {
		fmt.Fprintf(&b, "%s is not confirmed: %v\n", name, err)
	}
	for _, err := range r.Locked {
		fmt.Fprintln(&b, err)
	}
	for _, err := range r.Stale {
		fmt.Fprintln(&b, err)
	}
	return b.String()
}
