package state

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	listing = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
TCP  10.0.0.1:80 sh (sh-port) persistent 50
  -> 10.0.0.2:80                  Route   1      2          30
  -> 10.0.0.3:80                  Local   0      0          1
TCP  [2001:db8:aaaa:bbbb:cccc:dddd:eeee:1]:443 wlc
  -> [2001:db8:aaaa:bbbb:cccc:dddd:eeee:2]:443 Tunnel  65535  123456     1234567890
FWM  7 IPv6 rr
  -> [2001:db8::2]:0              Masq    1      0          0
FWM  -1412536447 rr
`
	counters = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes
  -> RemoteAddress:Port
TCP  10.0.0.1:80                        17      102       68     8211    20480
  -> 10.0.0.2:80                        16      101       67 123456789012 98765432109876
  -> 10.0.0.3:80                         1        1        1       40       40
TCP  [2001:db8:aaaa:bbbb:cccc:dddd:eeee:1]:443 123456789        1        2        3        4
  -> [2001:db8:aaaa:bbbb:cccc:dddd:eeee:2]:443 18446744073709551615        1        2        3        4
FWM  7 IPv6                              5        4        3        2        1
  -> [2001:db8::2]:0                     5        4        3        2        1
FWM  -1412536447                         0        0        0        0        0
TCP  10.0.0.9:80                         9        9        9        9        9
`
)

func TestTraffic(t *testing.T) {
	have := NewTraffic()
	if err := parseListing(listing, have); err != nil {
		t.Fatal(err)
	}
	if err := parseClock("3605.17\n", have); err != nil {
		t.Fatal(err)
	}
	if err := parseCounters(counters, have); err != nil {
		t.Fatal(err)
	}
	web, tls, marked := service("tcp 10.0.0.1:80"), service("tcp [2001:db8:aaaa:bbbb:cccc:dddd:eeee:1]:443"), service("fwm6 7")
	at := func(k ServiceKey, addr string) ServerKey {
		parsed, err := parseHostPort(addr)
		if err != nil {
			t.Fatal(err)
		}
		return ServerKey{k, parsed}
	}
	want := &Traffic{
		Clock: 3605.17,
		Services: map[ServiceKey]ServiceTraffic{
			web:                       {"sh (sh-port) persistent 50", Counters{17, 102, 68, 8211, 20480}},
			tls:                       {"wlc", Counters{123456789, 1, 2, 3, 4}},
			marked:                    {"rr", Counters{5, 4, 3, 2, 1}},
			service("fwm 2882430849"): {"rr", Counters{}},
		},
		Servers: map[ServerKey]ServerTraffic{
			at(web, "10.0.0.2:80"):                               {Direct, 1, Connections{2, 30}, Counters{16, 101, 67, 123456789012, 98765432109876}},
			at(web, "10.0.0.3:80"):                               {"", 0, Connections{0, 1}, Counters{1, 1, 1, 40, 40}},
			at(tls, "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:2]:443"): {Tunnel, 65535, Connections{123456, 1234567890}, Counters{1<<64 - 1, 1, 2, 3, 4}},
			at(marked, "[2001:db8::2]:0"):                        {Masq, 1, Connections{}, Counters{5, 4, 3, 2, 1}},
		},
	}
	if d := cmp.Diff(want, have); d != "" {
		t.Error(d)
	}
	if have := have.ByService()[web]; len(have) != 2 || have[0].Addr.String() != "10.0.0.2:80" {
		t.Errorf("the servers of a service are %v", have)
	}
}

// TestTrafficOfAnything: whatever a node says, there is no panic, and what makes no sense
// is left out.
func TestTrafficOfAnything(t *testing.T) {
	words := []string{"TCP", "UDP", "FWM", "->", "10.0.0.1:80", "[::1]:80", "IPv6", "rr", "Route", "1", "-1", "99999999999999999999", "x", ""}
	for i := range 20000 {
		var line []string
		for n := i; n > 0; n /= len(words) {
			line = append(line, words[n%len(words)])
		}
		text := "TCP  10.0.0.1:80 rr\n" + strings.Join(line, " ") + "\n"
		have := NewTraffic()
		if err := parseListing(text, have); err != nil {
			t.Fatal(err)
		}
		if err := parseCounters(text, have); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{"", "\n", "12 34", "x"} {
		if err := parseClock(text, NewTraffic()); err == nil {
			t.Errorf("%q is a time", text)
		}
	}
}

func TestRates(t *testing.T) {
	before := Counters{10, 100, 50, 1000, 500}
	for _, c := range []struct {
		now     Counters
		seconds float64
		want    Rates
		ok      bool
	}{
		{Counters{12, 110, 50, 4000, 500}, 2, Rates{1, 5, 0, 1500, 0}, true},
		{before, 1, Rates{}, true},
		{before, 0, Rates{}, false},
		{Counters{1, 1, 1, 1, 1}, 1, Rates{}, false},
		{Counters{12, 110, 50, 4000, 499}, 1, Rates{}, false},
	} {
		if have, ok := c.now.Since(before, c.seconds); ok != c.ok || have != c.want {
			t.Errorf("%v after %v s: %v, %t", c.now, c.seconds, have, ok)
		}
	}
}
