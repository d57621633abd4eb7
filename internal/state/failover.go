package state

import (
	"math"
	"net/netip"
	"strconv"
	"time"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// FailedOver is an instance whose addresses people keep on another director than the
// topology's first. The record of each of its directors has it.
type FailedOver struct {
	To string `json:"to"` // the director's name
	// By is who said so, user@host, and Since when by that machine's clock, in UTC and
	// whole seconds.
	By    string    `json:"by"`
	Since time.Time `json:"since"`
}

// SettleKeepalived is [Settle] for keepalived's file, and for its being loaded, alone. want
// has both. Whatever else of the node differs from its record is left as it is.
func SettleKeepalived(live, want *State, old Record) Settled {
	base := old.Set.Clone()
	base.Confs, base.Keepalived = want.Confs, want.Keepalived
	base.Governed, base.Texts = want.Governed, want.Texts
	s := Settle(live, base, old, false)
	s.Only = map[Ref]bool{}
	for path := range want.Confs {
		s.Only[confs.ref(path)] = true
	}
	for name := range want.Keepalived {
		s.Only[keepaliveds.ref(name)] = true
	}
	for _, side := range []*State{s.Have, s.Want} {
		side.Governed.Mend = nil // nothing in the table differs between the two files
	}
	s.Drained = old.Drained
	after := s.Intent
	s.Intent = old
	s.Intent.Set, s.Intent.Before = old.Set.Clone(), old.Before.Clone()
	s.Confirms = old.Set.Clone()
	for _, k := range kinds {
		k.note(&s, after)
	}
	return s
}

// Yield is what a director gives to another one by a reload.
type Yield struct {
	Addresses []netip.Addr
	// After is how long after the reload new connections are held, so that what is under
	// way can end, and Limit how long they are held at most.
	After, Limit time.Duration
}

// yield keeps what is under way whole where a reload gives addresses to another director.
// It comes before the reload.
func (s *State) yield() []shell.Command {
	y := s.Governed.Yields
	if len(y.Addresses) == 0 {
		return nil
	}
	args := []string{strconv.FormatFloat(y.After.Seconds(), 'f', -1, 64), strconv.Itoa(int(math.Ceil(y.Limit.Seconds())))}
	for _, a := range y.Addresses {
		args = append(args, a.String())
	}
	return []shell.Command{shell.Call(shell.Yield, args...)}
}
