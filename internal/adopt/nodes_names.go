package adopt

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/topology"
)

// What services are called, of which the kernel knows no names.

// wellKnown are services by their usual port.
var wellKnown = map[string]string{
	"tcp 21": "ftp", "tcp 22": "ssh", "tcp 25": "smtp", "tcp 53": "dns-tcp", "udp 53": "dns", "tcp 80": "http", "udp 123": "ntp",
	"tcp 143": "imap", "udp 161": "snmp", "tcp 389": "ldap", "tcp 443": "https", "udp 443": "http3", "udp 514": "syslog", "tcp 587": "submission",
	"tcp 636": "ldaps", "tcp 993": "imaps", "tcp 995": "pop3s", "udp 1812": "radius", "udp 1813": "radius-accounting", "tcp 3306": "mysql",
	"udp 5060": "sip", "tcp 5432": "postgresql", "tcp 5672": "amqp", "tcp 6379": "redis", "tcp 6443": "kubernetes", "tcp 8080": "http-alt",
}

// ServiceName is what a service is called that has no name: by its usual port, else by
// what the kernel knows it by.
func ServiceName(v *topology.VirtualServer) string {
	switch known := wellKnown[fmt.Sprint(v.Protocol, " ", v.Port)]; {
	case v.FWMark != 0:
		return "mark-" + strconv.FormatUint(uint64(v.FWMark), 10)
	case v.Port == 0:
		return "every-" + string(v.Protocol)
	case known != "":
		return known
	}
	return string(v.Protocol) + "-" + strconv.Itoa(int(v.Port))
}

// NameService is [ServiceName] where another service may have that name: with the VIP.
func NameService(v *topology.VirtualServer) string {
	name := ServiceName(v)
	if v.VIP.IsValid() {
		name += "-" + AddressName(v.VIP.Addr())
	}
	return name
}

// AddressName is an address as a part of a name.
func AddressName(a netip.Addr) string { return strings.ReplaceAll(a.String(), ":", "-") }

// nameServices gives services their names: those that lvsctl has given them, else by port.
// Services of several directors with one name are one for a kernel.
func (f *finder) nameServices() {
	keys := map[string]map[serviceKey]bool{}
	for _, t := range f.table {
		name := ServiceName(t.VirtualServer)
		if keys[name] == nil {
			keys[name] = map[serviceKey]bool{}
		}
		keys[name][t.kernelKey()] = true
	}
	taken := map[string]serviceKey{}
	for _, name := range f.names {
		taken[name] = serviceKey{}
	}
	for _, t := range f.table {
		if name := f.names[t.key]; name != "" {
			t.Name = name
			continue
		}
		t.Name = ServiceName(t.VirtualServer)
		if len(keys[t.Name]) > 1 {
			t.Name = NameService(t.VirtualServer)
		}
		for k, ok := taken[t.Name]; ok && k != t.kernelKey(); k, ok = taken[t.Name] {
			t.Name = another(t.Name)
		}
		taken[t.Name] = t.kernelKey()
	}
}

func (t *tableService) kernelKey() serviceKey {
	if t.FWMark != 0 {
		return serviceKey{mark: t.FWMark, ipv6: t.ipv6}
	}
	return keyOf(t.VirtualServer)
}
