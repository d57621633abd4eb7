package state

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Ports returns the port of a service name in /etc/services, for example http of tcp.
type Ports func(name string, p Protocol) (uint16, bool)

// RestoredService returns the service that a line for ipvsadm -R adds. ok is false if the
// line adds none. It is an error if the line may add a service and does not say which:
// because it names a host, or is not ipvsadm's.
//
// ipvsadm reads a line by popt(3). The command comes first, then options in any order.
// Short options may be joined (-At10.0.0.1:80), and a value may be in the same word
// (--tcp-service=10.0.0.1:80) or the next one.
func RestoredService(line string, ports Ports) (k ServiceKey, ok bool, err error) {
	words := strings.Fields(line)
	if len(words) > 0 && words[0] == "ipvsadm" {
		words = words[1:]
	}
	options, _, err := poptOptions(words)
	if err != nil || len(options) == 0 || options[0].name != "A" {
		return k, false, err
	}
	for _, o := range options[1:] {
		switch o.name {
		case "t", "u", "sctp-service":
			k.Protocol = map[string]Protocol{"t": TCP, "u": UDP, "sctp-service": SCTP}[o.name]
			k.Addr, err = restoredAddr(o.value, k.Protocol, ports)
		case "f":
			k.Protocol = FWMark
			k.Mark, err = restoredMark(o.value)
		case "6":
			k.V6 = k.Protocol == FWMark
		}
		if err != nil {
			return k, false, err
		}
	}
	if k.Protocol == "" {
		return k, false, errors.New("it names no service")
	}
	return k, true, nil
}

// EndsRestore returns the word of a line at which ipvsadm -R ends, so that no line after
// it is restored: one that belongs to no option ("unexpected argument"), or the first of a
// line without a command. Only lines that begin with # in their first column are taken out
// before it reads them. Version 1.26 itself saved such words, ops and pe.
func EndsRestore(line string) (word string, ends bool) {
	words := slices.DeleteFunc(strings.Fields(line), func(w string) bool { return w == "ipvsadm" })
	options, stray, err := poptOptions(words)
	switch {
	case err != nil:
		return "", false // an unknown option ends its own line alone
	case len(words) > 0 && len(options) == 0:
		return words[0], true
	case len(options) > 0 && options[0].name == "set":
		stray = stray[min(3, len(stray)):] // its timeouts
	}
	if len(stray) > 0 {
		return stray[0], true
	}
	return "", false
}

// poptOption is an option with its value. name is the short name if there is one.
type poptOption struct{ name, value string }

// poptTable is all options of ipvsadm 1.24 to 1.31. value is "=" if an option has a value,
// and "?" if the value may be left out.
var poptTable = []struct{ long, short, value string }{
	{"add-service", "A", ""}, {"edit-service", "E", ""}, {"delete-service", "D", ""}, {"clear", "C", ""},
	{"list", "L", ""}, {"list", "l", ""}, {"zero", "Z", ""}, {"add-server", "a", ""}, {"edit-server", "e", ""},
	{"delete-server", "d", ""}, {"set", "", ""}, {"help", "h", ""}, {"version", "v", ""}, {"restore", "R", ""},
	{"save", "S", ""}, {"start-daemon", "", "="}, {"stop-daemon", "", "="}, {"tcp-service", "t", "="},
	{"udp-service", "u", "="}, {"sctp-service", "", "="}, {"fwmark-service", "f", "="}, {"scheduler", "s", "="},
	{"persistent", "p", "?"}, {"netmask", "M", "="}, {"real-server", "r", "="}, {"masquerading", "m", ""},
	{"ipip", "i", ""}, {"gatewaying", "g", ""}, {"weight", "w", "="}, {"u-threshold", "x", "="},
	{"l-threshold", "y", "="}, {"numeric", "n", ""}, {"connection", "c", ""}, {"mcast-interface", "", "="},
	{"syncid", "", "="}, {"timeout", "", ""}, {"daemon", "", ""}, {"stats", "", ""}, {"rate", "", ""},
	{"thresholds", "", ""}, {"persistent-conn", "", ""}, {"nosort", "", ""}, {"sort", "", ""}, {"exact", "X", ""},
	{"ipv6", "6", ""}, {"ops", "o", ""}, {"pe", "", "="}, {"sched-flags", "b", "="}, {"mcast-group", "", "="},
	{"mcast-port", "", "="}, {"mcast-ttl", "", "="}, {"sync-maxlen", "", "="}, {"tun-info", "", ""},
	{"tun-type", "", "="}, {"tun-port", "", "="}, {"tun-nocsum", "", ""}, {"tun-csum", "", ""},
	{"tun-remcsum", "", ""},
}

// poptNames are the options by how they are written. Their value is that of poptTable.
var poptNames = func() map[string]poptOption {
	names := map[string]poptOption{}
	for _, o := range poptTable {
		if o.short != "" {
			names["-"+o.short] = poptOption{o.short, o.value}
		}
		names["--"+o.long] = poptOption{cmp.Or(o.short, o.long), o.value}
	}
	return names
}()

// poptOptions parses words as popt does. stray are those that belong to no option.
func poptOptions(words []string) (list []poptOption, stray []string, err error) {
	for i := 0; i < len(words); i++ {
		word := words[i]
		if strings.HasPrefix(word, "--") {
			name, value, joined := strings.Cut(word, "=")
			o, known := poptNames[name]
			if !known || joined && o.value == "" {
				return nil, nil, fmt.Errorf("ipvsadm has no option %s", name)
			}
			if !joined {
				value, i = nextValue(o, words, i)
			}
			list = append(list, poptOption{o.name, value})
			continue
		}
		if len(word) < 2 || word[0] != '-' {
			stray = append(stray, word)
			continue
		}
		for rest := word[1:]; rest != ""; {
			o, known := poptNames["-"+rest[:1]]
			if !known {
				return nil, nil, fmt.Errorf("ipvsadm has no option -%s", rest[:1])
			}
			rest = rest[1:]
			value := ""
			switch {
			case o.value == "":
			case rest != "":
				value, rest = strings.TrimPrefix(rest, "="), ""
			default:
				value, i = nextValue(o, words, i)
			}
			list = append(list, poptOption{o.name, value})
		}
	}
	return list, stray, nil
}

// nextValue returns an option's value if that is the next word, and the index of the last
// word that was read.
func nextValue(o poptOption, words []string, i int) (string, int) {
	if o.value == "" || i+1 == len(words) || o.value == "?" && strings.HasPrefix(words[i+1], "-") {
		return "", i
	}
	return words[i+1], i + 1
}

// restoredAddr reads an address with or without a port, in each form that ipvsadm
// accepts: 10.0.0.1:http, 10.1:0x50, [2001:db8::1]:80, 2001:db8::1.
func restoredAddr(word string, p Protocol, ports Ports) (netip.AddrPort, error) {
	host, port := word, ""
	if bare, ok := strings.CutPrefix(word, "["); ok {
		host, port, _ = strings.Cut(bare, "]")
		port = strings.TrimPrefix(port, ":")
	} else if _, err := netip.ParseAddr(word); err != nil {
		if i := strings.LastIndexByte(word, ':'); i >= 0 {
			host, port = word[:i], word[i+1:]
		}
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.Zone() != "" {
		if addr, err = inetAton(host); err != nil {
			return netip.AddrPort{}, fmt.Errorf("it names the host %q", host)
		}
	}
	if port == "" {
		return netip.AddrPortFrom(addr, 0), nil
	}
	if n, err := strconv.ParseUint(port, 0, 16); err == nil {
		return netip.AddrPortFrom(addr, uint16(n)), nil
	}
	if n, known := ports(port, p); known {
		return netip.AddrPortFrom(addr, n), nil
	}
	return netip.AddrPort{}, fmt.Errorf("it names the port %q", port)
}

// inetAton reads an IPv4 address of one to four numbers, decimal, octal or hexadecimal.
// The last number fills all bytes that are left (inet_aton(3)).
func inetAton(text string) (netip.Addr, error) {
	parts := strings.Split(text, ".")
	bad := fmt.Errorf("no address: %q", text)
	if len(parts) > 4 {
		return netip.Addr{}, bad
	}
	var all uint64
	for i, part := range parts {
		size := 8
		if i == len(parts)-1 {
			size = 8 * (5 - len(parts))
		}
		if strings.Contains(part, "_") {
			return netip.Addr{}, bad
		}
		n, err := strconv.ParseUint(part, 0, 64)
		if err != nil || n >= 1<<size {
			return netip.Addr{}, bad
		}
		all = all<<size | n
	}
	return netip.AddrFrom4([4]byte{byte(all >> 24), byte(all >> 16), byte(all >> 8), byte(all)}), nil
}

// restoredMark reads a firewall mark: decimal, octal or hexadecimal. It may be negative,
// as ipvsadm up to 1.31 prints a mark from 2^31 on.
func restoredMark(word string) (uint32, error) {
	n, err := strconv.ParseInt(word, 0, 64)
	if err != nil || n == 0 || n < -1<<31 || n > 1<<32-1 {
		return 0, fmt.Errorf("%q is no mark", word)
	}
	return uint32(n), nil
}
