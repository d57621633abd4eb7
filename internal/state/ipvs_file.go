package state

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A TableFile is a file of ipvsadm that people have: the rules that ipvsadm -R takes, in
// any of its spellings, or what ipvsadm -L or -Ln printed, or both.
type TableFile struct {
	// State has the services, their servers, timeouts and sync daemons.
	*State
	Lines    map[ServiceKey]int // where each service stands
	Problems []LineProblem      // lines that cannot be read, in order
}

// LineProblem is what is wrong with a line of a file.
type LineProblem struct {
	Line int
	// Service is the one that it is about, or the zero key.
	Service ServiceKey
	Text    string
}

// ParseTableFile reads what ipvsadm -S printed, with and without -n, and what people write
// by hand for ipvsadm -R:
//
//	-A -t 10.0.0.1:80 -s rr -p 300 -M 255.255.255.0
//	ipvsadm -At www:http -s rr
//	/sbin/ipvsadm --add-server --tcp-service 10.0.0.1:80 --real-server=10.0.0.2:8080 -m -w3
//
// and what ipvsadm -L prints, with any of -n, --thresholds, --timeout and --daemon:
//
//	TCP  10.0.0.1:80 sh (sh-port) persistent 50 mask 255.255.255.0
//	  -> 10.0.0.2:80                  Masq    1      0          0
//
// Names of ports are those of [PortNumber]; names of hosts are problems.
func ParseTableFile(text string) TableFile {
	f := tableReader{TableFile: TableFile{State: New(), Lines: map[ServiceKey]int{}}}
	for line := range strings.Lines(text) {
		f.line++
		if len(line) > 4096 {
			f.problem(ServiceKey{}, errors.New("it is too long"))
			continue
		}
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") || words[0] == "exit" {
			continue
		}
		if words[0] == "sudo" {
			words = words[1:]
		}
		if len(words) > 0 && path.Base(words[0]) == "ipvsadm" {
			words = words[1:]
		}
		if len(words) > 0 && strings.HasPrefix(words[0], "-") && words[0] != "->" {
			f.rule(words)
			continue
		}
		f.listing(words, strings.TrimSpace(line))
	}
	return f.TableFile
}

// A tableReader reads a file line by line.
type tableReader struct {
	TableFile
	line int
	// service is the one whose servers a listing names, if it could be read.
	service    ServiceKey
	known      bool
	thresholds bool // the heading says that the columns are thresholds
}

func (f *tableReader) problem(k ServiceKey, err error) {
	f.Problems = append(f.Problems, LineProblem{f.line, k, err.Error()})
}

// An ipvsOption is an option of ipvsadm: its short form, and whether it has a value.
type ipvsOption struct {
	short string
	value byte // 0 none, '=' always, '?' perhaps
}

// ipvsOptions are by their long names (options_table in ipvsadm.c, 1.31).
var ipvsOptions = map[string]ipvsOption{
	"add-service": {"A", 0}, "edit-service": {"E", 0}, "delete-service": {"D", 0}, "clear": {"C", 0},
	"add-server": {"a", 0}, "edit-server": {"e", 0}, "delete-server": {"d", 0}, "zero": {"Z", 0},
	"list": {"L", 0}, "save": {"S", 0}, "restore": {"R", 0}, "help": {"h", 0},
	"set": {"set", 0}, "start-daemon": {"start-daemon", '='}, "stop-daemon": {"stop-daemon", '='},
	"tcp-service": {"t", '='}, "udp-service": {"u", '='}, "sctp-service": {"sctp-service", '='}, "fwmark-service": {"f", '='},
	"scheduler": {"s", '='}, "persistent": {"p", '?'}, "netmask": {"M", '='}, "pe": {"pe", '='}, "ops": {"o", 0}, "sched-flags": {"b", '='},
	"real-server": {"r", '='}, "gatewaying": {"g", 0}, "masquerading": {"m", 0}, "ipip": {"i", 0}, "weight": {"w", '='},
	"u-threshold": {"x", '='}, "l-threshold": {"y", '='}, "ipv6": {"6", 0}, "numeric": {"n", 0}, "exact": {"X", 0},
	"mcast-interface": {"mcast-interface", '='}, "syncid": {"syncid", '='}, "sync-maxlen": {"sync-maxlen", '='},
	"mcast-group": {"mcast-group", '='}, "mcast-port": {"mcast-port", '='}, "mcast-ttl": {"mcast-ttl", '='},
	"tun-type": {"tun-type", '='}, "tun-port": {"tun-port", '='}, "tun-nocsum": {"tun-nocsum", 0}, "tun-csum": {"tun-csum", 0}, "tun-remcsum": {"tun-remcsum", 0},
	"sort": {"sort", 0}, "nosort": {"nosort", 0}, "timeout": {"timeout", 0}, "daemon": {"daemon", 0}, "stats": {"stats", 0}, "rate": {"rate", 0}, "thresholds": {"thresholds", 0}, "connection": {"c", 0},
}

// ipvsShort are the same by their short forms.
var ipvsShort = func() map[string]ipvsOption {
	byShort := map[string]ipvsOption{}
	for _, o := range ipvsOptions {
		byShort[o.short] = o
	}
	return byShort
}()

// A commandLine is a line with its options by their short form, and the words that belong to none.
type commandLine struct {
	options map[string]string
	words   []string
}

// options reads the words of a command line as popt does: -At X, -t X, -tX,
// --tcp-service X and --tcp-service=X are one.
func options(words []string) (commandLine, error) {
	g := commandLine{options: map[string]string{}}
	next := func(o ipvsOption) string {
		if len(words) == 0 || o.value == '?' && strings.HasPrefix(words[0], "-") {
			return ""
		}
		w := words[0]
		words = words[1:]
		return w
	}
	for len(words) > 0 {
		w := words[0]
		words = words[1:]
		if long, ok := strings.CutPrefix(w, "--"); ok {
			name, value, joined := strings.Cut(long, "=")
			o, ok := ipvsOptions[name]
			if !ok {
				return g, fmt.Errorf("unknown option %q", w)
			}
			if o.value != 0 && !joined {
				value = next(o)
			}
			g.options[o.short] = value
			continue
		}
		if !strings.HasPrefix(w, "-") || w == "-" {
			g.words = append(g.words, w)
			continue
		}
		for rest := w[1:]; rest != ""; {
			o, ok := ipvsShort[rest[:1]]
			if !ok {
				return g, fmt.Errorf("unknown option \"-%s\"", rest[:1])
			}
			rest = rest[1:]
			value := ""
			if o.value != 0 {
				if value, rest = strings.TrimPrefix(rest, "="), ""; value == "" {
					value = next(o)
				}
			}
			g.options[o.short] = value
		}
	}
	return g, nil
}

// has returns the first of the options that is given.
func (g commandLine) has(short ...string) string {
	for _, s := range short {
		if _, ok := g.options[s]; ok {
			return s
		}
	}
	return ""
}

// rule reads a line of rules and does what it says to the table.
func (f *tableReader) rule(words []string) {
	g, err := options(words)
	if err != nil {
		f.problem(ServiceKey{}, err)
		return
	}
	switch command := g.has("A", "E", "a", "e", "D", "d", "C", "set", "start-daemon", "stop-daemon", "Z", "L", "S", "h"); command {
	case "A", "E":
		err = f.addService(g)
	case "a", "e":
		err = f.addServer(g)
	case "D", "d":
		err = f.remove(g, command == "D")
	case "C":
		clear(f.Services)
		clear(f.Servers)
		clear(f.Lines)
	case "set":
		err = parseTimeouts("Timeout (tcp tcpfin udp): "+strings.Join(g.words, " "), f.State)
	case "start-daemon":
		dev, id := cmp.Or(g.options["mcast-interface"], "eth0"), cmp.Or(g.options["syncid"], "0")
		err = parseDaemons(fmt.Sprintf("%s sync daemon (mcast=%s, syncid=%s)\n", g.options[command], dev, id), f.State)
	case "stop-daemon", "Z", "L", "S", "h":
	default:
		err = errors.New("it has no command")
	}
	if err != nil {
		k, _ := g.service()
		f.problem(k, err)
	}
}

// service is the key that a line's options name.
func (g commandLine) service() (ServiceKey, error) {
	o := g.has("t", "u", "sctp-service", "f")
	if o == "" {
		return ServiceKey{}, errors.New("it names no service")
	}
	word := "-" + o
	if len(o) > 1 {
		word = "--" + o
	}
	value := g.options[o]
	if o == "f" {
		mark, err := restoredMark(value)
		if err != nil {
			return ServiceKey{}, err
		}
		value = strconv.FormatUint(uint64(mark), 10)
	} else {
		addr, err := namedHostPort(value)
		if err != nil {
			return ServiceKey{}, err
		}
		value = addr.String()
	}
	words := []string{word, value}
	if _, six := g.options["6"]; six && o == "f" {
		words = append(words, "-6")
	}
	k, _, err := parseServiceKey(words)
	return k, err
}

// namedHostPort reads ADDRESS, ADDRESS:PORT and ADDRESS:NAME, in each form that ipvsadm
// takes.
func namedHostPort(word string) (netip.AddrPort, error) {
	if addr, err := parseHostPort(word); err == nil {
		return addr, nil
	}
	known := func(name string, _ Protocol) (uint16, bool) { return PortNumber(name) }
	if addr, err := restoredAddr(word, "", known); err == nil {
		return addr, nil
	}
	i := strings.LastIndexByte(word, ':')
	host, name := word[:max(i, 0)], word[i+1:]
	if _, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")); err != nil {
		return netip.AddrPort{}, fmt.Errorf("%q has the name of a host, and only the director knows its address; print the table with -n", word)
	}
	return netip.AddrPort{}, fmt.Errorf("%q has the port %q, which is not known here; print the table with -n", word, name)
}

func (f *tableReader) addService(g commandLine) error {
	k, err := g.service()
	if err != nil {
		return err
	}
	words := k.args()
	if s := g.options["s"]; s != "" {
		words = append(words, "-s", s)
	}
	if _, ok := g.options["p"]; ok {
		words = append(words, "-p", cmp.Or(g.options["p"], "360")) // IP_VS_PERSISTENT_TIMEOUT
	}
	if m, ok := g.options["M"]; ok {
		if k.bits() == 32 && !strings.Contains(m, ".") {
			return fmt.Errorf("-M %s is the mask 0.0.0.%s for ipvsadm, which takes dotted masks for IPv4", m, m)
		}
		words = append(words, "-M", m)
	}
	if pe, ok := g.options["pe"]; ok {
		words = append(words, "--pe", pe)
	}
	if b, ok := g.options["b"]; ok {
		words = append(words, "-b", b)
	}
	if slices.Contains(g.words, "ops") || g.has("o") != "" { // 1.26 printed it without dashes
		words = append(words, "-o")
	}
	if i := slices.Index(g.words, "pe"); i >= 0 && i+1 < len(g.words) {
		words = append(words, "--pe", g.words[i+1])
	}
	if err := parseService(words, f.State); err != nil {
		return err
	}
	f.Lines[k] = f.line
	return nil
}

// server is the real server that a line names. Without a port it has the service's, and
// with -g and -i always: ipvsadm replaces it and says nothing.
func (g commandLine) server(k ServiceKey) (netip.AddrPort, error) {
	r := g.options["r"]
	addr, err := namedHostPort(r)
	if err != nil {
		return addr, err
	}
	if k.Protocol == FWMark {
		return addr, nil
	}
	bare, alone := netip.ParseAddr(strings.Trim(r, "[]"))
	if g.has("m") == "" || alone == nil && bare == addr.Addr() {
		addr = netip.AddrPortFrom(addr.Addr(), k.Addr.Port())
	}
	return addr, nil
}

func (f *tableReader) addServer(g commandLine) error {
	k, err := g.service()
	if err != nil {
		return err
	}
	if _, ok := f.Services[k]; !ok {
		return errors.New("its service was not added before it")
	}
	addr, err := g.server(k)
	if err != nil {
		return err
	}
	words := append(k.args(), "-r", addr.String(), "-"+cmp.Or(g.has("m", "i"), "g"))
	for _, o := range []string{"w", "x", "y"} {
		if v, ok := g.options[o]; ok {
			words = append(words, "-"+o, v)
		}
	}
	for _, o := range []string{"tun-type", "tun-port", "tun-nocsum", "tun-csum", "tun-remcsum"} {
		if v, ok := g.options[o]; ok {
			words = append(words, strings.Fields("--"+o+" "+v)...)
		}
	}
	return parseServer(words, f.State)
}

// remove removes a service with its servers, or a server.
func (f *tableReader) remove(g commandLine, whole bool) error {
	k, err := g.service()
	if err != nil {
		return err
	}
	if !whole {
		addr, err := namedHostPort(g.options["r"])
		if err != nil {
			return err
		}
		delete(f.Servers, ServerKey{k, addr})
		return nil
	}
	delete(f.Services, k)
	delete(f.Lines, k)
	for s := range f.Servers {
		if s.Service == k {
			delete(f.Servers, s)
		}
	}
	return nil
}
