package state

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// seed adds the captured outputs of the tools to the corpus.
func seed(f *testing.F, tools ...string) {
	f.Helper()
	for _, tool := range tools {
		files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "live", "*", tool+"*.txt"))
		if err != nil || len(files) == 0 {
			f.Fatal("nothing captured of ", tool, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
}

// twice parses a text two times. Both results must be the same. The parser may return an
// error, and must not panic.
func twice(t *testing.T, text string, parse func(string, *State) error) *State {
	t.Helper()
	a, b := New(), New()
	if err, again := parse(text, a), parse(text, b); (err == nil) != (again == nil) {
		t.Fatalf("once %v, once %v", err, again)
	}
	if d := cmp.Diff(a, b, same); d != "" {
		t.Fatal(d)
	}
	return a
}

func FuzzParseIPVS(f *testing.F) {
	seed(f, "ipvsadm-S")
	f.Fuzz(func(t *testing.T, text string) {
		s := twice(t, text, parseIPVS)
		for k, v := range s.Services {
			_ = serviceCommand("-A", k, v)
			_ = v.String()
		}
		for k, v := range s.Servers {
			if v.Forward == "" {
				t.Fatalf("%s has no method", k)
			}
		}
	})
}

func FuzzParseThresholds(f *testing.F) {
	seed(f, "ipvsadm-thresholds")
	f.Fuzz(func(t *testing.T, text string) { twice(t, text, parseThresholds) })
}

func FuzzParseDaemons(f *testing.F) {
	seed(f, "ipvsadm-daemon")
	f.Fuzz(func(t *testing.T, text string) {
		for k, d := range twice(t, text, parseDaemons).Daemons {
			_ = startDaemon(k, d)
		}
	})
}

func FuzzParseTimeouts(f *testing.F) {
	f.Add("Timeout (tcp tcpfin udp): 900 120 300\n")
	f.Fuzz(func(t *testing.T, text string) { twice(t, text, parseTimeouts) })
}

func FuzzParseAddresses(f *testing.F) {
	seed(f, "addr4", "addr6")
	f.Fuzz(func(t *testing.T, text string) {
		for k := range twice(t, text, parseAddresses).Addresses {
			if !k.Prefix.IsValid() || k.Dev == "" {
				t.Fatalf("read %+v", k)
			}
		}
	})
}

func FuzzParseLinks(f *testing.F) {
	seed(f, "link")
	f.Fuzz(func(t *testing.T, text string) { twice(t, text, parseLinks) })
}

func FuzzParseRoutes(f *testing.F) {
	seed(f, "route4", "route6")
	f.Fuzz(func(t *testing.T, text string) {
		for k := range twice(t, text, parseRoutes4).Routes {
			if k.Dst != k.Dst.Masked() {
				t.Fatalf("%s has host bits", k)
			}
		}
		twice(t, text, parseRoutes6)
	})
}

func FuzzParseSysctls(f *testing.F) {
	f.Add("/proc/sys/net/ipv4/ip_forward:0\n/proc/sys/net/ipv4/vs/sync_threshold:3\t50\n")
	f.Fuzz(func(t *testing.T, text string) { twice(t, text, ParseSysctls) })
}

func FuzzParseRules(f *testing.F) {
	f.Add("iptables\n*nat\n-A POSTROUTING -d 10.0.0.1/32 -m comment --comment \"lvsctl:web:a:b\" -j MASQUERADE\n")
	f.Fuzz(func(t *testing.T, text string) {
		s := twice(t, text, func(text string, s *State) error { return parseRules(text, RulePrefix("web"), s) })
		for k, r := range s.Rules {
			if !strings.HasPrefix(k.Comment, RulePrefix("web")) {
				t.Fatalf("read another's rule: %s", k)
			}
			if again := joinRule(normaliseRule(splitRule(r.Spec))); again != r.Spec {
				t.Fatalf("%q is read as %q", r.Spec, again)
			}
		}
	})
}

func FuzzParseBlocks(f *testing.F) {
	f.Add("file /etc/hosts\n# BEGIN lvsctl web\n10.0.0.1 a\n# END lvsctl web\n")
	f.Fuzz(func(t *testing.T, text string) {
		twice(t, text, func(text string, s *State) error { return parseBlocks(text, "web", s) })
	})
}

func FuzzKeys(f *testing.F) {
	for _, text := range []string{
		"10.0.0.1/32 dev lo", "10.0.0.0/8 metric 5", "tcp 10.0.0.1:80", "fwm6 7", "tcp 10.0.0.1:80 -> 10.0.0.2:80",
		"web /etc/hosts", "ip nat POSTROUTING 0 lvsctl:web:a:b", "tcp [fe80::1%eth0]:80", "10.0.0.1/08 dev a dev b",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		stable[AddressKey](t, text)
		stable[RouteKey](t, text)
		stable[ServiceKey](t, text)
		stable[ServerKey](t, text)
		stable[BlockKey](t, text)
		stable[RuleKey](t, text)
	})
}

// stable checks that a key is the same after writing it and reading it again.
func stable[K comparable, P interface {
	*K
	UnmarshalText([]byte) error
	MarshalText() ([]byte, error)
}](t *testing.T, text string) {
	t.Helper()
	var k, again K
	if P(&k).UnmarshalText([]byte(text)) != nil {
		return
	}
	own, err := P(&k).MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	if err := P(&again).UnmarshalText(own); err != nil || again != k {
		t.Fatalf("%q is read as %+v, and its text %q as %+v: %v", text, k, own, again, err)
	}
}
