package state

import (
	"net/netip"
	"strings"
	"testing"
)

// TestRestoredService has lines as administrators and other versions of ipvsadm write
// them.
func TestRestoredService(t *testing.T) {
	ports := func(name string, p Protocol) (uint16, bool) {
		n, ok := map[string]uint16{"http/tcp": 80, "www/tcp": 80, "domain/udp": 53}[name+"/"+string(p)]
		return n, ok
	}
	for line, complaint := range map[string]string{
		"-A -t www.example.com:80 -s rr":    `it names the host "www.example.com"`,
		"-A -t 10.0.0.100:gopher -s rr":     `it names the port "gopher"`,
		"-A -t 10.0.0.100:domain":           `it names the port "domain"`,
		"-A -f web":                         `"web" is no mark`,
		"-A -s rr":                          "it names no service",
		"-A --tcp 10.0.0.100:80":            "ipvsadm has no option --tcp",
		"-Aq":                               "ipvsadm has no option -q",
		"--add-service=yes -t 10.0.0.100:1": "ipvsadm has no option --add-service",
		"-A -t":                             `it names the host ""`,
		"-A -t fe80::1%eth0 -p":             `it names the host "fe80::1%eth0"`,
	} {
		if k, ok, err := RestoredService(line, ports); ok || err == nil || err.Error() != complaint {
			t.Errorf("%s: %v, %t, %v", line, k, ok, err)
		}
	}
	for _, line := range []string{
		"", "-C", "-a -t 10.0.0.100:80 -r www:80 -g", "-E -t 10.0.0.100:80", "-D -t 10.0.0.100:80", "--set 900 120 300",
		"--start-daemon master --mcast-interface eth0", "-t 10.0.0.100:80 -A", "ipvsadm -Z",
	} {
		if k, ok, err := RestoredService(line, ports); ok || err != nil {
			t.Errorf("%s: %v, %t, %v", line, k, ok, err)
		}
	}
	web := ServiceKey{Protocol: TCP, Addr: netip.MustParseAddrPort("10.0.0.100:80")}
	dns := ServiceKey{Protocol: UDP, Addr: netip.MustParseAddrPort("[2001:db8::100]:53")}
	for want, lines := range map[ServiceKey]string{
		web: `-A -t 10.0.0.100:80 -s rr
-A -t 10.0.0.100:http -s rr
-A -t 10.0.0.100:www
-A -t10.0.0.100:80 -srr
-At10.0.0.100:80
-At 10.0.0.100:80 -s rr
-At=10.0.0.100:80
ipvsadm -A -t 10.0.0.100:80
--add-service --tcp-service 10.0.0.100:80 --scheduler rr
--add-service --tcp-service=10.0.0.100:http --scheduler=rr
-A -s rr -p -t 10.0.0.100:80
-A -p 300 -s rr -t 10.0.0.100:80 -M 255.255.255.0
-A -orp -t 10.0.0.100:80
-A --persistent --ops -t 10.0.0.100:80
-A -t 10.100:0x50
-A -t 0xa.0.0144:0120`,
		dns: `-A -u [2001:db8::100]:53 -s rr -o
-Au[2001:DB8:0::100]:domain
--add-service --udp-service=[2001:db8::100]:0x35 --ops`,
		{Protocol: SCTP, Addr: netip.MustParseAddrPort("10.0.0.100:80")}: `-A --sctp-service 10.0.0.100:80
-A --sctp-service=10.0.0.100:80`,
		{Protocol: TCP, Addr: netip.MustParseAddrPort("[2001:db8::100]:0")}: `-A -t 2001:db8::100 -p`,
		{Protocol: TCP, Addr: netip.MustParseAddrPort("10.0.0.100:0")}:      `-A -p -t 10.0.0.100`,
		{Protocol: FWMark, Mark: 16}: `-A -f 16
-A -f 0x10 -s rr
-Af020
-A --fwmark-service=0x10`,
		{Protocol: FWMark, Mark: 4000000000, V6: true}: `-A -f -294967296 -6
-A --fwmark-service 0xEE6B2800 --ipv6`,
	} {
		for line := range strings.Lines(lines) {
			if k, ok, err := RestoredService(strings.TrimSpace(line), ports); !ok || err != nil || k != want {
				t.Errorf("%s: have %v, %t, %v, want %v", strings.TrimSpace(line), k, ok, err, want)
			}
		}
	}
}

// TestEndsRestore has lines at which ipvsadm -R ends, and lines at which it does not.
func TestEndsRestore(t *testing.T) {
	for line, want := range map[string]string{
		"-A -t 10.0.0.1:80 -s rr # web":               "#",
		"  # a comment that begins with blanks":       "#",
		"exit":                                        "exit",
		"/sbin/ipvsadm -A -t 10.0.0.1:80":             "/sbin/ipvsadm",
		"-A -u 10.0.0.1:5060 -s rr -p 300 pe sip ops": "pe",
		"-A -t 10.0.0.1:80 -s rr rr":                  "rr",
		"--set 900 120 300 5":                         "5",
		"":                                            "",
		" \t":                                         "",
		"ipvsadm -A -t 10.0.0.1:80 -s rr\r":           "",
		"-A -t 10.0.0.1:80 -p 300 -M 255.255.255.0":  "",
		"-A -t10.0.0.1:80 -p -srr -b sh-port":        "",
		"--set 900 120 300":                          "",
		"-C":                                         "",
		"-A --tcp 10.0.0.1:80":                       "",
		"--start-daemon master --mcast-interface=e0": "",
	} {
		if word, ends := EndsRestore(line); word != want || ends != (want != "") {
			t.Errorf("%q: want %q, have %q, %t", line, want, word, ends)
		}
	}
}
