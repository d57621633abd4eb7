package state

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseLoad(t *testing.T) {
	const text = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port            Weight    PersistConn ActiveConn InActConn
  -> RemoteAddress:Port
TCP  10.0.0.100:80 rr persistent 50
  -> 10.0.0.11:80                 1         2           7          3
  -> 10.0.0.12:80                 0         0           0          0
FWM  7 IPv6 wlc
  -> [fd00::1234:5678:9abc:def0]:0 5         0           1          0
UDP  nonsense rr
  -> 10.0.0.13:53                 1         0           1          0
`
	var services [2]ServiceKey
	for i, k := range []string{"tcp 10.0.0.100:80", "fwm6 7"} {
		if err := services[i].UnmarshalText([]byte(k)); err != nil {
			t.Fatal(err)
		}
	}
	key := func(i int, addr string) ServerKey {
		a, err := parseHostPort(addr)
		if err != nil {
			t.Fatal(err)
		}
		return ServerKey{services[i], a}
	}
	want := map[ServerKey]Load{
		key(0, "10.0.0.11:80"):                  {Connections{7, 3}, 1, 2},
		key(0, "10.0.0.12:80"):                  {},
		key(1, "[fd00::1234:5678:9abc:def0]:0"): {Connections{1, 0}, 5, 0},
	}
	have := ParseLoad(text)
	if len(have) != len(want) {
		t.Errorf("%d entries: %v", len(have), have)
	}
	for k, v := range want {
		if have[k] != v {
			t.Errorf("%s: want %v, have %v", k, v, have[k])
		}
	}
}

func TestParseClients(t *testing.T) {
	want := []Client{
		{2, "TCP", "10.0.0.100:80", "10.0.0.11:80", "198.51.100.7"},
		{1, "TCP", "[fd00::100]:80", "[fd00::11]:80", "2001:db8::7"},
	}
	have := ParseClients("      2 TCP 10.0.0.100:80 10.0.0.11:80 198.51.100.7\n 1 TCP [fd00::100]:80 [fd00::11]:80 [2001:db8::7]\nnonsense\n")
	if d := cmp.Diff(want, have); d != "" {
		t.Error(d)
	}
}
