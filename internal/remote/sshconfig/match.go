package sshconfig

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// criterion is one condition of a Match line; all of a line's must hold.
type criterion struct {
	name    string // in lower case
	negated bool
	arg     string
}

// truth is whether a block counts. Between no and yes stands maybe: only a
// command, or what else lvsctl cannot know, would tell.
type truth int

const (
	no truth = iota
	maybe
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// withArg are the criteria that take an argument.
var withArg = []string{"host", "originalhost", "user", "localuser", "localnetwork", "version", "tagged", "command", "sessiontype", "exec"}

// criteria reads what follows Match.
func criteria(words []string) ([]criterion, error) {
	if len(words) == 0 {
		return nil, fmt.Errorf("Match has no condition")
	}
	var all []criterion
	for i := 0; i < len(words); i++ {
		word := words[i]
		name, negated := strings.CutPrefix(word, "!")
		name, arg, joined := strings.Cut(name, "=")
		c := criterion{name: strings.ToLower(name), negated: negated, arg: arg}
		switch {
		case !joined && c.name == "all":
			if len(all) > 1 || i+1 < len(words) {
				return nil, fmt.Errorf("Match: %s cannot be combined with other conditions", word)
			}
		case !joined && (c.name == "canonical" || c.name == "final"):
		case !slices.Contains(withArg, c.name):
			return nil, fmt.Errorf("Match: %s is not understood", word)
		case !joined:
			if i++; i == len(words) {
				return nil, fmt.Errorf("Match: %s has no value", word)
			}
			c.arg = words[i]
		}
		if c.arg == "" && slices.Contains(withArg, c.name) && c.name != "tagged" && c.name != "command" {
			return nil, fmt.Errorf("Match: %s has no value", word)
		}
		all = append(all, c)
	}
	return all, nil
}

// matches says whether a Match line holds. why names the condition that nobody
// can tell without running something.
func (w *walk) matches(l line) (holds truth, why string) {
	holds = yes
	for _, c := range l.match {
		t := w.holds(c)
		if t == maybe && why == "" {
			why = fmt.Sprintf("Match %s of %s", c.name, l.at())
		}
		if c.negated {
			t = yes - t
		}
		holds = min(holds, t)
	}
	return holds, why
}

func (w *walk) holds(c criterion) truth {
	switch c.name {
	case "all":
		return yes
	case "canonical", "final":
		w.wantFinal = w.wantFinal || c.name == "final"
		return truthOf(w.final)
	case "host":
		return truthOf(MatchList(strings.ToLower(w.hostName()), strings.ToLower(c.arg)))
	case "originalhost":
		return truthOf(MatchList(strings.ToLower(w.settings.Host), strings.ToLower(c.arg)))
	case "user":
		return truthOf(MatchList(w.settings.user(), c.arg))
	case "localuser":
		return truthOf(MatchList(w.config.Me, c.arg))
	case "localnetwork":
		return onNetwork(c.arg)
	case "tagged":
		tag := w.settings.Get("Tag")
		return truthOf(tag == "" && c.arg == "" || tag != "" && MatchList(tag, c.arg))
	case "sessiontype":
		return truthOf(MatchList("exec", c.arg))
	}
	return maybe // exec, command, version
}

// onNetwork tells whether this machine has an address in one of the networks.
func onNetwork(list string) truth {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return maybe
	}
	for network := range strings.SplitSeq(list, ",") {
		p, err := netip.ParsePrefix(network)
		if err != nil {
			return maybe
		}
		for _, a := range addrs {
			if own, err := netip.ParsePrefix(a.String()); err == nil && p.Contains(own.Addr()) {
				return yes
			}
		}
	}
	return no
}

// hostBlock says whether a Host line holds: some pattern matches and no negated
// one does.
func (w *walk) hostBlock(patterns []string) truth {
	holds := no
	for _, p := range patterns {
		p, negated := strings.CutPrefix(p, "!")
		if !Match(w.host, p) {
			continue
		}
		if negated {
			return no
		}
		holds = yes
	}
	return holds
}

// MatchList matches a list of patterns with commas between them, each perhaps
// negated by an exclamation mark.
func MatchList(text, list string) bool {
	found := false
	for p := range strings.SplitSeq(strings.TrimSuffix(list, ","), ",") {
		p, negated := strings.CutPrefix(p, "!")
		if Match(text, p) {
			if negated {
				return false
			}
			found = true
		}
	}
	return found
}

// Match matches one pattern, in which ? stands for one character and * for any
// number of them. It goes back to the last * alone, so no pattern takes long.
func Match(text, pattern string) bool {
	t, p := 0, 0
	star, mark := -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			t++
			p++
		case star >= 0:
			mark++
			t, p = mark, star+1
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
