package persist

import (
	"net/netip"
	"strconv"
	"strings"
)

// longestLabel is the longest label in bytes: IFNAMSIZ without its NUL (if.h). The device's
// name, a colon and a number must fit.
const longestLabel = 15

// aliases chooses the labels of addresses for a network system that needs them: lo:0,
// lo:1. An address keeps the label that it has in lvsctl's files. Labels of other files
// are not used.
type aliases struct {
	ours  map[string]string // label, by device and address
	taken map[string]bool
	next  map[string]int // by device, the first number that may be free
}

// newAliases makes aliases. found are all labels in the node's files, and ours those in
// lvsctl's.
func newAliases(found map[string]bool, ours map[string]string) *aliases {
	a := &aliases{ours: ours, taken: map[string]bool{}, next: map[string]int{}}
	own := map[string]bool{}
	for _, label := range ours {
		own[label] = true
		a.taken[label] = true
	}
	for label := range found {
		if !own[label] {
			a.taken[label] = true
		}
	}
	return a
}

func aliasKey(dev string, addr netip.Addr) string { return dev + " " + addr.String() }

// label returns an address's label. ok is false if every one would be too long.
func (a *aliases) label(dev string, p netip.Prefix) (label string, ok bool) {
	if label, ok := a.ours[aliasKey(dev, p.Addr())]; ok {
		return label, true
	}
	for n := a.next[dev]; ; n++ {
		label = dev + ":" + strconv.Itoa(n)
		if len(label) > longestLabel {
			return "", false
		}
		if !a.taken[label] {
			a.taken[label], a.next[dev] = true, n+1
			return label, true
		}
	}
}

// value returns the value of the line NAME=VALUE in a file of shell assignments.
func value(text, name string) string {
	for line := range strings.Lines(text) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), name+"="); ok {
			return strings.Trim(v, `"'`)
		}
	}
	return ""
}
