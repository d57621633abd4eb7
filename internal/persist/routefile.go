package persist

import (
	"fmt"
	"net"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
)

// FileRoute is a route that a node's own files set at boot.
type FileRoute struct {
	Place string // FILE:LINE
	Key   state.RouteKey
	Route state.Route
}

// routeFile parses a route-* or route6-* file of network-scripts as ifup-routes does. If a
// line begins with ADDRESS, it is a file of assignments. Otherwise each line is the
// arguments of ip route add.
func (b *Boot) routeFile(file, text string) {
	name := path.Base(file)
	dev, is4 := strings.CutPrefix(name, "route-")
	if !is4 {
		dev = strings.TrimPrefix(name, "route6-")
	}
	indexed := false
	for line := range strings.Lines(text) {
		indexed = indexed || is4 && strings.HasPrefix(strings.TrimLeft(line, " \t"), "ADDRESS")
	}
	if indexed {
		b.Indexed[file] = true
		b.indexedRoutes(file, dev, readVars(text))
		return
	}
	n := 0
	for line := range strings.Lines(text) {
		n++
		words := strings.Fields(line)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		place := fmt.Sprintf("%s:%d", file, n)
		k, r, ok := routeArguments(words, is4)
		if !ok {
			b.UnreadRoutes = append(b.UnreadRoutes, place)
			continue
		}
		if r.Dev == "" {
			r.Dev = dev
		}
		b.FileRoutes = append(b.FileRoutes, FileRoute{place, k, r})
	}
}

// indexedRoutes parses ADDRESS0, NETMASK0 and GATEWAY0, and those with higher numbers.
func (b *Boot) indexedRoutes(file, dev string, v shellVars) {
	if v.unread > 0 {
		b.UnreadRoutes = append(b.UnreadRoutes, fmt.Sprintf("%s:%d", file, v.unread))
	}
	for n := 0; v.values["ADDRESS"+strconv.Itoa(n)] != ""; n++ {
		i := strconv.Itoa(n)
		addr, err := netip.ParseAddr(v.values["ADDRESS"+i])
		mask := net.ParseIP(v.values["NETMASK"+i]).To4()
		if err != nil || mask == nil {
			b.UnreadRoutes = append(b.UnreadRoutes, file)
			continue
		}
		bits, _ := net.IPMask(mask).Size()
		via, _ := netip.ParseAddr(v.values["GATEWAY"+i]) // zero if there is none
		b.FileRoutes = append(b.FileRoutes, FileRoute{file, state.NewRouteKey(netip.PrefixFrom(addr, bits), 0), state.Route{Via: via, Dev: dev}})
	}
}

// routeArguments parses the arguments of ip route add.
func routeArguments(words []string, is4 bool) (state.RouteKey, state.Route, bool) {
	var r state.Route
	var metric uint32
	table := ""
	types := []string{"unicast", "blackhole", "unreachable", "prohibit", "throw", "local", "broadcast", "nat"}
	if slices.Contains(types, words[0]) {
		if words[0] != "unicast" {
			r.Type = words[0]
		}
		words = words[1:]
	}
	if len(words) > 0 && words[0] == "to" {
		words = words[1:]
	}
	if len(words) == 0 {
		return state.RouteKey{}, r, false
	}
	dst, ok := destination(words[0], is4)
	for i := 1; i < len(words) && ok; i++ {
		value := ""
		if i+1 < len(words) {
			value = words[i+1]
		}
		switch words[i] {
		case "via":
			if value == "inet" || value == "inet6" {
				return state.RouteKey{}, r, false
			}
			r.Via, ok = parsed(netip.ParseAddr(value))
			i++
		case "dev", "oif":
			r.Dev = value
			i++
		case "metric", "priority", "preference":
			n, err := strconv.ParseUint(value, 10, 32)
			metric, ok = uint32(n), err == nil
			i++
		case "table":
			if table = value; table == "main" || table == "254" {
				table = ""
			}
			i++
		case "onlink":
		case "nexthop", "nhid", "tos", "dsfield":
			ok = false
		default: // skip any other word and its value
			i++
		}
	}
	k := state.NewRouteKey(dst, metric)
	k.Table = table
	return k, r, ok
}

func parsed(a netip.Addr, err error) (netip.Addr, bool) { return a, err == nil }

// destination parses default, 10.60.0.0/16, 10.60/16 or an address.
func destination(word string, is4 bool) (netip.Prefix, bool) {
	all := netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	if is4 {
		all = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	if word == "default" || word == "any" || word == "all" {
		return all, true
	}
	text, length, sized := strings.Cut(word, "/")
	for is4 && strings.Count(text, ".") < 3 && sized {
		text += ".0"
	}
	addr, err := netip.ParseAddr(text)
	bits := addr.BitLen()
	if sized && err == nil {
		if mask := net.ParseIP(length).To4(); mask != nil {
			bits, _ = net.IPMask(mask).Size()
		} else {
			bits, err = strconv.Atoi(length)
		}
	}
	p := netip.PrefixFrom(addr, bits)
	return p.Masked(), err == nil && p.IsValid() && addr.Is4() == is4
}
