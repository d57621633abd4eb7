package lab

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseSystems(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "network system \"\"\nIt is one of ifupdown, netplan, networkd and networkmanager",
		"wicked":                     `network system "wicked"`,
		"lb=wicked":                  `network system "wicked"`,
		"networkd,netplan":           "one system alone is for every host\nName hosts for another: --systemd=networkd,NODE=netplan",
		"lb=netplan,networkd":        "one system alone is for every host",
		"ifupdown,lb=networkd,":      `network system ""`,
		"ifupdown,lb=networkd=again": `network system "networkd=again"`,
	} {
		if _, _, err := ParseSystems(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: want %q, have %v", text, want, err)
		}
	}
	type result struct {
		Every System
		Hosts map[string]System
	}
	for text, want := range map[string]result{
		"netplan":     {Netplan, nil},
		"lb=networkd": {Ifupdown, map[string]System{"lb": Networkd}},
		"networkmanager,lb=netplan,rs-1=ifupdown": {NetworkManager, map[string]System{"lb": Netplan, "rs-1": Ifupdown}},
	} {
		every, hosts, err := ParseSystems(text)
		if diff := cmp.Diff(want, result{every, hosts}); err != nil || diff != "" {
			t.Errorf("%q: %v\n-want +have:\n%s", text, err, diff)
		}
	}
}

func TestCheckSystems(t *testing.T) {
	s := Spec{Name: "x", Hosts: []Host{{Name: "lb"}, {Name: "rs"}}}
	for want, o := range map[string]Options{
		"":                       {},
		"lab x has no such host": {Systems: map[string]System{"other": Netplan}},
		`lb: cannot make a host with network system "wicked"`: {System: "wicked"},
		`rs: cannot make a host with network system "wicked"`: {System: Netplan, Systems: map[string]System{"rs": "wicked"}},
	} {
		err := o.checkSystems(s)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("want %q, have %v", want, err)
		}
	}
}

func TestRebootRefuses(t *testing.T) {
	l := &Lab{Name: "x", Hosts: []Endpoint{{Name: "lb"}}, dir: t.TempDir()}
	for host, want := range map[string]string{
		"lb":    "cannot reboot lb: it is a namespace of the lab's one machine\nBring the lab up with: lvsctl lab up --systemd",
		"other": "cannot reboot other: lab x has no such host",
	} {
		if _, err := l.PowerCut(t.Context(), host); err == nil || err.Error() != want {
			t.Errorf("%s: want %q, have %v", host, want, err)
		}
		if _, err := l.Reboot(t.Context(), host); err == nil || err.Error() != want {
			t.Errorf("%s: want %q, have %v", host, want, err)
		}
	}
}

func TestRuns(t *testing.T) {
	spaces := &Lab{Hosts: []Endpoint{{Name: "lb"}, {Name: "rs"}}}
	mixed := &Lab{Hosts: []Endpoint{{Name: "lb", System: Netplan}, {Name: "rs", System: Ifupdown}}}
	if !spaces.Runs(Options{}) || spaces.Runs(Options{System: Ifupdown}) {
		t.Error("of namespaces")
	}
	same := map[string]System{"lb": Netplan}
	if !mixed.Runs(Options{Systems: same}) || mixed.Runs(Options{}) || mixed.Runs(Options{System: Networkd, Systems: same}) {
		t.Error("of whole hosts")
	}
}

func TestState(t *testing.T) {
	for words, want := range map[string]string{
		"5e36 running":                "lb is running",
		"5e36 degraded a.service b.c": "lb is degraded: a.service b.c",
	} {
		if have := state("lb", words); have != want {
			t.Errorf("%s: want %q, have %q", words, want, have)
		}
	}
}

func TestDebLines(t *testing.T) {
	const here = "http://mirror.example.com/debian/ bookworm\nhttp://mirror.example.com/debian/ bookworm-updates\n" +
		"http://mirror.example.com/debian/ bookworm-backports\nhttp://mirror.example.com/debian/ trixie\nhttp://mirror.example.com/security/ bookworm-security\n"
	want := []string{
		"deb http://mirror.example.com/debian/ bookworm main", "deb http://mirror.example.com/debian/ bookworm-updates main",
		"deb http://mirror.example.com/security/ bookworm-security main",
	}
	if diff := cmp.Diff(want, debLines(here)); diff != "" {
		t.Errorf("-want +have:\n%s", diff)
	}
	// The sources of a machine with another release are of no use.
	for _, text := range []string{"", "http://deb.debian.org/debian/ trixie\n", "http://deb.debian.org/debian-security/ bookworm-security\n"} {
		if have := debLines(text); have != nil {
			t.Errorf("%q: %v", text, have)
		}
	}
}

func TestRecipe(t *testing.T) {
	seen := map[string]System{}
	for _, s := range Systems {
		r := recipe(s)
		if other, ok := seen[r]; ok {
			t.Errorf("%s and %s have one recipe", s, other)
		}
		seen[r] = s
	}
}
