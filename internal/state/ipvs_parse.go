package state

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

var errNoIPVSADM = errors.New("the node has virtual services but no ipvsadm to read them with; install ipvsadm there first")

// parseIPVS reads ipvsadm -S -n, versions 1.24 to 1.31 and later:
//
//	-A -t 10.0.0.1:80 -s sh -p 50 -M 255.255.255.0 -b sh-fallback,sh-port
//	-a -t 10.0.0.1:80 -r 10.0.0.2:80 -i -w 1 --tun-type ipip
//	-A -f -1412536447 -s rr
//	-A -u 10.0.0.1:5060 -s rr -p 300 pe sip ops
//
// 1.26 leaves out the dashes of --pe and -o. Up to 1.31 marks from 2^31 on are negative.
// 1.31 ends every tunnelled server in --tun-type ipip.
//
// A line that cannot be read is stored in [State.Unreadable] under its service. It is an
// error only for a plan that touches the service.
func parseIPVS(text string, s *State) error {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		var err error
		switch words[0] {
		case "-A":
			err = parseService(words[1:], s)
		case "-a":
			err = parseServer(words[1:], s)
		case "unreadable":
			return errNoIPVSADM
		default:
			err = fmt.Errorf("unknown command %q", words[0])
		}
		if err != nil {
			k, _, unknown := parseServiceKey(words[1:])
			if unknown != nil {
				k = ServiceKey{}
			}
			s.cannotRead(k, fmt.Errorf("cannot read ipvsadm line %q: %w", strings.TrimSpace(line), err))
		}
	}
	return nil
}

// cannotRead stores the first error of a service. The zero key is for a line that names no
// service.
func (s *State) cannotRead(k ServiceKey, err error) {
	if _, known := s.Unreadable[k]; !known {
		s.Unreadable[k] = err.Error()
	}
}

func parseService(words []string, s *State) error {
	k, rest, err := parseServiceKey(words)
	if err != nil {
		return err
	}
	v := Service{Scheduler: "wlc"}
	for len(rest) > 0 {
		word, value := rest[0], ""
		if len(rest) > 1 {
			value = rest[1]
		}
		used := 2
		switch word {
		case "-s":
			v.Scheduler = value
		case "-p":
			v.Timeout, err = strconv.Atoi(value)
			if v.Mask == 0 {
				v.Mask = k.bits()
			}
		case "-M":
			if v.Mask, err = parseMask(value); err == nil && (v.Mask < 0 || v.Mask > k.bits()) {
				err = fmt.Errorf("bad mask %q", value)
			}
		case "--pe", "pe":
			v.Engine = value
		case "-b":
			v.Flags = SortFlags(strings.Split(value, ","))
		case "-o", "ops":
			v.OnePacket, used = true, 1
		default:
			return fmt.Errorf("unknown option %q", word)
		}
		if err != nil {
			return err
		}
		if used > len(rest) {
			return fmt.Errorf("%s has no value", word)
		}
		rest = rest[used:]
	}
	if strings.HasPrefix(v.Scheduler, "(") {
		return fmt.Errorf("scheduler %q", v.Scheduler) // (null): its module is gone
	}
	s.Services[k] = v
	return nil
}

// parseServer reads the words after -a. Debian's ipvsadm prints a server's own
// family wherever the service's differs, so the address decides.
func parseServer(words []string, s *State) error {
	k, rest, err := parseServiceKey(words)
	if err != nil {
		return err
	}
	if len(rest) < 2 || rest[0] != "-r" {
		return errors.New("no -r")
	}
	addr, err := parseHostPort(rest[1])
	if err != nil {
		return err
	}
	v := Server{Weight: 1}
	var tunnel []string
	for rest = rest[2:]; len(rest) > 0; rest = rest[1:] {
		switch rest[0] {
		case "-m":
			v.Forward = Masq
		case "-g":
			v.Forward = Direct
		case "-i":
			v.Forward = Tunnel
		case "-w":
			if len(rest) < 2 {
				return errors.New("-w has no value")
			}
			if v.Weight, err = strconv.Atoi(rest[1]); err != nil {
				return err
			}
			rest = rest[1:]
		case "-x", "-y": // people write them, ipvsadm -S does not
			if len(rest) < 2 {
				return fmt.Errorf("%s has no value", rest[0])
			}
			n, err := strconv.Atoi(rest[1])
			if err != nil {
				return err
			}
			if rest[0] == "-x" {
				v.Upper = n
			} else {
				v.Lower = n
			}
			rest = rest[1:]
		default:
			tunnel = append(tunnel, rest[0])
		}
	}
	if v.Forward == "" {
		return errors.New("no forwarding method")
	}
	wrapping, err := ParseWrapping(strings.Join(tunnel, " "))
	if err != nil {
		return err
	}
	v.Tunnel = wrapping.String()
	s.Servers[ServerKey{k, addr}] = v
	return nil
}

func parseServiceKey(words []string) (ServiceKey, []string, error) {
	if len(words) < 2 {
		return ServiceKey{}, nil, errors.New("no service")
	}
	protocols := map[string]Protocol{"-t": TCP, "-u": UDP, "--sctp-service": SCTP}
	if p, ok := protocols[words[0]]; ok {
		addr, err := parseHostPort(words[1])
		return ServiceKey{Protocol: p, Addr: addr}, words[2:], err
	}
	if words[0] != "-f" {
		return ServiceKey{}, nil, fmt.Errorf("unknown service option %q", words[0])
	}
	mark, err := parseMark(words[1])
	if err != nil {
		return ServiceKey{}, nil, err
	}
	k := ServiceKey{Protocol: FWMark, Mark: mark}
	words = words[2:]
	if len(words) > 0 && words[0] == "-6" {
		k.V6, words = true, words[1:]
	}
	return k, words, nil
}

// parseHostPort reads 10.0.0.1:80, [2001:db8::1]:80 and, for a service of no
// port, an address alone.
func parseHostPort(word string) (netip.AddrPort, error) {
	if ap, err := netip.ParseAddrPort(word); err == nil {
		return ap, nil
	}
	if bare, ok := strings.CutPrefix(word, "["); ok {
		word = strings.TrimSuffix(bare, "]")
	}
	addr, err := netip.ParseAddr(word)
	return netip.AddrPortFrom(addr, 0), err
}

// parseMark reads a firewall mark, which ipvsadm prints by %d or by %u.
func parseMark(word string) (uint32, error) {
	mark, err := strconv.ParseInt(word, 10, 64)
	if err == nil && (mark < math.MinInt32 || mark > math.MaxUint32) {
		err = fmt.Errorf("mark %s is out of range", word)
	}
	return uint32(mark), err
}

func (k ServiceKey) bits() int {
	if k.V6 || k.Addr.Addr().Is6() {
		return 128
	}
	return 32
}

// parseMask reads a dotted mask or a prefix length.
func parseMask(word string) (int, error) {
	if !strings.Contains(word, ".") {
		return strconv.Atoi(word)
	}
	addr, err := netip.ParseAddr(word)
	if err != nil || !addr.Is4() {
		return 0, fmt.Errorf("bad mask %q", word)
	}
	bits := 0
	for _, b := range addr.As4() {
		for ; b&0x80 != 0; b <<= 1 {
			bits++
		}
	}
	return bits, nil
}

// SortFlags joins scheduler flags as they are in [Service.Flags].
func SortFlags(flags []string) string {
	flags = slices.Clone(flags)
	slices.Sort(flags)
	return strings.Join(flags, ",")
}

// parseThresholds reads ipvsadm -L -n --thresholds into servers that
// parseIPVS found:
//
//	IP Virtual Server version 1.2.1 (size=4096)
//	Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn
//	  -> RemoteAddress:Port
//	TCP  10.0.0.1:80 sh (sh-port) persistent 50
//	  -> 10.0.0.2:80                  10         5          0          0
//	FWM  7 IPv6 rr
//
// An address that is too long for its column moves the next ones, so it reads words and
// not columns.
func parseThresholds(text string, s *State) error {
	for l := range listedLines(text) {
		if !l.server || len(l.words) < 6 {
			continue
		}
		k, err := l.serverKey()
		upper, err1 := strconv.Atoi(l.words[2])
		lower, err2 := strconv.Atoi(l.words[3])
		if err := errors.Join(err, err1, err2); err != nil {
			s.cannotRead(l.service, fmt.Errorf("cannot read threshold line %q: %w", l.line, err))
			continue
		}
		if v, ok := s.Servers[k]; ok {
			v.Upper, v.Lower = upper, lower
			s.Servers[k] = v
			active, _ := strconv.Atoi(l.words[4])
			inactive, _ := strconv.Atoi(l.words[5])
			s.Connections[k] = Connections{active, inactive}
		}
	}
	return nil
}

// listed is a line of a virtual service, or of one of its real servers, in a listing by
// ipvsadm -L -n.
type listed struct {
	line   string
	words  []string // two or more
	server bool
	// service is the line's, or that of the real server in it.
	service ServiceKey
}

// listedLines yields the lines of a listing in their order. It leaves out the headings, and
// services that it cannot read with their real servers.
func listedLines(text string) iter.Seq[listed] {
	return func(yield func(listed) bool) {
		var current ServiceKey
		known := false
		for line := range strings.Lines(text) {
			l := listed{line: strings.TrimSpace(line), words: strings.Fields(line)}
			if len(l.words) < 2 {
				continue
			}
			if l.server = l.words[0] == "->"; !l.server {
				current, known = listedService(l.words)
			}
			l.service = current
			if known && !yield(l) {
				return
			}
		}
	}
}

// serverKey is the real server of a line.
func (l listed) serverKey() (ServerKey, error) {
	addr, err := parseHostPort(l.words[1])
	return ServerKey{l.service, addr}, err
}

func listedService(words []string) (ServiceKey, bool) {
	protocols := map[string]Protocol{"TCP": TCP, "UDP": UDP, "SCTP": SCTP}
	if p, ok := protocols[words[0]]; ok {
		addr, err := parseHostPort(words[1])
		return ServiceKey{Protocol: p, Addr: addr}, err == nil
	}
	if words[0] != "FWM" {
		return ServiceKey{}, false
	}
	mark, err := parseMark(words[1])
	return ServiceKey{Protocol: FWMark, Mark: mark, V6: len(words) > 2 && words[2] == "IPv6"}, err == nil
}
