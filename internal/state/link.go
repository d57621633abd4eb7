package state

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// Link is the administrative state of a network device. lvsctl sets devices up and down,
// and never adds or deletes one.
type Link struct {
	// Up is the flag UP (IFF_UP), which says nothing of the carrier.
	Up bool `json:"up"`
}

var links = &table[string, Link]{
	kind:     KindLink,
	lifetime: given,
	of:       func(s *State) *map[string]Link { return &s.Links },
	compare:  cmp.Compare[string],
	key:      func(k string) Key { return Name(k) },
	value:    func(v Link) string { return v.state() },
	make:     setLink,
	edit: func(to *State, k string, _, v Link) []shell.Command {
		return setLink(to, k, v)
	},
	fit: func(_ *State, _ Record, have, want map[string]Link) {
		// A device that a module of this plan brings is down at first.
		for dev := range want {
			if _, ok := have[dev]; !ok {
				have[dev] = Link{}
			}
		}
	},
}

func (l Link) state() string {
	if l.Up {
		return "up"
	}
	return "down"
}

func setLink(_ *State, dev string, l Link) []shell.Command {
	return []shell.Command{shell.Cmd("ip", "link", "set", "dev", dev, l.state())}
}

// parseLinks reads ip -o link show (iproute2 2.6.32 to 7, busybox):
//
//	2: eth0@if5: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP \    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff
//	3: tunl0@NONE: <NOARP> mtu 1480 qdisc noop state DOWN \    link/ipip 0.0.0.0 brd 0.0.0.0
//
// Old versions print an alias on a separate line without an index.
func parseLinks(text string, s *State) error {
	for line := range strings.Lines(text) {
		index, rest, ok := strings.Cut(line, ": ")
		if _, err := strconv.Atoi(index); err != nil || !ok {
			continue
		}
		name, rest, ok := strings.Cut(rest, ": <")
		flags, rest, closed := strings.Cut(rest, ">")
		if !ok || !closed {
			return fmt.Errorf("cannot read link line %q", line)
		}
		name, _, _ = strings.Cut(name, "@")
		has := func(flag string) bool { return slices.Contains(strings.Split(flags, ","), flag) }
		s.Links[name] = Link{Up: has("UP")}
		s.ARP[name] = !has("NOARP") && !has("LOOPBACK")
		words := strings.Fields(rest)
		if i := slices.Index(words, "master"); i >= 0 && i+1 < len(words) {
			s.Masters[name] = words[i+1]
		}
	}
	return nil
}
