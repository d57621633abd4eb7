package adopt

import (
	"bytes"
	"fmt"
	"net/netip"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lvsctl/lvsctl/internal/golden"
	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/roles"
	"github.com/lvsctl/lvsctl/topology"
)

// A collection is files as operators have them, what they become, and all that is said of
// them. The archive's comment names the files that are given: FORM=PATH.
type collection struct {
	path  string
	given []File
	all   *txtar.Archive
}

func collections(t *testing.T) []collection {
	t.Helper()
	paths, err := filepath.Glob("testdata/files/*.txtar")
	if err != nil || len(paths) < 20 {
		t.Fatal(len(paths), err)
	}
	var list []collection
	for _, p := range paths {
		a, err := txtar.ParseFile(p)
		if err != nil {
			t.Fatal(err)
		}
		c := collection{path: p, all: a}
		for _, word := range strings.Fields(string(a.Comment)) {
			form, name, _ := strings.Cut(word, "=")
			c.given = append(c.given, File{form, keepalived.Text{Path: name, Text: c.text(name)}})
		}
		list = append(list, c)
	}
	return list
}

func (c collection) text(name string) string {
	for _, f := range c.all.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

// source gives what a file includes, of the archive.
func (c collection) source(pattern, from string) ([]keepalived.Text, error) {
	var list []keepalived.Text
	for _, f := range c.all.Files {
		if ok, _ := path.Match(path.Join(path.Dir(from), pattern), f.Name); ok {
			list = append(list, keepalived.Text{Path: f.Name, Text: string(f.Data)})
		}
	}
	if list == nil {
		return nil, fmt.Errorf("%s is not among the files", pattern)
	}
	return list, nil
}

// TestFiles makes topologies of operators' files. Each loads, and is then what was written.
func TestFiles(t *testing.T) {
	for _, c := range collections(t) {
		t.Run(filepath.Base(c.path), func(t *testing.T) {
			d := FromFiles(c.given, c.source)
			text := Write(d)
			var remarks strings.Builder
			for _, r := range d.Remarks {
				fmt.Fprintf(&remarks, "%s %s\n", r.Kind, r)
			}
			keep := slices.DeleteFunc(slices.Clone(c.all.Files), func(f txtar.File) bool { return f.Name == "want.hcl" || f.Name == "want.remarks" })
			out := txtar.Archive{Comment: c.all.Comment, Files: append(keep, txtar.File{Name: "want.hcl", Data: text}, txtar.File{Name: "want.remarks", Data: []byte(remarks.String())})}
			golden.Check(t, c.path, string(txtar.Format(&out)))
			have := loaded(t, d, text)
			have.Name, d.Topology.Name = "", ""
			if diff := cmp.Diff(d.Topology, have, alike); diff != "" {
				t.Errorf("the topology is another one than was written (-want +have):\n%s", diff)
			}
			if again := Write(FromFiles(c.given, c.source)); !bytes.Equal(text, again) {
				t.Errorf("the second time it is another one:\n%s", cmp.Diff(string(text), string(again)))
			}
			c.comesBack(t, have)
		})
	}
}

// comesBack renders keepalived's configuration of the topology, and compares it with the
// file as internal/keepalived reads it, which is another reader than the one under test:
// each service, real server and weight of the one is in the other, but those that the
// archive names in its file left, of which there is a remark.
func (c collection) comesBack(t *testing.T, have *topology.Topology) {
	wants, diags := roles.Wants(have)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	version, _ := keepalived.ParseVersion("Keepalived v2.2.7 (01/16,2022)")
	rendered := map[string]bool{}
	for _, w := range wants {
		if w.Keepalived == nil {
			continue
		}
		back, err := keepalived.Parse(keepalived.Text{Path: "back", Text: w.Keepalived.Render(version)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range balance(back.Services) {
			rendered[line] = true
		}
	}
	if len(rendered) == 0 {
		return
	}
	left := c.text("left")
	for _, f := range c.given {
		if f.Form != "keepalived" {
			continue
		}
		original, err := keepalived.Parse(f.Text, c.source)
		if err != nil {
			continue // TestFiles has the remarks
		}
		for _, line := range balance(original.Services) {
			if !rendered[line] && !strings.Contains(left, line+"\n") {
				t.Errorf("%s has %q, and keepalived.conf of the topology has not:\n%s", f.Path, line, strings.Join(slices.Sorted(keys(rendered)), "\n"))
			}
		}
	}
}

// balance are services, their servers and weights.
func balance(services []keepalived.Service) []string {
	var list []string
	for _, s := range services {
		head := fmt.Sprintf("%s %s mark %d %s %s", s.Protocol, s.Addr, s.Mark, s.Method, s.Scheduler)
		list = append(list, head)
		for _, r := range s.Servers {
			port := r.Addr.Port()
			if s.Mark != 0 && s.Method != "NAT" {
				port = 0
			}
			list = append(list, fmt.Sprintf("%s -> %s weight %d", head, netip.AddrPortFrom(r.Addr.Addr(), port), r.Weight))
		}
	}
	return list
}

func keys(m map[string]bool) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// loads is what is wrong with what was written, or "".
func loads(t *testing.T, d Draft, text []byte) string {
	t.Helper()
	_, diags := load(t, d, text)
	var errs []string
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			errs = append(errs, d.Error())
		}
	}
	return strings.Join(errs, "; ")
}
