package sshconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// walk reads the lines for one host, in order.
type walk struct {
	config    *Config
	settings  *Settings
	host      string // what Host lines are compared with
	final     bool   // the second time, for Match final and canonical
	wantFinal bool   // some Match final asks for a second time
}

// block is the Host or Match line that is in force, within those that include
// its file.
type block struct {
	holds truth
	why   string // what makes it maybe
}

func (w *walk) all() error {
	for _, s := range w.config.sources {
		if err := w.file(s.path, s.kind, 0, block{holds: yes}); err != nil && (s.must || !errors.Is(err, fs.ErrNotExist)) {
			return err
		}
	}
	return nil
}

func (w *walk) file(path string, k kind, depth int, outer block) error {
	f, err := w.config.read(path, k, depth)
	if err != nil {
		return err
	}
	in := outer
	for _, l := range f.lines {
		switch l.keyword {
		case "host":
			in = outer.with(w.hostBlock(l.values), "")
		case "match":
			in = outer.with(w.matches(l))
		case "include":
			if err := w.include(l, k, depth, in); err != nil {
				return err
			}
		default:
			if err := w.set(l, in, k); err != nil {
				return err
			}
		}
	}
	return nil
}

// with is a block inside another one.
func (b block) with(holds truth, why string) block {
	if b.holds < holds {
		return b
	}
	return block{min(b.holds, holds), why}
}

func (w *walk) include(l line, k kind, depth int, in block) error {
	for _, name := range l.values {
		name, err := w.settings.expand(name, w.tokens)
		if err != nil {
			return l.errorf("Include: %w", err)
		}
		found, err := w.config.included(l, name, k)
		if err != nil {
			return err
		}
		for _, path := range found {
			if err := w.file(path, k, depth+1, in); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// set takes a line's value where its block counts and nobody came first.
func (w *walk) set(l line, in block, k kind) error {
	s := w.settings
	if !l.known {
		if ignore := s.Get("IgnoreUnknown"); ignore != "" && MatchList(l.keyword, strings.ToLower(ignore)) {
			return nil
		}
		return l.errorf("%s is no keyword of ssh_config; if your ssh knows it, put it into IgnoreUnknown above this line", l.keyword)
	}
	if in.holds == no || len(l.values) == 0 {
		return nil
	}
	several := keywords[l.keyword].several
	have, values := s.values[l.keyword], l.values
	switch {
	case several:
		// The same file in the user's and in the system's config counts twice.
		key := fmt.Sprintf("%s %t %q", l.keyword, k == system, values)
		if s.unique[key] {
			return nil
		}
		if in.holds == yes {
			s.unique[key] = true
		}
	case len(have) > 0:
		return nil
	case l.keyword == "proxyjump" && values[0] != "none":
		// Whichever comes first decides, ProxyJump or ProxyCommand.
		if len(s.values["proxycommand"]) > 0 {
			return nil
		}
	}
	if in.holds == maybe {
		if !keywords[l.keyword].used {
			return nil
		}
		return fmt.Errorf("%s decides on %s (%s) for %s, and lvsctl runs no commands to find out\n"+
			"put what these hosts need into a Host block above it, or into the topology, or name another file with --ssh-config",
			in.why, l.keyword, l.at(), s.Host)
	}
	if l.keyword == "refuseconnection" {
		return l.errorf("RefuseConnection: %s", values[0])
	}
	s.values[l.keyword] = append(slices.Clip(have), values...)
	if l.keyword == "proxyjump" && values[0] != "none" {
		s.values["proxycommand"] = []string{"none"}
	}
	return nil
}
