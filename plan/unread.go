package plan

import (
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/internal/state"
)

// unread are the directors that could not be read. What they send to is not known:
// it may be what the topology says, or what it said when they were last changed.
type unread struct {
	directors []*Input
	// balanced are the addresses of the services that a director has that was read.
	balanced map[netip.Addr]bool
}

func newUnread(inputs []Input) unread {
	u := unread{balanced: map[netip.Addr]bool{}}
	for i := range inputs {
		in := &inputs[i]
		switch {
		case in.Role != director:
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

// user says which of the directors may use what a node is to give back; "" if none
// does.
func (u unread) user(in *Input, s state.Settled) string {
	for _, d := range u.directors {
		switch {
		case in.Role != realServer:
			return d.Name + " could not be read and may still need it"
		case d.sendsTo(in.Name) || u.gives(d, s):
			return d.Name + " could not be read and may still send there"
		}
	}
	return ""
}

// sendsTo reports whether the topology has a director send to a real server.
func (in *Input) sendsTo(server string) bool {
	for _, name := range in.Servers {
		if name == server {
			return true
		}
	}
	return false
}

// gives reports whether a real server that the topology no longer gives to a
// director is to give back something that points to it: a route through it, or an
// address that it wants as a VIP, or that no director is known to balance.
func (u unread) gives(director *Input, s state.Settled) bool {
	for k, r := range s.Have.Routes {
		if want, stays := s.Want.Routes[k]; (!stays || want != r) && director.has(r.Via) {
			return true
		}
	}
	for k := range s.Have.Addresses {
		vip := k.Prefix.Addr()
		if _, stays := s.Want.Addresses[k]; !stays && (!u.balanced[vip] || director.wants(vip)) {
			return true
		}
	}
	return false
}

// wants reports whether a director is to hold a VIP.
func (in *Input) wants(vip netip.Addr) bool {
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

// has reports whether an address is one of the node's own.
func (in *Input) has(addr netip.Addr) bool {
	return slices.ContainsFunc(in.Base, func(k state.AddressKey) bool { return k.Prefix.Addr() == addr })
}
