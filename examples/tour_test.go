package examples_test

import (
	"os"
	"slices"
	"strings"
)

// tour runs the commands of README.md's tour on a cluster that is applied: each does
// what it says there, and exits with 0.
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
	for line := range strings.Lines(block) {
		line, _, _ = strings.Cut(line, " #")
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
		c.lvsctl(0, args...)
	}
}
