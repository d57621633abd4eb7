package state

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOthers has two topologies that want the same kernel parameter and VIP. When the first
// is destroyed both stay. When the second is, the old values are restored.
func TestOthers(t *testing.T) {
	const key = "net/ipv4/ip_forward"
	vip := AddressKey{netip.MustParsePrefix("10.0.0.100/32"), "lo"}
	want := New()
	want.Sysctls[key], want.Addresses[vip] = "1", Address{}
	live := New()
	live.Sysctls[key] = "0"

	record := func(name string, others ...Record) Record {
		r := NewRecord(name)
		r.Others = others
		return r
	}
	first := Settle(live, want, record("web"), false)
	live = first.Want.Clone()
	web := Confirm(first, live)
	second := Settle(live, want, record("db", web), false)
	db := Confirm(second, live)
	if d := cmp.Diff(web.Before, db.Before); d != "" {
		t.Errorf("what was there before is known otherwise (-first +second):\n%s", d)
	}

	web.Others = []Record{db}
	going := Settle(live, New(), web, false)
	if changes := Diff(going.Have, going.Want); len(changes) > 0 || len(going.Released) != 2 {
		t.Errorf("the first to go takes away %v, and leaves %v", changes, going.Released)
	}
	if left := Confirm(going, live); !left.Empty() {
		t.Errorf("it still holds %+v", left.Set)
	}

	last := Settle(live, New(), db, false)
	live.Sysctls[key] = "0"
	delete(live.Addresses, vip)
	if d := cmp.Diff(live.Sysctls, last.Want.Sysctls); d != "" || len(last.Want.Addresses) > 0 || len(last.Have.Addresses) != 1 {
		t.Errorf("the last to go (-want +have):\n%s", d)
	}
}

// TestAdopt takes over the record of an old name, with the old values in it.
func TestAdopt(t *testing.T) {
	older, r := NewRecord("old"), NewRecord("new")
	older.Set.Sysctls = map[string]string{"a": "1", "b": "1"}
	older.Before.Sysctls = map[string]string{"a": "0", "c": "5"}
	r.Set.Sysctls = map[string]string{"b": "1", "d": "1"}
	r.Before.Sysctls = map[string]string{"b": "1", "d": "0"}
	r.Adopt(older)
	if d := cmp.Diff(map[string]string{"a": "1", "b": "1", "d": "1"}, r.Set.Sysctls); d != "" {
		t.Errorf("set (-want +have):\n%s", d)
	}
	if d := cmp.Diff(map[string]string{"a": "0", "c": "5", "d": "0"}, r.Before.Sysctls); d != "" {
		t.Errorf("before (-want +have):\n%s", d)
	}
}
