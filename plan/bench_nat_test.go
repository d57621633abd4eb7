package plan_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/persist"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/internal/survey"
	"github.com/lvsctl/lvsctl/plan"
	"github.com/lvsctl/lvsctl/roles"
	"github.com/lvsctl/lvsctl/topology"
)

// BenchmarkNAT plans nat services with ten real servers each. It measures all steps from
// the topology to the plan, with the files for the next boot.
func BenchmarkNAT(b *testing.B) {
	for _, n := range []int{1_000, 2_000} {
		b.Run(fmt.Sprintf("servers=%d", n), func(b *testing.B) {
			file := filepath.Join(b.TempDir(), "web.hcl")
			if err := os.WriteFile(file, []byte(natFarm(n)), 0o600); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				top, _, diags := topology.Load(b.Context(), file, topology.Options{})
				if diags.HasErrors() {
					b.Fatal(diags)
				}
				wants, diags := roles.Wants(top)
				if diags.HasErrors() {
					b.Fatal(diags)
				}
				var inputs []plan.Input
				for _, w := range wants {
					in := survey.Input(w)
					in.Chosen = true
					in.Live = bare(in)
					inputs = append(inputs, in)
				}
				p := plan.Build("web", inputs)
				if len(p.Actions) < 3*n {
					b.Fatalf("%d actions", len(p.Actions))
				}
			}
		})
	}
}

// natFarm is a topology of one director and n real servers, ten in each service.
func natFarm(n int) string {
	var b strings.Builder
	b.WriteString("director \"lb\" {\n  interface \"eth0\" { address = \"10.0.200.1/16\" }\n  interface \"eth1\" { address = \"192.0.2.2/24\" }\n}\n")
	var names []string
	for i := range n {
		name := fmt.Sprintf("rs%d", i)
		names = append(names, fmt.Sprintf("%q", name))
		fmt.Fprintf(&b, "real_server %q {\n  interface \"eth0\" { address = \"10.0.%d.%d/16\" }\n}\n", name, i/250, i%250+1)
	}
	for i := range n / 10 {
		fmt.Fprintf(&b, "virtual_server \"v%d\" {\n  vip = \"192.0.2.100\"\n  port = %d\n  mode = \"nat\"\n  real_servers = [%s]\n}\n", i, 8000+i, strings.Join(names[10*i:10*i+10], ", "))
	}
	return b.String()
}

// bare is a Debian with its own addresses and nothing of lvsctl's.
func bare(in plan.Input) *live.Node {
	n := &live.Node{
		State: state.New(), Record: state.NewRecord("web"),
		Facts: live.Facts{Root: true, Schedulers: map[string]bool{"wlc": true}, Boot: persist.Boot{Ifupdown: true, Table: persist.TableDebian}},
	}
	n.State.Init, n.State.Manager = state.InitSystemd, "apt-get"
	for _, k := range in.Base {
		n.State.Addresses[k] = state.Address{}
		n.State.Links[k.Dev] = state.Link{Up: true}
	}
	n.State.Sysctls["net/ipv4/ip_forward"] = "0"
	for k := range in.Want.Sysctls {
		if !strings.Contains(k, "/vs/") {
			n.State.Sysctls[k] = "0"
		}
	}
	return n
}
