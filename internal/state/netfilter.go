package state

import (
	"cmp"
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// RuleKey identifies a netfilter rule by its chain and its comment. Only rules whose
// comment begins with the topology's [RulePrefix] are read.
type RuleKey struct {
	V6           bool
	Table, Chain string
	Comment      string
	// Copy is 0 for the first rule with this comment in the chain, 1 for the next, and so
	// on. Only the first one is wanted.
	Copy int
}

// Rule holds the words of a rule in the order of iptables-save, among them the comment:
// iptables -D compares the matches in their order.
type Rule struct {
	Spec string `json:"spec"`
}

var (
	_ encoding.TextMarshaler   = RuleKey{}
	_ encoding.TextUnmarshaler = (*RuleKey)(nil)
)

// RulePrefix is how the comment of every rule of a topology begins.
func RulePrefix(topology string) string { return "lvsctl:" + topology + ":" }

// longestComment is the longest comment in bytes: XT_MAX_COMMENT_LEN without the NUL
// (xt_comment.h).
const longestComment = 255

// RuleComment is the comment of a rule of a topology: it names the service and which of
// its rules this is. If that is too long, the end is replaced by a digest.
func RuleComment(topology, service, which string) string {
	c := RulePrefix(topology) + service + ":" + which
	if len(c) <= longestComment {
		return c
	}
	digest := sha256.Sum256([]byte(c))
	tail := ":" + hex.EncodeToString(digest[:8])
	return c[:longestComment-len(tail)] + tail
}

// NewRule makes a rule from matches and target in iptables' words.
func NewRule(k RuleKey, matches, target []string) Rule {
	words := append(append([]string{}, matches...), "-m", "comment", "--comment", k.Comment)
	return Rule{Spec: joinRule(normaliseRule(append(words, target...)))}
}

func (k RuleKey) family() string {
	if k.V6 {
		return "ip6"
	}
	return "ip"
}

func (k RuleKey) String() string {
	s := k.family() + " " + k.Table + " " + k.Chain + " " + k.Comment
	if k.Copy > 0 {
		s += " (copy " + strconv.Itoa(k.Copy) + ")"
	}
	return s
}

// MarshalText makes the key a JSON object's key.
func (k RuleKey) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%s %s %s %d %s", k.family(), k.Table, k.Chain, k.Copy, k.Comment), nil
}

// UnmarshalText is the inverse of MarshalText.
func (k *RuleKey) UnmarshalText(text []byte) error {
	words := strings.SplitN(string(text), " ", 5)
	if len(words) != 5 || (words[0] != "ip" && words[0] != "ip6") {
		return fmt.Errorf("cannot read rule %q", text)
	}
	n, err := strconv.Atoi(words[3])
	if err != nil {
		return fmt.Errorf("cannot read rule %q: %w", text, err)
	}
	*k = RuleKey{V6: words[0] == "ip6", Table: words[1], Chain: words[2], Copy: n, Comment: words[4]}
	return nil
}

// CompareRules is the order in which rules are added.
func CompareRules(a, b RuleKey) int {
	return cmp.Or(cmp.Compare(a.family(), b.family()), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Chain, b.Chain),
		cmp.Compare(a.Comment, b.Comment), cmp.Compare(a.Copy, b.Copy))
}

var rules = &table[RuleKey, Rule]{
	kind:    KindRule,
	of:      func(s *State) *map[RuleKey]Rule { return &s.Rules },
	compare: CompareRules,
	key:     func(k RuleKey) Key { return k },
	value:   Rule.String,
	make: func(_ *State, k RuleKey, r Rule) []shell.Command {
		return []shell.Command{ruleCommand("-A", k, r)}
	},
	edit: func(_ *State, k RuleKey, from, r Rule) []shell.Command {
		// The new rule is added first, so that one of the two applies to every packet.
		return []shell.Command{ruleCommand("-A", k, r), ruleCommand("-D", k, from)}
	},
	unmake: func(_ *State, k RuleKey, r Rule) []shell.Command {
		return []shell.Command{ruleCommand("-D", k, r)}
	},
	// The comment shows that a rule is this topology's, even if the record lacks it.
	foreign: &foreignRule[RuleKey]{
		removed: func(*State, Record, bool, RuleKey) bool { return true },
		drift:   func(*State, RuleKey) bool { return true },
	},
}

// String is the rule without its comment, which is in the key.
func (r Rule) String() string {
	words := splitRule(r.Spec)
	for i := 0; i+3 < len(words); i++ {
		if words[i] == "-m" && words[i+1] == "comment" && words[i+2] == "--comment" {
			words = append(words[:i:i], words[i+4:]...)
			break
		}
	}
	return joinRule(words)
}

// RuleCommands returns a command that succeeds if a rule exists, and one that adds it.
func RuleCommands(k RuleKey, r Rule) (check, add shell.Command) {
	return ruleCommand("-C", k, r), ruleCommand("-A", k, r)
}

// ruleCommand waits for iptables' lock, which another process may have (-w, iptables
// 1.4.20).
func ruleCommand(verb string, k RuleKey, r Rule) shell.Command {
	tool := "iptables"
	if k.V6 {
		tool = "ip6tables"
	}
	return shell.Cmd(append([]string{tool, "-w", "-t", k.Table, verb, k.Chain}, splitRule(r.Spec)...)...)
}
