package persist

import (
	"net/netip"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// ifupdown: Debian's /etc/network/interfaces (interfaces(5)). Each VIP is an alias
// stanza of its own, which nothing else depends on; routes are set by a script in
// if-up.d, which runs once all of a device's own stanzas are done, so that a
// default route comes after the one that the node's configuration has.
func ifupdown(j *job) {
	path := interfaces
	if j.Boot.Sourced {
		path = interfacesDir + "/lvsctl"
	}
	labels := newAliases(j.Boot.Aliases, heldStanzas(j.ownBlock(path)))
	parts := map[string][]string{}
	for _, d := range devices(j.Want) {
		rest := d.addresses
		if m := tunnel(d.name); m != "" {
			rest = j.tunnelStanza(path, d, m)
		}
		for _, p := range rest {
			label, ok := labels.label(d.name, p)
			if !ok {
				parts[d.name] = append(parts[d.name], shell.Cmd(replaceAddress(d.name, p)...).String())
				continue
			}
			j.block(path, "auto "+label, "iface "+label+" "+family(p)+" static", "    address "+p.String())
		}
		for _, k := range d.routes {
			if d.name == "" {
				j.leaveRoute(k)
				continue
			}
			parts[d.name] = append(parts[d.name], shell.Cmd(replaceRoute(k, j.Want.Routes[k])...).String())
		}
	}
	j.hook(j.hookPath(), "$IFACE", "", parts)
}

func (j *job) hookPath() string { return "/etc/network/if-up.d/" + j.own() }

// tunnelStanza brings a module's device up, with its first address, and returns
// the others.
func (j *job) tunnelStanza(path string, d device, module string) []netip.Prefix {
	lines := []string{"auto " + d.name}
	if len(d.addresses) == 0 {
		lines = append(lines, "iface "+d.name+" inet manual", "    pre-up modprobe "+module+" || true", "    up ip link set dev "+d.name+" up")
		j.block(path, lines...)
		return nil
	}
	p := d.addresses[0]
	lines = append(lines, "iface "+d.name+" "+family(p)+" static", "    pre-up modprobe "+module+" || true", "    address "+p.String())
	j.block(path, lines...)
	return d.addresses[1:]
}

func family(p netip.Prefix) string {
	if p.Addr().Is6() {
		return "inet6"
	}
	return "inet"
}

// heldStanzas are the alias stanzas of a block: what each address's is called.
func heldStanzas(text string) map[string]string {
	held := map[string]string{}
	label := ""
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		switch words[0] {
		case "iface":
			label = words[1]
		case "address":
			dev, _, alias := strings.Cut(label, ":")
			if p, err := netip.ParsePrefix(words[1]); err == nil && alias {
				held[aliasKey(dev, p.Addr())] = label
			}
		}
	}
	return held
}
