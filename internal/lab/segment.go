package lab

import (
	"fmt"
	"net/netip"
)

// segments numbers the LANs that the hosts' interfaces share: result[h][i] is
// the segment of interface i of host h, -1 for lo. Interfaces with an address in the
// same subnet of a site are on one segment. So are two interfaces that each share a
// subnet with a third one.
func segments(hosts []Host) (of [][]int, count int) {
	var parent []int // union-find over interfaces
	find := func(i int) int {
		for parent[i] != i {
			i = parent[i]
		}
		return i
	}
	type subnet struct {
		site   string
		prefix netip.Prefix
	}
	first := map[subnet]int{} // the first interface in it
	for _, h := range hosts {
		for _, nic := range h.Interfaces {
			self := len(parent)
			parent = append(parent, self)
			if nic.Name == "lo" {
				continue
			}
			for _, a := range nic.Addresses {
				in := subnet{h.Site, a.Masked()}
				if other, ok := first[in]; ok {
					parent[find(self)] = find(other)
				} else {
					first[in] = self
				}
			}
		}
	}

	number := map[int]int{}
	next := 0
	for _, h := range hosts {
		row := make([]int, len(h.Interfaces))
		for i, nic := range h.Interfaces {
			self := next
			next++
			if nic.Name == "lo" {
				row[i] = -1
				continue
			}
			top := find(self)
			if _, ok := number[top]; !ok {
				number[top] = len(number)
			}
			row[i] = number[top]
		}
		of = append(of, row)
	}
	return of, len(number)
}

// managementNet picks the /24 network for SSH between this machine and the hosts. It is
// the first one of 198.18.0.0/15, the range for laboratories (RFC 2544), that overlaps
// nothing in the topology.
func managementNet(s Spec) (netip.Prefix, error) {
	taken := s.Avoid
	for _, h := range s.Hosts {
		for _, nic := range h.Interfaces {
			taken = append(taken[:len(taken):len(taken)], nic.Addresses...)
		}
	}
	for n := range 512 {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{198, byte(18 + n/256), byte(n % 256), 0}), 24)
		free := true
		for _, t := range taken {
			// A default route in Avoid overlaps every network, so it is left out.
			if t.Bits() > 0 && t.Masked().Overlaps(p) {
				free = false
				break
			}
		}
		if free {
			return p, nil
		}
	}
	return netip.Prefix{}, fmt.Errorf("cannot find a free /24 in 198.18.0.0/15 for the lab's management network")
}

// outside is QEMU's own address in the management network: this machine's.
func outside(net netip.Prefix) netip.Addr { return net.Addr().Next().Next() }

// managementAddr is the address of host n's mgmt0 in net.
func managementAddr(net netip.Prefix, n int) netip.Addr {
	b := net.Addr().As4()
	b[3] = byte(100 + n)
	return netip.AddrFrom4(b)
}

// hostsPerNIC is how many hosts share one of QEMU's user networks. A user network
// remembers 16 neighbours (libslirp's ARP_TABLE_SIZE) and stalls with more.
const hostsPerNIC = 12

// nics is how many NICs, each with its user network, carry n hosts.
func nics(n int) int { return (n + hostsPerNIC - 1) / hostsPerNIC }
