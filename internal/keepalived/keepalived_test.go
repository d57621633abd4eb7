package keepalived

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lvsctl/lvsctl/internal/golden"
)

// versions are those that distributions have, and their neighbours.
var versions = []string{"1.2.13", "1.3.5", "2.0.10", "2.1.5", "2.2.7", "2.3.3"}

func version(t *testing.T, text string) Version {
	t.Helper()
	v, ok := parseVersion(text)
	if !ok {
		t.Fatalf("%s is not a version", text)
	}
	return v
}

var (
	addr     = netip.MustParseAddr
	endpt    = netip.MustParseAddrPort
	prefix   = netip.MustParsePrefix
	tcpCheck = Check{Kind: "tcp", Timeout: 3 * time.Second, Retries: 3, Delay: 3 * time.Second}
)

// tutorial is the pair of the tutorial, corrected.
func tutorial() Config {
	return Config{
		RouterID: "director-1",
		Instances: []Instance{{
			Name: "pair", Interface: "ens33", RouterID: 51, Priority: 100, AdvertInt: time.Second, Preempt: true, AuthPass: "11112222",
			Advertised: []Address{{prefix("192.168.179.10/32"), "ens33", "ens33:0"}},
		}},
		Services: []Service{{
			Addr: endpt("192.168.179.10:80"), Protocol: "TCP", Method: "DR", Scheduler: "wrr", Interval: 6 * time.Second,
			Sorry: endpt("127.0.0.1:80"),
			Servers: []Server{
				{Addr: endpt("192.168.179.52:80"), Weight: 1, Check: tcpCheck},
				{Addr: endpt("192.168.179.53:80"), Weight: 2, Check: tcpCheck},
			},
		}},
	}
}

// rich is a configuration with all that every version can do.
func rich() Config {
	quick := Check{Kind: "tcp", Timeout: time.Second, Retries: 2, Delay: time.Second}
	http := Check{Kind: "http", Path: "/health", Status: 200, Timeout: 2 * time.Second, Retries: 1, Delay: time.Second}
	misc := Check{Kind: "misc", Command: "/usr/local/bin/check-dns 10.0.0.11", Timeout: 4 * time.Second, Retries: 1, Delay: time.Second}
	return Config{
		RouterID: "d1",
		Sync:     &Sync{Interface: "eth1", Instance: "blue", ID: 7},
		Instances: []Instance{
			{
				Name: "blue", Interface: "eth0", RouterID: 10, Priority: 90, AdvertInt: 2 * time.Second,
				Source: addr("192.0.2.1"), Peers: []netip.Addr{addr("192.0.2.2"), addr("192.0.2.3")},
				Advertised: []Address{{Prefix: prefix("192.0.2.100/32"), Dev: "eth0"}},
				Excluded:   []Address{{Prefix: prefix("192.0.2.101/24"), Dev: "eth0"}, {Prefix: prefix("10.0.0.254/24"), Dev: "eth1"}},
				Tracked:    []string{"eth1"},
			},
			{
				Name: "green", Interface: "eth0", RouterID: 11, Priority: 100, AdvertInt: time.Second, Preempt: true, AuthPass: "secret",
				Advertised: []Address{{Prefix: prefix("192.0.2.110/32"), Dev: "eth0"}},
			},
		},
		Services: []Service{
			{
				Addr: endpt("192.0.2.100:80"), Protocol: "TCP", Method: "NAT", Scheduler: "wlc", Persistence: 300, Interval: 5 * time.Second,
				Servers: []Server{{Addr: endpt("10.0.0.11:8080"), Weight: 3, Upper: 100, Lower: 50, Check: http}, {Addr: endpt("10.0.0.12:8080"), Weight: 1, Check: quick}},
			},
			{
				Addr: endpt("192.0.2.110:53"), Protocol: "UDP", Method: "TUN", Scheduler: "rr", OnePacket: true, Interval: 10 * time.Second,
				Servers: []Server{{Addr: endpt("10.0.0.11:53"), Weight: 1, Check: misc}},
			},
			{
				Mark: 7, Protocol: "TCP", Method: "DR", Scheduler: "sh", Interval: 5 * time.Second,
				Servers: []Server{{Addr: endpt("10.0.0.11:0"), Weight: 1}, {Addr: endpt("10.0.0.12:0"), Weight: 1}},
			},
		},
	}
}

// modern is what the newer versions alone can do.
func modern() Config {
	udp := Check{Kind: "udp", Timeout: 500 * time.Millisecond, Retries: 1, Delay: 250 * time.Millisecond}
	return Config{
		RouterID: "d1",
		Instances: []Instance{{
			Name: "six", Interface: "eth0", RouterID: 5, Priority: 100, AdvertInt: 100 * time.Millisecond, Preempt: true,
			Advertised: []Address{{Prefix: prefix("192.0.2.100/32"), Dev: "eth0"}},
			Excluded:   []Address{{Prefix: prefix("2001:db8::100/128"), Dev: "eth0"}},
		}},
		Services: []Service{
			{
				Addr: endpt("192.0.2.100:53"), Protocol: "UDP", Method: "DR", Scheduler: "mh", Flags: []string{"mh-fallback", "mh-port"}, Persistence: 60, Mask: 24,
				Interval: 1500 * time.Millisecond,
				Servers:  []Server{{Addr: endpt("192.0.2.11:53"), Weight: 1, Check: udp}, {Addr: endpt("192.0.2.12:53"), Weight: 0, Check: udp}},
			},
			{
				Addr: endpt("[2001:db8::100]:443"), Protocol: "TCP", Method: "DR", Scheduler: "twos", Persistence: 60, Mask: 64, Interval: 5 * time.Second,
				Servers: []Server{{Addr: endpt("[2001:db8::11]:443"), Weight: 1, Method: "TUN type gue port 6080 csum", Check: tcpCheck}, {Addr: endpt("[2001:db8::12]:443"), Weight: 1, Method: "TUN type gre"}, {Addr: endpt("[2001:db8::13]:443"), Weight: 1, Method: "TUN"}},
			},
			{
				Addr: endpt("192.0.2.100:5060"), Protocol: "UDP", Method: "DR", Scheduler: "rr", Persistence: 60, Engine: "sip", Interval: 5 * time.Second,
				Servers: []Server{{Addr: endpt("192.0.2.11:5060"), Weight: 1}},
			},
		},
	}
}

// TestTutorial holds the one file that every version was seen to load without a
// complaint.
func TestTutorial(t *testing.T) {
	for _, v := range versions {
		golden.Check(t, filepath.Join("testdata", "tutorial.conf"), tutorial().Render(version(t, v)))
	}
}

func TestRender(t *testing.T) {
	for _, v := range versions {
		golden.Check(t, filepath.Join("testdata", "rich-"+v+".conf"), rich().Render(version(t, v)))
		if refused := rich().Refuse(version(t, v)); refused != nil {
			t.Errorf("%s refuses %s", v, strings.Join(refused, "\n"))
		}
	}
	for _, v := range []string{"2.2.7", "2.3.3"} {
		golden.Check(t, filepath.Join("testdata", "modern.conf"), modern().Render(version(t, v)))
		if refused := modern().Refuse(version(t, v)); refused != nil {
			t.Errorf("%s refuses %s", v, strings.Join(refused, "\n"))
		}
	}
}

// TestRead reads back what was rendered.
func TestRead(t *testing.T) {
	for name, want := range map[string]Config{"tutorial": tutorial(), "rich": rich(), "modern": modern()} {
		for _, v := range versions {
			if len(want.Refuse(version(t, v))) > 0 || v == "1.2.13" && want.Sync != nil {
				continue
			}
			have, err := Parse(Text{Path: name, Text: want.Render(version(t, v))}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, have, cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
				cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
				cmpopts.EquateEmpty()); d != "" {
				t.Errorf("%s %s (-want +have):\n%s", name, v, d)
			}
		}
	}
}

// TestKeepalivedItself lets the installed program judge: its exit code and its
// silence count, as on a node.
func TestKeepalivedItself(t *testing.T) {
	path, err := exec.LookPath("keepalived")
	if err != nil {
		t.Skip("no keepalived here")
	}
	out, err := exec.Command(path, "-v").CombinedOutput()
	v, ok := ParseVersion(string(out))
	if err != nil || !ok {
		t.Fatalf("%v: %s", err, out)
	}
	if os.Geteuid() != 0 || exec.Command("unshare", "-n", "true").Run() != nil {
		t.Skip("needs a network namespace of its own for the devices that the files name")
	}
	if !v.Tests() {
		t.Skipf("keepalived %s has no -t", v)
	}
	for name, c := range map[string]Config{"tutorial": tutorial(), "rich": rich(), "modern": modern()} {
		if len(c.Refuse(v)) > 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			if out := judge(t, c.Render(v)); out != "" {
				t.Errorf("keepalived %s says:\n%s", v, out)
			}
		})
	}
	t.Run("a file it refuses", func(t *testing.T) {
		if out := judge(t, strings.Replace(tutorial().Render(v), "priority 100", "priority", 1)); out == "" {
			t.Error("keepalived has nothing to say of a priority without a number")
		}
	})
}

// judge is what keepalived -t says of a file: nothing if it is good.
func judge(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "keepalived.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	script := `for d in eth0 eth1 ens33; do ip link add $d type veth peer name p$d && ip link set $d up && ip link set p$d up || exit 99; done
ip addr add 192.0.2.1/24 dev eth0
keepalived -t -f "$1"`
	out, err := exec.Command("unshare", "-n", "sh", "-c", script, "sh", file).CombinedOutput()
	if err != nil {
		return strings.TrimSpace(string(out)) + " " + err.Error()
	}
	return string(out)
}

func TestParseVersion(t *testing.T) {
	for text, want := range map[string]Version{
		"Keepalived v2.2.7 (01/16,2022)":          {2, 2, 7},
		"Keepalived v1.2.13 (11/20,2015)":         {1, 2, 13},
		"Keepalived v2.3.3 (2025-03-30), git+...": {2, 3, 3},
		"Keepalived v2.0":                         {2, 0, 0},
		"sh: keepalived: not found":               {},
		"Keepalived v":                            {},
		"":                                        {},
	} {
		have, ok := ParseVersion(text)
		if have != want || ok != want.Known() {
			t.Errorf("%q: want %v, have %v %v", text, want, have, ok)
		}
	}
}

func TestMask(t *testing.T) {
	for text, want := range map[string]string{
		"    auth_pass 11112222\n":                      "    auth_pass (sensitive)\n",
		"auth_pass\t\"a b\"\n}":                         "auth_pass\t(sensitive)\n}",
		"authentication { auth_type PASS auth_pass x }": "authentication { auth_type PASS auth_pass (sensitive)",
		"no secret\n":                                   "no secret\n",
		"auth_passage 1\nauth_pass x":                   "auth_passage 1\nauth_pass (sensitive)",
		"password a auth_pass b":                        "password (sensitive)",
		"auth_passage auth_pass b":                      "auth_passage auth_pass (sensitive)",
		"auth_pass \n":                                  "auth_pass (sensitive)\n",
	} {
		if have := Mask(text); have != want {
			t.Errorf("%q: want %q, have %q", text, want, have)
		}
	}
	if text := tutorial().Render(Version{2, 2, 7}); strings.Contains(Mask(text), "11112222") {
		t.Error("the password is shown")
	}
}

// TestHash: a hash tells configurations apart, and whoever knows all of one but its
// password cannot try passwords by plain hashes.
func TestHash(t *testing.T) {
	const text = "auth_pass hunter2\n"
	seen := map[string]string{}
	for _, other := range []string{text, "auth_pass hunter3\n", "auth_pass (sensitive)\n", "auth_pass  hunter2\n", "no secret\n", ""} {
		h := Hash(other)
		if seen[h] != "" || len(h) != 64 || h != Hash(other) {
			t.Errorf("%q has the hash %s, as %q has", other, h, seen[h])
		}
		seen[h] = other
	}
	if plain := sha256.Sum256([]byte(text)); Hash(text) == hex.EncodeToString(plain[:]) {
		t.Error("a password can be tried by a plain hash")
	}
}

// TestHidden: the passwords of a configuration are told apart and not shown, and nothing
// else of it is another.
func TestHidden(t *testing.T) {
	c := &Config{RouterID: "d1", Instances: []Instance{{Name: "a", AuthPass: "hunter2"}, {Name: "b", AuthPass: "hunter2"}, {Name: "c"}}}
	h := c.Hidden()
	a, b := h.Instances[0].AuthPass, h.Instances[1].AuthPass
	if strings.Contains(a+b, "hunter2") || a == b || len(a) != 64 || a != c.Hidden().Instances[0].AuthPass {
		t.Errorf("have %q and %q", a, b)
	}
	if c.Instances[0].AuthPass != "hunter2" {
		t.Error("the configuration itself is changed")
	}
	h.Instances[0].AuthPass, h.Instances[1].AuthPass = "hunter2", "hunter2"
	if d := cmp.Diff(c, h, cmpopts.EquateComparable(netip.Addr{})); d != "" {
		t.Error(d)
	}
	if none := (*Config)(nil).Hidden(); none != nil {
		t.Errorf("have %v", none)
	}
}

// TestStrip compares a file with what keepalived 2.2.7 says of it under /proc.
func TestStrip(t *testing.T) {
	const file = `! comment here
vrrp_instance two { state BACKUP
  interface veth0   # trailing
  virtual_ipaddress {

    192.168.179.11/32    dev   veth0
  }
}
`
	const loaded = `# /tmp/keepalived/inc.conf

vrrp_instance two { state BACKUP
interface veth0
virtual_ipaddress {
192.168.179.11/32    dev   veth0
}
}
!
`
	if d := cmp.Diff(Strip(file), Strip(loaded)); d != "" {
		t.Error(d)
	}
	if Strip(file) == Strip(strings.Replace(file, "BACKUP", "MASTER", 1)) {
		t.Error("another file is taken for the same")
	}
}
