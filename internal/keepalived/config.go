// Package keepalived knows keepalived's configuration: how it is written for a
// version, what a version would misread, how a file is read back, and what a
// reload from one file to another does.
//
// It is pure: no node is asked anything here. What a version accepts is data, in
// version.go; a keyword that is new in some version is a line there and a line
// where it is rendered.
package keepalived

import (
	"net/netip"
	"reflect"
	"slices"
	"time"
)

// File is where every distribution's keepalived finds its configuration.
const File = "/etc/keepalived/keepalived.conf"

// Config is one node's configuration.
type Config struct {
	// RouterID names the node in keepalived's log.
	RouterID  string
	Sync      *Sync
	Instances []Instance
	Services  []Service
}

// Sync keeps the connection table on the nodes that do not hold an instance's
// addresses.
type Sync struct {
	Interface, Instance string
	ID                  int // 0: the instance's virtual router id
}

// Instance is a vrrp_instance.
type Instance struct {
	Name, Interface    string
	RouterID, Priority int
	// AdvertInt in whole seconds is VRRP 2; with a fraction it is VRRP 3.
	AdvertInt time.Duration
	Preempt   bool
	AuthPass  string // "" for none
	// Source and Peers replace multicast; a zero Source keeps it.
	Source netip.Addr
	Peers  []netip.Addr
	// Advertised are the addresses in every advert, Excluded those that are set
	// and announced all the same. Other directors compare the former only.
	Advertised, Excluded []Address
	// Tracked are the devices without which the instance is in fault, beside
	// Interface.
	Tracked []string
}

// Address is an address that moves with an instance.
type Address struct {
	Prefix netip.Prefix // host bits kept
	Dev    string
	Label  string // "" for none
}

// Service is a virtual_server.
type Service struct {
	Addr     netip.AddrPort // zero for a fwmark
	Mark     uint32
	Protocol string // "TCP", "UDP" or "SCTP"; of a fwmark too
	Method   string // of [Method]

	Scheduler string
	Flags     []string
	// Persistence in seconds; 0 for none. Mask is a prefix length, and 0, 32 or 128
	// keep each client by itself.
	Persistence, Mask int
	Engine            string
	OnePacket         bool

	Interval time.Duration  // delay_loop
	Sorry    netip.AddrPort // zero for none
	Servers  []Server
}

// Server is a real_server.
type Server struct {
	Addr                 netip.AddrPort
	Weight, Upper, Lower int
	Method               string // of [Method]; "" for the service's
	Check                Check
}

// Check is how a server's health is known.
type Check struct {
	Kind    string // "tcp", "http", "udp", "misc"; "" or "none" for no check
	Port    uint16 // 0: the server's
	Path    string // http
	Status  int    // http
	Command string // misc
	Timeout time.Duration
	Retries int
	// Delay is what passes before a retry.
	Delay time.Duration
}

// Equal reports whether two instances say the same. An empty list and none are the same.
func (i Instance) Equal(o Instance) bool {
	lists := slices.Equal(i.Peers, o.Peers) && slices.Equal(i.Advertised, o.Advertised) && slices.Equal(i.Excluded, o.Excluded) && slices.Equal(i.Tracked, o.Tracked)
	for _, inst := range []*Instance{&i, &o} {
		inst.Peers, inst.Advertised, inst.Excluded, inst.Tracked = nil, nil, nil, nil
	}
	return lists && reflect.DeepEqual(i, o)
}

// Addresses are all that move with the instance.
func (i Instance) Addresses() []Address {
	return append(append([]Address(nil), i.Advertised...), i.Excluded...)
}

// Version3 reports whether the instance speaks VRRP 3.
func (i Instance) Version3() bool {
	return i.AdvertInt%time.Second != 0 || i.IPv6()
}

// IPv6 reports the family of the adverts: that of the advertised addresses.
func (i Instance) IPv6() bool {
	return len(i.Advertised) > 0 && i.Advertised[0].Prefix.Addr().Is6()
}
