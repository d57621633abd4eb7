package statetest

import (
	"errors"
	"slices"
	"strings"
)

// iptables adds and deletes rules. The node stores a rule as iptables-save prints it, so
// that -D finds it however it was written.
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

// saved returns a rule in the words of iptables-save: a host has its mask, a comment is in
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

// block writes lines between two marker lines at the end of a file, and changes nothing
// else in it. If there are no lines it removes the block, and a file that was made for it.
func (n *Node) block(path, mode, begin, end string, lines []string) error {
	const open, made = " (there was no newline before this)", " (there was no file before this)"
	text, there := n.Files[path]
	alone := !there
	for _, mark := range []string{open, made, ""} {
		before, rest, found := strings.Cut("\n"+text, "\n"+begin+mark+"\n")
		if !found {
			continue
		}
		_, after, closed := strings.Cut("\n"+rest, "\n"+end+"\n")
		if !closed {
			return errors.New("the lines do not pair up")
		}
		next, others, _ := strings.Cut(after, "\n")
		if strings.HasPrefix(next, "# BEGIN lvsctl ") && strings.Count(next, " ") == 3 {
			after = next + mark + "\n" + others
		}
		alone = alone || mark == made
		if mark != open || after != "" {
			before += "\n"
		}
		text = strings.TrimPrefix(before, "\n") + after
		break
	}
	switch {
	case len(lines) == 0 && !there:
		return nil
	case len(lines) == 0 && alone && text == "":
		delete(n.Files, path)
		delete(n.Modes, path)
		return nil
	case len(lines) > 0:
		switch {
		case text != "" && !strings.HasSuffix(text, "\n"):
			text += "\n"
			begin += open
		case alone:
			begin += made
		}
		text += begin + "\n" + strings.Join(lines, "\n") + "\n" + end + "\n"
	}
	n.Files[path] = text
	if !there {
		n.Modes[path] = mode
	}
	return nil
}

// file writes a whole file, or removes it.
func (n *Node) file(path, mode string, lines []string) {
	if len(lines) == 0 {
		delete(n.Files, path)
		delete(n.Modes, path)
		return
	}
	n.Files[path], n.Modes[path] = strings.Join(lines, "\n")+"\n", mode
}

// systemctl makes units start at boot or not.
func (n *Node) systemctl(args []string) error {
	switch {
	case n.Init != "systemd":
		return errors.New("System has not been booted with systemd as init system (PID 1). Can't operate.")
	case len(args) == 1 && args[0] == "daemon-reload":
		return nil
	case len(args) == 3 && args[1] == "enable":
		n.Units[strings.TrimSuffix(args[2], ".service")] = true
		return nil
	case len(args) == 3 && args[1] == "disable":
		delete(n.Units, strings.TrimSuffix(args[2], ".service"))
		return nil
	}
	return errSyntax
}
