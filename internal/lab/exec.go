package lab

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// Command returns a command that runs argv on a host of the lab, through this
// machine's ssh. Each word of argv arrives there as one word. Without argv it is a
// login shell. flags are further options of ssh: "-t" asks for a terminal.
func (l *Lab) Command(ctx context.Context, host string, argv []string, flags ...string) (*exec.Cmd, error) {
	if _, ok := l.Host(host); !ok {
		return nil, fmt.Errorf("cannot run a command on %s: lab %s has no such host", host, l.Name)
	}
	path, err := findTool("ssh")
	if err != nil {
		return nil, err
	}
	args := append([]string{"-F", l.SSHConfig()}, flags...)
	args = append(args, host)
	if len(argv) > 0 {
		args = append(args, "--", quote(argv))
	}
	return exec.CommandContext(ctx, path, args...), nil
}

// quote makes one line for a POSIX shell out of words. sshd runs commands by one.
func quote(argv []string) string {
	words := make([]string, len(argv))
	for i, word := range argv {
		words[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return strings.Join(words, " ")
}
