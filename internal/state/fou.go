package state

import (
	"cmp"
	"encoding"
	"fmt"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// FOUKey identifies a UDP port at which the kernel takes packets off (foo over UDP,
// net/ipv4/fou.c), on all of a node's addresses of a family.
type FOUKey struct {
	V6   bool
	Port uint16
}

// FOU is what comes at such a port.
type FOU struct {
	// Holds is in the words of ip: "gue" for packets with a header that says what they
	// are, "ipproto 4" for those of one protocol without such a header.
	Holds string `json:"holds"`
}

// GUE is [FOU.Holds] of Generic UDP Encapsulation.
const GUE = "gue"

var (
	_ encoding.TextMarshaler   = FOUKey{}
	_ encoding.TextUnmarshaler = (*FOUKey)(nil)
)

func (k FOUKey) String() string {
	s := "port " + strconv.Itoa(int(k.Port))
	if k.V6 {
		s += " IPv6"
	}
	return s
}

// MarshalText makes the key a JSON object's key.
func (k FOUKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (k *FOUKey) UnmarshalText(text []byte) error {
	number, v6 := strings.CutSuffix(string(text), " IPv6")
	number, ok := strings.CutPrefix(number, "port ")
	port, err := strconv.ParseUint(number, 10, 16)
	if err != nil || !ok {
		return fmt.Errorf("cannot read FOU port %q", text)
	}
	*k = FOUKey{V6: v6, Port: uint16(port)}
	return nil
}

// fous has no edit: a port is closed and opened for what else it is to hold.
var fous = &table[FOUKey, FOU]{
	kind:    KindFOU,
	of:      func(s *State) *map[FOUKey]FOU { return &s.FOUs },
	compare: CompareFOUs,
	key:     func(k FOUKey) Key { return k },
	value:   func(v FOU) string { return v.Holds },
	make: func(_ *State, k FOUKey, v FOU) []shell.Command {
		return []shell.Command{FOUCommand("add", k, v)}
	},
	unmake: func(_ *State, k FOUKey, _ FOU) []shell.Command {
		return []shell.Command{FOUCommand("del", k, FOU{})}
	},
}

// CompareFOUs is the order of FOU ports.
func CompareFOUs(a, b FOUKey) int {
	return cmp.Or(strings.Compare(a.family(), b.family()), cmp.Compare(a.Port, b.Port))
}

func (k FOUKey) family() string {
	if k.V6 {
		return "-6"
	}
	return "-4"
}

// FOUCommand is the ip fou command with a verb, add or del.
func FOUCommand(verb string, k FOUKey, v FOU) shell.Command {
	args := []string{"ip", k.family(), "fou", verb, "port", strconv.Itoa(int(k.Port))}
	return shell.Cmd(append(args, strings.Fields(v.Holds)...)...)
}

// parseFOUs reads ip fou show (iproute2 4.1 to 6.1):
//
//	port 6080 gue
//	port 5555 ipproto 4 -6
//	port 7000 gue local 10.0.0.1 dev eth0
//
// A port of one address or device is left out: it is not all that comes to the port.
func parseFOUs(text string, s *State) error {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 3 || words[0] != "port" {
			continue
		}
		port, err := strconv.ParseUint(words[1], 10, 16)
		if err != nil {
			return fmt.Errorf("cannot read FOU port %q", strings.TrimSpace(line))
		}
		k, rest := FOUKey{Port: uint16(port)}, words[2:]
		if rest[len(rest)-1] == "-6" {
			k.V6, rest = true, rest[:len(rest)-1]
		}
		if holds := strings.Join(rest, " "); holds == GUE || len(rest) == 2 && rest[0] == "ipproto" {
			s.FOUs[k] = FOU{Holds: holds}
		}
	}
	return nil
}
