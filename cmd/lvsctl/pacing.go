package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/lvsctl/lvsctl/apply"
)

// pacing is how many nodes an apply changes at a time, and when it stops.
type pacing struct {
	noCanary    bool
	batch       shareFlag
	maxFailures int
	flagSet     *pflag.FlagSet
}

func (p *pacing) flags(f *pflag.FlagSet) {
	p.flagSet = f
	f.BoolVar(&p.noCanary, "no-canary", false, "change nodes with the same changes all at once, not one of them first")
	f.Var(&p.batch, "batch", "change `N|P%` of the real servers and routers at a time; the next ones follow when these are confirmed")
	f.IntVar(&p.maxFailures, "max-failures", 0, "how many nodes may fail before no further one is begun (default: any; with --batch: 0)")
}

// check refuses what cannot be meant.
func (p *pacing) check() error {
	if p.maxFailures < 0 {
		return fmt.Errorf("--max-failures %d is no number of nodes", p.maxFailures)
	}
	return nil
}

// given reports whether a flag was given.
func (p *pacing) given(flag string) bool { return p.flagSet != nil && p.flagSet.Changed(flag) }

// set sets an apply's options.
func (p *pacing) set(o *apply.Options) {
	o.Canary, o.Batch = !p.noCanary, apply.Share(p.batch)
	if p.given("max-failures") || p.batch != (shareFlag{}) {
		o.StopAfter = p.maxFailures + 1
	}
}

// shareFlag is a number of nodes, 5, or a share of them, 20%.
type shareFlag apply.Share

func (s *shareFlag) String() string {
	switch {
	case s.Percent > 0:
		return strconv.Itoa(s.Percent) + "%"
	case s.Nodes > 0:
		return strconv.Itoa(s.Nodes)
	}
	return ""
}

func (s *shareFlag) Type() string { return "N|P%" }

func (s *shareFlag) Set(text string) error {
	number, percent := strings.CutSuffix(text, "%")
	n, err := strconv.Atoi(number)
	switch {
	case err != nil || n < 1 || percent && n > 100:
		return fmt.Errorf("it is neither a number of nodes nor a share of them; write 5 or 20%%")
	case percent:
		*s = shareFlag{Percent: n}
	default:
		*s = shareFlag{Nodes: n}
	}
	return nil
}
