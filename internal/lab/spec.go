package lab

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

// MaxHosts is how many hosts one lab may have.
const MaxHosts = 100

// A Spec is what a lab is made of.
type Spec struct {
	Name  string
	Hosts []Host
	// Avoid are subnets, beyond the hosts' own, that the management network must
	// not use: those of VIPs and routes.
	Avoid []netip.Prefix
}

// A Host is one Linux host.
type Host struct {
	Name string
	// Site is the name of the host's lab if several labs share one machine. Hosts of
	// two sites may have the same name and the same subnets. [UpAll] sets it.
	Site string `json:",omitempty"`
	Role string
	// Aliases are further names of the host in the ssh config: its addresses. One that
	// is not a plain word there is left out.
	Aliases    []string
	Interfaces []Interface
	// Gateway4 and Gateway6 are default routes to set; zero for none.
	Gateway4, Gateway6 netip.Addr
	Routes             []Route
	Listeners          []Listener
}

// A Route is a route to set beside the default one. Via is zero for a route on link.
// Dev is "" for the device whose subnet Via is in.
type Route struct {
	To  netip.Prefix
	Via netip.Addr
	Dev string
}

// An Interface is a NIC with its base addresses, host bits kept.
type Interface struct {
	Name      string
	Addresses []netip.Prefix
}

// A Listener answers with the host's name on every address of the host.
type Listener struct {
	Protocol string // tcp (an HTTP server; Redis on 6379 if installed), udp or sctp
	Port     uint16
}

var (
	nodeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	alias    = regexp.MustCompile(`^[A-Za-z0-9_:][A-Za-z0-9._:%-]*$`)
	// IFNAMSIZ is 16 with the final NUL; dev_valid_name(): include/linux/netdevice.h.
	deviceName = regexp.MustCompile(`^[^\s/:]{1,15}$`)
)

// join makes one Spec of several. Each host's Site is the name of its Spec.
func join(specs []Spec) Spec {
	if len(specs) == 1 {
		return specs[0]
	}
	all := Spec{}
	var names []string
	for _, s := range specs {
		names = append(names, s.Name)
		for _, h := range s.Hosts {
			h.Site = s.Name
			all.Hosts = append(all.Hosts, h)
		}
		all.Avoid = append(all.Avoid, s.Avoid...)
	}
	all.Name = strings.Join(names, "+")
	return all
}

// digest identifies the Spec.
func (s Spec) digest() string {
	// A Spec holds strings, numbers and addresses, so Marshal cannot fail.
	text, _ := json.Marshal(s)
	return fmt.Sprintf("%x", sha256.Sum256(text))
}

// check refuses a Spec that the guest could not carry out.
func (s Spec) check() error {
	if !nodeName.MatchString(s.Name) {
		return fmt.Errorf("cannot name a lab %q", s.Name)
	}
	if len(s.Hosts) == 0 {
		return fmt.Errorf("cannot make lab %s: it has no hosts", s.Name)
	}
	return s.checkHosts()
}

// checkHosts refuses hosts that one machine could not hold.
func (s Spec) checkHosts() error {
	if len(s.Hosts) > MaxHosts {
		return fmt.Errorf("cannot make lab %s: it has %d hosts, and a lab holds at most %d", s.Name, len(s.Hosts), MaxHosts)
	}
	seen := map[string]bool{}
	for _, h := range s.Hosts {
		switch {
		case strings.EqualFold(h.Name, "local"): // where SSH goes, that is this machine
			return fmt.Errorf("cannot make a host called %s: to SSH that name is this machine itself; call it otherwise", h.Name)
		case !nodeName.MatchString(h.Name):
			return fmt.Errorf("cannot name a host %q", h.Name)
		case seen[h.Site+" "+h.Name]:
			return fmt.Errorf("cannot make two hosts called %s", h.Name)
		}
		seen[h.Site+" "+h.Name] = true
		devices := map[string]bool{}
		for _, i := range h.Interfaces {
			switch {
			case !deviceName.MatchString(i.Name) || i.Name == "." || i.Name == "..":
				return fmt.Errorf("%s: cannot name an interface %q", h.Name, i.Name)
			case devices[i.Name]:
				return fmt.Errorf("%s: cannot make two interfaces called %s", h.Name, i.Name)
			}
			devices[i.Name] = true
		}
	}
	return nil
}
