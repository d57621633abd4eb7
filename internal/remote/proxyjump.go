package remote

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/remote/sshconfig"
)

// chain resolves the jump hosts before an endpoint with settings s and returns
// the last one. As in OpenSSH, the first hop's own ProxyJump counts, the others
// are reached through the one before them.
func (d *Dialer) chain(s *sshconfig.Settings, t Target, seen []string) (*endpoint, error) {
	// A command would have to be run, and trusted, as ssh does; it is refused
	// rather than left out.
	if command := s.Get("ProxyCommand"); command != "" && isSet(command) {
		return nil, fmt.Errorf("the ssh config has a ProxyCommand for %s, which lvsctl does not run\nuse ProxyJump, or proxy_jump in the topology", t.Address)
	}
	list := s.Get("ProxyJump")
	if list == "" || !isSet(list) {
		return nil, nil
	}
	list, err := s.Jump(strings.ReplaceAll(list, " ", ""))
	if err != nil {
		return nil, fmt.Errorf("cannot read ProxyJump for %s: %w", t.Address, err)
	}
	hops, err := sshconfig.ParseJump(list)
	if err != nil {
		return nil, err
	}
	var via *endpoint
	for i, hop := range hops {
		h := Target{
			Address: hop.Host, User: hop.User, Port: hop.Port,
			ConnectTimeout: t.ConnectTimeout,
		}
		if i > 0 { // its own way does not count
			h.ProxyJump = "none"
		}
		own, err := d.settings(h, d.config.Me)
		if err != nil {
			return nil, err
		}
		h.ProxyJump = ""
		// The config's word on a hop stands; a topology that brings its own key and
		// known_hosts means its jump hosts too.
		if own.Get("IdentityFile") == "" {
			h.IdentityFile = t.IdentityFile
		}
		if own.Get("UserKnownHostsFile") == "" {
			h.KnownHosts = t.KnownHosts
		}
		e, err := d.endpoint(h, own)
		if err != nil {
			return nil, err
		}
		if slices.Contains(seen, e.login()) {
			return nil, fmt.Errorf("proxy_jump goes in a circle: %s -> %s\ngive the jump host ProxyJump none in the ssh config",
				strings.Join(seen, " -> "), e.login())
		}
		seen = append(seen, e.login())
		if i == 0 {
			if via, err = d.chain(own, h, seen); err != nil {
				return nil, err
			}
		}
		e.via, via = via, e
	}
	return via, nil
}
