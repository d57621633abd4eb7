package examples_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// tour runs the commands of README.md's tour on a cluster that is applied: each does
// what it says there, and exits with 0, or with the code that its comment has.
func tour(c *cluster) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		c.Fatal(err)
	}
	_, block, _ := strings.Cut(string(text), "\n```\ncd examples\n")
	block, _, ok := strings.Cut(block, "\n```\n")
	if !ok {
		c.Fatal("README.md has no tour")
	}
	said := map[string]string{}
	for line := range strings.Lines(block) {
		line, comment, _ := strings.Cut(line, " #")
		code := 0
		if _, err := fmt.Sscanf(comment, " exit %d:", &code); err != nil {
			code = 0
		}
		words := strings.Fields(line)
		if len(words) < 3 || words[0] != "lvsctl" {
			c.Fatalf("the tour has a line that is no command of lvsctl's: %q", line)
		}
		args := words[1:]
		switch {
		case args[0] == "destroy", args[0] == "lab" && args[1] != "exec":
			continue // what this test is within
		case args[0] == "apply":
			args = append(args, "--auto-approve")
		}
		if i := slices.Index(args, "dr-lan"); i >= 0 {
			args[i] = c.topology
		}
		said[args[0]] += c.lvsctl(code, args...)
	}
	for command, want := range map[string][]string{
		"status": {
			"\ndirector lvs-server (192.168.246.166):  holds 192.168.246.160; as wanted; applied ",
			"\n  web  tcp 192.168.246.160:80 rr", "\n    real-server1  192.168.246.161:80 dr ",
			"\nreal_server real-server2 (192.168.246.162):  1 difference; applied ",
		},
		"drift": {"No drift. All 3 nodes are as last applied.\n", "\nDrift: 1 gone, 0 changed, 0 added on 1 node.\n"},
	} {
		for _, text := range want {
			if !strings.Contains(said[command], text) {
				c.Errorf("lvsctl %s does not say %q:\n%s", command, text, said[command])
			}
		}
	}
}
