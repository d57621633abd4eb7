package persist

import "strings"

// shellVars are the variables that a file of assignments sets for a shell that sources it:
// an ifcfg file, /etc/sysconfig/network, /etc/default/ipvsadm.
type shellVars struct {
	values map[string]string
	// unread is the number of the first line that does more than assign, or whose value is
	// known only by running it. It is 0 if there is none. values are those of all other
	// lines.
	unread int
}

// readVars parses a file as POSIX sh does (2.2 Quoting, 2.10.2): words, comments, quotes,
// continued lines, several assignments on a line, export. A variable has the value that was
// assigned before. Assignments in front of a command are only for that command.
func readVars(text string) shellVars {
	r := varReader{text: text, line: 1, shellVars: shellVars{values: map[string]string{}}}
	for r.at < len(r.text) {
		start := r.line
		if !r.command() && r.unread == 0 {
			r.unread = start
		}
	}
	return r.shellVars
}

type varReader struct {
	shellVars
	text string
	at   int
	line int
}

// command parses a simple command and does its assignments. It returns false if it does not
// understand the command.
func (r *varReader) command() bool {
	var names, values []string
	export, other, known := false, false, true
	for {
		word, quoted, ok, end := r.word()
		if word == "" && !quoted {
			if !ok {
				known = false
			}
			break
		}
		name, value, is := strings.Cut(word, "=")
		switch {
		case is && isName(name) && !other:
			names, values = append(names, name), append(values, value)
			if !ok {
				delete(r.values, name)
				names, values, known = names[:len(names)-1], values[:len(values)-1], false
			}
		case !is && len(names) == 0 && !other && isExport(word):
			export = true
		case export && isName(word):
		default:
			other = true
		}
		if end {
			break
		}
	}
	if other {
		return false
	}
	for i, name := range names {
		r.values[name] = values[i]
	}
	return known
}

// word parses the next word of a command. The result is the text after quotes and variables
// were replaced, and whether it is known. end is set if the command ends after it.
func (r *varReader) word() (word string, quoted, known, end bool) {
	var b strings.Builder
	known = true
	started := false
	for r.at < len(r.text) {
		c := r.text[r.at]
		switch {
		case c == '\n':
			r.at, r.line = r.at+1, r.line+1
			return b.String(), quoted, known, true
		case c == ';':
			r.at++
			return b.String(), quoted, known, true
		case strings.IndexByte("&|()<>", c) >= 0:
			r.at, known = r.at+1, false
			started = true
			b.WriteByte(c) // the word is then neither an assignment nor export
		case c == ' ' || c == '\t':
			r.at++
			if started {
				return b.String(), quoted, known, false
			}
		case c == '#' && !started:
			for r.at < len(r.text) && r.text[r.at] != '\n' {
				r.at++
			}
		case c == '\\' && strings.HasPrefix(r.text[r.at+1:], "\n"):
			r.at, r.line = r.at+2, r.line+1
		case c == '\\' && r.at+1 < len(r.text):
			b.WriteByte(r.text[r.at+1])
			r.at, started = r.at+2, true
		case c == '\'':
			inside, after, closed := strings.Cut(r.text[r.at+1:], "'")
			b.WriteString(inside)
			r.line += strings.Count(inside, "\n")
			r.at, started, quoted = len(r.text)-len(after), true, true
			known = known && closed
		case c == '"':
			known = r.doubleQuoted(&b) && known
			started, quoted = true, true
		case c == '$' || c == '`':
			known = r.expansion(&b) && known
			started = true
		default:
			b.WriteByte(c)
			r.at, started = r.at+1, true
		}
	}
	return b.String(), quoted, known, true
}

func (r *varReader) doubleQuoted(b *strings.Builder) (known bool) {
	known = true
	for r.at++; r.at < len(r.text); {
		c := r.text[r.at]
		switch {
		case c == '"':
			r.at++
			return known
		case c == '\\' && r.at+1 < len(r.text) && strings.IndexByte("$`\"\\\n", r.text[r.at+1]) >= 0:
			if r.text[r.at+1] == '\n' {
				r.line++
			} else {
				b.WriteByte(r.text[r.at+1])
			}
			r.at += 2
		case c == '$' || c == '`':
			known = r.expansion(b) && known
		default:
			if c == '\n' {
				r.line++
			}
			b.WriteByte(c)
			r.at++
		}
	}
	return false
}

// expansion parses $NAME or ${NAME}. The value of anything else after $ or ` is not known.
func (r *varReader) expansion(b *strings.Builder) (known bool) {
	rest := r.text[r.at+1:]
	braced := strings.HasPrefix(rest, "{")
	rest = strings.TrimPrefix(rest, "{")
	n := 0
	for n < len(rest) && isNameByte(rest[n], n) {
		n++
	}
	if r.text[r.at] == '`' || n == 0 || braced && !strings.HasPrefix(rest[n:], "}") {
		b.WriteByte(r.text[r.at])
		r.at++
		return false
	}
	b.WriteString(r.values[rest[:n]])
	r.at += 1 + n
	if braced {
		r.at += 2
	}
	_, set := r.values[rest[:n]]
	return set
}

func isExport(word string) bool {
	return word == "export" || word == "readonly" || word == "declare" || word == "typeset" || word == "-x"
}

func isName(s string) bool {
	for i := range len(s) {
		if !isNameByte(s[i], i) {
			return false
		}
	}
	return s != ""
}

func isNameByte(c byte, i int) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || i > 0 && '0' <= c && c <= '9'
}
