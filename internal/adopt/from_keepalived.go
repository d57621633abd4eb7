package adopt

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/topology"
)

// A keepalivedReader makes a config of a keepalived.conf. It asks each statement of the
// file for what it says, and notes each that it has no answer to.
type keepalivedReader struct {
	*config
	*notes
	groups map[string]*keepalived.Block // virtual_server_group by name
	device string                       // default_interface
	// version is of all instances that have none of their own.
	version int
}

// readKeepalived makes a director of a keepalived.conf, or one for each node that the file
// has lines for.
func readKeepalived(t keepalived.Text, source keepalived.Source, n *notes) []*config {
	first := keepalived.Reading{Source: source}.Read(t)
	ids := first.IDs
	if len(ids) == 0 {
		return []*config{readKeepalivedOf(t, first, "", n)}
	}
	var list []*config
	for _, id := range ids {
		read := keepalived.Reading{Source: source, ID: id}.Read(t)
		c := readKeepalivedOf(t, read, id, n)
		c.name = id
		list = append(list, c)
		n.add(Note, c, place{}, "The file has lines for @%s: %s is the director that reads them.", strings.Join(ids, " and @"), id)
	}
	return list
}

func readKeepalivedOf(t keepalived.Text, read keepalived.Read, id string, n *notes) *config {
	r := &keepalivedReader{config: &config{file: t.Path, form: "keepalived", name: id}, notes: n, groups: map[string]*keepalived.Block{}}
	for _, p := range read.Problems {
		r.lost(r.config, place{p.File, p.Line}, "This cannot be read: %s.", p.Text)
	}
	// Groups and global settings stand anywhere.
	for _, b := range read.Blocks {
		switch b.Word(0) {
		case "virtual_server_group":
			r.groups[b.Word(1)] = b
		case "global_defs":
			r.globals(b)
		}
	}
	for _, b := range read.Blocks {
		r.top(b)
	}
	return r.config
}

func (r *keepalivedReader) top(b *keepalived.Block) {
	switch b.Word(0) {
	case "global_defs", "virtual_server_group":
	case "vrrp_instance":
		r.instances = append(r.instances, r.instance(b))
	case "vrrp_sync_group":
		r.syncGroup(b)
	case "virtual_server":
		r.virtualServer(b)
	case "static_ipaddress":
		r.staticAddresses(b)
	default:
		r.unsaid(r.config, b)
	}
}

// at is where a statement stands.
func at(b *keepalived.Block) place { return place{b.File, b.Line} }

// unsaid notes a statement that a topology has no word for, with all that is in it.
func (r *keepalivedReader) unsaid(about any, b *keepalived.Block) {
	r.lost(about, at(b), "%s is left out: %s.", b.Word(0), reason(b.Word(0)))
}

// misread notes a statement with a value that cannot be used.
func (r *keepalivedReader) misread(about any, b *keepalived.Block, instead string) {
	r.lost(about, at(b), "%q cannot be read, and %s.", strings.Join(b.Words, " "), instead)
}

// number reads a statement's first value.
func (r *keepalivedReader) number(about any, b *keepalived.Block, low, high, without int) int {
	n, err := strconv.Atoi(b.Word(1))
	if err != nil {
		r.misread(about, b, "is left out")
		return without
	}
	if n < low || n > high {
		within := min(max(n, low), high)
		r.lost(about, at(b), "%s is %d here, and from %d to %d in a topology: it is %d there.", b.Word(0), n, low, high, within)
		return within
	}
	return n
}

// virtualServer reads a service, or those of a group.
func (r *keepalivedReader) virtualServer(b *keepalived.Block) {
	var heads []*service
	switch b.Word(1) {
	case "group":
		heads = r.group(b)
	case "fwmark":
		if s, ok := r.marked(b.Word(2)); ok {
			heads = append(heads, s)
		}
	default:
		if s, ok := r.addressed(b.Word(1), b.Word(2)); ok {
			heads = append(heads, s)
		}
	}
	if len(heads) == 0 {
		r.lost(r.config, at(b), "%q cannot be read, and is left out with all that is in it.", strings.Join(b.Words, " "))
	}
	notes := r.notes
	defer func() { r.notes = notes }()
	for i, s := range heads {
		if i == 1 {
			r.notes = scratch() // what is said of the first is said
		}
		if s.line == 0 {
			s.place = at(b)
		}
		s.of = r.config
		r.service(s, b)
		r.services = append(r.services, s)
	}
}

// group reads the addresses of a virtual_server_group:
//
//	192.0.2.1 80
//	192.0.2.10-12 80
//	fwmark 1
func (r *keepalivedReader) group(b *keepalived.Block) []*service {
	g := r.groups[b.Word(2)]
	if g == nil {
		return nil
	}
	var list []*service
	for _, e := range g.Inside {
		var some []*service
		first, last, isRange := strings.Cut(e.Word(0), "-")
		switch {
		case e.Word(0) == "fwmark":
			if s, ok := r.marked(e.Word(1)); ok {
				some = append(some, s)
			}
		case isRange:
			some = r.addresses(first, last, e.Word(1))
		default:
			if s, ok := r.addressed(e.Word(0), e.Word(1)); ok {
				some = append(some, s)
			}
		}
		if len(some) == 0 {
			r.misread(r.config, e, "is left out of its group")
		}
		for _, s := range some {
			s.place = at(e)
		}
		list = append(list, some...)
	}
	return list
}

// addresses are those of a range, whose end is the last number of an address: decimal for
// IPv4, and hexadecimal for IPv6 (inet_stor, lib/utils.c).
func (r *keepalivedReader) addresses(first, last, port string) []*service {
	from, err := netip.ParseAddr(first)
	if err != nil {
		return nil
	}
	base, bits := 10, 8
	if from.Is6() {
		base, bits = 16, 16
	}
	end, err := strconv.ParseUint(last, base, bits)
	bytes := from.AsSlice()
	begin := uint64(bytes[len(bytes)-1])
	if from.Is6() {
		begin |= uint64(bytes[len(bytes)-2]) << 8
	}
	if err != nil || end < begin || end-begin > 255 {
		return nil
	}
	var list []*service
	for a, i := from, begin; i <= end; a, i = a.Next(), i+1 {
		s, ok := r.addressed(a.String(), port)
		if !ok {
			return nil
		}
		list = append(list, s)
	}
	return list
}

func (r *keepalivedReader) marked(word string) (*service, bool) {
	mark, err := strconv.ParseUint(word, 10, 32)
	if err != nil || mark == 0 || mark > 1<<31-1 {
		return nil, false
	}
	return &service{mark: uint32(mark), protocol: topology.TCP}, true
}

func (r *keepalivedReader) addressed(addr, port string) (*service, bool) {
	a, err := netip.ParseAddr(addr)
	if err != nil || a.Zone() != "" {
		return nil, false
	}
	n := uint64(0)
	if port != "" {
		if n, err = strconv.ParseUint(port, 10, 16); err != nil {
			return nil, false
		}
	}
	return &service{vip: a.Unmap(), port: uint16(n), protocol: topology.TCP, ipv6: a.Unmap().Is6()}, true
}
