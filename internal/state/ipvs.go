package state

import (
	"cmp"
	"encoding"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// Protocol is the protocol of a virtual service: tcp, udp, sctp, or fwm for a firewall
// mark.
type Protocol string

// The protocols of the IPVS table.
const (
	TCP    Protocol = "tcp"
	UDP    Protocol = "udp"
	SCTP   Protocol = "sctp"
	FWMark Protocol = "fwm"
)

// ServiceKey identifies a virtual service in the kernel: by protocol, address and port, or
// by mark and family. Everything else of a service can be edited in place.
type ServiceKey struct {
	Protocol Protocol
	Addr     netip.AddrPort // zero if Protocol is fwm
	Mark     uint32         // only if Protocol is fwm
	V6       bool           // only if Protocol is fwm: its family
}

// Service holds the properties of a virtual service that can be edited.
type Service struct {
	// Scheduler is the name of the kernel module without ip_vs_: rr, wlc, sh.
	Scheduler string `json:"scheduler"`
	// Flags are sorted and joined by commas: "sh-fallback,sh-port".
	Flags string `json:"flags,omitempty"`
	// Timeout is the persistence timeout in seconds, or 0 without persistence.
	Timeout int `json:"timeout,omitempty"`
	// Mask is a prefix length: clients in one such subnet go to one server. 32 and 128
	// mean each client by itself. It is 0 without persistence.
	Mask int `json:"mask,omitempty"`
	// Engine is the persistence engine: sip, or "" for the client's address.
	Engine string `json:"engine,omitempty"`
	// OnePacket schedules every packet by itself. It is for UDP and firewall marks.
	OnePacket bool `json:"one_packet,omitempty"`
}

// ServerKey identifies a real server: by its service, address and port.
type ServerKey struct {
	Service ServiceKey
	Addr    netip.AddrPort
}

// Forward is how packets reach a real server.
type Forward string

// The forwarding methods, by the names of lvsctl's modes.
const (
	Masq   Forward = "nat"
	Direct Forward = "dr"
	Tunnel Forward = "tun"
)

// Server holds the properties of a real server that can be edited.
type Server struct {
	Forward Forward `json:"forward"`
	// Weight is 0 to 65535 (ipvsadm.c). With 0 the server gets no new connections.
	Weight int `json:"weight"`
	// From Upper connections on the server gets no new ones, until it has less than
	// Lower. 0 is no threshold. ipvsadm -S prints neither.
	Upper int `json:"upper,omitempty"`
	Lower int `json:"lower,omitempty"`
	// Tunnel are the options from --tun-type on as ipvsadm -S prints them, or "" for ipip.
	// [ParseWrapping] reads it.
	Tunnel string `json:"tunnel,omitempty"`
}

var (
	_ encoding.TextMarshaler   = ServiceKey{}
	_ encoding.TextUnmarshaler = (*ServiceKey)(nil)
	_ encoding.TextMarshaler   = ServerKey{}
	_ encoding.TextUnmarshaler = (*ServerKey)(nil)
)

func (k ServiceKey) String() string {
	switch {
	case k.Protocol != FWMark:
		return string(k.Protocol) + " " + k.Addr.String()
	case k.V6:
		return "fwm6 " + strconv.FormatUint(uint64(k.Mark), 10)
	}
	return "fwm " + strconv.FormatUint(uint64(k.Mark), 10)
}

func (k ServerKey) String() string { return k.Service.String() + " -> " + k.Addr.String() }

// MarshalText makes the key a JSON object's key.
func (k ServiceKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (k *ServiceKey) UnmarshalText(text []byte) error {
	protocol, rest, _ := strings.Cut(string(text), " ")
	switch protocol {
	case "tcp", "udp", "sctp":
		addr, err := netip.ParseAddrPort(rest)
		if err != nil {
			return fmt.Errorf("cannot read service %q: %w", text, err)
		}
		*k = ServiceKey{Protocol: Protocol(protocol), Addr: addr}
		return nil
	case "fwm", "fwm6":
		mark, err := strconv.ParseUint(rest, 10, 32)
		if err != nil {
			return fmt.Errorf("cannot read service %q: %w", text, err)
		}
		*k = ServiceKey{Protocol: FWMark, Mark: uint32(mark), V6: protocol == "fwm6"}
		return nil
	}
	return fmt.Errorf("cannot read service %q", text)
}

// MarshalText makes the key a JSON object's key.
func (k ServerKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (k *ServerKey) UnmarshalText(text []byte) error {
	service, server, ok := strings.Cut(string(text), " -> ")
	if !ok {
		return fmt.Errorf("cannot read real server %q", text)
	}
	var sk ServiceKey
	if err := sk.UnmarshalText([]byte(service)); err != nil {
		return err
	}
	addr, err := netip.ParseAddrPort(server)
	if err != nil {
		return fmt.Errorf("cannot read real server %q: %w", text, err)
	}
	*k = ServerKey{sk, addr}
	return nil
}

// CompareServices is the order of virtual services.
func CompareServices(a, b ServiceKey) int {
	if c := cmp.Or(cmp.Compare(a.Protocol, b.Protocol), a.Addr.Compare(b.Addr), cmp.Compare(a.Mark, b.Mark)); c != 0 || a.V6 == b.V6 {
		return c
	}
	if b.V6 {
		return -1
	}
	return 1
}

// CompareServers is the order of real servers, by service.
func CompareServers(a, b ServerKey) int {
	return cmp.Or(CompareServices(a.Service, b.Service), a.Addr.Compare(b.Addr))
}

var services = &table[ServiceKey, Service]{
	kind:    KindService,
	of:      func(s *State) *map[ServiceKey]Service { return &s.Services },
	compare: CompareServices,
	key:     func(k ServiceKey) Key { return k },
	value:   Service.String,
	make: func(_ *State, k ServiceKey, v Service) []shell.Command {
		return []shell.Command{serviceCommand("-A", k, v)}
	},
	edit: func(_ *State, k ServiceKey, from, v Service) []shell.Command {
		edit := serviceCommand("-E", k, v)
		if from.Scheduler != v.Scheduler {
			edit = muted(k, edit)
		}
		return []shell.Command{edit}
	},
	unmake: func(_ *State, k ServiceKey, _ Service) []shell.Command {
		return []shell.Command{shell.Cmd(append([]string{"ipvsadm", "-D"}, k.args()...)...)}
	},
	foreign: &foreignRule[ServiceKey]{
		removed: func(_ *State, _ Record, exclusive bool, _ ServiceKey) bool { return exclusive },
	},
}

// servers are added in the same order on every director: sh and dh fill their hash tables
// by walking the list (ip_vs_sh_reassign), so two directors agree only then.
var servers = &table[ServerKey, Server]{
	kind:    KindServer,
	of:      func(s *State) *map[ServerKey]Server { return &s.Servers },
	compare: CompareServers,
	key:     func(k ServerKey) Key { return k },
	value:   Server.String,
	fit: func(live *State, _ Record, have, want map[ServerKey]Server) {
		for k, w := range want {
			// keepalived took it out, and takes it back.
			if live.Down(k) {
				have[k] = w
			}
		}
		local := map[netip.Addr]bool{}
		for k := range live.Addresses {
			local[k.Prefix.Addr()] = true
		}
		for k, w := range want {
			// Old kernels turn a server with an address of the director's own into Local,
			// whatever its method, and -S prints that as -g (__ip_vs_update_dest, 2.6.32).
			if h, ok := have[k]; ok && local[k.Addr.Addr()] && h.Forward == Direct && k.Addr.Port() == k.Service.Addr.Port() {
				w.Forward = Direct
				want[k] = w
			}
		}
	},
	make: func(_ *State, k ServerKey, v Server) []shell.Command {
		return []shell.Command{serverCommand("-a", k, v)}
	},
	edit: func(_ *State, k ServerKey, from, v Server) []shell.Command {
		commands := []shell.Command{serverCommand("-e", k, v)}
		if vip := k.Service.Addr.Addr(); (from.Forward == Direct) != (v.Forward == Direct) && vip.Is4() {
			commands = append(commands, shell.Call(shell.RefreshRoute, vip.String()))
		}
		return commands
	},
	unmake:  removeServer,
	quiesce: quiesceServer,
	foreign: &foreignRule[ServerKey]{
		removed: func(want *State, old Record, exclusive bool, k ServerKey) bool {
			_, ours := want.Services[k.Service]
			_, set := old.Set.Services[k.Service]
			_, stays := old.Before.Services[k.Service]
			if want.Governed.Sorry[k.Service] == k.Addr {
				return false // it stands in for the others
			}
			return ours || exclusive || set && !stays // a removed service has no servers
		},
		drift: func(set *State, k ServerKey) bool {
			_, ok := set.Services[k.Service]
			return ok
		},
	},
}

func (s Service) String() string {
	words := []string{s.Scheduler}
	if s.Flags != "" {
		words = append(words, "("+s.Flags+")")
	}
	if s.Timeout > 0 {
		words = append(words, "persistent "+strconv.Itoa(s.Timeout))
		if s.Mask != 32 && s.Mask != 128 {
			words = append(words, "mask /"+strconv.Itoa(s.Mask))
		}
	}
	if s.Engine != "" {
		words = append(words, "pe "+s.Engine)
	}
	if s.OnePacket {
		words = append(words, "ops")
	}
	return strings.Join(words, " ")
}

func (s Server) String() string {
	words := []string{string(s.Forward) + " ", "weight", strconv.Itoa(s.Weight)}
	if s.Upper > 0 {
		words = append(words, "upper", strconv.Itoa(s.Upper))
	}
	if s.Lower > 0 {
		words = append(words, "lower", strconv.Itoa(s.Lower))
	}
	if s.Tunnel != "" {
		words = append(words, s.Tunnel)
	}
	return strings.Join(words, " ")
}

// args are the words that identify the service to ipvsadm.
func (k ServiceKey) args() []string {
	switch k.Protocol {
	case TCP:
		return []string{"-t", k.Addr.String()}
	case UDP:
		return []string{"-u", k.Addr.String()}
	case SCTP:
		return []string{"--sctp-service", k.Addr.String()}
	}
	args := []string{"-f", strconv.FormatUint(uint64(k.Mark), 10)}
	if k.V6 {
		args = append(args, "-6") // must follow -f
	}
	return args
}

// serviceCommand names every property of a service: -E sets those that are left out to
// their defaults (ipvsadm 1.31, process_options).
func serviceCommand(verb string, k ServiceKey, s Service) shell.Command {
	args := append([]string{"ipvsadm", verb}, k.args()...)
	args = append(args, "-s", s.Scheduler)
	if s.Flags != "" {
		args = append(args, "-b", s.Flags)
	}
	if s.Timeout > 0 {
		args = append(args, "-p", strconv.Itoa(s.Timeout))
		if mask := s.netmask(k); mask != "" {
			args = append(args, "-M", mask)
		}
	}
	if s.Engine != "" {
		args = append(args, "--pe", s.Engine)
	}
	if s.OnePacket {
		args = append(args, "-o")
	}
	return shell.Cmd(args...)
}

// netmask is the argument of -M, or "" for the default. It is dotted for IPv4, because
// ipvsadm reads "24" as 0.0.0.24, and a prefix length for IPv6.
func (s Service) netmask(k ServiceKey) string {
	if k.V6 || k.Addr.Addr().Is6() {
		if s.Mask == 0 || s.Mask == 128 {
			return ""
		}
		return strconv.Itoa(s.Mask)
	}
	if s.Mask == 0 || s.Mask == 32 {
		return ""
	}
	return net.IP(net.CIDRMask(s.Mask, 32)).String()
}

// serverCommand names every property of a server: -e sets the weight to 1 without -w, the
// method to DR without one, and the thresholds to 0 without -x and -y.
func serverCommand(verb string, k ServerKey, s Server) shell.Command {
	args := append([]string{"ipvsadm", verb}, k.Service.args()...)
	args = append(args, "-r", k.Addr.String(), forwardFlags[s.Forward], "-w", strconv.Itoa(s.Weight))
	if s.Upper > 0 {
		args = append(args, "-x", strconv.Itoa(s.Upper))
	}
	if s.Lower > 0 {
		args = append(args, "-y", strconv.Itoa(s.Lower))
	}
	return shell.Cmd(append(args, strings.Fields(s.Tunnel)...)...)
}

var forwardFlags = map[Forward]string{Masq: "-m", Direct: "-g", Tunnel: "-i"}
