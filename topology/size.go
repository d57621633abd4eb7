package topology

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/lvsctl/lvsctl/internal/lang"
)

// A few lines can describe more than any machine holds: a group of a thousand real
// servers behind each of a thousand services is a million of them. What names
// multiply is counted before it is made.

// mostParts is how much a topology may describe: some five times as much as a
// cluster of 100,000 real servers. A part takes about 1 KiB of memory.
const mostParts = 500_000

// hostsShare is how many lines of /etc/hosts make a part.
const hostsShare = 16

// grow counts parts and reports whether the topology can have them. That it cannot is
// said once.
func (l *loader) grow(parts int, at hcl.Range) bool {
	if l.parts > l.size {
		return false
	}
	if l.parts += parts; l.parts <= l.size {
		return true
	}
	l.Refuse(at, "Topology too large", "With this the topology describes more than %d parts. A real server counts once for each director of each service that it is in, a virtual server once for each router, and %d lines of /etc/hosts as one. Make several topologies of it.",
		l.size, hostsShare)
	return false
}

// growNodes counts the lines of every /etc/hosts, and the routers.
func (l *loader) growNodes() {
	for _, name := range lang.SortedKeys(l.nodes) {
		n := l.nodes[name]
		if n.Role == Router {
			l.routers++
		}
		if n.Hosts {
			l.grow(1+len(l.nodes)/hostsShare, n.Range)
		}
	}
}
