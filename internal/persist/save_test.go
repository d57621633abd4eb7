package persist

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// savedTable is the output of ipvsadm 1.31 -S -n. A mark above 2^31 is a negative number,
// and there are no thresholds.
const savedTable = `-A -t 10.1.0.100:80 -s wlc -p 300
-a -t 10.1.0.100:80 -r 10.1.0.11:80 -g -w 3
-A -t 10.1.0.200:80 -s rr
-a -t 10.1.0.200:80 -r 10.1.0.21:80 -m -w 5
-A -u [2001:db8::100]:53 -s rr
-a -u [2001:db8::100]:53 -r [2001:db8::11]:53 -g -w 1
-A -u [2001:db8::200]:53 -s rr
-A -f -294967296 -s rr
-a -f -294967296 -r 10.1.0.11:0 -g -w 1
-A -f -294967296 -6 -s sh
-A -f -1 -s wrr
-A -f 7 -6 -s rr
`

const savedFile = `# by hand
-A -t 10.1.0.200:80 -s wlc
-A -t 10.1.0.201:80 -s rr
# BEGIN lvsctl web
--set 600 0 30
-D -t 10.1.0.100:80
-A -t 10.1.0.100:80 -s wlc -p 300
-a -t 10.1.0.100:80 -r 10.1.0.11:80 -g -w 3 -x 100 -y 50
-A -f 4000000000 -s rr
-a -f 4000000000 -r 10.1.0.11:0 -g -w 1
# END lvsctl web
# BEGIN lvsctl dns.2 (there was no newline before this)
-A -u [2001:db8::100]:53 -s rr
-a -u [2001:db8::100]:53 -r [2001:db8::11]:53 -g -w 1 -x 9
-A -f 7 -6 -s rr
# END lvsctl dns.2
`

// TestSave runs the command that replaces ipvsadm-save when a node stops. It must write the
// live services of others, and then the blocks as they are.
func TestSave(t *testing.T) {
	need(t, "sh", "awk")
	_, blocks, _ := strings.Cut(savedFile, "-A -t 10.1.0.201:80 -s rr\n")
	want := `-A -t 10.1.0.200:80 -s rr
-a -t 10.1.0.200:80 -r 10.1.0.21:80 -m -w 5
-A -u [2001:db8::200]:53 -s rr
-A -f -294967296 -6 -s sh
-A -f -1 -s wrr
` + blocks
	for _, name := range []string{"dash", "bash", "busybox"} {
		for what, c := range map[string]struct{ tool, before, want string }{
			"saves":                {"cat <<'E'\n" + savedTable + "E\n", savedFile, want},
			"again":                {"cat <<'E'\n" + savedTable + "E\n", want, want},
			"no table":             {"echo Cannot get the table >&2\nexit 1\n", savedFile, savedFile},
			"nobody's but ours":    {"cat <<'E'\n-A -t 10.1.0.100:80 -s wlc -p 300\nE\n", savedFile, blocks},
			"nothing is live":      {":\n", savedFile, blocks},
			"nothing of ours left": {"cat <<'E'\n-A -t 10.1.0.200:80 -s rr\nE\n", "-A -t 10.1.0.200:80 -s wlc\n", "-A -t 10.1.0.200:80 -s rr\n"},
		} {
			need(t, name)
			dir := t.TempDir()
			write(t, dir+"/bin/ipvsadm", "#!/bin/sh\n[ \"$*\" = '-S -n' ] || exit 9\n"+c.tool, 0o755)
			write(t, dir+"/ipvsadm", c.before, 0o640)
			args := map[string][]string{"busybox": {"sh"}}[name]
			cmd := exec.Command(name, append(args, "-c", strings.ReplaceAll(strings.Join(shell.SaveTable(), "\n"), "/etc/sysconfig/", dir+"/"))...)
			cmd.Env = []string{"PATH=" + dir + "/bin:" + os.Getenv("PATH")}
			out, _ := cmd.CombinedOutput() // systemd would report the error
			have, err := os.ReadFile(dir + "/ipvsadm")
			check(t, err)
			if d := cmp.Diff(c.want, string(have)); d != "" {
				t.Errorf("%s, %s: %s%s", name, what, d, out)
			}
			left, err := filepath.Glob(dir + "/.*")
			check(t, err)
			if len(left) > 0 {
				t.Errorf("%s, %s: left behind: %v", name, what, left)
			}
			info, err := os.Stat(dir + "/ipvsadm")
			check(t, err)
			if info.Mode().Perm() != 0o640 {
				t.Errorf("%s, %s: mode %v", name, what, info.Mode())
			}
		}
	}
}

func write(t testing.TB, path, text string, mode os.FileMode) {
	t.Helper()
	check(t, os.MkdirAll(filepath.Dir(path), 0o755))
	check(t, os.WriteFile(path, []byte(text), mode))
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
