package persist

import (
	"net/netip"
	"strconv"
	"strings"
)

// longestLabel is IFNAMSIZ without its NUL (if.h): a device's name, a colon and a
// number have to fit.
const longestLabel = 15

// aliases hands out the numbers of addresses that a system knows as aliases:
// lo:0, lo:1. An address keeps the one it has; nobody else's is taken.
type aliases struct {
	held  map[string]string // label, by device and address
	taken map[string]bool
	next  map[string]int // the first number that may be free, by device
}

// newAliases takes those that our own files hold now.
func newAliases(found map[string]bool, held map[string]string) *aliases {
	a := &aliases{held: held, taken: map[string]bool{}, next: map[string]int{}}
	ours := map[string]bool{}
	for _, label := range held {
		ours[label] = true
		a.taken[label] = true
	}
	for label := range found {
		if !ours[label] {
			a.taken[label] = true
		}
	}
	return a
}

func aliasKey(dev string, addr netip.Addr) string { return dev + " " + addr.String() }

// label is an address's alias; ok is false where none fits.
func (a *aliases) label(dev string, p netip.Prefix) (label string, ok bool) {
	if label, ok := a.held[aliasKey(dev, p.Addr())]; ok {
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

// value is NAME=VALUE's value among a shell file's lines.
func value(text, name string) string {
	for line := range strings.Lines(text) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), name+"="); ok {
			return strings.Trim(v, `"'`)
		}
	}
	return ""
}
