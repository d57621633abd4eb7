package topology

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/hcl/v2"
)

// write makes a folder with the files of a topology.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "topo")
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// loadText loads a topology of one file.
func loadText(t testing.TB, src string, o Options) (*Topology, hcl.Diagnostics) {
	t.Helper()
	topo, _, diags := Load(t.Context(), write(t, map[string]string{"main.hcl": src}), o)
	return topo, diags
}

// valid loads a topology that must have no errors.
func valid(t testing.TB, src string, o Options) *Topology {
	t.Helper()
	topo, diags := loadText(t, src, o)
	if diags.HasErrors() {
		t.Fatalf("unexpected errors:\n%s", summaries(diags))
	}
	return topo
}

// summaries lists the diagnostics, one on each line.
func summaries(diags hcl.Diagnostics) string {
	var b strings.Builder
	for _, d := range diags {
		b.WriteString(d.Summary + ": " + d.Detail + "\n")
	}
	return b.String()
}

// cluster is a director with two NICs, two real servers behind it, a router
// between them and a client. %NODE and %SERVICE in a test's changes are appended
// to the director and to the service.
const cluster = `
director "lb" {
  interface "eth0" { address = "192.0.2.10/24" }
  interface "eth1" { address = "10.0.0.1/24" }
  dip = "10.0.0.1"
  %DIRECTOR
}
real_server "rs" {
  for_each = { a = "10.0.0.11", b = "10.0.0.12" }
  interface "eth0" { address = "${each.value}/24" }
  %REAL
}
client "cl" {
  interface "eth0" { address = "192.0.2.99/24" }
}
%TOP
`

const web = `
virtual_server "web" {
  vip          = "192.0.2.100"
  port         = 80
  mode         = "nat"
  real_servers = ["rs"]
}
`

// in returns cluster with texts at its placeholders. places are pairs of a placeholder's
// name and a text.
func in(places ...string) string {
	src := cluster
	for i := 0; i+1 < len(places); i += 2 {
		src = strings.Replace(src, "%"+places[i], places[i+1]+"\n%"+places[i], 1)
	}
	return strings.NewReplacer("%DIRECTOR", "", "%REAL", "", "%TOP", "").Replace(src)
}

// svc is a virtual_server with these attributes.
func svc(name, body string) string { return "virtual_server \"" + name + "\" {\n" + body + "\n}\n" }

const (
	nat80 = "vip = \"192.0.2.100\"\nport = 80\nmode = \"nat\"\n"
	tun80 = "vip = \"192.0.2.100\"\nport = 80\nmode = \"tun\"\n"
)

// withoutPlaces lets cmp ignore the source ranges of a topology.
var withoutPlaces = []cmp.Option{
	cmpopts.IgnoreTypes(hcl.Range{}),
	cmpopts.IgnoreFields(Topology{}, "Dir"),
	cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}, netip.AddrPort{}),
}
