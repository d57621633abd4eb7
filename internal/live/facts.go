package live

import (
	"slices"
	"strings"
)

// parseFacts reads NAME=VALUE lines.
func parseFacts(text string, n *Node) error {
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimRight(line, "\n"), "=")
		switch name {
		case "kernel":
			n.Facts.Kernel, n.State.Kernel = value, value
		case "root":
			n.Facts.Root = true
		case "busybox":
			n.Facts.Busybox = true
		case "ssh":
			// SSH_CONNECTION: client address and port, server address and port.
			if words := strings.Fields(value); len(words) == 4 {
				n.Facts.SSHClient, n.Facts.SSHServer = words[0], words[2]
			}
		}
	}
	return nil
}

func parseSchedulers(text string, n *Node) error {
	n.Facts.Schedulers = map[string]bool{}
	for name := range strings.FieldsSeq(text) {
		n.Facts.Schedulers[name] = true
	}
	return nil
}

func parseCan(text string, n *Node) error {
	n.Facts.Can = map[string]bool{}
	for what := range strings.FieldsSeq(text) {
		n.Facts.Can[what] = true
	}
	return nil
}

func parseOwners(text string, n *Node) error {
	for line := range strings.Lines(text) {
		if name := strings.TrimSpace(line); name != "" {
			n.Facts.Owners = append(n.Facts.Owners, name)
		}
	}
	slices.Sort(n.Facts.Owners)
	n.Facts.Owners = slices.Compact(n.Facts.Owners)
	return nil
}
