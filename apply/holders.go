package apply

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// Who holds the addresses of a vrrp_instance.
//
// Premise. A director that runs keepalived as planned may still be wrong: if it does not
// hear the other director, both hold the address; if something is wrong with its device,
// neither does. No node can tell that by itself. So before a change of keepalived is
// confirmed, all directors of the instance are asked, and each address must be on exactly
// one of them. Otherwise the director is put back.
//
// When. A start, or a change of the instance, begins an election: until that is over an
// address may be nowhere, and a director that hears nobody has not taken it yet. So the
// answer counts once the election must be over, and it has [settling] more to become right.
//
// Whom. A director that could not be read is not asked. One that has an address by hand,
// and whose own keepalived is started later in this apply, does not count as a holder. An
// address that is new may be nowhere until the last director has been reloaded.

// settling is how much longer than its election a change may take to be right.
const settling = 15 * time.Second

// checkHolders sees that each address which a batch's keepalived moves is on one director.
// conn is the connection that the batch is confirmed over.
func (r *run) checkHolders(ctx context.Context, w *work, t *transaction, conn remote.Runner) error {
	changed := func(a *plan.Action) bool { return a.Kind == state.KindKeepalived && a.Op != state.Remove }
	if !slices.ContainsFunc(t.actions, changed) {
		return nil
	}
	var list []plan.Instance
	for _, inst := range r.Instances {
		if slices.Contains(inst.Directors, w.plan.Name) {
			list = append(list, inst)
		}
	}
	if len(list) == 0 {
		return nil
	}
	others, unasked := r.dialOthers(ctx, w, list)
	defer func() {
		for _, o := range others {
			_ = o.Close() // it was only asked
		}
	}()
	others[w.plan.Name] = shared{conn}
	begin := time.Now()
	for {
		over := time.Since(begin) >= w.plan.Election
		held, err := r.ask(ctx, w, t, list, others)
		if err == nil {
			err = r.judge(list, held, unasked)
			over = over || r.decided(list)
		}
		if over && err == nil {
			return nil
		}
		if time.Since(begin) >= w.plan.Election+settling {
			return err
		}
		pause := time.Second
		if r.opts.Rollback > 0 {
			pause = min(pause, r.opts.Rollback/3)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// shared is a connection that somebody else closes.
type shared struct{ remote.Runner }

func (shared) Close() error { return nil }

// dialOthers connects to the other directors of instances. unasked are those to which it
// cannot.
func (r *run) dialOthers(ctx context.Context, w *work, list []plan.Instance) (others map[string]remote.Runner, unasked map[string]bool) {
	others, unasked = map[string]remote.Runner{}, map[string]bool{}
	for _, inst := range list {
		for _, d := range inst.Directors {
			n, read := r.nodes[d]
			if d == w.plan.Name || others[d] != nil || unasked[d] {
				continue
			}
			if !read || n.Runner == nil {
				unasked[d] = true
				continue
			}
			conn, err := n.Dial(ctx)
			if err != nil {
				unasked[d] = true
				r.note(w, "cannot ask %s which addresses it holds: %s", d, remote.FirstLine(err))
				continue
			}
			others[d] = conn
		}
	}
	return others, unasked
}

// ask finds which directors hold each address.
func (r *run) ask(ctx context.Context, w *work, t *transaction, list []plan.Instance, directors map[string]remote.Runner) (map[string][]string, error) {
	var args []string
	for _, inst := range list {
		for _, a := range inst.Addresses {
			args = append(args, a.String())
		}
	}
	answers := make(map[string]*[]string, len(directors))
	var group errgroup.Group
	for name, conn := range directors {
		answer := &[]string{}
		answers[name] = answer
		group.Go(func() error {
			var s shell.Script
			if name == w.plan.Name && t.id != "" {
				t.resume(&s, r.rollbackSeconds(w))
				s.Line(shell.Call(shell.PutOff))
			}
			s.Line(shell.Call(shell.Holds, args...))
			out, err := conn.Run(ctx, remote.Script{Body: s.String()})
			if err != nil {
				return fmt.Errorf("cannot ask %s which addresses it holds: %w", name, err)
			}
			*answer = strings.Fields(out.Stdout)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	held := map[string][]string{}
	for name, answer := range answers {
		for _, a := range *answer {
			held[a] = append(held[a], name)
		}
	}
	return held, nil
}

// judge says which address is not on exactly one director.
func (r *run) judge(list []plan.Instance, held map[string][]string, unasked map[string]bool) error {
	waits := r.waiting()
	var wrong []string
	for _, inst := range list {
		for _, a := range inst.Addresses {
			holders := slices.Clone(held[a.String()])
			slices.Sort(holders)
			counted := slices.DeleteFunc(slices.Clone(holders), func(d string) bool { return waits[d] == state.Add })
			switch {
			case len(counted) > 1:
				wrong = append(wrong, fmt.Sprintf("%s of vrrp_instance %s is on %s: they do not hear each other; look for a firewall that drops IP protocol 112", a, inst.Name, strings.Join(counted, " and ")))
			case len(holders) > 0 || slices.ContainsFunc(inst.Directors, func(d string) bool {
				return unasked[d] || waits[d] == state.Edit && slices.Contains(inst.New, a)
			}):
			default:
				wrong = append(wrong, fmt.Sprintf("no director holds %s of vrrp_instance %s", a, inst.Name))
				continue
			}
			if inst.Master != "" && len(counted) == 1 && counted[0] != inst.Master && !waits.any(inst.Directors) {
				wrong = append(wrong, fmt.Sprintf("%s of vrrp_instance %s is still on %s", a, inst.Name, counted[0]))
			}
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("keepalived runs, but %s", strings.Join(wrong, "; "))
}

// decided reports whether nobody is elected any more where the holders are as judge wants
// them: it is said who is to be master, and all directors have been told.
func (r *run) decided(list []plan.Instance) bool {
	waits := r.waiting()
	return slices.ContainsFunc(list, func(inst plan.Instance) bool { return inst.Master != "" && !waits.any(inst.Directors) })
}

// waiting are the directors whose keepalived this apply has yet to start or to reload.
type waiting map[string]state.Op

func (w waiting) any(directors []string) bool {
	return slices.ContainsFunc(directors, func(d string) bool { return w[d] != "" })
}

func (r *run) waiting() waiting {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := waiting{}
	for i := range r.Actions {
		a := &r.Actions[i]
		if a.Kind == state.KindKeepalived && a.Op != state.Remove && !r.result.Outcomes[a.ID].Status.inForce() {
			list[a.Node] = a.Op
		}
	}
	return list
}
