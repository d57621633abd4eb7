package examples_test

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-cmp/cmp"
)

// realServerDown applies dr-lan while one real server is down. The others are changed, the
// exit code is 1, and the summary names the server. When it is back, an apply finishes.
func realServerDown(c *cluster) {
	const url = "http://192.168.246.160/"
	c.sh("real-server2", "hostname") // keeps a connection, by which sshd is started again
	c.lvsctl(0, "lab", "exec", c.topology, "real-server2", "--", "sh", "-c", "kill $(cat /run/sshd.pid)")

	out := lastLine(c.apply(1))
	if !strings.HasPrefix(out, "Apply incomplete: ") || !strings.Contains(out, "real-server2 (could not be read)") {
		c.Errorf("the summary does not name the real server that is down: %s", out)
	}
	c.wantAnswers("client", url, map[string]int{"real-server1": 10})
	if out := c.plan(3); !strings.Contains(out, "192.168.246.162:80") {
		c.Errorf("the plan forgets what waits for the real server:\n%s", out)
	}

	c.sh("real-server2", "/usr/sbin/sshd -E /var/log/sshd.log")
	c.apply(0)
	c.plan(0)
	c.wantAnswers("client", url, map[string]int{"real-server1": 5, "real-server2": 5})
}

// oneIsDeleted takes one key out of the for_each of dr-three, and puts it back.
func oneIsDeleted(c *cluster) {
	const url = "http://192.168.122.100/"
	text, err := os.ReadFile(filepath.Join(c.topology, "cluster.hcl"))
	if err != nil {
		c.Fatal(err)
	}
	dir := filepath.Join(c.TempDir(), "dr-three")
	if err := os.Mkdir(dir, 0o755); err != nil {
		c.Fatal(err)
	}
	writeTopology(c.T, dir, strings.Replace(string(text), `, "3" = 30`, "", 1))
	less := *c
	less.topology = dir

	shown := less.apply(0)
	heading := "  # real_server real-server-3 (192.168.122.30), no longer in the topology\n"
	if !strings.Contains(shown, "- server    tcp 192.168.122.100:80 -> 192.168.122.30:80") || !strings.Contains(shown, heading+"  - address   192.168.122.100/32 dev lo\n") {
		c.Errorf("the plan says:\n%s", shown)
	}
	less.plan(0)
	less.wantAnswers("client", url, map[string]int{"real-server-1": 4, "real-server-2": 4})
	const left = "ip -o -4 addr show dev lo | wc -l; cat /proc/sys/net/ipv4/conf/all/arp_ignore; ls -d /var/lib/lvsctl 2>/dev/null || :; grep -c lvsctl /etc/hosts || :"
	if diff := cmp.Diff("1\n0\n0\n", c.sh("real-server-3", left)); diff != "" {
		c.Errorf("real-server-3 keeps something (-want +have):\n%s", diff)
	}

	c.apply(0)
	c.plan(0)
	c.wantAnswers("client", url, map[string]int{"real-server-1": 4, "real-server-2": 4, "real-server-3": 4})
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}
