package state

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

func parseRoutes4(text string, s *State) error {
	return parseRoutes(text, netip.IPv4Unspecified(), s)
}

func parseRoutes6(text string, s *State) error {
	return parseRoutes(text, netip.IPv6Unspecified(), s)
}

// parseRoutes reads ip -o -4 route show and -6 (iproute2 2.6.32 to 7, busybox):
//
//	default via 10.1.0.254 dev eth9
//	10.1.0.0/24 dev eth9 proto kernel scope link src 10.1.0.1
//	10.50.0.0/16 \<TAB>nexthop via 10.1.0.250 dev eth9 weight 1 \<TAB>nexthop via 10.1.0.251 dev eth9 weight 2
//	10.60.0.0/16 via 10.99.0.1 dev eth9 proto static src 10.1.0.1 metric 100 onlink
//	blackhole 10.70.0.0/16
//	10.80.0.0/16 via inet6 2001:db8:1::2 dev eth9
//
// Of several routes with one key ip first prints the one that IPv4 uses.
func parseRoutes(text string, unspecified netip.Addr, s *State) error {
	for line := range strings.Lines(text) {
		words := strings.Fields(strings.ReplaceAll(line, `\`, " "))
		if len(words) == 0 {
			continue
		}
		k, r, err := parseRoute(words, unspecified)
		if err != nil {
			return fmt.Errorf("cannot read route line %q: %w", strings.TrimSpace(line), err)
		}
		if first, ok := s.Routes[k]; ok {
			first.Behind = strings.TrimPrefix(first.Behind+"\n"+r.words(), "\n")
			r = first
		}
		s.Routes[k] = r
	}
	return nil
}

var routeTypes = map[string]bool{
	"unicast": true, "local": true, "broadcast": true, "multicast": true, "throw": true,
	"unreachable": true, "prohibit": true, "blackhole": true, "nat": true, "anycast": true,
}

// afterEncap are the words that end those of an encapsulation.
var afterEncap = map[string]bool{"via": true, "dev": true, "nexthop": true, "nhid": true, "proto": true, "metric": true, "scope": true}

// retyped are the words of an encapsulation as ip takes them: it prints "segs 2 [ fc00::1
// fc00::2 ]" and takes "segs fc00::1,fc00::2".
func retyped(words []string) []string {
	open, end := slices.Index(words, "["), slices.Index(words, "]")
	if open < 2 || end < open || words[open-2] != "segs" {
		return words
	}
	return slices.Concat(words[:open-1], []string{strings.Join(words[open+1:end], ",")}, words[end+1:])
}

// statusWords tell the status of a route, which is no part of it. Those in
// statusWordsWithValue are followed by a value.
var (
	statusWords          = map[string]bool{"linkdown": true, "dead": true, "offload": true, "offload_failed": true, "rt_offload": true, "rt_trap": true, "trap": true, "pervasive": true}
	statusWordsWithValue = map[string]bool{"expires": true, "error": true, "users": true, "age": true}
)

func parseRoute(words []string, unspecified netip.Addr) (RouteKey, Route, error) {
	var r Route
	if routeTypes[words[0]] {
		if words[0] != "unicast" {
			r.Type = words[0]
		}
		words = words[1:]
	}
	if len(words) == 0 {
		return RouteKey{}, r, fmt.Errorf("no destination")
	}
	dst, err := parseDestination(words[0], unspecified)
	if err != nil {
		return RouteKey{}, r, err
	}
	var metric uint32
	var tos, table string
	var source netip.Prefix
	var rest []string
	for i := 1; i < len(words); i++ {
		word, value := words[i], ""
		if i+1 < len(words) {
			value = words[i+1]
		}
		if word == "nexthop" {
			rest = append(rest, strings.Join(dropFleeting(words[i:]), " "))
			break
		}
		if word == "encap" {
			// Words of its own, up to where the packets go then: "encap ip id 7 src 0.0.0.0 dst
			// 10.0.0.77 ttl 0 tos 0 via 10.0.0.1".
			end := i + 1
			for end < len(words) && !afterEncap[words[end]] {
				end++
			}
			rest = append(rest, retyped(words[i:end])...)
			i = end - 1
			continue
		}
		switch {
		case word == "via" && value != "inet6":
			if r.Via, err = netip.ParseAddr(value); err != nil {
				return RouteKey{}, r, err
			}
			i++
		case word == "dev":
			if value == "" {
				return RouteKey{}, r, errors.New("no device")
			}
			r.Dev = value
			i++
		case word == "metric":
			if metric, err = parseMetric(value); err != nil {
				return RouteKey{}, r, err
			}
			i++
		case word == "tos" || word == "table":
			if value == "" {
				return RouteKey{}, r, fmt.Errorf("no %s", word)
			}
			if word == "tos" {
				tos = value
			} else {
				table = value
			}
			i++
		case word == "from":
			if source, err = parseDestination(value, unspecified); err != nil {
				return RouteKey{}, r, err
			}
			i++
		case word == "rto_min" && value == "lock":
			// ip locks it whenever it is given, and takes no such word (iproute.c, 6.1).
			rest = append(rest, word)
			i++
		case statusWordsWithValue[word]:
			r.Learnt = r.Learnt || word == "expires" && dst.Addr().Is6()
			i++
		case word == "proto" && value == "ra":
			r.Learnt = true
			rest = append(rest, word)
		case !statusWords[word]:
			rest = append(rest, word)
		}
	}
	r.Rest = strings.Join(rest, " ")
	k := NewRouteKey(dst, metric)
	if table != "main" {
		k.Table = table
	}
	k.TOS, k.Source = tos, source
	return k, r, nil
}

// parseMetric reads a metric. busybox prints one from 2^31 on as negative.
func parseMetric(word string) (uint32, error) {
	if negative, err := strconv.ParseInt(word, 10, 32); err == nil && negative < 0 {
		return uint32(negative), nil
	}
	m, err := strconv.ParseUint(word, 10, 32)
	return uint32(m), err
}

func dropFleeting(words []string) []string {
	var kept []string
	for _, w := range words {
		if !statusWords[w] {
			kept = append(kept, w)
		}
	}
	return kept
}

// parseDestination reads a destination. ip leaves /32 and /128 out.
func parseDestination(word string, unspecified netip.Addr) (netip.Prefix, error) {
	if word == "default" {
		return netip.PrefixFrom(unspecified, 0), nil
	}
	if strings.Contains(word, "/") {
		return netip.ParsePrefix(word)
	}
	addr, err := netip.ParseAddr(word)
	if err != nil {
		return netip.Prefix{}, err
	}
	return netip.PrefixFrom(addr, addr.BitLen()), nil
}
