package state

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// Two kinds are keepalived's: its file, and what runs.
//
// Neither has the file's text in it, because that has a password and entries go
// into plans and records. A hash stands for it, and State.Texts has the texts of
// the hashes that are known. An entry of what runs is of the text that was loaded,
// comments aside.
//
// What keepalived does by itself on a node is in State.Governed. A VIP that it
// moves is nobody else's entry: it is neither wanted nor removed. Services and
// servers are entries as anywhere, but that a server which its check took out is
// as wanted without being there.

// Conf is keepalived's file; keyed by its path.
type Conf struct {
	Hash  string `json:"hash"` // of its text
	Mode  string `json:"mode"` // as [File] has it, and the owner too
	Owner string `json:"owner,omitempty"`
}

// Keepalived is a keepalived that runs; keyed by its name.
type Keepalived struct {
	// Loaded is a hash of the configuration it has loaded, without comments; "" if
	// that cannot be known.
	Loaded string `json:"loaded"`
}

// String tells configurations apart by the beginning of their hash.
func (k Keepalived) String() string {
	if k.Loaded == "" {
		return "configuration not known"
	}
	return "configuration " + k.Loaded[:min(len(k.Loaded), 8)]
}

// ConfText is the text of a [Conf].
type ConfText struct {
	Text string
	// Shown is the text without its secrets.
	Shown string
}

// KeepalivedName is the key of the one keepalived of a node.
const KeepalivedName = "keepalived"

// Governed is what keepalived does on a node, before a change or after it.
type Governed struct {
	// Addresses move between the directors.
	Addresses map[AddressKey]bool
	// Servers are checked, and leave the table when they fail.
	Servers map[ServerKey]bool
	// Sorry servers come into the table when all others have failed.
	Sorry map[ServiceKey]netip.AddrPort
	// Sync is set if keepalived runs the daemons that copy the connection table.
	Sync bool
	// Held are those of the addresses that the node has although no keepalived runs
	// there, and Alone those of them that no other director has.
	Held  map[AddressKey]Address
	Alone map[netip.Addr]bool
	// Back are the addresses that the node gets by hand when keepalived ends.
	Back map[AddressKey]Address
	// Mend are the servers whose entry is set once more after a reload: those that are
	// not as wanted, or missing because a check took them out. Until the reload
	// keepalived may take them in as its old file has them, and a reload changes no
	// thresholds.
	Mend map[ServerKey]bool
	// FailedOver are the instances whose addresses are kept on another director, by name.
	FailedOver map[string]FailedOver
	// Yields is what this change gives to another director.
	Yields Yield
}

// Down reports whether a server's check has taken it out: it is missing from a
// service that is there, and the keepalived that runs has it.
func (s *State) Down(k ServerKey) bool {
	_, service := s.Services[k.Service]
	_, there := s.Servers[k]
	return service && !there && s.Governed.Servers[k]
}

var confs = &table[string, Conf]{
	kind:    KindConf,
	of:      func(s *State) *map[string]Conf { return &s.Confs },
	compare: cmp.Compare[string],
	key:     func(path string) Key { return Path(path) },
	value:   func(c Conf) string { return "mode " + c.Mode },
	make: func(_ *State, path string, c Conf) []shell.Command {
		return []shell.Command{c.write(path)}
	},
	edit: func(_ *State, path string, _, c Conf) []shell.Command {
		return []shell.Command{c.write(path)}
	},
	unmake: func(_ *State, path string, _ Conf) []shell.Command {
		return []shell.Command{shell.Call(shell.KeepalivedConf, path, "0600", "-")}
	},
	text: func(in *State, c Conf) string { return in.Texts[c.Hash].Shown },
}

func (c Conf) write(path string) shell.Command {
	return shell.Call(shell.KeepalivedConf, path, c.Mode, c.Hash)
}

var keepaliveds = &table[string, Keepalived]{
	kind:    KindKeepalived,
	of:      func(s *State) *map[string]Keepalived { return &s.Keepalived },
	compare: cmp.Compare[string],
	key:     func(name string) Key { return Name(name) },
	value:   Keepalived.String,
	make: func(to *State, _ string, _ Keepalived) []shell.Command {
		return to.runKeepalived()
	},
	edit: func(to *State, _ string, _, _ Keepalived) []shell.Command {
		return slices.Concat(to.yield(), to.runKeepalived(), to.mendServers())
	},
	unmake: func(to *State, _ string, _ Keepalived) []shell.Command {
		return to.endKeepalived()
	},
}

// runKeepalived makes keepalived run with a State's file.
func (s *State) runKeepalived() []shell.Command {
	var commands []shell.Command
	for _, path := range slices.Sorted(maps.Keys(s.Confs)) {
		c := s.Confs[path]
		args := []string{path, c.Mode, c.Hash}
		for _, a := range s.Governed.heldAddresses() {
			if s.Governed.Alone[a] {
				args = append(args, "+"+a.String())
			} else {
				args = append(args, "-"+a.String())
			}
		}
		commands = append(commands, shell.Call(shell.Keepalived, args...))
	}
	return commands
}

// mendServers sets entries once more, if they are there.
func (s *State) mendServers() []shell.Command {
	var commands []shell.Command
	for _, k := range slices.SortedFunc(maps.Keys(s.Governed.Mend), CompareServers) {
		if v, ok := s.Servers[k]; ok {
			commands = append(commands, shell.Call(shell.MendServer, serverCommand("-e", k, v).Args[2:]...))
		}
	}
	return commands
}

// heldAddresses are those that a start of keepalived takes over from the node, sorted.
func (g Governed) heldAddresses() []netip.Addr {
	seen := map[netip.Addr]bool{}
	for k := range g.Held {
		seen[k.Prefix.Addr()] = true
	}
	return slices.SortedFunc(maps.Keys(seen), netip.Addr.Compare)
}

// endKeepalived ends keepalived on the way to a State. An address that the node has in
// that State too stays; the others leave, and the other directors are told.
func (s *State) endKeepalived() []shell.Command {
	how := "leave"
	var places []string
	stays := map[netip.Addr]bool{}
	for k := range s.Addresses {
		stays[k.Prefix.Addr()] = true
	}
	for _, k := range slices.SortedFunc(maps.Keys(s.Governed.Back), compareAddresses) {
		how = "keep"
		places = append(places, "+", k.Prefix.String(), k.Dev, cmp.Or(s.Governed.Back[k].Label, "-"))
	}
	for _, k := range slices.SortedFunc(maps.Keys(s.Governed.Addresses), compareAddresses) {
		if stays[k.Prefix.Addr()] {
			how = "keep"
		}
		_, same := s.Addresses[k]
		if _, back := s.Governed.Back[k]; !same && !back {
			places = append(places, "-", k.Prefix.String(), k.Dev, "-")
		}
	}
	commands := []shell.Command{shell.Call(shell.KeepalivedAway, append([]string{how}, places...)...)}
	if s.Governed.Sync {
		commands = append(commands, shell.Call(shell.StopSync))
	}
	return commands
}

// Who has which address, and when:
//
//	keepalived comes    what the node had by hand is taken over, and comes back when it
//	                    ends: the record has it as Before
//	keepalived is there its addresses are no entries, neither wanted nor removed
//	keepalived ends     endKeepalived brings back what the record has as Before. An
//	                    address that is wanted from now on is an entry like any other.

// cede takes the addresses that keepalived moves, before or after, out of a case, and
// returns what is left of it. What the node had of them before is in s.Ceded.
func (s *Settled) cede(live, want *State, old Record) (*State, Record) {
	s.Ceded = map[AddressKey]Address{}
	moves := map[netip.Addr]bool{}
	for k := range s.Want.Governed.Addresses {
		moves[k.Prefix.Addr()] = true
	}
	for k := range want.Addresses {
		delete(moves, k.Prefix.Addr())
	}
	if len(moves) == 0 {
		return live, old
	}
	ceded := func(k AddressKey, _ Address) bool { return moves[k.Prefix.Addr()] && !Quiet(k.Dev) }
	_, runs := old.Set.Keepalived[KeepalivedName]
	for k, a := range want.Governed.Held {
		if _, ours := old.Set.Addresses[k]; !ours && !runs && ceded(k, a) {
			s.Ceded[k] = a
		}
	}
	for k, a := range old.Before.Addresses {
		if ceded(k, a) {
			s.Ceded[k] = a
		}
	}
	if len(want.Keepalived) == 0 {
		s.Want.Governed.Back = s.Ceded
		s.Have.Governed.Held = s.Ceded // should it be undone
		s.Have.Governed.Alone = map[netip.Addr]bool{}
		for k := range s.Ceded {
			s.Have.Governed.Alone[k.Prefix.Addr()] = true
		}
	}
	live = live.Clone()
	maps.DeleteFunc(live.Addresses, ceded)
	old.Set, old.Before = old.Set.Clone(), old.Before.Clone()
	maps.DeleteFunc(old.Set.Addresses, ceded)
	maps.DeleteFunc(old.Before.Addresses, ceded)
	return live, old
}

// govern gives both sides of a case what keepalived does there, before and after, and
// the texts that commands name.
func (s *Settled) govern(live, want *State) {
	g := want.Governed
	g.Addresses = maps.Clone(live.Governed.Addresses)
	if g.Addresses == nil {
		g.Addresses = map[AddressKey]bool{}
	}
	maps.Copy(g.Addresses, want.Governed.Addresses)
	g.Sync = live.Governed.Sync || want.Governed.Sync
	g.Mend = map[ServerKey]bool{}
	for k := range want.Governed.Servers {
		if have, there := live.Servers[k]; !there || have != want.Servers[k] {
			g.Mend[k] = true
		}
	}
	texts := map[string]ConfText{}
	maps.Copy(texts, live.Texts)
	maps.Copy(texts, want.Texts)
	for _, side := range []*State{s.Have, s.Want} {
		side.Governed, side.Texts = g, texts
	}
	// A start that is undone gives back what it took over.
	s.Have.Governed.Held, s.Have.Governed.Alone, s.Have.Governed.Back = nil, nil, want.Governed.Held
	s.Have.Governed.Yields = Yield{} // a rollback does not wait
}

// keepCeded completes a record by what addresses were before keepalived moved them, as
// long as it does.
func (r *Record) keepCeded(ceded map[AddressKey]Address) {
	if len(r.Set.Keepalived) > 0 {
		maps.Copy(r.Before.Addresses, ceded)
	}
}
