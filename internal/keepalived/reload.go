package keepalived

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"time"
)

// Effect is something that a reload does beyond what the new file says.
type Effect struct {
	// What is said to a person, in a sentence without its full stop.
	What string
	// Cuts reports that open connections end.
	Cuts bool
	// Together reports that between two directors with different files both would
	// be master: they have to be reloaded within two adverts.
	Together bool
	// Elects reports that who is master is decided anew.
	Elects bool
}

// Reload says what a running keepalived of a version does when it goes from one
// configuration to another. It compares the two files, never with the kernel.
func Reload(from, to Config, v Version) []Effect {
	e := &effects{version: v}
	for _, i := range to.Instances {
		if old := match(from.Instances, i, v); old != nil {
			e.instance(*old, i)
		} else {
			e.newInstance(from, i)
		}
	}
	for _, i := range from.Instances {
		// One that goes on as another was said above.
		if !slices.ContainsFunc(to.Instances, func(n Instance) bool { return same(i, n, v) || n.Name == i.Name || n.RouterID == i.RouterID }) {
			e.add(Effect{What: fmt.Sprintf("vrrp_instance %s ends here, and its addresses leave", i.Name)})
		}
	}
	services := map[string]Service{}
	for _, s := range from.Services {
		services[s.key()] = s
	}
	for _, s := range to.Services {
		if old, known := services[s.key()]; known {
			e.service(old, s)
		}
	}
	return e.list
}

type effects struct {
	version Version
	list    []Effect
}

func (e *effects) add(f Effect) { e.list = append(e.list, f) }

// same reports whether a version takes two instances for one: by name before
// 1.3.0, then by router id, family and device, from 2.1 by unicast too.
func same(a, b Instance, v Version) bool {
	if !v.has(identityByID) {
		return a.Name == b.Name
	}
	one := a.RouterID == b.RouterID && a.IPv6() == b.IPv6() && a.Interface == b.Interface
	if v.has(identityUnicast) {
		one = one && a.Source == b.Source
	}
	return one
}

func match(list []Instance, i Instance, v Version) *Instance {
	for k := range list {
		if same(list[k], i, v) {
			return &list[k]
		}
	}
	return nil
}

// newInstance is for one that has no counterpart: what it was is dropped with a
// last advert, and it begins anew as a backup.
func (e *effects) newInstance(from Config, i Instance) {
	k := slices.IndexFunc(from.Instances, func(old Instance) bool { return old.Name == i.Name || old.RouterID == i.RouterID })
	if k < 0 {
		return
	}
	old := from.Instances[k]
	what := "its interface"
	switch {
	case old.RouterID != i.RouterID:
		what = "virtual_router_id"
	case old.Source != i.Source:
		what = "unicast"
	case old.Name != i.Name:
		what = "its name"
	}
	off := Takeover(i, e.version)
	e.add(Effect{
		What:     fmt.Sprintf("vrrp_instance %s is another one to keepalived %s once %s is different: its addresses are off for up to %s", i.Name, e.version, what, off),
		Cuts:     true,
		Together: deaf(old, i),
		Elects:   true,
	})
}

func (e *effects) instance(old, i Instance) {
	differ := func(what string) {
		if !e.version.has(strictTimer) {
			e.add(Effect{What: fmt.Sprintf("%s of vrrp_instance %s is different: until all its directors have it, none hears the other", what, i.Name)})
			return
		}
		e.add(Effect{What: fmt.Sprintf("%s of vrrp_instance %s is different: all its directors are reloaded within two adverts, or each would be master", what, i.Name), Together: true})
	}
	switch {
	case deaf(old, i):
		e.add(Effect{What: fmt.Sprintf("virtual_router_id, interface or unicast of vrrp_instance %s is different: all its directors are reloaded within two adverts, or each would be master", i.Name), Together: true})
	case old.AuthPass != i.AuthPass:
		differ("auth_pass")
	case old.AdvertInt != i.AdvertInt:
		differ("advert_int")
	case len(old.Advertised) != len(i.Advertised) || !sameAddresses(old.Advertised, i.Advertised):
		if !e.version.has(lenientAdvert) {
			differ("the advertised address")
		}
	}
	switch {
	case old.Priority == i.Priority:
	case !i.Preempt:
		e.add(Effect{What: fmt.Sprintf("priority of vrrp_instance %s goes from %d to %d; without preempt its addresses stay where they are", i.Name, old.Priority, i.Priority)})
	default:
		e.add(Effect{What: fmt.Sprintf("priority of vrrp_instance %s goes from %d to %d, and its addresses to whoever has the highest", i.Name, old.Priority, i.Priority), Elects: true})
	}
}

// deaf reports whether directors with the one and with the other do not even hear each
// other: a rejected advert counts as heard up to 1.x, and these are not received at all.
func deaf(a, b Instance) bool {
	return a.RouterID != b.RouterID || a.Interface != b.Interface || a.Source != b.Source
}

func sameAddresses(a, b []Address) bool {
	return slices.EqualFunc(a, b, func(a, b Address) bool { return a.Prefix.Addr() == b.Prefix.Addr() })
}

// key is a service's identity in the table.
func (s Service) key() string {
	if s.Mark != 0 {
		return fmt.Sprintf("fwmark %d %v", s.Mark, s.IPv6())
	}
	return s.Protocol + " " + s.Addr.String()
}

func (e *effects) service(old, s Service) {
	cut := func(what string) {
		e.add(Effect{What: fmt.Sprintf("keepalived %s deletes %s and adds it again for %s, which ends its open connections", e.version, s.Name(), what), Cuts: true})
	}
	if !e.version.has(editsInPlace) {
		switch {
		case old.Scheduler != s.Scheduler || !slices.Equal(old.Flags, s.Flags):
			cut("another scheduler")
		case old.Persistence != s.Persistence || old.Mask != s.Mask || old.Engine != s.Engine:
			cut("another persistence")
		case old.Method != s.Method:
			cut("another mode")
		case old.OnePacket != s.OnePacket:
			cut("one_packet")
		}
	}
	if e.version.has(identityByID) {
		return
	}
	weights := map[netip.AddrPort]int{}
	for _, r := range old.Servers {
		weights[r.Addr] = r.Weight
	}
	for _, r := range s.Servers {
		if weight, known := weights[r.Addr]; known && weight != r.Weight {
			e.add(Effect{What: fmt.Sprintf("keepalived %s deletes %s -> %s and adds it again for another weight, which ends its open connections", e.version, s.Name(), r.Addr), Cuts: true})
		}
	}
}

// Takeover is how long a backup waits in silence before it is master: three
// adverts and a share of one by priority. 1.x waits one advert more.
func Takeover(i Instance, v Version) time.Duration {
	wait := 3 * i.AdvertInt
	share := time.Second
	if i.Version3() {
		share = i.AdvertInt
	}
	wait += time.Duration(float64(share) * float64(256-i.Priority) / 256)
	if v.Known() && !v.has(strictTimer) {
		wait += i.AdvertInt
	}
	return time.Duration(math.Ceil(wait.Seconds()*10)) * 100 * time.Millisecond
}
