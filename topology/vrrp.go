package topology

import (
	"net/netip"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/lvsctl/lvsctl/internal/lang"
	"github.com/lvsctl/lvsctl/internal/plural"
)

// A vrrp is a VRRPInstance while it is read and checked.
type vrrp struct {
	*VRRPInstance
	scope
	raw       rawVRRP
	directors []*node
	broken    bool
}

// readVRRP reads one vrrp_instance block.
func (l *loader) readVRRP(block *hcl.Block) {
	name, at := block.Labels[0], block.LabelRanges[0]
	if !l.scope.CheckName("The vrrp_instance", name, at) {
		return
	}
	for _, other := range l.vrrp {
		if other.Name == name {
			l.Refuse(at, "Name given twice", "A vrrp_instance %s is described at %s already.", lang.Quote(name), other.VRRPInstance.Range)
			return
		}
	}
	before := l.Errors
	v := &vrrp{VRRPInstance: &VRRPInstance{Name: name, Range: block.DefRange}, scope: l.scope}
	v.Decode(block.Body, &v.raw)
	v.Require(v.raw.Directors, "directors", v.Range, "A vrrp_instance needs the directors that share its addresses, in order of priority.")
	v.Require(v.raw.Interface, "interface", v.Range, "A vrrp_instance needs the interface on which its directors hear each other.")
	v.Require(v.raw.VirtualRouterID, "virtual_router_id", v.Range, "A vrrp_instance needs a number from 1 to 255 that nothing else on its LAN uses.")
	l.readVRRPDirectors(v)
	if dev, ok := v.deviceAttr(v.raw.Interface); ok {
		v.Interface = dev
		for _, d := range v.directors {
			d.hasDevice(dev, v.raw.Interface)
		}
	}
	v.RouterID, _ = v.Integer(v.raw.VirtualRouterID, 1, 255)
	v.AdvertInt = time.Second
	// RFC 5798: centiseconds in twelve bits; keepalived's VRRPv2 takes up to 255 s.
	if d, ok := v.Duration(v.raw.AdvertInt, 10*time.Millisecond, 255*time.Second); ok {
		v.AdvertInt = d
	}
	v.Preempt = true
	if preempt := v.Ternary(v.raw.Preempt); preempt != nil {
		v.Preempt = *preempt
	}
	v.AuthPass = v.authPass()
	v.readPriorities()
	v.Unicast = v.Flag(v.raw.Unicast)
	v.readAddresses()
	v.Sync = v.Flag(v.raw.Sync)
	v.broken = v.Errors > before
	l.vrrp = append(l.vrrp, v)
}

func (l *loader) readVRRPDirectors(v *vrrp) {
	before := v.Errors
	words, _ := v.Texts(v.raw.Directors)
	seen := map[*node]bool{}
	for _, w := range words {
		found, _ := l.members("directors", w, Director)
		for _, d := range found {
			if seen[d] {
				v.Refuse(w.At, "Director named twice", "directors names %s twice.", d.Name)
				continue
			}
			seen[d] = true
			v.directors = append(v.directors, d)
			v.Directors = append(v.Directors, d.Node)
		}
	}
	if len(v.directors) == 0 && v.Errors == before && v.raw.Directors != nil {
		v.Refuse(v.raw.Directors.Expr.Range(), "No director", "directors names none. Name the directors that share the addresses, in order of priority.")
	}
}

// authPass reads the one attribute that may be sensitive. Its refusals do not show the
// value.
func (s *vrrp) authPass() string {
	v, ok := s.Open(s.raw.AuthPass, cty.String)
	if !ok {
		return ""
	}
	v, _ = v.Unmark()
	pass := v.AsString()
	printable := strings.IndexFunc(pass, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"'\#!{}`, r) }) < 0
	if pass == "" || len(pass) > 8 || !printable {
		s.Refuse(s.raw.AuthPass.Expr.Range(), "Not a VRRP password", "auth_pass has 1 to 8 ASCII characters, without blanks, quotes, braces, # and !; VRRP ignores what is longer.")
		return ""
	}
	return pass
}

// readPriorities reads a priority for each director. The default is 100, 90, 80 and so
// on.
func (v *vrrp) readPriorities() {
	if !v.IsSet(v.raw.Priorities) {
		for i := range v.directors {
			v.Priorities = append(v.Priorities, 100-10*i)
		}
		if len(v.directors) > 10 {
			v.Refuse(v.Range, "Missing priorities", "From the eleventh director on there is no default priority. Write priorities = [...], one a director.")
		}
		return
	}
	all, ok := v.List(v.raw.Priorities)
	if !ok {
		return
	}
	at := v.raw.Priorities.Expr.Range()
	if len(all) != len(v.directors) && len(v.directors) > 0 {
		v.Refuse(at, "Priorities do not match", "There are %d priorities for %s.", len(all), plural.Of(len(v.directors), "director"))
		return
	}
	for i, e := range all {
		if e.Value.IsNull() || e.Value.Type() != cty.Number {
			v.Refuse(e.At, "Wrong kind of value", "A priority is a number.")
			return
		}
		p, ok := v.Whole("A priority", e.Value, e.At, 1, 254)
		if !ok {
			return
		}
		if i > 0 && p >= v.Priorities[i-1] {
			v.Refuse(e.At, "Priorities out of order", "directors are named in order of priority, so each priority is lower than the one before it.")
			return
		}
		v.Priorities = append(v.Priorities, p)
	}
}

// readAddresses reads the floating addresses: "10.0.0.254/24", or with a device
// "10.0.0.254/24 dev eth1".
func (v *vrrp) readAddresses() {
	words, _ := v.Texts(v.raw.Addresses)
	seen := map[netip.Addr]bool{}
	for _, w := range words {
		text, dev, named := strings.Cut(w.Key, " dev ")
		p, err := parsePrefix(text)
		if err == nil {
			err = hostOf(p.Addr(), p)
		}
		if err != nil {
			v.refuseAddr("addresses", w.Key, w.At, err)
			continue
		}
		if seen[p.Addr()] {
			v.Refuse(w.At, "Address twice", "%s is in this list already.", p.Addr())
			continue
		}
		seen[p.Addr()] = true
		a := FloatingAddress{Prefix: p, Dev: dev, Range: w.At}
		if named && !v.device("The device", dev, w.At) {
			continue
		}
		for _, d := range v.directors {
			switch {
			case named && !d.broken:
				d.hasDeviceAt(dev, w.At)
			case a.Device(d.Node) == "" && !d.broken:
				v.Refuse(w.At, "Address without a device", "%s is on no subnet of %s. Write its device too: \"%s dev eth1\".", p.Addr(), d.Name, p)
			}
		}
		v.Addresses = append(v.Addresses, a)
	}
}

// assignVRRP gives each service the instance that has exactly its directors. If two
// instances have the same directors in another order, the one in the order of the
// service's own list is chosen.
func (l *loader) assignVRRP() {
	sortBy(l.vrrp, func(v *vrrp) string { return v.Name })
	bySet, byOrder := map[string][]*vrrp{}, map[string]*vrrp{}
	for _, v := range l.vrrp {
		set, order := directorKeys(v.directors)
		bySet[set] = append(bySet[set], v)
		if first := byOrder[order]; first != nil && len(v.directors) > 0 {
			l.Refuse(v.Range, "Two instances alike", "vrrp_instance %s has the same directors in the same order, so no virtual server could tell which of them is meant.", lang.Quote(first.Name))
			continue
		}
		byOrder[order] = v
	}
	for _, s := range l.services {
		set, order := directorKeys(s.directors)
		found := bySet[set]
		switch {
		case len(s.directors) == 0 || len(found) == 0:
		case len(found) == 1:
			s.VRRPInstance = found[0].VRRPInstance
		case byOrder[order] != nil:
			s.VRRPInstance = byOrder[order].VRRPInstance
		default:
			l.Refuse(s.Range, "Which vrrp_instance?", "%d instances have these directors. Name them in the order of one of the instances.", len(found))
		}
		if s.VRRPInstance != nil && s.HealthCheck == nil && s.checkable() {
			check := defaultHealthCheck()
			check.Range = s.Range
			s.HealthCheck = &check
		}
	}
}

// directorKeys returns two keys of a list of directors: of the set, and of the order.
func directorKeys(directors []*node) (set, order string) {
	list := make([]string, len(directors))
	for i, d := range directors {
		list[i] = d.Name
	}
	order = strings.Join(list, " ")
	sortBy(list, func(s string) string { return s })
	return strings.Join(list, " "), order
}
