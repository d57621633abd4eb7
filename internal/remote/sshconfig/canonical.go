package sshconfig

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// lookupLimit bounds one question to the resolver.
const lookupLimit = 10 * time.Second

// canonicalizes tells whether CanonicalizeHostname is on.
func (s *Settings) canonicalizes() bool {
	on := s.Get("CanonicalizeHostname")
	return on == "yes" || on == "always"
}

// canonicalize finds out where to connect: HostName with its token replaced, in
// lower case, and with a domain where CanonicalizeHostname wants one.
func (s *Settings) canonicalize() error {
	s.HostName = s.Host
	if name := s.Get("HostName"); name != "" {
		name, err := expandHost(name, s.Host)
		if err != nil {
			return err
		}
		s.HostName = name
	}
	if a, err := netip.ParseAddr(s.HostName); err == nil {
		if short := a.String(); !strings.EqualFold(short, s.HostName) {
			s.HostName = short
		}
		return nil
	}
	if looksLikeAddress(s.HostName) {
		return nil
	}
	s.HostName = strings.ToLower(s.HostName)
	direct := s.direct() || s.Get("CanonicalizeHostname") == "always"
	if !s.canonicalizes() || !direct {
		return nil
	}
	if found, err := s.inDomain(); err != nil || found {
		return err
	}
	if rules := s.cnames(); len(rules) > 0 {
		s.follow(rules)
	}
	return nil
}

// looksLikeAddress tells whether a name can only be meant as an address.
func looksLikeAddress(name string) bool {
	return strings.ContainsAny(name, "%:") || strings.Trim(name, "0123456789.") == ""
}

// direct tells whether nothing stands between here and the host that would
// resolve its name.
func (s *Settings) direct() bool {
	none := func(v string) bool { return v == "" || strings.EqualFold(v, "none") }
	return none(s.Get("ProxyCommand")) && none(s.Get("ProxyJump"))
}

// inDomain tries the CanonicalDomains and takes the first in which the name
// resolves.
func (s *Settings) inDomain() (found bool, err error) {
	if name, anchored := strings.CutSuffix(s.HostName, "."); anchored {
		if resolves(s.HostName) {
			s.HostName = name
			return true, nil
		}
		return false, s.notFound()
	}
	most := 1
	if m := s.Get("CanonicalizeMaxDots"); m != "" {
		most, _ = strconv.Atoi(m) // parsed when it was read
	}
	if strings.Count(s.HostName, ".") > most {
		return false, nil
	}
	for _, domain := range s.All("CanonicalDomains") {
		full := s.HostName + "." + domain
		if strings.EqualFold(domain, "none") || !resolves(full) {
			continue
		}
		s.HostName = strings.ToLower(full)
		if rules := s.cnames(); len(rules) > 0 {
			s.follow(rules)
		}
		return true, nil
	}
	return false, s.notFound()
}

// notFound is the error of a name that no domain knows, where nothing else is to
// be tried.
func (s *Settings) notFound() error {
	if s.Get("CanonicalizeFallbackLocal") == "no" {
		return fmt.Errorf("the name %s resolves in none of the ssh config's CanonicalDomains", s.HostName)
	}
	return nil
}

func resolves(name string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), lookupLimit)
	defer cancel()
	_, err := net.DefaultResolver.LookupHost(ctx, name)
	return err == nil
}

// cname is one rule of CanonicalizePermittedCNAMEs: SOURCES:TARGETS.
type cname struct{ sources, targets string }

func (s *Settings) cnames() []cname {
	var rules []cname
	for _, text := range s.All("CanonicalizePermittedCNAMEs") {
		text = strings.ToLower(text)
		sources, targets, ok := strings.Cut(text, ":")
		switch {
		case text == "*":
			rules = append(rules, cname{"*", "*"})
		case ok:
			rules = append(rules, cname{sources, targets})
		}
	}
	return rules
}

// follow takes the name that a CNAME leads to, where a rule permits it.
func (s *Settings) follow(rules []cname) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupLimit)
	defer cancel()
	target, err := net.DefaultResolver.LookupCNAME(ctx, s.HostName)
	target = strings.ToLower(strings.TrimSuffix(target, "."))
	if err != nil || target == s.HostName {
		return
	}
	for _, r := range rules {
		if MatchList(s.HostName, r.sources) && MatchList(target, r.targets) {
			s.HostName = target
			return
		}
	}
}
