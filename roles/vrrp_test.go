package roles_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lvsctl/lvsctl/internal/golden"
	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/roles"
)

const pairNodes = `
director "d1" {
  dip = "10.0.0.1"
  interface "eth0" { addresses = ["192.0.2.1/24", "2001:db8::1/64"] }
  interface "eth1" { address = "10.0.0.1/24" }
}
director "d2" {
  dip = "10.0.0.2"
  interface "eth0" { addresses = ["192.0.2.2/24", "2001:db8::2/64"] }
  interface "eth1" { address = "10.0.0.2/24" }
}
real_server "a" {
  interface "eth0" { addresses = ["10.0.0.11/24", "2001:db8::11/64"] }
}
real_server "b" {
  interface "eth0" { addresses = ["10.0.0.12/24", "2001:db8::12/64"] }
}
`

func vrrp(name, directors, id, more string) string {
	return `vrrp_instance "` + name + `" {
  directors         = [` + directors + `]
  interface         = "eth0"
  virtual_router_id = ` + id + `
  ` + more + `
}
`
}

const both, turned = `"d1", "d2"`, `"d2", "d1"`

func virtual(name, directors, rest string) string {
	return `virtual_server "` + name + `" {
  directors    = [` + directors + `]
  real_servers = ["a", "b"]
  ` + rest + `
}
`
}

// pairs are topologies of directors in pairs; the files that keepalived 2.2.7 gets are in
// testdata/NAME-DIRECTOR.conf.
var pairs = map[string]string{
	"nat": pairNodes + vrrp("pair", both, "51", `auth_pass = "secret"
  addresses = ["10.0.0.254/24"]`) + virtual("web", both, `vip  = "192.0.2.100"
  port = 80
  mode = "nat"`),
	"fullnat-unicast": pairNodes + vrrp("pair", both, "51", `unicast = true
  preempt = false`) + virtual("web", both, `vip  = "192.0.2.100"
  port = 80
  mode = "fullnat"
  health_check {
    http {
      path   = "/health"
      status = 204
    }
    interval = "2s"
  }`),
	"tun-families": pairNodes + vrrp("pair", both, "51", "") + virtual("four", both, `vip  = "192.0.2.100"
  port = 80
  mode = "tun"
  persistence {
    timeout = 300
    netmask = "255.255.255.0"
  }`) + virtual("six", both, `vip  = "2001:db8::100"
  port = 80
  mode = "tun"`) + virtual("more", both, `vip  = "192.0.2.99"
  port = 443
  mode = "tun"`),
	"six": pairNodes + vrrp("pair", both, "51", `advert_int = "200ms"`) + virtual("six", both, `vip  = "2001:db8::100"
  port = 80
  mode = "dr"`),
	"marked": pairNodes + vrrp("pair", both, "51", `preempt = false
  sync    = true`) + virtual("all", both, `vip    = "192.0.2.100"
  fwmark = 7
  mode   = "dr"
  mark { ports = [80, 443] }
  health_check {
    misc { command = "/bin/true" }
  }`),
	"active-active": pairNodes + vrrp("one", both, "51", "") + vrrp("two", turned, "52", "") + virtual("first", both, `vip  = "192.0.2.100"
  port = 80
  mode = "dr"`) + virtual("second", turned, `vip  = "192.0.2.101"
  port = 80
  mode = "dr"`),
}

// TestPairs renders what the directors of a pair get, and lets the keepalived that is
// installed here judge it.
func TestPairs(t *testing.T) {
	for name, text := range pairs {
		t.Run(name, func(t *testing.T) {
			wants, diags := roles.Wants(load(t, text))
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			for _, w := range wants {
				if w.Keepalived == nil {
					continue
				}
				v := keepalived.Version{2, 2, 7}
				if refused := w.Keepalived.Refuse(v); refused != nil {
					t.Errorf("%s: refused: %q", w.Node.Name, refused)
				}
				file := w.Keepalived.Render(v)
				golden.Check(t, filepath.Join("testdata", name+"-"+w.Node.Name+".conf"), file)
				for k := range w.State.Addresses {
					if w.Keepalived.Holder(k.Prefix.Addr()) != nil {
						t.Errorf("%s has %s of its own, too", w.Node.Name, k)
					}
				}
				judge(t, file)
			}
		})
	}
}

// judge runs keepalived -t in a network of its own, which has the devices of the file.
func judge(t *testing.T, text string) {
	t.Helper()
	if _, err := exec.LookPath("keepalived"); err != nil || os.Geteuid() != 0 || exec.Command("unshare", "-n", "true").Run() != nil {
		t.Log("keepalived does not judge here")
		return
	}
	file := filepath.Join(t.TempDir(), "keepalived.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	const script = `for d in eth0 eth1; do ip link add $d type veth peer name p$d && ip link set $d up && ip link set p$d up || exit 99; done
ip addr add 192.0.2.1/24 dev eth0; ip addr add 192.0.2.2/24 dev eth0
keepalived -t -f "$1"`
	if out, err := exec.Command("unshare", "-n", "sh", "-c", script, "sh", file).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("keepalived says: %v\n%s", err, out)
	}
}

// TestInner has a nat real server answer through the address that moves with the VIP.
func TestInner(t *testing.T) {
	wants, diags := roles.Wants(load(t, pairs["nat"]))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, w := range wants {
		if w.Node.Name != "a" {
			continue
		}
		if have := strings.Join(lines(w), "\n"); !strings.Contains(have, "route default: via 10.0.0.254 dev eth0") {
			t.Errorf("a answers elsewhere:\n%s", have)
		}
	}
}
