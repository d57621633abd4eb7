package shell

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lvsctl/lvsctl/internal/shell/shelltest"
)

// echoed is what a shell makes of a line of quoted words: each word, then NUL.
func echoed(t interface{ Fatalf(string, ...any) }, shell []string, script string) []byte {
	cmd := exec.Command(shell[0], append(shell[1:], "-s")...)
	cmd.Stdin = strings.NewReader(script)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v: %s", shell, err, stderr.String())
	}
	return stdout.Bytes()
}

func checkQuote(t interface{ Fatalf(string, ...any) }, shells map[string][]string, words []string) {
	want := []byte(strings.Join(words, "\x00") + "\x00")
	line := Cmd(append([]string{"printf", `%s\0`}, words...)...).String() + "\n"
	for name, shell := range shells {
		for _, text := range []string{line, "f() {\n" + line + "}\nf\n"} {
			if have := echoed(t, shell, text); !bytes.Equal(want, have) {
				t.Fatalf("%s: want %q, have %q, of %s", name, want, have, text)
			}
		}
	}
}

func TestQuoteSurvivesEveryShell(t *testing.T) {
	checkQuote(t, shelltest.Each(t), []string{
		"", " ", "a b", "'", "''", `"`, `\`, `\\`, `a\`, "\n", "a\nb", "\n\n", "\r\n", "\t", "-n", "--", "-e",
		"$(touch x)", "`touch x`", "$HOME", "${x}", "~", "~root", "*", "?", "[a]", "{a,b}", "!", "!!", "#a", "a#",
		"a=b", "a;b", "a&b", "a|b", "<", ">", "(", ")", "%s", `\0`, `\n`, "if", "EOF\n", "<<EOF",
		"ä", "\xff", "\xfe\xff", "\x80", "\x81", "\x82", "\x88", "\xc3", "a\xc3'", "\x01", "\x7f", "\x1b[31m", "\u2028",
	})
}

func TestQuoteAnyBytes(t *testing.T) {
	all := shelltest.Each(t)
	one := rapid.SliceOfN(rapid.ByteRange(1, 255), 0, 40)
	rapid.Check(t, func(t *rapid.T) {
		var words []string
		for _, b := range rapid.SliceOfN(one, 1, 20).Draw(t, "words") {
			words = append(words, string(b))
		}
		checkQuote(t, all, words)
	})
}

func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "a'b", "$(x)", "\xff\n", "-n"} {
		f.Add(s)
	}
	all := shelltest.Each(f)
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsRune(s, 0) {
			t.Skip("no shell has NUL in a word")
		}
		checkQuote(t, all, []string{s})
	})
}

func TestCommandString(t *testing.T) {
	for want, c := range map[string]Command{
		"ip addr add 10.0.0.1/32 dev lo":                     Cmd("ip", "addr", "add", "10.0.0.1/32", "dev", "lo"),
		"echo 0 > /proc/sys/net/ipv4/ip_forward":             {Args: []string{"echo", "0"}, To: "/proc/sys/net/ipv4/ip_forward"},
		`echo 'it'\''s' > '/a b'`:                            {Args: []string{"echo", "it's"}, To: "/a b"},
		"printf %s ''":                                       Cmd("printf", "%s", ""),
		"sysctl -w 'net.ipv4.conf.all.arp_ignore=1'":         Cmd("sysctl", "-w", "net.ipv4.conf.all.arp_ignore=1"),
		"iptables -A INPUT -s '!' 10.0.0.0/8 -m comment '*'": Cmd("iptables", "-A", "INPUT", "-s", "!", "10.0.0.0/8", "-m", "comment", "*"),
	} {
		if have := c.String(); have != want {
			t.Errorf("want %s, have %s", want, have)
		}
	}
}
