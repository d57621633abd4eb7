package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/internal/survey"
	"github.com/lvsctl/lvsctl/plan"
	"github.com/lvsctl/lvsctl/roles"
	"github.com/lvsctl/lvsctl/roles/rolestest"
	"github.com/lvsctl/lvsctl/topology"
)

// everyAttribute is a topology with every block and attribute.
const everyAttribute = `
lvsctl {
  name             = "hostile"
  required_version = ">= 0.0.0"
}
variable "x" {
  type        = string
  default     = "10.1.0.100"
  description = "the first VIP"
  sensitive   = false
  validation {
    condition     = var.x != ""
    error_message = "It is empty."
  }
}
locals {
  dev = "eth0"
}
ssh {
  user            = "root"
  port            = 22
  identity_file   = "~/.ssh/id"
  identities_only = true
  known_hosts     = "~/.ssh/known_hosts"
  host_key        = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ7bJm1v9Jd0rDmV0Q2Tl1o2m7VhQ5b0a0l0b0a0l0b0"
  proxy_jump      = "jump"
  connect_timeout = "10s"
  sudo            = true
}
router "router" {
  interface "eth0" {
    address = "10.1.0.1/24"
  }
  interface "eth1" {
    address = "10.9.0.1/24"
  }
  interface "eth2" {
    address = "10.3.0.1/24"
  }
}
director "lvs" {
  address = "lvs"
  interface "eth0" {
    addresses = ["10.1.0.2/24"]
    rp_filter = 2
  }
  interface "eth1" {
    address = "10.2.0.2/24"
  }
  gateway    = "router"
  dip        = "10.1.0.2"
  ip_forward = true
  hosts      = true
  exclusive  = true
  persist    = "none"
  packages   = "install"
  sysctl     = { "net.core.somaxconn" = "4096" }
  route {
    to     = "10.77.0.0/16"
    via    = "10.1.0.1"
    dev    = "eth0"
    metric = 7
  }
  timeouts {
    tcp     = 1200
    tcp_fin = 60
    udp     = 100
  }
  sync {
    role      = "both"
    interface = local.dev
    id        = 7
  }
}
real_server "web" {
  for_each = { "1" = "10.1.0.11" }
  interface "eth0" {
    address = "${each.value}/24"
  }
  rip           = each.value
  vip_interface = "lo"
  way_back      = "route"
  maintenance   = false
}
real_server "far" {
  interface "eth0" {
    address = "10.3.0.11/24"
  }
}
real_server "app" {
  interface "eth0" {
    address = "10.2.0.11/24"
  }
}
virtual_server "each" {
  for_each     = { "a" = "10.1.0.99" }
  vip          = each.value
  port         = 80
  mode         = "dr"
  real_servers = ["web"]
}
virtual_server "web" {
  vip             = var.x
  port            = 80
  protocol        = "tcp"
  mode            = "dr"
  scheduler       = "mh"
  scheduler_flags = ["mh-port"]
  interface       = "eth0"
  directors       = ["lvs"]
  drain           = "1s"
  persistence {
    timeout = 60
    netmask = "255.255.255.0"
  }
  real_servers = { "web" = 2 }
}
virtual_server "phones" {
  vip        = "10.1.0.101"
  port       = 5060
  protocol   = "udp"
  mode       = "dr"
  director   = "lvs"
  persistence {
    timeout = 60
    engine  = "sip"
  }
  real_servers = ["web"]
}
virtual_server "dns" {
  vip        = "10.1.0.101"
  port       = 53
  protocol   = "udp"
  mode       = "dr"
  one_packet = true
  real_servers = ["web"]
}
virtual_server "marked" {
  vip    = "10.1.0.102"
  fwmark = 11
  mode   = "dr"
  mark {
    protocol = "udp"
    ports    = [53, "8000-8010"]
  }
  real_servers = ["web"]
}
virtual_server "full" {
  vip  = "10.1.0.103"
  port = 80
  mode = "fullnat"
  real_server "app" {
    port            = 8080
    weight          = 3
    upper_threshold = 9
    lower_threshold = 5
    mode            = "fullnat"
  }
}
virtual_server "tunnel" {
  vip          = "10.1.0.107"
  port         = 80
  mode         = "tun"
  tunnel {
    type     = "gue"
    port     = 6080
    checksum = "inner"
  }
  mss          = 1400
  real_servers = ["far"]
}
`

// notYet is a topology with the attributes that no role acts on yet.
const notYet = `
virtual_server "alive" {
  vip          = "10.1.0.120"
  port         = 80
  mode         = "dr"
  directors    = ["lvs"]
  sorry_server = "10.1.0.13:80"
  health_check {
    http {
      path   = "/"
      status = 200
    }
    interval = "5s"
    timeout  = "2s"
    retries  = 3
  }
  real_servers = ["web"]
}
virtual_server "checked" {
  vip       = "10.1.0.121"
  port      = 80
  mode      = "dr"
  directors = ["lvs"]
  health_check {
    misc {
      command = "/bin/check"
    }
  }
  real_servers = ["web"]
}
virtual_server "plain" {
  vip       = "10.1.0.122"
  port      = 80
  mode      = "dr"
  directors = ["lvs"]
  health_check {
    tcp {}
  }
  real_servers = ["web"]
}
vrrp_instance "v" {
  directors         = ["lvs"]
  interface         = "eth0"
  virtual_router_id = 51
  advert_int        = "1s"
  preempt           = true
  auth_pass         = "secret"
  priorities        = [100]
  unicast           = false
  addresses         = ["10.1.0.130/24"]
  sync              = false
}
`

// hostile returns values that a shell, ip, a terminal or a file name could misunderstand.
// Those with a command in them make the file "ran" if the command runs.
func hostile() []string {
	return []string{
		"'; touch ran; '", `"; touch ran; "`, "$(touch ran)", "`touch ran`", "x\ntouch ran\n", "lo;touch ran || touch ran",
		"10.1.0.50$(touch ran)", "net.core.x=$(touch ran)",
		"-rf", "--help", "", "*", "../../etc/passwd", "%s\\%n", "eth0\x00", "\x1b[2J",
		"l\u043e", "\uff11\uff10.1.0.100", "10.1.0.100\u200b", "\u202etcp",
		strings.Repeat("'A", 1<<19),
	}
}

// TestHostileValues puts hostile values in place of every value and label of a topology.
// Each is refused, or reaches the program unchanged through a shell, and no command in it
// is run.
func TestHostileValues(t *testing.T) {
	raw, err := os.ReadFile("../../topology/raw.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, base := range []string{everyAttribute, everyAttribute + notYet} {
		commands, refused := planned(t, base)
		if refused != (base != everyAttribute) {
			t.Fatalf("the topology itself is refused: %t", refused)
		}
		if !refused {
			throughShell(t, commands)
		}
	}
	places := hostilePlaces(t, everyAttribute+notYet, string(raw))
	var mu sync.Mutex
	carried := map[string]bool{}
	t.Run("places", func(t *testing.T) {
		for _, p := range places {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				if p.tryAll(t) {
					mu.Lock()
					defer mu.Unlock()
					carried[p.name] = true
				}
			})
		}
	})
	// The places whose value reaches a node as it is. All others accept only values that
	// they know.
	want := []string{
		"director.sysctl[value]", "ssh.identity_file", "ssh.known_hosts", "variable.description", "variable.validation.error_message",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(carried))); diff != "" {
		t.Errorf("taken as they are (-want +have):\n%s", diff)
	}
}

// tryAll puts every hostile value in a place and reports whether one is accepted.
func (p place) tryAll(t *testing.T) (carried bool) {
	// What no role acts on is left out, so that the rest can be planned.
	base := everyAttribute
	if p.notYet {
		base += notYet
	}
	for _, value := range hostile() {
		commands, refused := planned(t, p.put(t, base, value))
		if refused {
			continue
		}
		carried = true
		throughShell(t, commands)
		if t.Failed() {
			t.Fatalf("it was %.50q", value)
		}
	}
	return carried
}

// place is where in a topology a value can be.
type place struct {
	name   string
	notYet bool // the place is in the topology notYet
	// set changes the place in a copy of the file.
	set func(f *hclwrite.File, value string)
}

func (p place) put(t *testing.T, base, value string) string {
	t.Helper()
	f, diags := hclwrite.ParseConfig([]byte(base), "main.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	p.set(f, value)
	return string(f.Bytes())
}

// hostilePlaces finds every label and attribute of a topology, each name once, and checks
// that the topology has all attributes of the raw types.
func hostilePlaces(t *testing.T, text, raw string) []place {
	t.Helper()
	f, diags := hclwrite.ParseConfig([]byte(text), "main.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	early := len(blocksOf(t, everyAttribute))
	var places []place
	seen, attributes := map[string]bool{}, map[string]bool{}
	add := func(name string, notYet bool, set func(*hclwrite.File, string)) {
		if !seen[name] {
			seen[name] = true
			places = append(places, place{name, notYet, set})
		}
	}
	// way returns the same block in another copy of the file.
	var walk func(b *hclwrite.Block, name string, notYet bool, way func(*hclwrite.File) *hclwrite.Block)
	walk = func(b *hclwrite.Block, name string, notYet bool, way func(*hclwrite.File) *hclwrite.Block) {
		if len(b.Labels()) > 0 {
			add(name+"[label]", notYet, func(f *hclwrite.File, v string) { way(f).SetLabels([]string{v}) })
		}
		for _, a := range slices.Sorted(maps.Keys(b.Body().Attributes())) {
			attributes[a] = true
			first := strings.TrimSpace(string(b.Body().GetAttribute(a).Expr().BuildTokens(nil).Bytes()))
			set := func(make func(string) cty.Value) func(*hclwrite.File, string) {
				return func(f *hclwrite.File, v string) { way(f).Body().SetAttributeValue(a, make(v)) }
			}
			whole := name + "." + a
			add(whole, notYet, set(cty.StringVal))
			switch first[0] {
			case '[':
				add(whole+"[item]", notYet, set(func(v string) cty.Value { return cty.TupleVal([]cty.Value{cty.StringVal(v)}) }))
			case '{':
				add(whole+"[key]", notYet, set(func(v string) cty.Value { return cty.ObjectVal(map[string]cty.Value{v: cty.StringVal("1")}) }))
				key, _, _ := strings.Cut(strings.Trim(first, "{ \""), "\"")
				add(whole+"[value]", notYet, set(func(v string) cty.Value { return cty.ObjectVal(map[string]cty.Value{key: cty.StringVal(v)}) }))
			}
		}
		for i, inner := range b.Body().Blocks() {
			walk(inner, name+"."+inner.Type(), notYet, func(f *hclwrite.File) *hclwrite.Block { return way(f).Body().Blocks()[i] })
		}
	}
	for i, b := range f.Body().Blocks() {
		walk(b, b.Type(), i >= early, func(f *hclwrite.File) *hclwrite.Block { return f.Body().Blocks()[i] })
	}
	for _, m := range regexp.MustCompile("`hcl:\"([a-z_]+),optional\"`").FindAllStringSubmatch(raw, -1) {
		if !attributes[m[1]] {
			t.Errorf("no hostile value is put in place of %s", m[1])
		}
	}
	return places
}

func blocksOf(t *testing.T, text string) []*hclwrite.Block {
	t.Helper()
	f, diags := hclwrite.ParseConfig([]byte(text), "main.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return f.Body().Blocks()
}

// planned returns every command of the plans that apply and destroy a topology, and the
// scripts that read its nodes.
func planned(t *testing.T, text string) (commands []shell.Command, refused bool) {
	t.Helper()
	top, wants, err := wantsOf(t, text)
	if err != nil {
		return nil, true
	}
	for _, want := range []purpose{everything, survey.Nothing} {
		var inputs []plan.Input
		for _, w := range wants {
			full := w
			w = want(w)
			in := survey.Input(w)
			in.Chosen = true
			in.Live = &live.Node{State: state.New(), Record: state.NewRecord(top.Name)}
			in.Live.Facts.Root = true
			in.Live.Facts.Schedulers = map[string]bool{}
			for _, s := range in.Schedulers {
				in.Live.Facts.Schedulers[s] = true
			}
			in.Live.Facts.Can = map[string]bool{}
			for _, what := range plan.TunnelNeeds(in.Want) {
				in.Live.Facts.Can[what] = true
			}
			in.Live.State.Manager = "apt"
			for k := range in.Want.Sysctls {
				in.Live.State.Sysctls[k] = "before"
			}
			if w.State != full.State {
				// The node has everything, and the record says that lvsctl set it.
				in.Live.State, in.Live.Record.Set = full.State, full.State
			}
			for _, k := range in.Base {
				in.Live.State.Addresses[k] = state.Address{}
			}
			inputs = append(inputs, in)
			script := live.NewScript(survey.Question(top.Name, in))
			if out, err := exec.Command("sh", "-n", "-c", script.Lines.String()).CombinedOutput(); err != nil {
				t.Errorf("the script that reads is no sh: %s", out)
			}
		}
		p := plan.Build(top.Name, inputs)
		if len(p.Blocked()) > 0 {
			t.Errorf("nothing is planned: %v", p.Blocked())
		}
		for _, a := range p.Actions {
			commands = append(commands, slices.Concat(a.Quiesce, a.Do, a.Undo)...)
		}
	}
	return commands, false
}

// wantsOf is a topology and what it wants of its nodes, or why it is refused.
func wantsOf(t *testing.T, text string) (*topology.Topology, []roles.Want, error) {
	t.Helper()
	top, err := rolestest.Load(t, text)
	switch {
	case err != nil:
		return nil, nil, err
	case len(top.Unsupported) > 0:
		return nil, nil, fmt.Errorf("not supported yet: %v", top.Unsupported)
	}
	wants, diags := roles.Wants(top)
	if diags.HasErrors() {
		return nil, nil, diags
	}
	return top, wants, nil
}

// throughShell lets sh parse each command, and compares the words that it found with the
// command's.
func throughShell(t *testing.T, commands []shell.Command) {
	t.Helper()
	if len(commands) == 0 {
		t.Fatal("there are no commands")
	}
	var script, want strings.Builder
	for _, c := range commands {
		words := c.Args
		if c.To != "" {
			words = append(slices.Clone(words), c.To)
		}
		script.WriteString("p " + shell.Cmd(words...).String() + "\n")
		for _, w := range words {
			want.WriteString(w + "\x00")
		}
		if text := c.String(); !strings.HasPrefix(text, shell.Cmd(c.Args...).String()) {
			t.Errorf("%.200q is not its words quoted", text)
		}
	}
	sh := exec.Command("sh", "-s")
	sh.Dir = t.TempDir()
	sh.Stdin = strings.NewReader("p() { for w; do printf '%s\\0' \"$w\"; done; }\n" + script.String())
	out, err := sh.CombinedOutput()
	if err != nil {
		t.Fatalf("sh: %v: %.300s", err, out)
	}
	if string(out) != want.String() {
		t.Errorf("sh reads other words than there are: %.2000s", cmp.Diff(want.String(), string(out)))
	}
	if _, err := os.Stat(filepath.Join(sh.Dir, "ran")); err == nil {
		t.Error("a value was run")
	}
}
