package keepalived

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The texts are those of keepalived.conf(5), "Advanced configuration", with what it says
// comes of them.
func TestExpand(t *testing.T) {
	for name, c := range map[string]struct{ id, text, want string }{
		"for one node":        {"main", "@main router_id a\n@backup router_id b\n", "router_id|a\n"},
		"for the others":      {"backup", "u {\n@^main 1.2.3.4\n@^backup 1.2.3.5\n}\n", "u {\n 1.2.3.4\n"},
		"for nobody":          {"", "@main a\n@^main b\n@main\n", "b\n"},
		"a definition":        {"", "$IF=eth0\ninterface $IF\nlabel $IF:1 ${IF}:1 $OTHER\n", "interface|eth0\nlabel|$IF:1|eth0:1|$OTHER\n"},
		"at the time of use":  {"", "$A=10.2.${B}\n$B=0\n${A}.100/32\n$B=10\n${A}.100/32\n", "10.2.0.100/32\n10.2.10.100/32\n"},
		"of a node":           {"backup", "@main $P=240\n@backup $P=200\npriority $P\n", "priority|200\n"},
		"a condition in one":  {"main", "$I=@main\n$I priority 240\n$I=@other\n$I priority 100\n", "priority|240\n"},
		"several lines":       {"low", "$I= \\\nv VI_${N} { \\\n @high p 130 \\\n @low p 120 \\\n a { \\\n 10.0.${N}.254/24 \\\n } \\\n}\n\n$N=0\n$I\n\n$N=1\n$I\n", "v|VI_0 {\n p|120\n a {\n  10.0.0.254/24\nv|VI_1 {\n p|120\n a {\n  10.0.1.254/24\n"},
		"one in another":      {"", "$RS= \\\nr 192.168.${V}.${R} 80 { \\\n w 1 \\\n}\n$VS= \\\nv 10.0.${V}.4 80 { \\\n $R=1 \\\n $RS \\\n $R=2 \\\n $RS \\\n}\n$V=7\n$VS\n", "v|10.0.7.4|80 {\n r|192.168.7.1|80 {\n  w|1\n r|192.168.7.2|80 {\n  w|1\n"},
		"a sequence":          {"", "~SEQ(S, 0, 2) 10.0.${S}.1\n", "10.0.0.1\n10.0.1.1\n10.0.2.1\n"},
		"down, and from one":  {"", "~SEQ(S, 2, -1, 0) a$S\n~SEQ(S, 2) b${S}\n~SEQ(T, 3, 2) c${T}\n", "a2\na1\na0\nb1\nb2\nc3\nc2\n"},
		"in hexadecimal":      {"", "~SEQx(S, 0x90, 0x10, 0xa0) fe80::${S}\n~SEQx(S, 144, 16, 160) fe81::${S}\n", "fe80::90\nfe80::a0\nfe81::90\nfe81::a0\n"},
		"a sequence in one":   {"", "~SEQ(A,0,1) ~SEQ(B,1,2) x${A}.${B}\n", "x0.1\nx0.2\nx1.1\nx1.2\n"},
		"a list":              {"", "~LST({IP, IP1}, {10,1},{20,4}) 192.168.${IP}.${IP1}\n~LST(IP, 1, 2) 10.${IP}\n", "192.168.10.1\n192.168.20.4\n10.1\n10.2\n"},
		"what comes with it":  {"me", "a ${_INSTANCE} ${_PWD} b${_HASH}c\n", "a|me|/etc/keepalived|b#c\n"},
		"a dollar in a word":  {"", "auth_pass $1a$b\n", "auth_pass|$1a$b\n"},
		"a blank in a quote":  {"", "$S=\"a b\"\nscript $S\n", "script|a b\n"},
		"a value that is not": {"", "$E=\nx $E y\n", "x|y\n"},
	} {
		read := Reading{ID: c.id}.Read(Text{"/etc/keepalived/k.conf", c.text})
		if d := cmp.Diff(c.want, outline(read.Blocks, "")); d != "" {
			t.Errorf("%s (-want +have):\n%s", name, d)
		}
		if len(read.Problems) > 0 {
			t.Errorf("%s: %v", name, read.Problems)
		}
	}
}

func TestExpandNamesIDs(t *testing.T) {
	read := Reading{}.Read(Text{"f", "@lb2 a\n@^lb1 b\nv {\n\t@lb1\tc\n}\n"})
	if want := []string{"lb1", "lb2"}; !slices.Equal(read.IDs, want) {
		t.Errorf("want %v, have %v", want, read.IDs)
	}
}

// What versions pass over is read on, and said.
func TestReadGoesOn(t *testing.T) {
	for text, want := range map[string]string{
		"}\na\n":              "f:1: a } closes nothing / a\n",
		"a\n\nb {\n c\n":      "f:3: the { of b is never closed / a\nb {\n c\n",
		"a \"b c\nd\n":        "f:1: a quote is not closed / a|b c\nd\n",
		"~SEQ(A, x) b\nd\n":   "f:1: cannot read ~SEQ(A, x) / d\n",
		"~LST({A, B}, {1}) b": "f:1: cannot read ~LST({A, B}, {1}) / ",
		"~SEQ(A, 1, 0, 2) b":  "f:1: cannot read ~SEQ(A, 1, 0, 2) / ",
		"include d/*.conf\nd": "f:1: no such file / d\n",
	} {
		read := Reading{Source: func(string, string) ([]Text, error) { return nil, errors.New("no such file") }}.Read(Text{"f", text})
		have := " / " + outline(read.Blocks, "")
		for _, p := range read.Problems {
			have = p.Error() + have
		}
		if have != want {
			t.Errorf("%q: want %q, have %q", text, want, have)
		}
	}
}

// grow are texts that would grow beyond all bounds.
var grow = []string{
	"$A=${A}${A}\n$A\n",
	"$A=x${B}${B}\n$B=x${C}${C}\n$C=x${A}${A}\nk $A\n",
	strings.Repeat("~SEQ(A, 1, 100000) ", 9) + "x\n",
	"$A= \\\n$A \\\n$A\n$A\n",
	"include f\ninclude f\n",
	strings.Repeat("a { ", 1<<16),
}

func TestExpandIsBounded(t *testing.T) {
	for _, text := range grow {
		source := func(string, string) ([]Text, error) { return []Text{{"f", text}}, nil }
		begin := time.Now()
		read := Reading{Source: source}.Read(Text{"f", text})
		if spent := time.Since(begin); spent > 5*time.Second {
			t.Errorf("%.40q took %s", text, spent)
		}
		if len(read.Problems) == 0 {
			t.Errorf("%.40q: no problem", text)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, text := range grow {
		f.Add(text)
	}
	f.Add("@a $B= \\\n x { \\\n } \\\n~LST({A}, {1}) ${A} \"q\" ! c\n")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<12 {
			return
		}
		source := func(string, string) ([]Text, error) { return []Text{{"g", "a\n"}}, nil }
		Reading{Source: source, ID: "a"}.Read(Text{"f", text})
	})
}
