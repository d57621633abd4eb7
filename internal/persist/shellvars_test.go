package persist

import (
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// varFiles are files as administrators write them. The number is the first line that does
// more than assign.
var varFiles = map[string]int{
	"":                                                  0,
	"# IPADDR=1.2.3.4\n":                                0,
	"IPADDR=10.1.0.2":                                   0,
	"IPADDR=10.1.0.2 # ours\n":                          0,
	"IPADDR=10.1.0.2\t# ours\n":                         0,
	"IPADDR=10.1.0.2#ours\n":                            0,
	" IPADDR=10.1.0.2\r\n PREFIX=24\n":                  0,
	"\tIPADDR='10.1.0.2'\n":                             0,
	"IPADDR=\"10.1.0.2\"\n":                             0,
	"IPADDR=\"10.1.\"0'.2'\n":                           0,
	"export IPADDR=10.1.0.2 PREFIX=24\n":                0,
	"IPADDR=10.1.0.2 PREFIX=24\n":                       0,
	"IPADDR=10.1.0.2;PREFIX=24; ONBOOT=yes\n":           0,
	"IPADDR=10.1.0.2\nexport IPADDR\n":                  0,
	"declare -x IPADDR=10.1.0.2\n":                      0,
	"NET=10.1.0\nIPADDR=$NET.2 GATEWAY=${NET}.1\n":      0,
	"NET=10.1.0\nIPADDR=\"${NET}.2\"\nNAME='$NET \\'\n": 0,
	"IPADDR=10.1.\\\n0.2\n":                             0,
	"NAME=\"a \\\"b\\\" \\\\c\nd\"\nIPADDR=10.1.0.2\n":  0,
	"NAME=a\\ b\\#c\n":                                  0,
	"IPADDR=10.1.0.2\nIPADDR=10.1.0.3\n":                0,
	"IPADDR=10.1.0.2\nIPADDR=\n":                        0,
	"IPADDR=10.1.0.2\nPREFIX=$(echo 24)\nONBOOT=yes\n":  2,
	"IPADDR=10.1.0.2\nPREFIX=`echo 24`\n":               2,
	"IPADDR=10.1.0.2\n\nif true; then PREFIX=24; fi\n":  3,
	"PREFIX=24 :\nIPADDR=10.1.0.2\n":                    1,
	"test -e / && IPADDR=10.1.0.2\n":                    1,
	"IPADDR=${OTHER:-10.1.0.2}\n":                       1,
}

// TestVars compares the variables of a file with those of a shell that has sourced it.
func TestVars(t *testing.T) {
	need(t, "bash")
	for text, unread := range varFiles {
		have := readVars(text)
		if have.unread != unread {
			t.Errorf("%q: gives up at line %d, not %d", text, have.unread, unread)
		}
		if unread > 0 {
			continue
		}
		names := slices.Sorted(maps.Keys(have.values))
		script := text + "\nfor n in IPADDR PREFIX ONBOOT GATEWAY NET NAME; do if [ -n \"${!n+x}\" ]; then printf '%s=%s\\0' $n \"${!n}\"; fi; done\n"
		cmd := exec.Command("bash")
		cmd.Stdin, cmd.Env = strings.NewReader(script), []string{}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%q: %v: %s", text, err, out)
		}
		want := map[string]string{}
		for entry := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
			if name, value, ok := strings.Cut(entry, "="); ok {
				want[name] = value
			}
		}
		if d := cmp.Diff(want, have.values); d != "" {
			t.Errorf("%q: %v: %s", text, names, d)
		}
	}
}

func FuzzVars(f *testing.F) {
	for text := range varFiles {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if r := readVars(text); r.unread > strings.Count(text, "\n")+1 {
			t.Fatalf("line %d of %q", r.unread, text)
		}
	})
}
