package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestHelp checks that the help of every command has an example, that the flags in
// examples exist, and that no line is wider than a terminal of 90 columns.
func TestHelp(t *testing.T) {
	root := rootCommand(newApp(nil, nil, nil))
	flag := regexp.MustCompile(`(^|\s)--([a-z-]+)`)
	var check func(*cobra.Command)
	check = func(c *cobra.Command) {
		if c.Example == "" && !c.Hidden {
			t.Errorf("%s: its help has no example", c.CommandPath())
		}
		for line := range strings.Lines(c.Long + "\n" + c.Example) {
			if len(line) > 90 {
				t.Errorf("%s: a line of its help is too long: %s", c.CommandPath(), line)
			}
		}
		for line := range strings.Lines(c.Example) {
			if !strings.HasPrefix(line, "  lvsctl ") {
				t.Errorf("%s: example %q is no command of lvsctl", c.CommandPath(), line)
			}
			for part := range strings.SplitSeq(line, "lvsctl ") {
				part, _, _ = strings.Cut(part, " | ")
				used, words, err := root.Find(strings.Fields(strings.Split(part, " -- ")[0]))
				if err != nil {
					t.Errorf("%s: example %q: %v", c.CommandPath(), line, err)
					continue
				}
				for _, m := range flag.FindAllStringSubmatch(strings.Join(words, " "), -1) {
					if used.Flag(m[2]) == nil {
						t.Errorf("%s: example %q: %s has no --%s", c.CommandPath(), line, used.CommandPath(), m[2])
					}
				}
			}
		}
		for _, sub := range c.Commands() {
			check(sub)
		}
	}
	check(root)
}
