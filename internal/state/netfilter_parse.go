package state

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// ruleScript prints the rules that bear the topology's mark, after the tables
// they are in. Only what exists already is read, because asking creates the
// rest: iptables -V of the nft kind loads nfnetlink, its -S (1.8.2) creates
// tables, and the legacy -S loads iptable_nat. iptables-save without -t prints
// the tables that are there; the nft kind is called only where nf_tables is, the
// legacy kind only where the kernel lists tables of its own.
const ruleScript = `command -v iptables-save >/dev/null || command -v ip6tables-save >/dev/null || return 0
nft=
if [ -e /sys/module/nf_tables ] || grep -q '/nf_tables\.ko' "/lib/modules/$(uname -r)/modules.builtin" 2>/dev/null; then nft=1; fi
marked() {
  command -v "$1-save" >/dev/null || return 0
  save=
  if [ -n "$nft" ]; then
    case $("$1" -V) in *nf_tables*) save="$1-save" ;; esac
  fi
  if [ -z "$save" ]; then
    { [ -r "$2" ] && read -r names <"$2"; } || return 0
    save="$1-save"
    if command -v "$1-legacy-save" >/dev/null; then save="$1-legacy-save"; fi
  fi
  text=$("$save") || return 1
  printf '%s\n' "$1"
  printf '%s\n' "$text" | grep -e '^\*' -e MARK || :
}
marked iptables /proc/net/ip_tables_names && marked ip6tables /proc/net/ip6_tables_names`

func ruleSection(topology string) Section {
	prefix := RulePrefix(topology)
	pattern := shell.Quote(strings.ReplaceAll(prefix, ".", `\.`))
	return Section{"rules", strings.ReplaceAll(ruleScript, "MARK", pattern), func(text string, s *State) error {
		return parseRules(text, prefix, s)
	}}
}

// parseRules reads what ruleScript printed of iptables-save (1.4.7 to 1.8.11,
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
		case strings.HasPrefix(line, "*"):
			k.Table = line[1:]
			continue
		}
		words := splitRule(line)
		if len(words) < 2 || words[0] != "-A" {
			continue // someone's remark
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

// splitRule cuts a line of iptables-save into words. Values with blanks or
// quotes are in double quotes, with a backslash before what would end them
// (xtables_save_string).
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

// normaliseRule brings the ways in which versions print one rule together:
// addresses without /32, protocols by name and IPVS's by number, marks as
// --set-xmark in hexadecimal.
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
		i++ // the value is no option
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
