package persist

import "strings"

// shellVars are the variables that a file of assignments sets, as a shell that
// sources it has them: ifcfg files, /etc/sysconfig/network, /etc/default/ipvsadm.
type shellVars struct {
	values map[string]string
	// unread is the number of the first line that is more than assignments, or
	// whose value only running it would tell; 0 for none. The values are what the
	// lines before and after it set.
	unread int
}

// readVars reads a file's lines as POSIX sh does (2.2 Quoting, 2.10.2): words and
// comments, quotes, continued lines, several assignments a line, export. A
// variable stands for what was assigned before. Assignments before a command are
// that command's own.
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

// command reads up to the end of a simple command and carries it out. It reports
// whether it could.
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

// word reads the next word of a command: its text once quotes and variables are
// gone, and whether that is known. end reports that the command ends after it.
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
			b.WriteByte(c) // no assignment, and no command of ours
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

// expansion reads $NAME or ${NAME}. Whatever else $ or ` begins is not known.
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
