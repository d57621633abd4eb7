package state

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// The keys of [State.Timeouts].
const (
	TimeoutTCP    = "tcp"
	TimeoutTCPFin = "tcp_fin"
	TimeoutUDP    = "udp"
)

// timeoutOrder is the order of ipvsadm's arguments, and of what it prints.
func timeoutOrder() []string { return []string{TimeoutTCP, TimeoutTCPFin, TimeoutUDP} }

var timeouts = &table[string, int]{
	kind:     KindTimeout,
	lifetime: given,
	of:       func(s *State) *map[string]int { return &s.Timeouts },
	compare:  cmp.Compare[string],
	key:      func(k string) Key { return Name(k) },
	value:    func(v int) string { return strconv.Itoa(v) + "s" },
	make:     setTimeout,
	edit: func(to *State, k string, _, v int) []shell.Command {
		return setTimeout(to, k, v)
	},
	fit: func(live *State, _ Record, have, want map[string]int) {
		if len(live.Timeouts) > 0 {
			return
		}
		// ip_vs is not loaded yet and will start with its defaults (ip_vs_proto_tcp.c,
		// ip_vs_proto_udp.c).
		for k := range want {
			have[k] = map[string]int{TimeoutTCP: 15 * 60, TimeoutTCPFin: 2 * 60, TimeoutUDP: 5 * 60}[k]
		}
	},
}

// setTimeout sets one of the three timeouts. ipvsadm leaves those with 0 as they are.
func setTimeout(_ *State, k string, seconds int) []shell.Command {
	args := []string{"ipvsadm", "--set", "0", "0", "0"}
	args[2+slices.Index(timeoutOrder(), k)] = strconv.Itoa(seconds)
	return []shell.Command{shell.Cmd(args...)}
}

// parseTimeouts reads ipvsadm -L --timeout, all versions:
//
//	Timeout (tcp tcpfin udp): 900 120 300
func parseTimeouts(text string, s *State) error {
	_, values, ok := strings.Cut(text, "):")
	if !ok {
		return nil
	}
	words := strings.Fields(values)
	for i, k := range timeoutOrder() {
		if i >= len(words) {
			return fmt.Errorf("cannot read timeouts %q", strings.TrimSpace(text))
		}
		n, err := strconv.Atoi(words[i])
		if err != nil {
			return fmt.Errorf("cannot read timeouts %q: %w", strings.TrimSpace(text), err)
		}
		s.Timeouts[k] = n
	}
	return nil
}
