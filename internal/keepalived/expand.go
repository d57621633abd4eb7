package keepalived

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// What follows is keepalived's own preprocessing, from 2.0 on: conditions,
// definitions, sequences and lists. It is by line, and before blocks are
// recognised (read_line in lib/parser.c):
//
//	$IF=eth0                              a definition
//	@lb1 priority 150                     only for the node that is called lb1
//	@^lb1 priority 100                    for all the others
//	interface $IF                         blank or end of line after the name
//	10.0.${NET}.1/24                      braces elsewhere
//	$RS= \                                a definition of several lines: as far as
//	real_server 10.0.0.${N} 80 { \        they end in a backslash
//	}
//	~SEQ(N, 11, 13) $RS                   the rest of the line for 11, 12 and 13
//	~LST({A, B}, {1, 2}, {3, 4}) 10.${A}.${B}.1

const (
	// mostExpanded bounds the bytes that all lines may grow to. A statement costs perStatement
	// beside its own.
	mostExpanded = 4 << 20
	perStatement = 32
	// deepestUse bounds how far definitions may use one another.
	deepestUse = 64
)

// line expands one line of a file, and puts what comes of it into blocks.
func (f *fileReader) line(text string, depth int) {
	r := f.reader
	if r.spent += len(text) + perStatement; r.spent > mostExpanded || depth > deepestUse {
		if !r.full {
			r.full = true
			f.problem("definitions and sequences make more of this than can be read")
		}
		return
	}
	if text = strings.Trim(text, " \t"); text == "" {
		return
	}
	if text[0] == '@' {
		if text = f.condition(text); text == "" {
			return
		}
	}
	if name, value, ok := definition(text); ok {
		f.define(name, value)
		return
	}
	if strings.HasPrefix(text, "~SEQ") || strings.HasPrefix(text, "~LST") {
		f.repeat(text, depth)
		return
	}
	lines, changed := f.replace(text)
	if !changed {
		f.statements(text)
		return
	}
	for _, l := range lines {
		f.line(uncomment(l), depth+1)
	}
}

// condition is the line after @id or @^id, or "" where it is for other nodes.
func (f *fileReader) condition(text string) string {
	id, rest, ok := strings.Cut(strings.ReplaceAll(text[1:], "\t", " "), " ")
	id, others := strings.CutPrefix(id, "^")
	f.reader.ids[id] = true
	if !ok || (id == f.reader.id) == others {
		return ""
	}
	return strings.TrimLeft(rest, " ")
}

// definition reads $NAME=VALUE.
func definition(text string) (name, value string, ok bool) {
	if text[0] != '$' {
		return "", "", false
	}
	n := nameLength(text[1:])
	if n == 0 || n+1 >= len(text) || text[n+1] != '=' {
		return "", "", false
	}
	return text[1 : n+1], strings.TrimLeft(text[n+2:], " \t"), true
}

func (f *fileReader) define(name, value string) {
	if value == `\` {
		f.defining = name
		f.reader.definitions[name] = ""
		return
	}
	f.reader.definitions[name] = value
}

// more adds a line to a definition of several lines.
func (f *fileReader) more(text string) {
	text, again := strings.CutSuffix(strings.TrimRight(text, " \t"), `\`)
	if f.reader.spent += len(text) + perStatement; f.reader.spent > mostExpanded {
		text = ""
	}
	name := f.defining
	if !again {
		f.defining = ""
	}
	if text = strings.Trim(text, " \t"); text == "" {
		return
	}
	if before := f.reader.definitions[name]; before != "" {
		text = before + "\n" + text
	}
	f.reader.definitions[name] = text
}

// nameLength is how much of a text is a parameter's name.
func nameLength(text string) int {
	for i := range len(text) {
		c := text[i]
		letter := c == '_' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return i
		}
	}
	return len(text)
}

// replace puts in the values of the parameters in a line. What is not defined stays, as it
// does in keepalived. A value of several lines makes several lines.
func (f *fileReader) replace(text string) (lines []string, changed bool) {
	var b strings.Builder
	for {
		i := strings.IndexByte(text, '$')
		if i < 0 {
			break
		}
		b.WriteString(text[:i])
		name, used := parameter(text[i:])
		value, ok := f.value(name)
		if used == 0 || !ok {
			b.WriteByte('$')
			text = text[i+1:]
			continue
		}
		b.WriteString(value)
		text, changed = text[i+used:], true
	}
	if !changed {
		return nil, false
	}
	b.WriteString(text)
	return strings.Split(b.String(), "\n"), true
}

// parameter reads $NAME or ${NAME} at the beginning of a text, and says how long it is.
func parameter(text string) (name string, used int) {
	if strings.HasPrefix(text, "${") {
		if end := strings.IndexByte(text, '}'); end > 0 {
			return text[2:end], end + 1
		}
		return "", 0
	}
	n := nameLength(text[1:])
	if rest := text[n+1:]; n == 0 || rest != "" && rest[0] != ' ' && rest[0] != '\t' {
		return "", 0
	}
	return text[1 : n+1], n + 1
}

func (f *fileReader) value(name string) (string, bool) {
	switch name {
	case "_PWD":
		return path.Dir(f.text.Path), true
	case "_INSTANCE":
		return f.reader.id, f.reader.id != ""
	case "_HASH", "_BANG": // a letter that begins no comment: it is in the middle of a word
		return map[string]string{"_HASH": "#", "_BANG": "!"}[name], true
	}
	v, ok := f.reader.definitions[name]
	return v, ok
}

// repeat reads a line that begins with a sequence or a list.
func (f *fileReader) repeat(text string, depth int) {
	open := strings.IndexByte(text, '(')
	end := strings.IndexByte(text, ')')
	if open < 0 || end < open {
		f.problem("cannot read %q", text)
		return
	}
	kind, args, rest := text[:open], text[open+1:end], text[end+1:]
	var names []string
	var rows [][]string
	switch kind {
	case "~SEQ", "~SEQx":
		names, rows = sequence(args, kind == "~SEQx")
	case "~LST":
		names, rows = list(args)
	}
	if rows == nil {
		f.problem("cannot read %s(%s)", kind, args)
		return
	}
	for _, row := range rows {
		for i, n := range names {
			f.reader.definitions[n] = row[i]
		}
		if f.line(rest, depth+1); f.reader.full {
			return
		}
	}
}

// mostRows bounds a sequence: keepalived's own example makes 65024 of three.
const mostRows = 1 << 17

// sequence reads NAME, START, STEP, END, of which START and STEP may be left out.
func sequence(args string, hex bool) (names []string, rows [][]string) {
	words := commas(args)
	if len(words) < 2 || len(words) > 4 || nameLength(words[0]) != len(words[0]) {
		return nil, nil
	}
	var n []int64
	for _, w := range words[1:] {
		v, err := strconv.ParseInt(w, 0, 32)
		if err != nil {
			return nil, nil
		}
		n = append(n, v)
	}
	end := n[len(n)-1]
	start, step := int64(1), int64(1)
	if end < 0 {
		start = -1
	}
	if len(n) > 1 {
		start = n[0]
	}
	if end < start {
		step = -1
	}
	if len(n) == 3 {
		step = n[1]
	}
	if step == 0 || (end-start)/step < 0 || (end-start)/step > mostRows {
		return nil, nil
	}
	base := 10
	if hex {
		base = 16
	}
	for v := start; step > 0 && v <= end || step < 0 && v >= end; v += step {
		rows = append(rows, []string{strconv.FormatInt(v, base)})
	}
	return words[:1], rows
}

// list reads NAME, VALUE, ... and {NAME, NAME}, {VALUE, VALUE}, ...
func list(args string) (names []string, rows [][]string) {
	if !strings.HasPrefix(strings.TrimSpace(args), "{") {
		words := commas(args)
		if len(words) < 2 {
			return nil, nil
		}
		for _, w := range words[1:] {
			rows = append(rows, []string{w})
		}
		return words[:1], rows
	}
	for args = strings.TrimSpace(args); args != ""; {
		end := strings.IndexByte(args, '}')
		if args[0] != '{' || end < 0 {
			return nil, nil
		}
		row := commas(args[1:end])
		if names == nil {
			names = row
		} else {
			rows = append(rows, row)
		}
		args = strings.TrimLeft(args[end+1:], ", \t")
	}
	if slices.ContainsFunc(rows, func(row []string) bool { return len(row) != len(names) }) {
		return nil, nil
	}
	return names, rows
}

func commas(text string) []string {
	words := strings.Split(text, ",")
	for i, w := range words {
		words[i] = strings.TrimSpace(w)
	}
	return words
}

// Problem is what is wrong at a place in a file.
type Problem struct {
	File string
	Line int
	Text string
}

func (p Problem) Error() string { return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text) }
