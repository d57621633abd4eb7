package state

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// Traffic is what a director's table does, at one moment. A State says what the table
// is.
type Traffic struct {
	// Clock is seconds since the node was booted, when the counters were read.
	Clock    float64
	Services map[ServiceKey]ServiceTraffic
	Servers  map[ServerKey]ServerTraffic
}

// NewTraffic returns an empty Traffic whose maps can be written to.
func NewTraffic() *Traffic {
	return &Traffic{Services: map[ServiceKey]ServiceTraffic{}, Servers: map[ServerKey]ServerTraffic{}}
}

// ServiceTraffic is a virtual service's.
type ServiceTraffic struct {
	// How is its scheduler and what follows it, as ipvsadm lists it: "wlc persistent 50".
	How string
	Counters
}

// ServerTraffic is a real server's.
type ServerTraffic struct {
	Forward Forward // "" for one that is the director itself
	Weight  int
	Connections
	Counters
}

// Counters are since an entry was made, or since ipvsadm -Z. In a service of mode dr or
// tun nothing goes out through the director. Kernels before 4.1 count to 2^32 and begin
// again.
type Counters struct{ Connections, PacketsIn, PacketsOut, BytesIn, BytesOut uint64 }

// Rates are counters a second.
type Rates struct{ Connections, PacketsIn, PacketsOut, BytesIn, BytesOut float64 }

// Since are the rates of the seconds after before was read. There are none if a counter
// went back: then the entry is another one, or was set to zero.
func (c Counters) Since(before Counters, seconds float64) (Rates, bool) {
	var rates Rates
	for _, one := range []struct {
		now, then uint64
		rate      *float64
	}{
		{c.Connections, before.Connections, &rates.Connections},
		{c.PacketsIn, before.PacketsIn, &rates.PacketsIn},
		{c.PacketsOut, before.PacketsOut, &rates.PacketsOut},
		{c.BytesIn, before.BytesIn, &rates.BytesIn},
		{c.BytesOut, before.BytesOut, &rates.BytesOut},
	} {
		if one.now < one.then || seconds <= 0 {
			return Rates{}, false
		}
		*one.rate = float64(one.now-one.then) / seconds
	}
	return rates, true
}

// A TrafficSection is a part of a director's Traffic, as a [Section] is of a State.
type TrafficSection struct {
	Name  string
	Read  shell.Command
	Parse func(text string, t *Traffic) error
}

// TrafficSections are all parts, in the order that they are read in.
func TrafficSections() []TrafficSection {
	return []TrafficSection{
		{"listing", shell.Call(shell.ReadListing), parseListing},
		{"clock", shell.Call(shell.ReadClock), parseClock},
		{"counters", shell.Call(shell.ReadCounters), parseCounters},
	}
}

func parseClock(text string, t *Traffic) (err error) {
	if t.Clock, err = strconv.ParseFloat(strings.TrimSpace(text), 64); err != nil {
		return fmt.Errorf("cannot read the clock %q", strings.TrimSpace(text))
	}
	return nil
}

// parseListing reads ipvsadm -L -n, versions 1.24 to 1.31:
//
//	IP Virtual Server version 1.2.1 (size=4096)
//	Prot LocalAddress:Port Scheduler Flags
//	  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
//	TCP  10.0.0.1:80 sh (sh-port) persistent 50
//	  -> 10.0.0.2:80                  Route   1      2          30
//	FWM  7 IPv6 rr
//
// What cannot be read is left out: a plan says so.
func parseListing(text string, t *Traffic) error {
	for l := range listedLines(text) {
		if !l.server {
			rest := l.words[2:]
			if l.service.Protocol == FWMark && l.service.V6 {
				rest = rest[1:]
			}
			v := t.Services[l.service]
			v.How = strings.Join(rest, " ")
			t.Services[l.service] = v
			continue
		}
		k, err := l.serverKey()
		if err != nil || len(l.words) < 6 {
			continue
		}
		v := t.Servers[k]
		v.Forward = listedForwards[l.words[2]]
		v.Weight, _ = strconv.Atoi(l.words[3])
		v.Active, _ = strconv.Atoi(l.words[4])
		v.Inactive, _ = strconv.Atoi(l.words[5])
		t.Servers[k] = v
	}
	return nil
}

var listedForwards = map[string]Forward{"Masq": Masq, "Route": Direct, "Tunnel": Tunnel}

// parseCounters reads ipvsadm -L -n --stats --exact, of entries that parseListing found:
//
//	Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes
//	  -> RemoteAddress:Port
//	TCP  10.0.0.1:80                        17      102       68     8211    20480
//	  -> 10.0.0.2:80                        17      102       68     8211    20480
func parseCounters(text string, t *Traffic) error {
	for l := range listedLines(text) {
		c, ok := countersOf(l.words)
		if !ok {
			continue
		}
		if !l.server {
			if v, listed := t.Services[l.service]; listed {
				v.Counters = c
				t.Services[l.service] = v
			}
			continue
		}
		k, err := l.serverKey()
		if v, listed := t.Servers[k]; err == nil && listed {
			v.Counters = c
			t.Servers[k] = v
		}
	}
	return nil
}

// countersOf are the last five words of a line: an address that is too long moves them.
func countersOf(words []string) (Counters, bool) {
	if len(words) < 7 {
		return Counters{}, false
	}
	var n [5]uint64
	for i, word := range words[len(words)-5:] {
		var err error
		if n[i], err = strconv.ParseUint(word, 10, 64); err != nil {
			return Counters{}, false
		}
	}
	return Counters{n[0], n[1], n[2], n[3], n[4]}, true
}

// ByService are the servers of each service, sorted.
func (t *Traffic) ByService() map[ServiceKey][]ServerKey {
	list := map[ServiceKey][]ServerKey{}
	for k := range t.Servers {
		list[k.Service] = append(list[k.Service], k)
	}
	for _, keys := range list {
		slices.SortFunc(keys, CompareServers)
	}
	return list
}
