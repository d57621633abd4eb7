package state

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Real servers without new connections.
//
// Terms. A real server is quiesced on a director if its entries there have weight 0:
// it keeps the connections it has and gets no new ones. Two things quiesce one: the
// topology (maintenance = true), for as long as it says so, and a person (lvsctl
// drain), until lvsctl undrain. What a person said is in the director's record, with
// who and since when, so that every plan knows it and none mends it.
//
// Weight 0 alone is not enough in two cases, and then more is wanted of the director
// while a real server is quiesced there:
//
//	the service is persistent           net.ipv4.vs.expire_quiescent_template = 1:
//	                                    else the clients that it knows keep coming
//	                                    (ip_vs_check_template, ip_vs_conn.c)
//	it is scheduled by sh or mh         sh-fallback or mh-fallback: else the clients
//	without a fallback                  that are hashed to the real server are
//	                                    refused (ip_vs_sh_get, ip_vs_mh_get)
//
// A topology that says something else of the parameter is obeyed. dh has no
// fallback, nor has sh before Linux 3.11; then a plan warns.

// Drained is a real server that a person keeps new connections from.
type Drained struct {
	// Addresses are all of the node's: whatever entry has one of them has weight 0.
	Addresses []netip.Addr `json:"addresses"`
	// By is who said so, user@host, and Since when by that machine's clock, in UTC and
	// whole seconds.
	By    string    `json:"by"`
	Since time.Time `json:"since"`
}

// drain adds a real server to those that are drained.
func (r *Record) drain(node string, d Drained) {
	drained := maps.Clone(r.Drained)
	if drained == nil {
		drained = map[string]Drained{}
	}
	drained[node] = d
	r.Drained = drained
}

// drained reports whether an address is one of a drained real server's.
func (r Record) drained(addr netip.Addr) bool {
	for _, d := range r.Drained {
		if slices.Contains(d.Addresses, addr) {
			return true
		}
	}
	return false
}

// QuiescentTemplates is the parameter that says whether clients that persist leave a
// real server with weight 0.
const QuiescentTemplates = "net/ipv4/vs/expire_quiescent_template"

// Quiesced is want with all that quiesces the real servers that it says, and those
// that the record says. live is the node's. It is want itself where there are none.
func Quiesced(live, want *State, r Record) *State {
	if len(want.Quiesce) == 0 && len(r.Drained) == 0 {
		return want
	}
	q := want.Clone()
	for k, v := range want.Servers {
		if !want.Quiesce[k.Addr.Addr()] && !r.drained(k.Addr.Addr()) {
			continue
		}
		v.Weight = 0
		q.Servers[k] = v
		service, ok := q.Services[k.Service]
		if !ok {
			continue
		}
		if _, decided := q.Sysctls[QuiescentTemplates]; service.Timeout > 0 && !decided {
			q.Sysctls[QuiescentTemplates] = "1"
		}
		if flag := service.fallback(live.Kernel); flag != "" {
			service.Flags = AddFlag(service.Flags, flag)
			q.Services[k.Service] = service
		}
	}
	return q
}

// fallback is the flag with which a service's scheduler gives the clients of a real
// server without weight another; "" if it does so by itself, has none, or has it.
func (s Service) fallback(kernel string) string {
	if !s.RefusesQuiesced() || s.Scheduler == "dh" || s.Scheduler == "sh" && !atLeast(kernel, 3, 11) {
		return ""
	}
	return s.Scheduler + "-fallback"
}

// RefusesQuiesced reports whether clients that the service's scheduler hashes to a
// real server are refused while that has no weight.
func (s Service) RefusesQuiesced() bool {
	switch s.Scheduler {
	case "dh":
		return true // ip_vs_dh_schedule
	case "sh", "mh":
		return !hasFlag(s.Flags, s.Scheduler+"-fallback")
	}
	return false
}

// stillWanted are the drained real servers to which a State sends. The others are
// forgotten: they have left the topology.
func stillWanted(drained map[string]Drained, want *State) map[string]Drained {
	if len(drained) == 0 {
		return nil
	}
	used := map[netip.Addr]bool{}
	for k := range want.Servers {
		used[k.Addr.Addr()] = true
	}
	kept := maps.Clone(drained)
	maps.DeleteFunc(kept, func(_ string, d Drained) bool {
		return !slices.ContainsFunc(d.Addresses, func(a netip.Addr) bool { return used[a] })
	})
	return kept
}

// AddFlag adds a flag to a service's.
func AddFlag(flags, flag string) string {
	if hasFlag(flags, flag) {
		return flags
	}
	return SortFlags(append(strings.FieldsFunc(flags, isComma), flag))
}

func removeFlag(flags, flag string) string {
	return strings.Join(slices.DeleteFunc(strings.FieldsFunc(flags, isComma), func(f string) bool { return f == flag }), ",")
}

func hasFlag(flags, flag string) bool {
	return slices.Contains(strings.FieldsFunc(flags, isComma), flag)
}

func isComma(r rune) bool { return r == ',' }

// atLeast compares a kernel's release with a version: 3.10.0-1160.el7.x86_64 is less
// than 3.11. One that cannot be read counts as new.
func atLeast(release string, major, minor int) bool {
	number := func(text string) (int, string) {
		digits := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
		if digits < 0 {
			digits = len(text)
		}
		n, err := strconv.Atoi(text[:digits])
		if err != nil {
			return 1 << 16, ""
		}
		return n, strings.TrimPrefix(text[digits:], ".")
	}
	have, rest := number(release)
	if have != major {
		return have > major
	}
	have, _ = number(rest)
	return have >= minor
}
