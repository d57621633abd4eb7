package topology

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// large is a topology of many services with ten servers each. Some name their servers in
// the short form, some in the long one.
func large(services int) map[string]string {
	const nodes = 1000
	nth := func(base string, i int) netip.Addr {
		b := netip.MustParseAddr(base).As4()
		b[2], b[3] = byte(i/250), byte(i%250+1)
		return netip.AddrFrom4(b)
	}
	files := map[string]string{}
	var b strings.Builder
	b.WriteString("director \"lb\" {\n  interface \"eth0\" { address = \"10.0.200.1/16\" }\n}\n")
	for i := range nodes {
		fmt.Fprintf(&b, "real_server \"rs-%d\" {\n  interface \"eth0\" { address = \"%s/16\" }\n}\n", i, nth("10.0.0.0", i))
	}
	files["nodes.hcl"] = b.String()
	for part := 0; part < services; part += 1000 {
		b.Reset()
		for i := part; i < min(part+1000, services); i++ {
			fmt.Fprintf(&b, "virtual_server \"v-%d\" {\n  vip = \"%s\"\n  port = %d\n  mode = \"dr\"\n", i, nth("10.1.0.0", i%nodes), 1000+i/nodes)
			if i%2 == 0 {
				for s := range 10 {
					fmt.Fprintf(&b, "  real_server \"rs-%d\" { weight = %d }\n", (i+s)%nodes, s)
				}
			} else {
				b.WriteString("  real_servers = [")
				for s := range 10 {
					fmt.Fprintf(&b, "\"rs-%d\", ", (i+s)%nodes)
				}
				b.WriteString("]\n")
			}
			b.WriteString("}\n")
		}
		files[fmt.Sprintf("services-%d.hcl", part)] = b.String()
	}
	return files
}

func BenchmarkLoad(b *testing.B) {
	for _, services := range []int{1000, 10000} {
		b.Run(fmt.Sprint(services), func(b *testing.B) {
			dir := write(b, large(services))
			b.ReportAllocs()
			for b.Loop() {
				topo, _, diags := Load(b.Context(), dir, Options{})
				if diags.HasErrors() {
					b.Fatal(summaries(diags[:1]))
				}
				if len(topo.Services) != services {
					b.Fatalf("%d services", len(topo.Services))
				}
			}
		})
	}
}
