package state

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

func ruleSection(topology string) Section {
	prefix := RulePrefix(topology)
	mark := strings.ReplaceAll(prefix, ".", `\.`) // a basic regular expression
	return Section{"rules", shell.Call(shell.ReadRules, mark), func(text string, s *State) error {
		return parseRules(text, prefix, s)
	}}
}

// parseRules reads what ReadRules printed of iptables-save (1.4.7 to 1.8.11,
// legacy and nft):
//
//	iptables
//	*nat
//	-A POSTROUTING -m ipvs --vproto 6 --vaddr 10.1.0.103 --vport 80 --vmethod MASQ -m comment --comment "lvsctl:all:web:masquerade" -j MASQUERADE
//	ip6tables
//	*mangle
//	-A PREROUTING -d fd00:1::104/128 -p udp -m multiport --dports 80,8000:8010 -m comment --comment "lvsctl:all:fw:udp" -j MARK --set-xmark 0x7/0xffffffff
func parseRules(text, prefix string, s *State) error {
	var k RuleKey
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "iptables" || line == "ip6tables":
			k.V6 = line == "ip6tables"
			continue
		case strings.HasPrefix(line, "unreadable "):
			tool := strings.TrimPrefix(line, "unreadable ")
			s.NoRules = fmt.Sprintf("it has %s but no %s-save, which rules are read with; install all of the package that %s is of", tool, tool, tool)
			continue
		case strings.HasPrefix(line, "*"):
			k.Table = line[1:]
			continue
		}
		words := splitRule(line)
		if len(words) < 2 || words[0] != "-A" {
			continue // a comment line
		}
		k.Chain, k.Comment, k.Copy = words[1], commentOf(words), 0
		if !strings.HasPrefix(k.Comment, prefix) {
			continue
		}
		if strings.ContainsAny(k.Comment, " \t") || k.Table == "" {
			return fmt.Errorf("cannot read rule line %q", line)
		}
		for {
			if _, taken := s.Rules[k]; !taken {
				break
			}
			k.Copy++
		}
		s.Rules[k] = Rule{Spec: joinRule(normaliseRule(words[2:]))}
	}
	return nil
}

func commentOf(words []string) string {
	for i, w := range words {
		if w == "--comment" && i+1 < len(words) {
			return words[i+1]
		}
	}
	return ""
}

// splitRule splits a line of iptables-save into words. Values with blanks or quotes are in
// double quotes, with a backslash before a quote or backslash (xtables_save_string).
func splitRule(line string) []string {
	var words []string
	var word strings.Builder
	started, quoted := false, false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quoted && c == '\\' && i+1 < len(line):
			i++
			word.WriteByte(line[i])
		case c == '"':
			quoted, started = !quoted, true
		case !quoted && (c == ' ' || c == '\t'):
			if started {
				words = append(words, word.String())
				word.Reset()
				started = false
			}
		default:
			word.WriteByte(c)
			started = true
		}
	}
	if started {
		words = append(words, word.String())
	}
	return words
}

// joinRule is the inverse of splitRule.
func joinRule(words []string) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		if w != "" && !strings.ContainsAny(w, " \t\"\\'") {
			b.WriteString(w)
			continue
		}
		b.WriteByte('"')
		b.WriteString(strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(w))
		b.WriteByte('"')
	}
	return b.String()
}

// normaliseRule gives a rule one form, however a version of iptables prints it: addresses
// without /32, protocols by name and those of IPVS by number, marks as --set-xmark in
// hexadecimal.
func normaliseRule(words []string) []string {
	out := append([]string{}, words...)
	for i := 0; i+1 < len(out); i++ {
		value := &out[i+1]
		switch out[i] {
		case "-s", "-d", "--vaddr":
			*value = plainHost(*value)
		case "-p":
			*value = protocolName(*value)
		case "--vproto":
			*value = protocolNumber(*value)
		case "--set-mark":
			if !strings.Contains(*value, "/") {
				out[i], *value = "--set-xmark", hexMark(*value)+"/0xffffffff"
			}
		case "--mark":
			*value = hexMark(*value)
		default:
			continue
		}
		i++ // skip the value
	}
	return out
}

func plainHost(word string) string {
	host, mask, _ := strings.Cut(word, "/")
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return word
	}
	if mask == "" || mask == strconv.Itoa(addr.BitLen()) || mask == "255.255.255.255" {
		return addr.String()
	}
	return word
}

func hexMark(word string) string {
	n, err := strconv.ParseUint(word, 0, 32)
	if err != nil {
		return word
	}
	return "0x" + strconv.FormatUint(n, 16)
}

func protocolName(word string) string {
	for p, number := range protocolNumbers() {
		if word == number {
			return string(p)
		}
	}
	return word
}

func protocolNumber(word string) string {
	if number, ok := protocolNumbers()[Protocol(word)]; ok {
		return number
	}
	return word
}

func protocolNumbers() map[Protocol]string {
	return map[Protocol]string{TCP: "6", UDP: "17", SCTP: "132"}
}
