package persist

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
)

// part is a part of the boot script: devices, addresses, routes and rules that no file of
// the network system has.
type part struct {
	*state.State
	why map[string][]string // the entries in words, by the reason
}

func newPart() part { return part{state.New(), map[string][]string{}} }

// words returns all entries in words.
func (p part) words() []string {
	var words []string
	for _, why := range slices.Sorted(maps.Keys(p.why)) {
		words = append(words, p.why[why]...)
	}
	return words
}

// hooked is the reason for an entry of a device for which the network system runs the
// script. The plan need not mention it, because the entry comes back with the device.
const hooked = ""

// cannot is the reason for an entry that the network system's files cannot express.
func (j *job) cannot() string { return string(j.system) + " cannot hold that" }

// Other reasons.
const (
	nobody     = "no network system holds that"
	unknown    = "its network system is none that lvsctl knows"
	together   = "a rule and its routes belong together"
	replacing  = "the node's own files set another one in its place"
	sharedFile = "its file configures other devices too"
	noBash     = "the service ipvsadm cannot, because its ipvsadm-restore takes bash, which is not there"
)

// leaveDevice lets the boot script bring a tunnel's device up.
func (j *job) leaveDevice(dev, why string) {
	p := j.part(why)
	p.Links[dev] = j.Want.Links[dev]
	p.why[why] = append(p.why[why], dev)
}

// leaveAddress lets the boot script set an address.
func (j *job) leaveAddress(dev string, prefix netip.Prefix, why string) {
	k := state.AddressKey{Prefix: prefix, Dev: dev}
	p := j.part(why)
	p.Addresses[k] = j.Want.Addresses[k]
	p.why[why] = append(p.why[why], k.String())
}

// leaveRoute lets the boot script set a route.
func (j *job) leaveRoute(k state.RouteKey, why string) {
	p := j.part(why)
	p.Routes[k] = j.Want.Routes[k]
	p.why[why] = append(p.why[why], "the route "+k.String())
}

// fous lets the boot script open the ports at which packets are taken off. They belong to
// no device, so that the network system does not close them either.
func (j *job) fous() {
	for _, k := range slices.SortedFunc(maps.Keys(j.Want.FOUs), state.CompareFOUs) {
		j.script.FOUs[k] = j.Want.FOUs[k]
		j.script.why[nobody] = append(j.script.why[nobody], "FOU "+k.String())
	}
}

// policies lets the boot script set the rules of ip-rule(8) and the routes of their
// tables. Not every network system can do that.
func (j *job) policies() {
	if len(j.Want.Policies) == 0 {
		return
	}
	j.Want = j.Want.Clone()
	for _, k := range slices.SortedFunc(maps.Keys(j.Want.Policies), state.ComparePolicies) {
		j.script.Policies[k] = j.Want.Policies[k]
		j.script.why[together] = append(j.script.why[together], "the rule "+k.String())
	}
	for k := range j.Want.Routes {
		if k.Table != "" {
			j.script.Routes[k] = j.Want.Routes[k]
			delete(j.Want.Routes, k)
		}
	}
}

// ruled are the devices on which the tables of policies have routes. When such a device
// goes down, it loses them like any other route.
func (j *job) ruled() []string {
	var names []string
	for k, r := range j.script.Routes {
		if k.Table != "" && r.Dev != "" {
			names = append(names, r.Dev)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// leaveAll lets the boot script set everything of a device.
func (j *job) leaveAll(d device, why string) {
	if state.TunnelModule(d.name) != "" {
		j.leaveDevice(d.name, why)
	}
	for _, p := range d.addresses {
		j.leaveAddress(d.name, p, why)
	}
	for _, k := range d.routes {
		j.leaveRoute(k, why)
	}
}

// part returns the part of the script for entries with that reason.
func (j *job) part(why string) part {
	if why == hooked {
		return j.hooked
	}
	return j.script
}

// notes returns a sentence for each reason, with the entries that the script sets. how
// says what runs the script.
func (j *job) notes(how string) []string {
	var notes []string
	for _, why := range slices.Sorted(maps.Keys(j.script.why)) {
		note := fmt.Sprintf("at boot %s sets %s: %s", how, several(j.script.why[why]), why)
		if why != nobody && why != noBash {
			note += j.again()
		}
		notes = append(notes, note)
	}
	return notes
}

// several lists a few words, and counts the others.
func several(words []string) string {
	const most = 8
	if n := len(words); n > most {
		words = append(slices.Clone(words[:most-1]), fmt.Sprintf("%d more", n-most+1))
	}
	return strings.Join(words, ", ")
}
