package state

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkParseIPVS parses services with ten servers each, with their thresholds.
func BenchmarkParseIPVS(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		var table, listing strings.Builder
		for i := range n {
			vip := fmt.Sprintf("10.1.%d.%d:80", i>>8, i&255)
			fmt.Fprintf(&table, "-A -t %s -s wlc -p 300 -M 255.255.255.0\n", vip)
			fmt.Fprintf(&listing, "TCP  %s wlc persistent 300 mask 255.255.255.0\n", vip)
			for j := range 10 {
				rip := fmt.Sprintf("10.%d.%d.%d:80", 2+j, i>>8, i&255)
				fmt.Fprintf(&table, "-a -t %s -r %s -i -w 1 --tun-type ipip\n", vip, rip)
				fmt.Fprintf(&listing, "  -> %-28s 0          0          5          7\n", rip)
			}
		}
		b.Run(fmt.Sprintf("services=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(table.Len() + listing.Len()))
			for b.Loop() {
				s := New()
				if err := parseIPVS(table.String(), s); err != nil {
					b.Fatal(err)
				}
				if err := parseThresholds(listing.String(), s); err != nil {
					b.Fatal(err)
				}
				if len(s.Servers) != 10*n || len(s.Connections) != 10*n {
					b.Fatalf("%d servers", len(s.Servers))
				}
			}
		})
	}
}

// BenchmarkParseTableFile parses a file of ipvsadm with services of one server each.
func BenchmarkParseTableFile(b *testing.B) {
	for _, n := range []int{5_000, 10_000} {
		var text strings.Builder
		for i := range n {
			fmt.Fprintf(&text, "-A -t 10.%d.%d.1:80 -s rr\n-a -t 10.%d.%d.1:80 -r 10.0.0.2:http -m\n", i/250, i%250, i/250, i%250)
		}
		b.Run(fmt.Sprintf("services=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(text.Len()))
			for b.Loop() {
				if f := ParseTableFile(text.String()); len(f.State.Servers) != n {
					b.Fatalf("%d servers, %v", len(f.State.Servers), f.Problems)
				}
			}
		})
	}
}

// BenchmarkParseFiles parses a large file of lvsctl's own.
func BenchmarkParseFiles(b *testing.B) {
	for _, n := range []int{20_000, 40_000} {
		text := "-rwxr-xr-x 1 0 0 42 Nov 21 09:00 /etc/lvsctl/web.sh\n" + strings.Repeat(" ip -4 addr replace 10.1.0.100/32 dev eth0 || s=1\n", n)
		b.Run(fmt.Sprintf("lines=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				s := New()
				if err := parseFiles(text, s); err != nil {
					b.Fatal(err)
				}
				if have := strings.Count(s.Files["/etc/lvsctl/web.sh"].Text, "\n"); have != n {
					b.Fatalf("%d lines", have)
				}
			}
		})
	}
}
