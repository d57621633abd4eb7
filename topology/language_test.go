package topology

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFile tries every way to read a file outside the topology's folder by file(). All
// are refused.
func TestFile(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	topology := func(path string) string {
		return write(t, map[string]string{
			"main.hcl":     "router \"r\" {\n address = \"a\"\n sysctl = { \"a.b\" = trimspace(file(\"" + path + "\")) }\n}",
			"sub/value":    "inside\n",
			"sub/binary":   "\xff\xfe",
			"sub/dir/keep": "",
		})
	}
	t.Run("inside", func(t *testing.T) {
		topo, _, diags := Load(t.Context(), topology("sub/value"), Options{})
		if diags.HasErrors() {
			t.Fatal(summaries(diags))
		}
		if have := topo.Nodes[0].Sysctls[0].Value; have != "inside" {
			t.Errorf("have %q", have)
		}
	})
	for _, path := range []string{outside, "../" + filepath.Base(outside), "sub/../../x", "link", "linked/secret", "sub/dir", "sub/binary", "none", "", "a\\u0000b"} {
		t.Run("not "+path, func(t *testing.T) {
			dir := topology(path)
			for link, target := range map[string]string{"link": outside, "linked": filepath.Dir(outside)} {
				if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
					t.Fatal(err)
				}
			}
			_, _, diags := Load(t.Context(), dir, Options{})
			if !diags.HasErrors() || strings.Contains(summaries(diags), "secret\"") && !strings.Contains(path, "secret") {
				t.Errorf("not refused: %s", summaries(diags))
			}
		})
	}
}

func TestVariables(t *testing.T) {
	const src = `
variable "s" { default = "default" }
variable "n" {
  type    = number
  default = 1
}
variable "l" {
  type    = list(string)
  default = []
}
variable "o" {
  type    = object({ a = string, b = optional(number, 7) })
  default = { a = "x" }
}
router "r" {
  address = "a"
  sysctl  = { "a.s" = var.s, "a.n" = var.n, "a.l" = join(",", ["none"], var.l), "a.o" = "${var.o.a}${var.o.b}" }
}
`
	files := t.TempDir()
	first, second := filepath.Join(files, "first.hcl"), filepath.Join(files, "second.hcl")
	for path, content := range map[string]string{first: "s = \"first\"\nn = 2", second: "s = \"second\""} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name string
		o    Options
		want string
	}{
		{"defaults", Options{}, "none 1 x7 default"},
		{"environment", Options{Environ: []string{"LVSCTL_VAR_s=env", "LVSCTL_VAR_other=x"}}, "none 1 x7 env"},
		{"file over environment", Options{Environ: []string{"LVSCTL_VAR_s=env"}, VarFiles: []string{first}}, "none 2 x7 first"},
		{"later file", Options{VarFiles: []string{first, second}}, "none 2 x7 second"},
		{"command line over file", Options{VarFiles: []string{first}, Vars: []string{"s=cli"}}, "none 2 x7 cli"},
		{"last on the command line", Options{Vars: []string{"s=a", "s=b=c"}}, "none 1 x7 b=c"},
		{"expressions", Options{Vars: []string{`l=["a", "b"]`, "n=80", `o={ a = "y" }`}}, "none,a,b 80 y7 default"},
		{"text is not an expression", Options{Vars: []string{`s=["a"]`}}, `none 1 x7 ["a"]`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var have []string
			for _, s := range valid(t, src, test.o).Nodes[0].Sysctls {
				have = append(have, s.Value)
			}
			if have := strings.Join(have, " "); have != test.want {
				t.Errorf("want %q, have %q", test.want, have)
			}
		})
	}
	refused := []struct {
		name string
		o    Options
		want string
	}{
		{"unknown", Options{Vars: []string{"x=1"}}, "Unknown variable"},
		{"misspelt", Options{Vars: []string{"nn=1"}}, "Did you mean \"n\"?"},
		{"no value", Options{Vars: []string{"n"}}, "Not an assignment"},
		{"wrong type", Options{Vars: []string{"n=x"}}, "Wrong kind of value"},
		{"reference", Options{Vars: []string{"l=[var.s]"}}, "Unknown reference"},
		{"syntax", Options{Vars: []string{"l=["}}, "Missing"},
		{"too deep", Options{Vars: []string{"l=" + strings.Repeat("[", 100000)}}, "Expression too deep"},
		{"no file", Options{VarFiles: []string{filepath.Join(files, "none.hcl")}}, "Cannot read"},
	}
	for _, test := range refused {
		t.Run(test.name, func(t *testing.T) {
			if _, diags := loadText(t, src, test.o); !strings.Contains(summaries(diags), test.want) {
				t.Errorf("want %q in:\n%s", test.want, summaries(diags))
			}
		})
	}
}

// TestSensitive checks that a sensitive value is in no diagnostic, and is refused by
// attributes that are not sensitive.
func TestSensitive(t *testing.T) {
	const declared = "variable \"p\" {\n sensitive = true\n type = string\n}\n"
	o := Options{Vars: []string{"p=hunter2-and-more"}}
	for name, src := range map[string]string{
		"attribute":  declared + "router \"r\" { address = var.p }",
		"part":       declared + "router \"r\" { address = \"x-${var.p}\" }",
		"for_each":   declared + "router \"r\" {\n for_each = toset([var.p])\n}",
		"dynamic":    declared + "router \"r\" {\n dynamic \"interface\" {\n for_each = [var.p]\n labels = [\"eth0\"]\n content {}\n }\n}",
		"password":   in("TOP", declared+"vrrp_instance \"v\" {\n directors = [\"lb\"]\n interface = \"eth0\"\n virtual_router_id = 1\n auth_pass = var.p\n}"),
		"validation": strings.Replace(declared, "type", "validation {\n condition = false\n error_message = \"bad ${var.p}\"\n}\ntype", 1),
		"type":       strings.Replace(declared, "string", "list(string)", 1),
	} {
		t.Run(name, func(t *testing.T) {
			_, diags := loadText(t, src, o)
			if !diags.HasErrors() {
				t.Error("not refused")
			}
			if strings.Contains(summaries(diags), "hunter2") {
				t.Errorf("shown:\n%s", summaries(diags))
			}
		})
	}
	topo := valid(t, in("TOP", declared+"vrrp_instance \"v\" {\n directors = [\"lb\"]\n interface = \"eth0\"\n virtual_router_id = 1\n auth_pass = var.p\n}"), Options{Vars: []string{"p=hunter2"}})
	if have := topo.VRRP[0].AuthPass; have != "hunter2" {
		t.Errorf("auth_pass: have %q", have)
	}
}

func TestRequiredVersion(t *testing.T) {
	tests := []struct {
		constraint, version string
		ok                  bool
	}{
		{">= 1.2", "1.2.0", true}, {">= 1.2", "v1.1.9", false}, {"~> 1.2", "1.9.9", true}, {"~> 1.2", "2.0.0", false},
		{"~> 1.2.3", "1.2.9", true}, {"~> 1.2.3", "1.3.0", false}, {">= 1, < 2", "2.0.0", false}, {"!= 1.0.0", "1.0.0", false},
		{"1.0.0", "1.0.0", true}, {">= 9", "dev", true}, {">= 9", "", true}, {"newest", "1.0.0", false}, {">= 1.x", "1.0.0", false},
	}
	for _, test := range tests {
		_, diags := loadText(t, "lvsctl {\n required_version = \""+test.constraint+"\"\n}", Options{Version: test.version})
		if ok := !diags.HasErrors(); ok != test.ok {
			t.Errorf("%s with %q: want %v, have %v\n%s", test.constraint, test.version, test.ok, ok, summaries(diags))
		}
	}
}

// TestSyntaxesAndOrder loads a topology with its files and blocks in other orders, and
// written as JSON. The result is the same.
func TestSyntaxesAndOrder(t *testing.T) {
	native := valid(t, in("TOP", web), Options{})
	split := write(t, map[string]string{
		"z.hcl": web,
		"a.hcl": in(),
	})
	reordered, _, diags := Load(t.Context(), split, Options{})
	if diags.HasErrors() {
		t.Fatal(summaries(diags))
	}
	json, _, diags := Load(t.Context(), write(t, map[string]string{"main.hcl.json": `{
  "director": {"lb": {"interface": {"eth0": {"address": "192.0.2.10/24"}, "eth1": {"address": "10.0.0.1/24"}}, "dip": "10.0.0.1"}},
  "real_server": {"rs": {"for_each": {"a": "10.0.0.11", "b": "10.0.0.12"}, "interface": {"eth0": {"address": "${each.value}/24"}}}},
  "client": {"cl": {"interface": {"eth0": {"address": "192.0.2.99/24"}}}},
  "virtual_server": {"web": {"vip": "192.0.2.100", "port": 80, "mode": "nat", "real_servers": ["rs"]}}
}`}), Options{})
	if diags.HasErrors() {
		t.Fatal(summaries(diags))
	}
	for name, have := range map[string]*Topology{"in two files": reordered, "as JSON": json} {
		if d := cmp.Diff(native, have, withoutPlaces...); d != "" {
			t.Errorf("%s (-want +have):\n%s", name, d)
		}
	}
}

func TestDynamicBlocks(t *testing.T) {
	topo := valid(t, `
locals {
  routers = { east = ["10.0.0.1/24", "10.1.0.1/24"], west = ["10.2.0.1/24"] }
}
dynamic "router" {
  for_each = local.routers
  iterator = it
  labels   = ["gw-${it.key}"]
  content {
    address = it.key
    dynamic "interface" {
      for_each = it.value
      labels   = ["eth${interface.key}"]
      content { address = interface.value }
    }
  }
}
router "plain" {
  for_each = toset(["10.3.0.1"])
  dynamic "interface" {
    for_each = [each.key]
    labels   = ["eth0"]
    content { address = "${interface.value}/24" }
  }
}
`, Options{})
	var have []string
	for _, n := range topo.Nodes {
		for _, i := range n.Interfaces {
			have = append(have, n.Name+" "+n.Address+" "+i.Name+" "+i.Addresses[0].String())
		}
	}
	want := []string{"gw-east east eth0 10.0.0.1/24", "gw-east east eth1 10.1.0.1/24", "gw-west west eth0 10.2.0.1/24", "plain-10.3.0.1 10.3.0.1 eth0 10.3.0.1/24"}
	if d := cmp.Diff(want, have); d != "" {
		t.Errorf("interfaces (-want +have):\n%s", d)
	}
}
