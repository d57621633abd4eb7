package state

import (
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// ListedRule is a netfilter rule of anybody's.
type ListedRule struct {
	V6           bool
	Table, Chain string
	// Words are the rule's, after the chain, in one form whatever iptables printed.
	Words []string
}

// Comment is the rule's comment, or "".
func (r ListedRule) Comment() string { return commentOf(r.Words) }

// Text is the rule as iptables-save has it.
func (r ListedRule) Text() string { return "-A " + r.Chain + " " + joinRule(r.Words) }

// ReadEveryRule prints the node's netfilter rules for [ParseEveryRule].
func ReadEveryRule() shell.Command { return shell.Call(shell.ReadRules, "^-A") }

// ParseEveryRule reads what [ReadEveryRule] printed.
func ParseEveryRule(text string) []ListedRule {
	var list []ListedRule
	var r ListedRule
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "iptables" || line == "ip6tables":
			r.V6 = line == "ip6tables"
		case strings.HasPrefix(line, "*"):
			r.Table = line[1:]
		}
		if words := splitRule(line); len(words) > 2 && words[0] == "-A" {
			r.Chain, r.Words = words[1], normaliseRule(words[2:])
			list = append(list, r)
		}
	}
	return list
}
