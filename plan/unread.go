package plan

import (
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/internal/state"
)

// Directors that could not be read.
//
// Premise. Taking something from a real server is safe only if no director sends there any
// more. Of a director that was not read that is not known. Its topology may say so, but it
// goes on by what it was last told. So what such a director may still use is kept.
//
// Example. The topology no longer has the service of lvs-2, which is down. web-1 still has
// the VIP of that service on lo. No director that was read balances this VIP, so lvs-2 may
// send there when it comes back: web-1 keeps the VIP, and the plan says why.

// unread are the directors that could not be read. It is not known where they send: to
// the real servers of the topology, or to those of the topology as it was when they were
// last changed.
type unread struct {
	directors []*Input
	// balanced are the addresses of the services on the directors that were read.
	balanced map[netip.Addr]bool
}

func newUnread(inputs []Input) unread {
	u := unread{balanced: map[netip.Addr]bool{}}
	for i := range inputs {
		in := &inputs[i]
		switch {
		case in.Role != director:
		case in.Live == nil && in.Orphan: // given up; its successor does not wait for it
		case in.Live == nil:
			u.directors = append(u.directors, in)
		default:
			for k := range in.Live.State.Services {
				u.balanced[k.Addr.Addr()] = true
			}
		}
	}
	return u
}

// possibleUser names a director that may still use what a node is about to give back, in a
// sentence. It returns "" if there is none.
func (u unread) possibleUser(in *Input, s state.Settled) string {
	for _, d := range u.directors {
		switch {
		case in.Role != realServer:
			return d.Name + " could not be read and may still need it"
		case d.sendsTo(in.Name) || u.maySendTo(d, s):
			return d.Name + " could not be read and may still send there"
		}
	}
	return ""
}

// sendsTo reports whether the real server is one of the director's in the topology.
func (in *Input) sendsTo(server string) bool {
	for _, name := range in.Servers {
		if name == server {
			return true
		}
	}
	return false
}

// maySendTo reports whether a director may send to a real server that is no longer one of
// its own in the topology. s is what the real server has. It gives that away if it gives
// back a route through the director, the address of a VIP of the director, or an address
// that no director which was read balances.
func (u unread) maySendTo(director *Input, s state.Settled) bool {
	for k, r := range s.Have.Routes {
		if want, stays := s.Want.Routes[k]; (!stays || want != r) && director.owns(r.Via) {
			return true
		}
	}
	for k := range s.Have.Addresses {
		vip := k.Prefix.Addr()
		if _, stays := s.Want.Addresses[k]; !stays && (!u.balanced[vip] || director.wantsVIP(vip)) {
			return true
		}
	}
	return false
}

// wantsVIP reports whether an address is a VIP of the director in the topology.
func (in *Input) wantsVIP(vip netip.Addr) bool {
	for k := range in.Want.Services {
		if k.Addr.Addr() == vip {
			return true
		}
	}
	for k := range in.Want.Addresses {
		if k.Prefix.Addr() == vip {
			return true
		}
	}
	return false
}

// owns reports whether an address is one of the node's own.
func (in *Input) owns(addr netip.Addr) bool {
	return slices.ContainsFunc(in.Base, func(k state.AddressKey) bool { return k.Prefix.Addr() == addr })
}
