package keepalived

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Refuse says what of a configuration a version would misread or not do, each
// with what to do instead. An unknown block is the worst: versions before 2.0
// skip its first line only, so that its "}" ends the block around it, and all that
// follows lands one level too high.
func (c Config) Refuse(v Version) []string {
	r := &refusals{version: v}
	for _, i := range c.Instances {
		r.instance(i)
	}
	for _, s := range c.Services {
		r.service(s)
	}
	return r.list
}

type refusals struct {
	version Version
	list    []string
}

func (r *refusals) say(format string, args ...any) {
	if s := fmt.Sprintf(format, args...); !slices.Contains(r.list, s) {
		r.list = append(r.list, s)
	}
}

// needs refuses what a feature is missing for.
func (r *refusals) needs(f feature, subject, what, remedy string) {
	if !r.version.has(f) {
		r.say("%s: its keepalived %s has no %s, which came with %s; %s", subject, r.version, what, since[f], remedy)
	}
}

func (r *refusals) instance(i Instance) {
	what := "vrrp_instance " + i.Name
	if i.Version3() {
		r.needs(vrrp3, what, "VRRP 3", "write advert_int in whole seconds, and use IPv4 addresses")
		if i.AuthPass != "" {
			r.say("%s: VRRP 3 knows no password, and keepalived drops it; remove auth_pass, or write advert_int in whole seconds", what)
		}
	}
	for _, a := range i.Excluded {
		if a.Prefix.Addr().Is6() != i.IPv6() {
			r.needs(mixedFamilies, what, "addresses of both families in one instance that are known to work", "write one instance a family")
		}
	}
	if len(i.Advertised) == 0 {
		r.say("%s: it has no address; give it a virtual server, or addresses", what)
	}
}

// Name is a service as a person reads it.
func (s Service) Name() string {
	if s.Mark != 0 {
		return fmt.Sprintf("fwmark %d", s.Mark)
	}
	return strings.ToLower(s.Protocol) + " " + s.Addr.String()
}

func (r *refusals) service(s Service) {
	what := s.Name()
	r.tunnel(what, s.Method)
	if s.Protocol == "SCTP" {
		r.needs(sctp, what, "SCTP", "take the service out of the vrrp_instance")
	}
	if s.Engine != "" {
		r.needs(persistenceEngine, what, "persistence engine", "remove engine")
	}
	for _, f := range s.Flags {
		flag := shFlags
		if strings.HasPrefix(f, "mh-") {
			flag = mhFlags
		}
		r.needs(flag, what, f, "remove it from scheduler_flags")
	}
	// 1.x takes any name and leaves the judgement to the kernel.
	if s.Scheduler == "twos" && !r.version.Before(Version{2, 0, 0}) {
		r.needs(twos, what, "scheduler twos", "choose another one")
	}
	if s.Persistence > 0 && s.granular() && !s.IPv6() && !r.version.Before(Version{1, 3, 0}) && r.version.Before(Version{1, 4, 3}) {
		r.say("%s: its keepalived %s refuses every IPv4 persistence netmask (1.3.0 to 1.4.2 do); remove netmask", what, r.version)
	}
	r.fraction(what, "interval", s.Interval)
	live := 0
	for _, server := range s.Servers {
		r.server(what, server)
		live += server.Weight
		if s.Sorry.IsValid() && server.Addr == s.Sorry {
			r.say("%s: sorry_server %s is one of its real servers; name a server that has another task", what, s.Sorry)
		}
	}
	if len(s.Servers) > 0 && live == 0 {
		r.say("%s: every real server has weight 0, which makes keepalived's quorum underflow; give one a weight, or remove the service", what)
	}
}

// tunnel refuses a tunnel that the version would not read: it would send ipip.
func (r *refusals) tunnel(what, method string) {
	if m, _ := ReadMethod(strings.Fields(method)); m.Type != "" {
		r.needs(tunnelType, what, "tunnel but ipip", "remove tunnel")
	}
}

func (r *refusals) server(what string, server Server) {
	what += " -> " + server.Addr.String()
	r.tunnel(what, server.Method)
	if server.Method != "" {
		r.needs(serverMethod, what, "mode of a single real server", "use the service's mode")
	}
	// 2.0 rejects it, 2.1 makes it 1.
	if server.Weight == 0 && !r.version.Before(Version{2, 0, 0}) {
		r.needs(weightZero, what, "weight 0", "remove the server; drain gives its connections time")
	}
	r.check(what, server)
}

// forbidden are the characters of a command that some version gives a meaning
// inside quotes.
const forbidden = "\"\\#!{}$~@\n\r"

func (r *refusals) check(what string, server Server) {
	c := server.Check
	if c.Kind == "" || c.Kind == "none" {
		return
	}
	if c.Kind == "udp" {
		r.needs(udpCheck, what, "UDP_CHECK", "use misc { command } or none { }")
	}
	if strings.ContainsAny(c.Command, forbidden) {
		r.say("%s: the command of its check has one of \" \\ # ! { } $ ~ @, which versions of keepalived read differently; put it into a script and name that", what)
	}
	if c.Kind != "misc" && server.Addr.Port() == 0 && c.Port == 0 {
		r.say("%s: a %s check needs a port; use misc { command } or none { }", what, c.Kind)
	}
	r.fraction(what, "timeout", c.Timeout)
	r.fraction(what, "retry delay", c.Delay)
}

// fraction refuses a part of a second where it would be cut off, or become a
// whole one.
func (r *refusals) fraction(what, name string, d time.Duration) {
	if d%time.Second != 0 {
		r.needs(fractions, what, fmt.Sprintf("fractions of a second in checks (%s %s)", name, d), "write whole seconds")
	}
}

// Holder is the instance that moves an address, or nil.
func (c Config) Holder(addr netip.Addr) *Instance {
	for i := range c.Instances {
		for _, a := range c.Instances[i].Addresses() {
			if a.Prefix.Addr() == addr {
				return &c.Instances[i]
			}
		}
	}
	return nil
}
