package persist

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/netsystem"
	"github.com/lvsctl/lvsctl/internal/state"
)

// TestCloudHosts has names in /etc/hosts on a node where cloud-init writes that file.
func TestCloudHosts(t *testing.T) {
	const (
		template = "/etc/cloud/templates/hosts.debian.tmpl:7:127.0.0.1 localhost\n"
		place    = "/etc/cloud/cloud.cfg:12"
		warning  = "warning: cloud-init writes /etc/hosts anew at each boot (" + place + "), without the names of hosts = true; set manage_etc_hosts to false there\n"
		note     = "note: cloud-init writes /etc/hosts anew at each boot (" + place + "), so its template /etc/cloud/templates/hosts.debian.tmpl gets the names too\n"
	)
	for _, c := range []struct {
		name, boot string
		system     netsystem.Name
		want, says string
	}{
		{"not managed", template, netsystem.Auto, "", ""},
		{"off", "" + place + ":manage_etc_hosts: false\n" + template, netsystem.Auto, "", ""},
		{"only its own name", "" + place + ":manage_etc_hosts: localhost\n" + template, netsystem.Auto, "", ""},
		{"switched off later", "" + place + ":manage_etc_hosts: true\n/etc/cloud/cloud.cfg.d/90.cfg:1:manage_etc_hosts: False\n" + template, netsystem.Auto, "", ""},
		{"from a template", "" + place + ":manage_etc_hosts: \"true\" # ours\n" + template, netsystem.Auto, "10.1.0.11 rs\n", note},
		{"from a template, by its old word", "" + place + ": manage_etc_hosts : template\n" + template, netsystem.Auto, "10.1.0.11 rs\n", note},
		{"no template", "" + place + ":manage_etc_hosts: true\n", netsystem.Auto, "", warning},
		{"nothing is to last", "" + place + ":manage_etc_hosts: true\n" + template, netsystem.None, "", warning},
	} {
		want := made(func(s *state.State) {
			s.Blocks[state.BlockKey{Path: state.HostsFile, Topology: "web"}] = state.Block{Text: "10.1.0.11 rs\n"}
		})
		live := state.New()
		live.Manager = "apt-get"
		out := Files(Input{Topology: "web", System: c.system, Want: want, Before: state.New(), Live: live, Boot: Parse(c.boot)})
		if d := cmp.Diff(c.says, said(out)); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
		if have := out.Blocks[state.BlockKey{Path: "/etc/cloud/templates/hosts.debian.tmpl", Topology: "web"}].Text; have != c.want {
			t.Errorf("%s: the template has %q", c.name, have)
		}
	}
}
