package status

import (
	"net/netip"
	"slices"
	"time"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/internal/survey"
	"github.com/lvsctl/lvsctl/plan"
	"github.com/lvsctl/lvsctl/roles"
	"github.com/lvsctl/lvsctl/topology"
)

// How a report comes about: the nodes by their drift, the directors' services by what was
// read of them last.

// Readings are the latest of each director, by name.
type Readings = map[string]survey.Activity

// New makes the report of a topology from a survey of its nodes and the latest readings
// of its directors.
func New(t *topology.Topology, s *survey.Survey, readings Readings, now time.Time) Report {
	r := Report{
		FormatVersion: FormatVersion, Topology: t.Name, At: now.UTC().Truncate(time.Second), Alarms: s.Plan.Alarms,
		Nodes: []Node{}, Services: []Service{},
	}
	c := newCluster(t, s, readings)
	for _, drift := range s.Drift() {
		n := Node{
			Name: drift.Name, Role: drift.Role, Address: drift.Address, Pending: drift.Pending, Blocked: drift.Blocked,
			Differences: len(drift.Differences) + len(drift.Trouble), Never: drift.Never, Applied: drift.Applied,
		}
		if drift.Unreadable != nil {
			n.Error = drift.Unreadable.Error()
		} else if err := readings[n.Name].Err; err != nil {
			n.Error = err.Error()
		}
		if d := c.directors[n.Name]; d != nil {
			c.vips(d, &n)
			r.Services = append(r.Services, c.services(d)...)
		}
		r.Nodes = append(r.Nodes, n)
	}
	return r
}

// cluster is a topology with what was read of it.
type cluster struct {
	*topology.Topology
	directors map[string]*director
	// names are the topology's names of its services.
	names map[state.ServiceKey]string
	// full are the services whose clients' addresses netfilter replaces: IPVS knows
	// nothing of that.
	full map[state.ServiceKey]bool
}

// director is one that was read.
type director struct {
	plan.Input
	survey.Activity
}

func newCluster(t *topology.Topology, s *survey.Survey, readings Readings) *cluster {
	c := &cluster{Topology: t, directors: map[string]*director{}, names: map[state.ServiceKey]string{}, full: map[state.ServiceKey]bool{}}
	for _, in := range s.Inputs() {
		if reading, is := readings[in.Name]; is && in.Live != nil {
			c.directors[in.Name] = &director{in, reading}
		}
	}
	for _, v := range t.Services {
		k := roles.ServiceKey(v)
		c.names[k], c.full[k] = v.Name, v.Mode == topology.FULLNAT
	}
	return c
}

// addresses are those that a director has: the latest that are known.
func (d *director) addresses() map[state.AddressKey]state.Address {
	if d.Now != nil {
		return d.Now.State.Addresses
	}
	return d.Live.State.Addresses
}

// holds reports whether a director has an address where it answers the neighbours.
func (d *director) holds(vip netip.Addr) bool {
	for k := range d.addresses() {
		if k.Prefix.Addr() == vip && !d.Live.State.Quiet(k.Dev) {
			return true
		}
	}
	return false
}

// vips says which of its VIPs a director holds, and its part among those that have them
// too.
func (c *cluster) vips(d *director, n *Node) {
	shared := false
	for _, v := range c.Services {
		vip := v.VIP.Addr()
		if !vip.IsValid() || !slices.ContainsFunc(v.Directors, func(n *topology.Node) bool { return n.Name == d.Name }) {
			continue
		}
		shared = shared || len(v.Directors) > 1
		switch {
		case d.holds(vip):
			n.Holds = append(n.Holds, vip.String())
		case len(v.Directors) == 1:
			n.Lacks = append(n.Lacks, vip.String())
		}
	}
	for _, list := range []*[]string{&n.Holds, &n.Lacks} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	n.FailedOver = d.Live.Record.FailedOver
	switch {
	case shared && len(n.Holds) > 0:
		n.Part = Master
	case shared:
		n.Part = Backup
	}
}
