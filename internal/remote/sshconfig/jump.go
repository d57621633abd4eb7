package sshconfig

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Hop is one jump host of a ProxyJump.
type Hop struct {
	User string // "" if it is not said
	Host string
	Port int // 0 if it is not said
}

// ParseJump reads the jump hosts of a ProxyJump, in the order of the way:
//
//	op@gw:2222,ssh://inner
func ParseJump(list string) ([]Hop, error) {
	var all []Hop
	for text := range strings.SplitSeq(list, ",") {
		h, err := parseHop(text)
		if err != nil {
			return nil, fmt.Errorf("cannot read the jump host %q: %w", text, err)
		}
		all = append(all, h)
	}
	return all, nil
}

func parseHop(text string) (Hop, error) {
	want := errors.New("want [USER@]HOST[:PORT]")
	rest, uri := strings.CutPrefix(text, "ssh://")
	rest = strings.TrimSuffix(rest, "/")
	var h Hop
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		h.User, rest = rest[:at], rest[at+1:]
		if h.User == "" {
			return h, want
		}
		if user, err := url.PathUnescape(h.User); uri && err == nil {
			h.User, _, _ = strings.Cut(user, ";") // what follows a semicolon is for other clients
		}
	}
	var host, port string
	if inside, after, ok := strings.Cut(strings.TrimPrefix(rest, "["), "]"); ok && rest[0] == '[' {
		host, port = inside, after
		if after != "" && after[0] != ':' {
			return h, want
		}
		port = strings.TrimPrefix(after, ":")
	} else if host, port, _ = strings.Cut(rest, ":"); strings.Contains(port, ":") {
		return h, errors.New("an IPv6 address stands in brackets")
	}
	h.Host = strings.Trim(host, `"`)
	if h.Host == "" || strings.ContainsAny(h.Host, " \t\"'/@") {
		return h, want
	}
	if port != "" {
		n, err := net.LookupPort("tcp", port)
		if err != nil || n == 0 {
			return h, fmt.Errorf("%q is not a port", port)
		}
		h.Port = n
	}
	return h, nil
}

// String is a hop as ssh reads it.
func (h Hop) String() string {
	s := h.Host
	if strings.Contains(s, ":") {
		s = "[" + s + "]"
	}
	if h.User != "" {
		s = h.User + "@" + s
	}
	if h.Port != 0 {
		s += ":" + strconv.Itoa(h.Port)
	}
	return s
}
