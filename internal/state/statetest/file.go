package statetest

import (
	"errors"
	"slices"
	"strings"
)

// iptables adds and deletes rules. A rule is kept as iptables-save prints it,
// because -D finds it by what it means.
func (n *Node) iptables(tool string, args []string) error {
	if !n.Commands[tool] {
		return errors.New("not found")
	}
	if len(args) < 6 || args[0] != "-w" || args[1] != "-t" {
		return errSyntax
	}
	chain, verb, rule := tool+" "+args[2]+" "+args[4], args[3], saved(args[5:])
	switch verb {
	case "-A":
		n.Rules[chain] = append(n.Rules[chain], rule)
		return nil
	case "-D":
		i := slices.Index(n.Rules[chain], rule)
		if i < 0 {
			return errors.New("iptables: Bad rule (does a matching rule exist in that chain?).")
		}
		n.Rules[chain] = slices.Delete(n.Rules[chain], i, i+1)
		if len(n.Rules[chain]) == 0 {
			delete(n.Rules, chain)
		}
		return nil
	}
	return errSyntax
}

// saved is a rule in iptables-save's words: a host has its mask, a comment is in
// quotes, and a mark is hexadecimal with its mask.
func saved(args []string) string {
	words := slices.Clone(args)
	for i := 0; i+1 < len(words); i++ {
		switch words[i] {
		case "-s", "-d":
			if !strings.Contains(words[i+1], "/") {
				words[i+1] += map[bool]string{true: "/128", false: "/32"}[strings.Contains(words[i+1], ":")]
			}
		case "--comment":
			words[i+1] = `"` + words[i+1] + `"`
		}
	}
	return strings.Join(words, " ")
}

// block puts lines between two marker lines at the end of a file, and leaves the
// rest of it byte by byte.
func (n *Node) block(path, begin, end string, lines []string) error {
	const open = " (there was no newline before this)"
	before, rest, found := strings.Cut(n.Files[path], begin+open+"\n")
	if found {
		before = strings.TrimSuffix(before, "\n")
	} else {
		before, rest, found = strings.Cut(n.Files[path], begin+"\n")
	}
	text := n.Files[path]
	if found {
		_, after, closed := strings.Cut(rest, end+"\n")
		if !closed {
			return errors.New("the lines do not pair up")
		}
		text = before + after
	}
	if len(lines) > 0 {
		if text != "" && !strings.HasSuffix(text, "\n") {
			text += "\n"
			begin += open
		}
		text += begin + "\n" + strings.Join(lines, "\n") + "\n" + end + "\n"
	}
	n.Files[path] = text
	return nil
}
