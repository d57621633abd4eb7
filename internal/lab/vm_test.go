package lab

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLay has three hosts on one LAN, of which the first has two NICs there, and a host
// alone on another LAN.
func TestLay(t *testing.T) {
	host := func(name string, nics ...string) Host {
		h := Host{Name: name}
		for n, a := range nics {
			h.Interfaces = append(h.Interfaces, Interface{Name: fmt.Sprintf("eth%d", n), Addresses: prefixes(a)})
		}
		return h
	}
	hosts := []Host{
		host("a", "10.1.0.1/24", "10.1.0.2/24"), host("b", "10.1.0.3/24"),
		host("c", "10.2.0.1/24", "10.1.0.4/24"),
	}
	hosts[1].Interfaces = append(hosts[1].Interfaces, Interface{Name: "lo", Addresses: prefixes("10.7.0.1/32")})
	want := [][]cable{
		{{"02:00:00:00:00:01", 0, "", []string{"lan0-1-0", "lan0-2-1"}}, {"02:00:00:00:01:01", 0, "", nil}},
		{{"02:00:00:01:00:01", 0, "lan0-1-0", nil}},
		{{"02:00:00:02:00:01", 1, "", nil}, {"02:00:00:02:01:01", 0, "lan0-2-1", nil}},
	}
	have := lay(hosts)
	if diff := cmp.Diff(want, have, cmp.AllowUnexported(cable{})); diff != "" {
		t.Errorf("-want +have:\n%s", diff)
	}
	for text, c := range map[string]cable{
		"-netdev hubport,id=nic0,hubid=0 -netdev stream,id=lan0-1-0,server=on,addr.type=unix,addr.path=lan0-1-0 -netdev hubport,id=hub-lan0-1-0,hubid=0,netdev=lan0-1-0 " +
			"-netdev stream,id=lan0-2-1,server=on,addr.type=unix,addr.path=lan0-2-1 -netdev hubport,id=hub-lan0-2-1,hubid=0,netdev=lan0-2-1 " +
			"-device virtio-net-pci,netdev=nic0,romfile=,mac=02:00:00:00:00:01": have[0][0],
		"-netdev stream,id=nic0,server=off,addr.type=unix,addr.path=lan0-1-0 -device virtio-net-pci,netdev=nic0,romfile=,mac=02:00:00:01:00:01": have[1][0],
	} {
		if diff := cmp.Diff(text, strings.Join(c.args(0), " ")); diff != "" {
			t.Errorf("-want +have:\n%s", diff)
		}
	}
}

func TestVMArgs(t *testing.T) {
	m := vm{
		id: "5e36", name: "a,b", host: "rs", kernel: "/k", accel: "tcg", memory: 512, cpus: 1, port: 2201, mac: "02:00:00:01:ff:01",
		mgmt: netip.MustParsePrefix("198.18.0.0/24"), addr: netip.MustParseAddr("198.18.0.101"),
	}
	args := strings.Join(m.args(), " ")
	for _, want := range []string{
		"-name lvsctl-lab-5e36-a,,b-rs",
		"-chardev file,id=console,path=hosts/rs/console.log",
		"-qmp unix:hosts/rs/monitor,server=on,wait=off",
		"-initrd hosts/rs/initrd",
		"if=none,id=root,format=qcow2,cache=unsafe,discard=unmap,file=hosts/rs/disk.qcow2",
		"-netdev user,id=mgmt,restrict=on,ipv6=off,net=198.18.0.0/24,host=198.18.0.2,hostfwd=tcp:127.0.0.1:2201-198.18.0.101:22",
		"-device virtio-net-pci,netdev=mgmt,romfile=,status=off,mac=02:00:00:01:ff:01",
	} {
		if !strings.Contains(args, want) {
			t.Errorf("no %q in\n%s", want, args)
		}
	}
	if strings.Contains(args, "-no-reboot") {
		t.Error("a reboot would end the machine")
	}
}

func TestTooOld(t *testing.T) {
	for text, want := range map[string]string{
		"QEMU emulator version 7.0.0 (Debian 1:7.0+dfsg-7)\nCopyright": "7.0",
		"QEMU emulator version 6.2.50":                                 "6.2",
		"QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)":  "",
		"QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2)":          "",
		"something else": "",
	} {
		if have := tooOld(text); have != want {
			t.Errorf("%q: %q, not %q", text, have, want)
		}
	}
}
