package statetest

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Service is a virtual service. Its key in the node is the words that name it to ipvsadm:
// "-t 10.0.0.1:80", "-f 7 -6".
type Service struct {
	Scheduler string
	Flags     []string
	Timeout   int    // 0 for no persistence
	Mask      string // dotted or a prefix length; "" for the default
	Engine    string
	OnePacket bool
	Servers   []Server // in the order they were added
}

// Server is a destination of a service.
type Server struct {
	Addr         netip.AddrPort
	Forward      string // "-g", "-i" or "-m"
	Weight       int
	Upper, Lower int
	Tunnel       string // what follows -i in -S, or "" for ipip
}

var (
	errServiceExists = errors.New("Service already exists")
	errNoService     = errors.New("No such service")
	errNotDefined    = errors.New("Service not defined")
	errServerExists  = errors.New("Destination already exists")
	errNoServer      = errors.New("No such destination")
	errRange         = errors.New("Numerical result out of range")
)

// options are ipvsadm's arguments after the command.
type options struct {
	service string
	v6      bool
	udp     bool
	mark    bool
	port    uint16
	values  map[string]string
}

func (n *Node) ipvsadm(args []string) error {
	if !n.Commands["ipvsadm"] {
		return errors.New("ipvsadm: not found")
	}
	if err := n.modprobe("ip_vs"); err != nil { // main, ipvsadm.c
		return err
	}
	switch {
	case len(args) == 0:
		return errSyntax
	case args[0] == "--set" && len(args) == 4:
		return n.setTimeouts(args[1:])
	case args[0] == "--start-daemon" && len(args) >= 6:
		return n.startDaemon(args[1], args[2:])
	case args[0] == "--stop-daemon" && len(args) == 2:
		if _, ok := n.Daemons[args[1]]; !ok {
			return errors.New("No daemon is running")
		}
		delete(n.Daemons, args[1])
		return nil
	}
	o, err := parseOptions(args[1:])
	if err != nil {
		return err
	}
	switch args[0] {
	case "-A", "-E":
		return n.service(args[0], o)
	case "-D":
		if n.Services[o.service] == nil {
			return errNoService
		}
		delete(n.Services, o.service) // and all its servers (ip_vs_unlink_service)
		return nil
	case "-a", "-e", "-d":
		return n.server(args[0], o)
	}
	return errSyntax
}

func parseOptions(args []string) (options, error) {
	o := options{values: map[string]string{}}
	for i := 0; i < len(args); i++ {
		word := args[i]
		switch word {
		case "-g", "-m", "-i", "-o", "--tun-nocsum", "--tun-csum", "--tun-remcsum":
			o.values[word] = "yes"
			continue
		case "-6":
			if !o.mark {
				return o, errors.New("-6 used before -f")
			}
			o.v6 = true
			o.service += " -6"
			continue
		}
		if i++; i == len(args) {
			return o, errSyntax
		}
		switch value := args[i]; word {
		case "-t", "-u", "--sctp-service":
			addr, err := netip.ParseAddrPort(value)
			if err != nil {
				return o, errors.New("illegal virtual server address[:port] specified")
			}
			o.service, o.v6, o.port, o.udp = word+" "+value, addr.Addr().Is6(), addr.Port(), word == "-u"
		case "-f":
			if m, err := strconv.ParseUint(value, 10, 32); err != nil || m == 0 {
				return o, errors.New("illegal firewall mark specified")
			}
			o.service, o.mark = word+" "+value, true
		case "-M":
			// For IPv6 it must come after the service (parse_netmask, ipvsadm.c).
			if o.service == "" {
				return o, errSyntax
			}
			fallthrough
		case "-s", "-p", "-b", "--pe", "-r", "-w", "-x", "-y", "--tun-type", "--tun-port":
			o.values[word] = value
		default:
			return o, errSyntax
		}
	}
	if o.service == "" {
		return o, errors.New("you need to supply the 'service' option for this command")
	}
	return o, nil
}

// service adds or edits a service. An edit sets every property that is left out to its
// default.
func (n *Node) service(verb string, o options) error {
	if o.has("-g", "-m", "-i", "-r", "-w", "-x", "-y") {
		return errSyntax
	}
	s := &Service{Scheduler: "wlc", Engine: o.values["--pe"], OnePacket: o.has("-o")}
	if v, ok := o.values["-s"]; ok {
		s.Scheduler = v
	}
	if !slices.Contains(strings.Fields("rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh twos"), s.Scheduler) {
		return errors.New("Scheduler or persistence engine not found")
	}
	if v, ok := o.values["-b"]; ok {
		s.Flags = strings.Split(v, ",")
		slices.Sort(s.Flags)
		for _, f := range s.Flags {
			if !strings.HasPrefix(f, s.Scheduler+"-") {
				return errors.New("incompatible scheduler flag")
			}
		}
	}
	if v, ok := o.values["-p"]; ok {
		t, err := strconv.Atoi(v)
		if err != nil || t < 1 || t > 31*24*3600 {
			return errors.New("illegal timeout for persistent service specified")
		}
		s.Timeout = t
	}
	mask, err := o.mask()
	if err != nil {
		return err
	}
	s.Mask = mask
	switch {
	case !o.mark && o.port == 0 && s.Timeout == 0:
		return errors.New("Zero port specified for non-persistent service")
	case s.OnePacket && !o.udp && !o.mark:
		return errors.New("One-Packet Scheduling is only for UDP virtual services")
	case s.Engine != "" && (s.Engine != "sip" || s.Timeout == 0):
		return errors.New("Scheduler or persistence engine not found")
	}
	old := n.Services[o.service]
	switch {
	case verb == "-A" && old != nil:
		return errServiceExists
	case verb == "-E" && old == nil:
		return errNoService
	case old != nil:
		s.Servers = old.Servers
	}
	n.Services[o.service] = s
	return nil
}

// mask checks the argument of -M. ipvsadm reads that of IPv4 by inet_aton, so 24 would be
// 0.0.0.24, which nobody means.
func (o options) mask() (string, error) {
	v, ok := o.values["-M"]
	if !ok {
		return "", nil
	}
	if o.values["-p"] == "" {
		return "", errSyntax
	}
	if o.v6 {
		bits, err := strconv.Atoi(v)
		if err != nil || bits < 1 || bits > 128 {
			return "", errSyntax
		}
		return strings.TrimSuffix(v, "128"), nil
	}
	if addr, err := netip.ParseAddr(v); err != nil || !addr.Is4() {
		return "", errors.New("a mask that inet_aton would read as something else")
	}
	if v == "255.255.255.255" {
		return "", nil
	}
	return v, nil
}

func (n *Node) server(verb string, o options) error {
	s := n.Services[o.service]
	if s == nil {
		return errNotDefined
	}
	addr, err := netip.ParseAddrPort(o.values["-r"])
	if err != nil {
		return errSyntax
	}
	d := Server{Addr: addr, Forward: "-g", Weight: 1}
	for _, f := range []string{"-g", "-i", "-m"} {
		if o.has(f) {
			d.Forward = f
		}
	}
	if verb == "-d" && o.has("-g", "-i", "-m", "-w") {
		return errSyntax
	}
	if err := o.fill(&d); err != nil {
		return err
	}
	if err := n.tunnel(&d, o); err != nil {
		return err
	}
	if verb != "-d" && d.Forward != "-m" && !o.mark {
		d.Addr = netip.AddrPortFrom(addr.Addr(), o.port) // without a message, process_options
	}
	if addr.Addr().Is6() != o.v6 && d.Forward != "-i" && verb != "-d" {
		return errors.New("Different address family is allowed only for tunneling servers")
	}
	i := slices.IndexFunc(s.Servers, func(e Server) bool { return e.Addr == d.Addr })
	switch {
	case verb == "-a" && i >= 0:
		return errServerExists
	case verb == "-a":
		s.Servers = append(s.Servers, d)
	case i < 0:
		return errNoServer
	case verb == "-e":
		s.Servers[i] = d
	default:
		s.Servers = slices.Delete(s.Servers, i, i+1)
	}
	return nil
}

func (o options) fill(d *Server) error {
	for flag, to := range map[string]*int{"-w": &d.Weight, "-x": &d.Upper, "-y": &d.Lower} {
		v, ok := o.values[flag]
		if !ok {
			continue
		}
		i, err := strconv.Atoi(v)
		if err != nil || i < 0 || flag == "-w" && i > 65535 {
			return errRange
		}
		*to = i
	}
	if d.Lower > d.Upper && d.Upper > 0 {
		return errRange
	}
	return nil
}

func (n *Node) tunnel(d *Server, o options) error {
	kind, ok := o.values["--tun-type"]
	if !ok {
		return nil
	}
	if n.IPVSADM < 31 {
		return errors.New("--tun-type: unknown option")
	}
	if d.Forward != "-i" {
		return errors.New("Tunnel options conflict with forward method")
	}
	sum := "--tun-nocsum"
	for _, f := range []string{"--tun-csum", "--tun-remcsum"} {
		if o.has(f) {
			sum = f
		}
	}
	switch {
	case kind == "gue" && o.values["--tun-port"] != "":
		d.Tunnel = "--tun-type gue --tun-port " + o.values["--tun-port"] + " " + sum
	case kind == "gre":
		d.Tunnel = "--tun-type gre " + sum
	case kind != "ipip":
		return errSyntax
	}
	return nil
}

func (o options) has(flags ...string) bool {
	return slices.ContainsFunc(flags, func(f string) bool { return o.values[f] != "" })
}

// drain waits for a server's connections, which the model does not have.
func (n *Node) drain(server string, service []string) error {
	s := n.Services[strings.Join(service, " ")]
	if s == nil || !slices.ContainsFunc(s.Servers, func(d Server) bool { return d.Addr.String() == server }) {
		return errNoServer
	}
	return nil
}

func (n *Node) setTimeouts(values []string) error {
	for i, v := range values {
		seconds, err := strconv.Atoi(v)
		if err != nil || seconds < 0 {
			return errSyntax
		}
		if seconds > 0 { // 0 leaves the timeout as it is
			n.Timeouts[i] = seconds
		}
	}
	return nil
}

func (n *Node) startDaemon(which string, args []string) error {
	if _, ok := n.Daemons[which]; ok {
		return errors.New("Daemon has already run")
	}
	d := map[string]string{"--sync-maxlen": "1472", "--mcast-group": "224.0.0.81", "--mcast-port": "8848", "--mcast-ttl": "1"}
	for i := 0; i+1 < len(args); i += 2 {
		if _, new := d[args[i]]; new && n.IPVSADM < 29 {
			return errSyntax
		}
		d[args[i]] = args[i+1]
	}
	if len(args)%2 != 0 || len(d) != 6 || (which != "master" && which != "backup") {
		return errSyntax
	}
	if _, ok := n.Links[d["--mcast-interface"]]; !ok {
		return errNoDevice
	}
	n.Daemons[which] = "mcast=" + d["--mcast-interface"] + ", syncid=" + d["--syncid"] + ", maxlen=" + d["--sync-maxlen"] +
		", group=" + d["--mcast-group"] + ", port=" + d["--mcast-port"] + ", ttl=" + d["--mcast-ttl"]
	return nil
}
