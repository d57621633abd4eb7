package live

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/state"
)

// Keepalived is what was read of a director's keepalived.
type Keepalived struct {
	// Version is the installed one, or the one that would be installed.
	Version   keepalived.Version
	Installed bool
	// Loaded is what the one that runs has loaded: the text, as far as it is known,
	// and what it says.
	Loaded keepalived.Config
	// Foreign reports that the file on the node is somebody else's.
	Foreign bool
	// File is what the file on the node says, and Includes that it has others read
	// too.
	File     keepalived.Config
	Includes bool
	// Firewall is what drops the other directors' adverts as far as can be seen:
	// firewalld, nftables, iptables, or "". SELinux is set if it lets keepalived
	// connect to the ports of its policy only.
	Firewall string
	SELinux  bool
	// Down are the devices of its instances that have no carrier: then it is in fault.
	Down []string
}

// parseVRRP reads what lvsctl_read_vrrp printed.
func parseVRRP(text string, n *Node) error {
	for line := range strings.Lines(text) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "firewall":
			n.Facts.Keepalived.Firewall = rest
		case "down":
			n.Facts.Keepalived.Down = append(n.Facts.Keepalived.Down, rest)
		case "selinux":
			n.Facts.Keepalived.SELinux = true
		default:
			return fmt.Errorf("cannot read VRRP line %q", line)
		}
	}
	return nil
}

// keepalivedText is what lvsctl_read_keepalived printed, taken apart.
type keepalivedText struct {
	version, os, parent  string
	loaded, file, before string
	mode, beforeMode     string
	hasLoaded, hasFile   bool
	hasBefore, fresh     bool
}

func (k *keepalivedText) read(text string) error {
	var into *string
	for line := range strings.Lines(text) {
		if inside, ok := strings.CutPrefix(line, " "); ok && into != nil {
			*into += inside
			continue
		}
		word, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch word {
		case "version":
			k.version = rest
		case "os":
			k.os = rest
		case "parent":
			k.parent = rest
		case "loaded":
			k.hasLoaded, into = true, &k.loaded
		case "file":
			k.hasFile, k.mode, into = true, rest, &k.file
		case "before":
			k.hasBefore, k.beforeMode, into = true, rest, &k.before
		case "fresh":
			k.fresh = true
		default:
			return fmt.Errorf("cannot read keepalived line %q", line)
		}
	}
	return nil
}

// parseKeepalived reads what keepalived is and does. What it does counts only
// where it is, or was, this topology's: the record says.
func parseKeepalived(text string, n *Node, wanted bool) error {
	var k keepalivedText
	if err := k.read(text); err != nil {
		return err
	}
	out := &n.Facts.Keepalived
	if out.Version, out.Installed = keepalived.ParseVersion(k.version); !out.Installed {
		out.Version = keepalived.Packaged(strings.Fields(k.os))
	}
	if k.hasFile {
		if err := conf(n.State, keepalived.File, k.mode, k.file); err != nil {
			return err
		}
		out.Foreign = !strings.HasPrefix(k.file, keepalived.Header)
		out.Includes = includes(k.file)
		out.File, _ = keepalived.Parse(keepalived.Text{Path: keepalived.File, Text: k.file}, nothing) // as far as it can be read
	}
	if k.hasBefore {
		n.State.Texts[keepalived.Hash(k.before)] = ConfText(k.before)
	}
	if k.parent == "" {
		return nil
	}
	hash, loaded := k.running(n.Record)
	n.State.Keepalived[state.KeepalivedName] = state.Keepalived{Loaded: hash}
	out.Loaded, _ = keepalived.Parse(keepalived.Text{Path: keepalived.File, Text: loaded}, nothing)
	if _, ours := n.Record.Set.Keepalived[state.KeepalivedName]; ours || wanted {
		n.State.Governed = Governs(out.Loaded)
	}
	return nil
}

// running is the hash of what is loaded and its text, which is "" and a guess
// where nobody can know. From 2.2.0 on keepalived shows it. Before, the file on
// the node is what is loaded if it is older than the process, or if it is the one
// that lvsctl reloaded last.
func (k *keepalivedText) running(r state.Record) (hash, text string) {
	if k.hasLoaded {
		return keepalived.Hash(keepalived.Strip(k.loaded)), k.loaded
	}
	hash = keepalived.Hash(keepalived.Strip(k.file))
	if k.fresh || r.Set.Keepalived[state.KeepalivedName].Loaded == hash {
		return hash, k.file
	}
	return "", k.file
}

// conf adds a file to a State. info is its line of ls -ldn.
func conf(s *state.State, path, info, text string) error {
	f, ok := state.Listed(info)
	if !ok {
		return fmt.Errorf("cannot read file line %q", info)
	}
	hash := keepalived.Hash(text)
	s.Confs[path] = state.Conf{Hash: hash, Mode: f.Mode, Owner: f.Owner}
	s.Texts[hash] = ConfText(text)
	return nil
}

// ConfText is a file's text, and how it may be shown.
func ConfText(text string) state.ConfText {
	return state.ConfText{Text: text, Shown: keepalived.Mask(text)}
}

func nothing(string, string) ([]keepalived.Text, error) { return nil, nil }

func includes(text string) bool {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "include") {
			return true
		}
	}
	return false
}

// Governs is what a keepalived does on its node.
func Governs(c keepalived.Config) state.Governed {
	g := state.Governed{
		Sync:      c.Sync != nil,
		Addresses: map[state.AddressKey]bool{},
		Servers:   map[state.ServerKey]bool{},
		Sorry:     map[state.ServiceKey]netip.AddrPort{},
	}
	for _, i := range c.Instances {
		for _, a := range i.Addresses() {
			g.Addresses[state.AddressKey{Prefix: a.Prefix, Dev: a.Dev}] = true
		}
	}
	for _, s := range c.Services {
		k := KeepalivedService(s)
		if s.Sorry.IsValid() {
			g.Sorry[k] = s.Sorry
		}
		for _, server := range s.Servers {
			g.Servers[state.ServerKey{Service: k, Addr: server.Addr}] = true
		}
	}
	return g
}

// KeepalivedService is the key in the table of a service of keepalived's.
func KeepalivedService(s keepalived.Service) state.ServiceKey {
	if s.Mark != 0 {
		return state.ServiceKey{Protocol: state.FWMark, Mark: s.Mark, V6: s.IPv6()}
	}
	return state.ServiceKey{Protocol: state.Protocol(strings.ToLower(s.Protocol)), Addr: s.Addr}
}
