package examples_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fault is a way in which a director's ipvsadm is broken.
type fault struct {
	name string
	// breaks is a script that runs on the director before the apply and breaks $ipvsadm.
	// $real is a copy that works.
	breaks string
	args   []string // of the apply
	code   int      // the exit code of the apply
	last   string   // the last line that it prints
	want   []string // parts of what it prints on standard error
	// half is set if the director is not as before when the apply ends.
	half bool
}

var faults = []fault{
	{
		name: "missing", breaks: `mount --bind /dev/null "$ipvsadm"`,
		code: 1, last: "No changes on the 2 nodes that could be planned. 1 node could not be read.",
		want: []string{"lvs", "the node has virtual services but no ipvsadm to read them with; install ipvsadm there first"},
	},
	{
		name: "missing from its second change on", breaks: wrapped(`"-E "*) "$real" "$@"; mount --bind /dev/null "$0"; exit;;`),
		code: 1, last: "Apply incomplete: 0 added, 0 changed, 0 destroyed on 0 nodes. Not done: lvs (8 changes).",
		want: []string{"lvs", "cannot add service tcp 10.9.0.100:8000: ", "lvs: was put back in part only, and cannot be looked at: the node has virtual services but no ipvsadm"},
		half: true,
	},
	{
		name: "hanging when it is asked", breaks: wrapped(`-S*) sleep 100;;`), args: []string{"--timeout", "8s"},
		code: 1, last: "No changes on the 2 nodes that could be planned. 1 node could not be read.",
		want: []string{"lvs", "it said nothing for 8s"},
	},
	{
		name: "hanging in the middle of a change", breaks: wrapped(`"-A "*) sleep 30;;`), args: []string{"--timeout", "8s"},
		code: 4, last: rolledBack, want: []string{"lvs", "it said nothing for 8s"},
	},
	{
		name: "failing in the middle of a change", breaks: wrapped(`"-a -t 10.9.0.100:8000 -r 10.9.0.12:8000 "*) echo "Memory allocation problem" >&2; exit 1;;`),
		code: 4, last: rolledBack, want: []string{"lvs: cannot add server tcp 10.9.0.100:8000 -> 10.9.0.12:8000: Memory allocation problem"},
	},
	{
		// At this moment the director is told to send no ICMP errors.
		name: "killed with its shell", breaks: wrapped(`"-E "*wrr*) kill -9 $(cat /run/lvsctl/*/changer) $PPID; exit 9;;`),
		code: 4, last: rolledBack, want: []string{"lvs"},
	},
}

const rolledBack = "Apply incomplete: 0 added, 0 changed, 0 destroyed on 0 nodes. Not done: lvs (rolled back)."

// wrapped puts a script in place of ipvsadm that does something else for some command
// lines. cases are those of a case statement.
func wrapped(cases string) string {
	return `cat >/run/wrapper <<'END'
#!/bin/sh
real=/run/real/ipvsadm
case "$*" in
` + cases + `
esac
exec "$real" "$@"
END
chmod +x /run/wrapper; mount --bind /run/wrapper "$ipvsadm"`
}

const faultyCluster = `
director "lvs" {
  SYSCTL
  interface "eth0" { address = "10.9.0.2/24" }
}
real_server "rs" {
  for_each = { "1" = "10.9.0.11", "2" = "10.9.0.12" }
  interface "eth0" { address = "${each.value}/24" }
}
client "client" {
  interface "eth0" { address = "10.9.0.10/24" }
}
`

// faultyTopology is a folder with the topology that faultyDirector ends with.
func faultyTopology(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "faults")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	writeTopology(t, dir, faultyAfter)
	return dir
}

func writeTopology(t *testing.T, dir, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "cluster.hcl"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The topologies before and after the apply with a faulty director.
var (
	faultyBefore = strings.Replace(faultyCluster, "SYSCTL", "", 1) + service("http", "80", "dr", `real_servers = ["rs"]`)
	faultyAfter  = strings.Replace(faultyCluster, "SYSCTL", `sysctl = { "net.ipv4.conf.all.log_martians" = "1" }`, 1) +
		service("http", "80", "dr", "scheduler = \"wrr\"\n  real_servers = { \"rs-1\" = 1, \"rs-2\" = 3 }") + service("other", "8000", "dr", `real_servers = ["rs"]`)
)

// faultyDirector breaks a director's ipvsadm, before an apply or in the middle of one.
// Afterwards the director is as before, or the apply says what is not. When ipvsadm is
// repaired, the next apply finishes.
func faultyDirector(c *cluster) {
	dir := c.topology
	const tools = "ipvsadm=$(readlink -f /usr/sbin/ipvsadm); PATH=/run/real:$PATH\n"
	c.sh("lvs", tools+`mkdir /run/real; cp "$ipvsadm" /run/real`)
	shot := func() string { return c.sh("lvs", tools+"cat /proc/sys/net/ipv4/icmp_ratelimit\n"+snapshot) }
	for _, f := range faults {
		writeTopology(c.T, dir, faultyBefore)
		c.apply(0)
		before := shot()
		writeTopology(c.T, dir, faultyAfter)
		c.sh("lvs", tools+f.breaks)
		stdout, stderr, code := c.run(append([]string{"apply", "--lab", "--auto-approve", "--rollback-timeout", "10s", dir}, f.args...)...)
		if code != f.code || lastLine(stdout) != f.last {
			c.Errorf("%s: exit %d, want %d; it ends in %s, want %s\n%s", f.name, code, f.code, lastLine(stdout), f.last, stderr)
		}
		for _, want := range f.want {
			if !strings.Contains(stderr, want) {
				c.Errorf("%s: it does not say %q:\n%s", f.name, want, stderr)
			}
		}
		if diff := cmp.Diff(before, shot()); (diff != "") != f.half {
			c.Errorf("%s: the director is as it was: %t, want %t (-before +after):\n%s", f.name, diff == "", !f.half, diff)
		}
		c.sh("lvs", tools+`while umount -l "$ipvsadm" 2>/dev/null; do :; done`)
		c.apply(0)
		c.plan(0)
		if left := c.sh("lvs", "ls /run/lvsctl | grep -vx -e lock -e holder || :"); left != "" {
			c.Errorf("%s: left over in /run/lvsctl: %s", f.name, left)
		}
	}
	c.wantAnswers("client", "http://10.9.0.100:8000/", map[string]int{"rs-1": 5, "rs-2": 5})
}
