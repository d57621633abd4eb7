package apply_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/survey"
	"github.com/lvsctl/lvsctl/plan"
)

// TestGarbage has a host whose shell answers something else than what it was asked.
func TestGarbage(t *testing.T) {
	t.Parallel()
	n := start(t, hostOptions{setup: ethernet, silence: 6 * time.Second})
	before := n.snapshot()
	s := look(t, job{node: n, want: newState()})
	for _, program := range []string{
		"head -c 300000 /dev/urandom",
		"cat",
		"yes",
		"exit 0",
		"printf 'Welcome to this fine router\\n> '; exec sleep 60",
		"sed -u -e 's/[0-9a-f][0-9a-f]/00/g' | dash -s",
	} {
		n.sh(fmt.Sprintf("printf '%%s\\n' '#!/bin/bash' %s >/run/garbage; chmod +x /run/garbage; mount --bind /run/garbage /bin/sh", shell.Quote("head -c 2000 >/dev/null; "+program)))
		_, err := take(t.Context(), job{node: n, want: newState()})
		if err == nil {
			t.Errorf("%s: it was read", program)
		}
		r := s.apply(t.Context(), nil)
		if r.Complete() || r.Unconfirmed["web"] == nil {
			t.Errorf("%s: result: %s", program, explain(r))
		}
		// n.sh does not work while /bin/sh is another program.
		unmount(t, n, "/bin/sh")
		if diff := cmp.Diff(before, n.snapshot()); diff != "" {
			t.Errorf("%s: it is not as it was (-before +after):\n%s", program, diff)
		}
		s = look(t, job{node: n, want: newState()})
	}
	must(t, job{node: n, want: newState()})
}

// truncating cuts off the end of the output of one script of an apply, and reports no
// error.
type truncating struct {
	remote.Runner
	state *truncation
}

type truncation struct {
	script  int // index of the script, from 0
	percent int // how much of the output is left
	seen    int
	hit     bool
}

func (r truncating) Run(ctx context.Context, s remote.Script) (remote.Output, error) {
	next, lines := s.Line, []string(nil)
	if next != nil {
		s.Line = func(line string) { lines = append(lines, line) }
	}
	out, err := r.Runner.Run(ctx, s)
	if r.state.cut(&out) {
		lines = lines[:len(lines)*r.state.percent/100]
	}
	for _, line := range lines {
		next(line)
	}
	return out, err
}

func (r truncating) Hold(ctx context.Context, s remote.Script) (remote.Output, func(), error) {
	out, release, err := r.Runner.Hold(ctx, s)
	r.state.cut(&out)
	return out, release, err
}

func (c *truncation) cut(out *remote.Output) bool {
	c.seen++
	if c.seen-1 != c.script {
		return false
	}
	c.hit = true
	out.Stdout = out.Stdout[:len(out.Stdout)*c.percent/100]
	return true
}

func TestTruncatedOutput(t *testing.T) {
	t.Parallel()
	for _, percent := range []int{0, 30, 60, 95} {
		t.Run(fmt.Sprintf("%d percent", percent), func(t *testing.T) {
			t.Parallel()
			p := newPassage(t, hostOptions{})
			for script := 1; ; script++ { // 0 made the plan
				c := &truncation{script: script, percent: percent}
				s := look(t, job{node: p.node, want: newState(), wrap: func(r remote.Runner) remote.Runner { return truncating{r, c} }})
				r := s.apply(t.Context(), nil)
				if !c.hit {
					break
				}
				p.awaitRest()
				p.checkComplete(r)
				p.finish()
			}
		})
	}
	t.Run("any line of a read", func(t *testing.T) {
		t.Parallel()
		n := start(t, hostOptions{setup: ethernet})
		conn, err := n.dial(t.Context())
		check(t, err)
		defer conn.Close()
		script := live.NewScript(survey.Question(topologyName, plan.Input{Want: newState()}))
		out, err := conn.Run(t.Context(), remote.Script{Body: script.Lines.String()})
		check(t, err)
		whole := out.Stdout
		for i := range whole {
			out.Stdout = whole[:i]
			if _, err := script.Parse(out); err == nil {
				t.Fatalf("the first %d of %d bytes are taken for all", i, len(whole))
			}
		}
	})
}
