package keepalived

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// outline writes blocks in one way, whatever way they were written in.
func outline(list []*Block, indent string) string {
	var b strings.Builder
	for _, x := range list {
		b.WriteString(indent + strings.Join(x.Words, "|"))
		if x.Opens {
			b.WriteString(" {")
		}
		b.WriteByte('\n')
		b.WriteString(outline(x.Inside, indent+" "))
	}
	return b.String()
}

func TestReadBlocksRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"}\n":                   "f:1: a } closes nothing",
		"{\n}\n":                "f:1: a { opens nothing",
		"a {\n b {\n}\n":        "f:1: the { of a is never closed",
		"a \"b\n":               "f:1: a quote is not closed",
		"a\n\ninclude x.conf\n": "f:3: it includes x.conf, which was not read",
	} {
		if _, err := ReadBlocks(Text{"f", text}, nil); err == nil || err.Error() != want {
			t.Errorf("%q: want %q, have %v", text, want, err)
		}
	}
	loop := func(string, string) ([]Text, error) { return []Text{{"f", "include f\n"}}, nil }
	if _, err := ReadBlocks(Text{"f", "include f\n"}, loop); err == nil || !strings.Contains(err.Error(), "include each other") {
		t.Errorf("have %v", err)
	}
	missing := func(string, string) ([]Text, error) { return nil, errors.New("no such file") }
	if _, err := ReadBlocks(Text{"f", "include f\n"}, missing); err == nil || err.Error() != "f:1: no such file" {
		t.Errorf("have %v", err)
	}
}

func TestReadBlocks(t *testing.T) {
	const want = "a|1 {\n b|x y {\n  c\n d\ne\n"
	for name, text := range map[string]string{
		"canonical":      "a 1 {\n  b \"x y\" {\n    c\n  }\n  d\n}\ne\n",
		"braces apart":   "a 1\n{\n  b \"x y\"\n{\nc\n}\n  d\n}\ne\n",
		"no blanks":      "a 1{\nb \"x y\"{\nc\n}\nd\n}\ne",
		"one line":       "a 1 { b \"x y\" { c }\n d }\ne\n",
		"comments":       "! top\na 1 { # of a\n# b\nb \"x y\" { ! of b\nc\n}\n\td\n}\n#\ne\n",
		"carriage":       "a 1 {\r\nb \"x y\" {\r\nc\r\n}\r\nd\r\n}\r\ne\r\n",
		"included whole": "include a.conf\ne\n",
	} {
		source := func(pattern, from string) ([]Text, error) {
			if pattern != "a.conf" || from != "f" {
				t.Errorf("asked for %s from %s", pattern, from)
			}
			return []Text{{"a.conf", "a 1 {\nb \"x y\" {\nc\n}\n"}, {"b.conf", "d\n"}}[:1], nil
		}
		if name == "included whole" {
			source = func(string, string) ([]Text, error) {
				return []Text{{"a.conf", "a 1 {\nb \"x y\" {\nc\n}\nd\n}\n"}}, nil
			}
		}
		list, err := ReadBlocks(Text{"f", text}, source)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff(want, outline(list, "")); d != "" {
			t.Errorf("%s (-want +have):\n%s", name, d)
		}
	}
}

func TestParseForeign(t *testing.T) {
	const text = `! Configuration File for keepalived
global_defs {
   router_id LVS_DEVEL
   vrrp_strict
}
vrrp_instance VI_1 {
    state MASTER
    interface ens33
    virtual_router_id 50
    priority 100
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass 1111
    }
    virtual_ipaddress {
        192.168.179.10/24 brd 192.168.179.255 dev ens33 label ens33:0
        192.168.179.11
    }
}
virtual_server 192.168.179.10 80 {
    delay_loop 6
    lvs_sched wrr
    lvs_method DR
    persistence_timeout 50
    persistence_granularity 255.255.255.0
    protocol TCP
    real_server 192.168.179.52 80 {
        weight 1
        TCP_CHECK {
            connect_timeout 3
            nb_get_retry 3
        }
    }
}
`
	c, err := Parse(Text{File, text}, nil)
	if err != nil {
		t.Fatal(err)
	}
	i, s := c.Instances[0], c.Services[0]
	if i.RouterID != 50 || len(i.Advertised) != 2 || i.Advertised[0].Label != "ens33:0" || i.Advertised[1].Dev != "ens33" || i.Advertised[1].Prefix.Bits() != 32 {
		t.Errorf("have %+v", i)
	}
	if s.Scheduler != "wrr" || s.Method != "DR" || s.Mask != 24 || s.Servers[0].Check.Retries != 1 {
		t.Errorf("have %+v", s)
	}
	_, err = Parse(Text{File, strings.Replace(text, "priority 100", "priority high", 1)}, nil)
	if err == nil || err.Error() != File+`:10: priority needs a number, and has "high"` {
		t.Errorf("have %v", err)
	}
}
