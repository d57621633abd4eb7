package state

import (
	"encoding"
	"encoding/json"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestKeysRefuse(t *testing.T) {
	for _, c := range []struct {
		key   encoding.TextUnmarshaler
		texts []string
	}{
		{new(AddressKey), []string{"", "10.0.0.1/32", "10.0.0.1 dev lo", "10.0.0.1/32 dev ", "10.0.0.1/33 dev lo"}},
		{new(RouteKey), []string{"", "10.0.0.0/8", "10.0.0.0/8 metric", "10.0.0.0/8 metric x", "10.0.0.0 metric 1", "10.0.0.0/8 metric 4294967296", "10.0.0.0/8 metric 1 tos", "10.0.0.0/8 metric 1 table ", "10.0.0.0/8 metric 1 dev eth0"}},
		{new(PolicyKey), []string{"", "-4", "-4 100", "-4 100 ", "-5 100 all", "-4 x all", "-4 4294967296 all"}},
		{new(ServiceKey), []string{"", "tcp", "tcp 10.0.0.1", "quic 10.0.0.1:80", "fwm", "fwm x", "fwm -1", "fwm6 4294967296"}},
		{new(ServerKey), []string{"", "tcp 10.0.0.1:80", "tcp 10.0.0.1:80 -> ", "tcp 10.0.0.1:80 -> 10.0.0.2", "x 10.0.0.1:80 -> 10.0.0.2:80"}},
		{new(BlockKey), []string{"", "web"}},
		{new(RuleKey), []string{"", "ip nat POSTROUTING 0", "ip nat POSTROUTING x c", "arp nat POSTROUTING 0 c"}},
	} {
		for _, text := range c.texts {
			if err := c.key.UnmarshalText([]byte(text)); err == nil {
				t.Errorf("no error for %T %q", c.key, text)
			}
		}
	}
}

// roundTrip checks that a key is the same after writing it and reading it again.
func roundTrip[K comparable, P interface {
	*K
	encoding.TextUnmarshaler
}](t *rapid.T, k K) {
	text, err := any(k).(encoding.TextMarshaler).MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	var have K
	if err := P(&have).UnmarshalText(text); err != nil {
		t.Fatal(err)
	}
	if have != k {
		t.Fatalf("%q is read as %+v, not %+v", text, have, k)
	}
}

func TestKeysRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		roundTrip(t, drawAddressKey(t))
		roundTrip(t, drawRouteKey(t))
		roundTrip(t, drawServiceKey(t))
		roundTrip(t, ServerKey{drawServiceKey(t), drawAddrPort(t)})
		roundTrip(t, BlockKey{Path: drawWord(t), Topology: drawWord(t)})
		roundTrip(t, RuleKey{
			V6: rapid.Bool().Draw(t, "v6"), Table: drawWord(t), Chain: drawWord(t),
			Comment: RuleComment(drawWord(t), drawWord(t), drawWord(t)), Copy: rapid.IntRange(0, 3).Draw(t, "copy"),
		})
	})
}

func drawWord(t *rapid.T) string { return rapid.StringMatching(`[a-z0-9/._-]{1,12}`).Draw(t, "word") }

func drawAddr(t *rapid.T) netip.Addr {
	if rapid.Bool().Draw(t, "IPv6") {
		b := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "address")
		if addr := netip.AddrFrom16([16]byte(b)); !addr.Is4In6() {
			return addr
		}
	}
	b := rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "address")
	return netip.AddrFrom4([4]byte(b))
}

func drawAddrPort(t *rapid.T) netip.AddrPort {
	return netip.AddrPortFrom(drawAddr(t), rapid.Uint16().Draw(t, "port"))
}

func drawPrefix(t *rapid.T) netip.Prefix {
	addr := drawAddr(t)
	return netip.PrefixFrom(addr, rapid.IntRange(0, addr.BitLen()).Draw(t, "bits"))
}

func drawAddressKey(t *rapid.T) AddressKey { return AddressKey{drawPrefix(t), drawWord(t)} }

func drawRouteKey(t *rapid.T) RouteKey {
	k := NewRouteKey(drawPrefix(t), rapid.Uint32().Draw(t, "metric"))
	if k.Dst.Addr().Is6() && rapid.Bool().Draw(t, "source") {
		k.Source = netip.MustParsePrefix("2001:db8::/33")
	}
	k.TOS = rapid.SampledFrom([]string{"", "0x10"}).Draw(t, "tos")
	k.Table = rapid.SampledFrom([]string{"", "100", "isp2"}).Draw(t, "table")
	return k
}

func drawServiceKey(t *rapid.T) ServiceKey {
	p := rapid.SampledFrom([]Protocol{TCP, UDP, SCTP, FWMark}).Draw(t, "protocol")
	if p == FWMark {
		return ServiceKey{Protocol: p, Mark: rapid.Uint32().Draw(t, "mark"), V6: rapid.Bool().Draw(t, "v6")}
	}
	return ServiceKey{Protocol: p, Addr: drawAddrPort(t)}
}

// drawMap draws a few entries into a map.
func drawMap[K comparable, V any](t *rapid.T, into map[K]V, key func(*rapid.T) K, value func(*rapid.T) V) {
	for range rapid.IntRange(0, 3).Draw(t, "entries") {
		into[key(t)] = value(t)
	}
}

func always[V any](v V) func(*rapid.T) V { return func(*rapid.T) V { return v } }

func drawState(t *rapid.T) *State {
	s := New()
	drawMap(t, s.Sysctls, drawWord, drawWord)
	drawMap(t, s.Packages, drawWord, always(Package{Manager: "apk"}))
	drawMap(t, s.Modules, drawWord, always(Module{}))
	drawMap(t, s.Confs, drawWord, func(t *rapid.T) Conf { return Conf{Hash: drawWord(t), Mode: "0600"} })
	drawMap(t, s.Keepalived, drawWord, func(t *rapid.T) Keepalived { return Keepalived{Loaded: drawWord(t)} })
	drawMap(t, s.Rules, func(t *rapid.T) RuleKey {
		return RuleKey{Table: "nat", Chain: drawWord(t), Comment: drawWord(t)}
	}, func(t *rapid.T) Rule { return Rule{Spec: drawWord(t)} })
	drawMap(t, s.Links, drawWord, always(Link{Up: true}))
	drawMap(t, s.FOUs, func(t *rapid.T) FOUKey {
		return FOUKey{V6: rapid.Bool().Draw(t, "v6"), Port: rapid.Uint16().Draw(t, "port")}
	}, always(FOU{Holds: GUE}))
	drawMap(t, s.Addresses, drawAddressKey, func(t *rapid.T) Address { return Address{Label: drawWord(t)} })
	drawMap(t, s.Routes, drawRouteKey, func(t *rapid.T) Route {
		return rapid.SampledFrom([]Route{{Type: "blackhole"}, {Rest: "nexthop"}, {Via: drawAddr(t), Dev: "eth0", Rest: "proto static"}}).Draw(t, "route")
	})
	drawMap(t, s.Policies, func(t *rapid.T) PolicyKey {
		return PolicyKey{V6: rapid.Bool().Draw(t, "v6"), Priority: rapid.Uint32().Draw(t, "priority"), Selector: rapid.SampledFrom([]string{"", "from 10.0.0.1", "not fwmark 0x1"}).Draw(t, "selector")}
	}, always(Policy{Action: "lookup 100"}))
	drawMap(t, s.Blocks, func(t *rapid.T) BlockKey { return BlockKey{"/etc/hosts", drawWord(t)} }, always(Block{Text: "a\nb\n"}))
	drawMap(t, s.Timeouts, drawWord, always(5))
	drawMap(t, s.Services, drawServiceKey, func(t *rapid.T) Service {
		return Service{Scheduler: drawWord(t), Flags: "sh-port", Timeout: 5, Mask: 24, Engine: "sip", OnePacket: true}
	})
	drawMap(t, s.Servers, func(t *rapid.T) ServerKey { return ServerKey{drawServiceKey(t), drawAddrPort(t)} }, func(t *rapid.T) Server {
		return Server{Forward: Tunnel, Weight: rapid.IntRange(0, 65535).Draw(t, "weight"), Upper: 2, Lower: 1, Tunnel: drawWord(t)}
	})
	drawMap(t, s.Daemons, drawWord, always(Daemon{Interface: "eth0", ID: 3, Rest: "ttl=4"}))
	drawMap(t, s.Files, drawWord, func(t *rapid.T) File {
		return File{
			Text: drawWord(t) + "\n", Mode: rapid.SampledFrom([]string{"0644", "0600", "4755"}).Draw(t, "mode"),
			Owner: rapid.SampledFrom([]string{"", "1000:100"}).Draw(t, "owner"),
		}
	})
	drawMap(t, s.Units, drawWord, always(Unit{Init: InitSystemd}))
	return s
}

func TestStateJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Record{Version: RecordVersion, Topology: "web", Sysctls: "a b", Set: drawState(t), Before: drawState(t)}
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		have := NewRecord("web")
		if err := json.Unmarshal(text, &have); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, have, same); d != "" {
			t.Fatal(d)
		}
		again, err := json.Marshal(have)
		if err != nil {
			t.Fatal(err)
		}
		if string(again) != string(text) {
			t.Fatal("the same state has two texts")
		}
	})
}

// TestRecordSysctls checks that the record's second line has the sysctl keys: a shell
// script reads it there.
func TestRecordSysctls(t *testing.T) {
	r := NewRecord("web")
	r.Sysctls = "net/ipv4/ip_forward net/ipv4/conf/all/arp_ignore"
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want := `  "sysctls": "net/ipv4/ip_forward net/ipv4/conf/all/arp_ignore",`
	if have := strings.Split(string(text), "\n")[1]; have != want {
		t.Errorf("the second line is %s", have)
	}
}

// TestClone changes every map of a State, which it finds by reflection. A clone made before
// must not change.
func TestClone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawState(t)
		drawMap(t, s.Connections, func(t *rapid.T) ServerKey { return ServerKey{drawServiceKey(t), drawAddrPort(t)} }, always(Connections{Active: 1}))
		drawMap(t, s.Drain, drawServiceKey, always(time.Second))
		c := s.Clone()
		if d := cmp.Diff(s, c, same); d != "" {
			t.Fatal(d)
		}
		original, clone := reflect.ValueOf(s).Elem(), reflect.ValueOf(c).Elem()
		for i := range clone.NumField() {
			field := clone.Type().Field(i)
			if field.Type.Kind() != reflect.Map {
				if k := field.Type.Kind(); k == reflect.Pointer || k == reflect.Slice || k == reflect.Interface {
					t.Fatalf("%s may be shared, and this test does not look", field.Name)
				}
				continue
			}
			entries := original.Field(i).Len()
			clone.Field(i).SetMapIndex(reflect.Zero(field.Type.Key()), reflect.Zero(field.Type.Elem()))
			added := original.Field(i).Len() != entries
			clone.Field(i).Clear()
			if added || original.Field(i).Len() != entries {
				t.Fatalf("a clone shares %s", field.Name)
			}
		}
	})
}
