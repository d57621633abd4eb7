package examples_test

import "strings"

// realServerDown applies dr-lan with one real server down: the rest is served, exit
// 1, and the summary names it. When it is back, an apply finishes the job.
func realServerDown(c *cluster) {
	const url = "http://192.168.246.160/"
	c.sh("real-server2", "hostname") // logs in, so that there is a way to start sshd again
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

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}
