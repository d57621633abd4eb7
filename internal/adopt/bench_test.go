package adopt

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/state"
)

// BenchmarkFromNodes imports a director of n services with ten real servers each, which
// are read too, at a size and its double.
func BenchmarkFromNodes(b *testing.B) {
	for _, n := range []int{100, 200} {
		b.Run(fmt.Sprint(n, " services"), func(b *testing.B) {
			seen := manyServices(n)
			for b.Loop() {
				Write(FromNodes("big", seen))
			}
		})
	}
}

// BenchmarkFromFiles imports a keepalived.conf of n services with one server each, and with
// a remark on each, at a size and its double.
func BenchmarkFromFiles(b *testing.B) {
	for _, n := range []int{400, 800} {
		var text strings.Builder
		text.WriteString("vrrp_instance v {\n interface eth0\n virtual_router_id 1\n priority 100\n virtual_ipaddress {\n 10.0.0.1/8\n }\n}\n")
		for i := range n {
			fmt.Fprintf(&text, "virtual_server 10.0.0.1 %d {\n lb_kind DR\n notify_x a\n real_server 10.1.%d.%d %d {\n notify_up x\n TCP_CHECK {\n }\n }\n}\n", i+1, i/250, i%250+1, i+1)
		}
		files := []File{{"keepalived", keepalived.Text{Path: "k.conf", Text: text.String()}}}
		b.Run(fmt.Sprint(n, " services"), func(b *testing.B) {
			for b.Loop() {
				if d := FromFiles(files, nil); len(d.Topology.Services) != n {
					b.Fatalf("%d services", len(d.Topology.Services))
				}
			}
		})
	}
}

// manyServices are a director with n services, and the ten real servers of each.
func manyServices(n int) []Seen {
	lb := Seen{Name: "lb", State: state.New(), Record: state.NewRecord("")}
	lb.State.Addresses[state.AddressKey{Prefix: netip.MustParsePrefix("10.0.0.1/8"), Dev: "eth0"}] = state.Address{}
	seen := []Seen{lb}
	for i := range n {
		vip := netip.AddrFrom4([4]byte{10, 200, byte(i >> 8), byte(i)})
		k := state.ServiceKey{Protocol: state.TCP, Addr: netip.AddrPortFrom(vip, 80)}
		lb.State.Services[k] = state.Service{Scheduler: "rr"}
		for j := range 10 {
			rip := netip.AddrFrom4([4]byte{10, 1 + byte(j), byte(i >> 8), byte(i)})
			lb.State.Servers[state.ServerKey{Service: k, Addr: netip.AddrPortFrom(rip, 80)}] = state.Server{Forward: state.Masq, Weight: 1}
			web := Seen{Name: fmt.Sprintf("web-%d-%d", i, j), State: state.New(), Record: state.NewRecord("")}
			web.State.Addresses[state.AddressKey{Prefix: netip.PrefixFrom(rip, 8), Dev: "eth0"}] = state.Address{}
			seen = append(seen, web)
		}
	}
	return seen
}
