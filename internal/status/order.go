package status

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Orders are what services and servers can be sorted by.
func Orders() []string {
	return []string{"name", "connections", "packets", "bytes", "active", "inactive", "weight"}
}

// Sort puts the services of each director into an order, and the servers of each service:
// those with the most come first. "name" is the order of addresses.
func (r *Report) Sort(by string) error {
	if !slices.Contains(Orders(), by) {
		return fmt.Errorf("cannot sort by %q\nOne of %s.", by, strings.Join(Orders(), ", "))
	}
	if by == "name" {
		return nil
	}
	place := map[string]int{}
	for i, n := range r.Nodes {
		place[n.Name] = i
	}
	slices.SortStableFunc(r.Services, func(a, b Service) int {
		return cmp.Or(cmp.Compare(place[a.Director], place[b.Director]), cmp.Compare(a.amount(by), b.amount(by))*-1)
	})
	for _, s := range r.Services {
		slices.SortStableFunc(s.Servers, func(a, b Server) int { return -cmp.Compare(a.amount(by), b.amount(by)) })
	}
	return nil
}

func (s Service) amount(by string) float64 {
	weight := 0
	for _, one := range s.Servers {
		weight += one.Weight
	}
	return s.Load.amount(by, weight)
}

func (s Server) amount(by string) float64 { return s.Load.amount(by, s.Weight) }

func (l Load) amount(by string, weight int) float64 {
	var r Rates
	if l.Rates != nil {
		r = *l.Rates
	}
	switch by {
	case "connections":
		return r.Connections
	case "packets":
		return r.Packets()
	case "bytes":
		return r.Bytes()
	case "active":
		return float64(l.Active)
	case "inactive":
		return float64(l.Inactive)
	}
	return float64(weight)
}

// Packets are those in and out.
func (r Rates) Packets() float64 { return r.PacketsIn + r.PacketsOut }

// Bytes are those in and out.
func (r Rates) Bytes() float64 { return r.BytesIn + r.BytesOut }

// Only keeps the services that names name, and the directors that have one: a service's
// name, its address with or without port, or all of "tcp 10.0.0.100:80". It reports
// which name is of none.
func (r *Report) Only(names []string) (unknown string) {
	used := map[string]bool{}
	directors := map[string]bool{}
	kept := []Service{}
	for _, s := range r.Services {
		fits := false
		for _, name := range names {
			if s.is(name) {
				fits, used[name] = true, true
			}
		}
		if fits {
			kept = append(kept, s)
			directors[s.Director] = true
		}
	}
	r.Services = kept
	r.Nodes = slices.DeleteFunc(r.Nodes, func(n Node) bool { return !directors[n.Name] && !r.serves(n.Name) })
	for _, name := range names {
		if !used[name] {
			return name
		}
	}
	return ""
}

// is reports whether a name means a service.
func (s Service) is(name string) bool {
	_, address, _ := strings.Cut(s.Service, " ")
	host := address
	if at, err := netip.ParseAddrPort(address); err == nil {
		host = at.Addr().String()
	}
	return name == s.Name || name == s.Service || name == address || name == host
}

// serves reports whether a node is a real server of one of the services.
func (r *Report) serves(node string) bool {
	return slices.ContainsFunc(r.Services, func(s Service) bool {
		return slices.ContainsFunc(s.Servers, func(one Server) bool { return one.Name == node })
	})
}
