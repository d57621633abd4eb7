package remote

import (
	"fmt"
	"net"
	"slices"
	"strings"
)

// jumpOf is the ssh config's ProxyJump for a host. A ProxyCommand would have to
// be run and trusted as ssh does; it is refused rather than left out.
func (d *Dialer) jumpOf(alias string) (string, error) {
	jump := d.config.get(alias, "ProxyJump")
	command := d.config.get(alias, "ProxyCommand")
	if jump == "" && command != "" && !strings.EqualFold(command, "none") {
		return "", fmt.Errorf("the ssh config has a ProxyCommand for %s, which lvsctl does not run\nuse ProxyJump, or proxy_jump in the topology", alias)
	}
	return jump, nil
}

// chain resolves a ProxyJump list and returns its last hop. As in OpenSSH, the
// first hop's own ProxyJump counts, the others are reached through the one
// before them.
func (d *Dialer) chain(jump string, t Target, seen []string) (*endpoint, error) {
	if jump == "" || strings.EqualFold(jump, "none") {
		return nil, nil
	}
	var via *endpoint
	for i, hop := range strings.Split(jump, ",") {
		h, err := parseHop(hop)
		if err != nil {
			return nil, err
		}
		h.ConnectTimeout = t.ConnectTimeout
		// The config's word on a hop stands; a topology that brings its own key and
		// known_hosts means its jump hosts too.
		if d.config.get(h.Address, "IdentityFile") == "" {
			h.IdentityFile = t.IdentityFile
		}
		if d.config.get(h.Address, "UserKnownHostsFile") == "" {
			h.KnownHosts = t.KnownHosts
		}
		user := h.User
		if user == "" {
			user = d.config.get(h.Address, "User")
		}
		if user == "" {
			user = d.me
		}
		e, err := d.endpoint(h, user)
		if err != nil {
			return nil, err
		}
		if slices.Contains(seen, e.login()) {
			return nil, fmt.Errorf("proxy_jump goes in a circle: %s -> %s\ngive the jump host ProxyJump none in the ssh config",
				strings.Join(seen, " -> "), e.login())
		}
		seen = append(seen, e.login())
		if i == 0 {
			own, err := d.jumpOf(h.Address)
			if err != nil {
				return nil, err
			}
			if via, err = d.chain(own, h, seen); err != nil {
				return nil, err
			}
		}
		e.via, via = via, e
	}
	return via, nil
}

// parseHop reads one hop of a ProxyJump: [ssh://][USER@]HOST[:PORT].
func parseHop(s string) (Target, error) {
	var t Target
	rest := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(s), "ssh://"), "/")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		t.User, rest = rest[:at], rest[at+1:]
	}
	t.Address = rest
	if host, port, err := net.SplitHostPort(rest); err == nil {
		n, err := parsePort(port)
		if err != nil {
			return t, fmt.Errorf("cannot read the jump host %q: %w", s, err)
		}
		t.Address, t.Port = host, n
	}
	t.Address = strings.Trim(t.Address, "[]")
	if t.Address == "" || strings.ContainsAny(t.Address, " \t") {
		return t, fmt.Errorf("cannot read the jump host %q: want [USER@]HOST[:PORT]", s)
	}
	return t, nil
}
