package state_test

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
)

var lifetime = regexp.MustCompile(`\\ +valid_lft .*`)

// defined is a script of commands, with the functions that they call.
func defined(commands []shell.Command) string {
	var s shell.Script
	for _, c := range commands {
		s.Line(c)
	}
	return s.String()
}

// TestVIPInKernel has a director's IPv6 VIP in each state in which the kernel may have it.
// Afterwards it is usable, a second look finds nothing, and the inverse puts the node back.
func TestVIPInKernel(t *testing.T) {
	const vip, taken = "2001:db8:1::100", "ip addr add 2001:db8:1::100/128 dev peer0 nodad; "
	for name, c := range map[string]struct {
		before  string
		waits   string // for this word in ip addr
		nothing bool
	}{
		"not there":                  {},
		"there":                      {before: "ip addr add " + vip + "/128 dev eth0 nodad", nothing: true},
		"there, with its subnet":     {before: "ip addr add " + vip + "/64 dev eth0 nodad", nothing: true},
		"deprecated":                 {before: "ip addr add " + vip + "/128 dev eth0 nodad preferred_lft 0", nothing: true},
		"not known yet to be unique": {before: "echo 60 >/proc/sys/net/ipv6/conf/eth0/dad_transmits; ip addr add " + vip + "/128 dev eth0", waits: "tentative", nothing: true},
		"a duplicate":                {before: taken + "ip addr add " + vip + "/128 dev eth0", waits: "dadfailed"},
		"a duplicate, with a subnet": {before: taken + "ip addr add " + vip + "/64 dev eth0", waits: "dadfailed"},
		"on lo":                      {before: "ip addr add " + vip + "/128 dev lo"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			if c.before != "" {
				h.run(c.before)
			}
			have := func() string { return h.run("ip -6 -o addr show to " + vip + " dev eth0") }
			for end := time.Now().Add(10 * time.Second); !strings.Contains(have(), c.waits); time.Sleep(20 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("it does not become %s: %s", c.waits, have())
				}
			}
			addresses := func() string { return lifetime.ReplaceAllString(h.run("ip -6 -o addr show"), "") }
			before := addresses()
			want := state.New()
			want.Addresses[state.AddressKey{Prefix: netip.MustParsePrefix(vip + "/128"), Dev: "eth0"}] = state.Address{}
			s := state.Settle(h.read(), want, state.NewRecord("t"), false)
			changes := state.Diff(s.Have, s.Want)
			if have := len(changes) == 0; have != c.nothing {
				t.Fatalf("nothing to change: want %v, have %v", c.nothing, changes)
			}
			for _, change := range changes {
				h.run(defined(change.Do))
			}
			if text := have(); text == "" || strings.Contains(text, "dadfailed") {
				t.Errorf("it is not usable: %s", text)
			}
			after := h.read()
			record := state.Confirm(s, after)
			again := state.Settle(after, want, record, false)
			if changes := state.Diff(again.Have, again.Want); len(changes) > 0 {
				t.Errorf("a second look finds %v", changes)
			}
			if c.waits != "dadfailed" { // a duplicate is not made anew
				for _, change := range slices.Backward(changes) {
					h.run(defined(change.Undo))
				}
				if d := cmp.Diff(before, addresses()); d != "" {
					t.Errorf("undone, it is not as it was (-want +have):\n%s", d)
				}
			}
		})
	}
}
