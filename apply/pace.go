package apply

import (
	"fmt"
	"maps"
	"slices"

	"github.com/maruel/natural"

	"github.com/lvsctl/lvsctl/internal/plural"
	"github.com/lvsctl/lvsctl/plan"
)

// Who goes first.
//
// Premise. A mistake in a topology is made on every node alike. So it is made on one of
// them first, where the confirmation finds it, and the others keep what they have.
//
// Rules. Each holds within a stage: a node's batch of a stage waits for the other node's
// batch of the same stage, or for the files of its next boot if it writes such.
//
//	canary     Of nodes with the same changes the first one by name goes first. The
//	           others follow when it is confirmed, and are skipped if it is not.
//	directors  Those that have a virtual server in common are changed one after
//	           another, each only if the one before it was confirmed.
//	batch      Of all nodes but directors so many are changed at the same time, the
//	           canaries first. The next ones follow when all of these have ended.
//	failures   When Options.StopAfter nodes have failed, no further one is begun. Those
//	           that have begun are finished.
//
// Directors in pairs have an order of their own in the plan, because keepalived's state
// decides it; they are left to that.
//
// Nobody waits for ever: within a stage each node waits for such that come before it in
// one list (canaries, then the others; directors have their own), what an action needs on
// another node is of an earlier stage, and stages have one order. A node that waits has no
// slot.
//
// Example. web-1 to web-9 get a sysctl, a VIP each and files; d1 and d2 a service. web-1 is
// made ready and confirmed, then web-2 to web-9. d1 adds the service, and when it is
// confirmed d2. The files of web-1 come before those of the others.

// awaited are batches of other nodes that a batch waits for. All nodes that wait for the
// same ones share it. With must, each of them has to be in force, too.
type awaited struct {
	keys []batchKey
	must bool
}

// pace finds who waits for whom.
func (r *run) pace() {
	r.waits = map[batchKey][]*awaited{}
	r.ofBatch = map[batchKey][]*plan.Action{}
	for i := range r.Actions {
		a := &r.Actions[i]
		k := batchKey{a.Node, a.Stage}
		r.ofBatch[k] = append(r.ofBatch[k], a)
		if _, ok := r.batches[k]; !ok {
			r.batches[k] = make(chan struct{}) // of the files for the next boot
		}
	}
	var canaries, others []string
	alike := map[string]int{} // a director's group
	for i, group := range r.Alike() {
		if r.works[group[0]].plan.Role == roleDirector {
			for _, name := range group {
				alike[name] = i
			}
			continue
		}
		canaries, others = append(canaries, group[0]), append(others, group[1:]...)
		if r.opts.Canary {
			r.follow(group[1:], group[:1], true)
		}
	}
	if r.opts.Canary {
		directors := r.directors()
		for i, name := range directors {
			for _, first := range directors[:i] {
				if alike[first] == alike[name] || r.share(first, name) {
					r.follow([]string{name}, []string{first}, true)
				}
			}
		}
	}
	r.inBatches(append(canaries, others...))
}

const roleDirector = "director"

// directors are those that have actions and no order of their own in the plan, by name.
func (r *run) directors() []string {
	of := map[int]*work{}
	for i := range r.Actions {
		of[r.Actions[i].ID] = r.works[r.Actions[i].Node]
	}
	all, ordered := map[string]bool{}, map[string]bool{}
	for i := range r.Actions {
		w := r.works[r.Actions[i].Node]
		if w.plan.Role != roleDirector {
			continue
		}
		name := w.plan.Name
		all[name] = true
		ordered[name] = ordered[name] || w.plan.Together
		for _, id := range r.Actions[i].Needs {
			if other := of[id]; other != w && other.plan.Role == roleDirector {
				ordered[name], ordered[other.plan.Name] = true, true
			}
		}
	}
	maps.DeleteFunc(all, func(name string, _ bool) bool { return ordered[name] })
	return slices.SortedFunc(maps.Keys(all), natural.Compare)
}

// share reports whether two directors have, or are to have, a virtual server in common.
func (r *run) share(a, b string) bool {
	one, other := r.works[a].plan.Settled, r.works[b].plan.Settled
	for k := range one.Want.Services {
		if _, ok := other.Want.Services[k]; ok {
			return true
		}
	}
	for k := range one.Have.Services {
		if _, ok := other.Have.Services[k]; ok {
			return true
		}
	}
	return false
}

// inBatches has nodes wait for those of the batch before theirs.
func (r *run) inBatches(names []string) {
	size := r.opts.Batch.of(len(names))
	if size <= 0 {
		return
	}
	var last []string
	for batch := range slices.Chunk(names, size) {
		r.follow(batch, last, false)
		last = batch
	}
}

// follow has nodes wait for others in every stage.
func (r *run) follow(names, others []string, must bool) {
	for _, stage := range []plan.Stage{plan.Ready, plan.Send, plan.Stop, plan.Clear, plan.Persist} {
		b := &awaited{must: must}
		for _, other := range others {
			for _, s := range together(stage) {
				if k := (batchKey{other, s}); len(r.ofBatch[k]) > 0 {
					b.keys = append(b.keys, k)
				}
			}
		}
		if len(b.keys) == 0 {
			continue
		}
		for _, name := range names {
			k := batchKey{name, stage}
			r.waits[k] = append(r.waits[k], b)
		}
	}
}

// together are the stages that a batch of a stage may have: a director sends and stops in
// one.
func together(s plan.Stage) []plan.Stage {
	if s == plan.Send || s == plan.Stop {
		return []plan.Stage{plan.Send, plan.Stop}
	}
	return []plan.Stage{s}
}

// awaitTurn waits until those that go before a batch have ended. It returns why the batch is
// not begun although its node could: who goes first was not changed, or too many failed.
func (r *run) awaitTurn(w *work, keys ...batchKey) error {
	for _, k := range keys {
		for _, b := range r.waits[k] {
			for _, first := range b.keys {
				<-r.batches[first]
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range keys {
		for _, b := range r.waits[k] {
			if !b.must {
				continue
			}
			for _, first := range b.keys {
				if !r.inForce(first) {
					return fmt.Errorf("not begun: %s, which goes first, was not changed", first.node)
				}
			}
		}
	}
	return r.tooMany(w)
}

// inForce reports whether all of a batch is, but for what the plan itself holds back. r.mu
// is locked.
func (r *run) inForce(k batchKey) bool {
	return !slices.ContainsFunc(r.ofBatch[k], func(a *plan.Action) bool {
		return a.Held == "" && !r.result.Outcomes[a.ID].Status.inForce()
	})
}

// tooMany is why a node is not begun any more, or nil. r.mu is locked.
func (r *run) tooMany(w *work) error {
	if limit := r.opts.StopAfter; limit == 0 || r.failed < limit || w.begun {
		return nil
	}
	return fmt.Errorf("not begun: %s failed already", plural.Of(r.failed, "node"))
}

// begin marks a node as begun. Those that waited for a slot meanwhile are not begun if
// too many have failed by then; directors that reload together are, because the others
// wait for them.
func (r *run) begin(w *work) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if w.joint == nil {
		if err := r.tooMany(w); err != nil {
			return err
		}
	}
	w.begun = true
	return nil
}

// nodeEnded counts a node that has failed.
func (r *run) nodeEnded(w *work) {
	if w.failure != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.failed++
	}
}

// Share is a number of nodes, or a share of them in percent; the zero Share is all.
type Share struct{ Nodes, Percent int }

// of is the share of n nodes, one at least; 0 for all.
func (s Share) of(n int) int {
	if s.Percent > 0 {
		return max(1, n*s.Percent/100)
	}
	return s.Nodes
}
