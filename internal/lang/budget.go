package lang

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// A topology may come from anyone, and a few lines of it can ask for more than
// any machine has: three nested fors over a thousand numbers, thirty locals of
// which each is the one before twice, format("%999999999s"). Evaluation
// therefore has a budget.
//
// Each value is measured where it is made: by a function, a template, a
// constructor or a for expression. The meters sit in the parsed expressions
// ([budget.meter]) and around the functions ([budget.guard]). What a function is
// about to make is estimated from its arguments first (growth.go). What cannot be
// foreseen, such as the conversion of a long tuple to a list, ends with the time
// ([Within]).

// limits is what evaluating a module may cost.
type limits struct {
	elements, bytes, depth int // of one value, what is within it included
	steps                  int // altogether: expressions evaluated, elements visited
	totalBytes             int // of text, altogether
	time                   time.Duration
}

// generous is far above what anyone writes: a topology of 10,000 services takes
// a million steps and a second or two.
var generous = limits{
	elements: 1_000_000, bytes: 16 << 20, depth: deepestNesting,
	steps: 100_000_000, totalBytes: 256 << 20, time: 30 * time.Second,
}

// A budget is what is left of the limits.
type budget struct {
	limits
	report   *Report
	ctx      context.Context
	deadline time.Time
	at       hcl.Range // the expression that is being evaluated
	unseen   int       // steps since the clock and the context were looked at
	over     bool      // the evaluation has ended, which has been reported
}

func newBudget(ctx context.Context, l limits, r *Report) *budget {
	return &budget{limits: l, report: r, ctx: ctx, deadline: time.Now().Add(l.time)}
}

var errOver = errors.New("the evaluation has ended before")

// spend takes steps, and ends the evaluation when none are left.
func (b *budget) spend(steps int) error {
	if b.over {
		return errOver
	}
	b.steps -= steps
	const pause = 10_000 // well below a tenth of a second
	if b.unseen += steps; b.unseen > pause || b.steps < 0 {
		b.unseen = 0
		b.look()
	}
	if b.over {
		return errOver
	}
	return nil
}

// look ends the evaluation when there is a reason to.
func (b *budget) look() {
	const summary = "Evaluation takes too much"
	e := excess{at: b.at, summary: summary}
	switch {
	case b.ctx.Err() != nil:
		e.summary, e.reason = "Interrupted", "The evaluation of the topology was interrupted here."
	case b.steps < 0:
		e.reason = "The topology's expressions take too many steps. Loop over less."
	case b.totalBytes < 0:
		e.reason = "The topology's expressions make too much text. Make less of it."
	case time.Now().After(b.deadline):
		e.reason = fmt.Sprintf("The topology's expressions take longer than %s. Loop over less.", b.time)
	default:
		return
	}
	b.over = true
	b.report.close(e.diagnostics())
}

// made accounts for a value that was just made.
func (b *budget) made(v cty.Value) error {
	m := b.measure(v)
	if b.totalBytes -= m.bytes; b.totalBytes < 0 {
		b.look()
	}
	if err := b.spend(m.elements); err != nil {
		return err
	}
	return m.tooLarge
}

// A measure is the size of a value.
type measure struct {
	*limits
	elements int // the value itself and everything within it
	bytes    int // of text
	tooLarge error
}

// measure walks through a value until it is through or has seen enough. A value
// that holds another twice counts it twice, because so does whoever walks
// through it.
func (b *budget) measure(values ...cty.Value) measure {
	m := measure{limits: &b.limits}
	for _, v := range values {
		m.walk(v, 0)
	}
	return m
}

func (m *measure) walk(v cty.Value, depth int) {
	if m.elements++; m.elements > m.limits.elements || depth > m.depth || m.tooLarge != nil {
		m.check(m.elements, m.bytes, depth)
		return
	}
	v, _ = v.Unmark()
	if v == cty.NilVal || v.IsNull() || !v.IsKnown() {
		return
	}
	switch ty := v.Type(); {
	case ty == cty.String:
		m.bytes += len(v.AsString())
	case ty == cty.Number:
		if isLong(v.AsBigFloat()) {
			m.tooLarge = errLongNumber
		}
	case v.CanIterateElements():
		for it := v.ElementIterator(); it.Next() && m.tooLarge == nil; {
			key, element := it.Element()
			if key.Type() == cty.String && !ty.IsSetType() {
				m.bytes += len(key.AsString())
			}
			m.walk(element, depth+1)
		}
	}
	m.check(m.elements, m.bytes, depth)
}

// check holds a size, measured or foreseen, against the limits of one value.
func (m *measure) check(elements, bytes, depth int) {
	switch {
	case m.tooLarge != nil:
	case elements > m.limits.elements:
		m.tooLarge = fmt.Errorf("a value has at most %d elements", m.limits.elements)
	case bytes > m.limits.bytes:
		m.tooLarge = fmt.Errorf("a value has at most %d MiB of text", m.limits.bytes>>20)
	case depth > m.depth:
		m.tooLarge = fmt.Errorf("a value is nested at most %d levels deep", m.depth)
	}
}

// isLong reports whether a number is too long to write out.
func isLong(f *big.Float) bool {
	const bits = 4 * largestExponent // more than as many decimal digits have
	exponent := f.MantExp(nil)
	return f.IsInf() || exponent > bits || exponent < -bits
}

// Within returns what a function returns, or nil when the context or the time
// for an evaluation ends long before the function does. The function's goroutine
// then goes on, and its result is lost: cty cannot be interrupted.
func Within[T any](ctx context.Context, f func() *T) *T {
	result := make(chan *T, 1)
	go func() { result <- f() }()
	select {
	case r := <-result:
		return r
	case <-ctx.Done():
	case <-time.After(generous.time):
	}
	// Usually the function ends by itself now, and says where it was.
	const grace = time.Second
	select {
	case r := <-result:
		return r
	case <-time.After(grace):
		return nil
	}
}

// Unfinished is the diagnostic for what did not end [Within] its time.
func Unfinished(ctx context.Context) hcl.Diagnostics {
	e := excess{summary: "Evaluation takes too much", reason: fmt.Sprintf("The topology's expressions take longer than %s.", generous.time)}
	if ctx.Err() != nil {
		e.summary, e.reason = "Interrupted", "The evaluation of the topology was interrupted."
	}
	return e.diagnostics()
}
