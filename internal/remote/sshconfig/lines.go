package sshconfig

import (
	"fmt"
	"strings"
)

// line is one line of a file, read as ssh reads it:
//
//	IdentityFile = "~/.ssh/the key" # ours
type line struct {
	file    string
	number  int
	keyword string // in lower case; an older spelling is replaced by today's
	known   bool   // it stands in the table of keywords
	values  []string
	match   []criterion // of a Match line
}

// errorf is an error about a line.
func (l line) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %w", l.file, l.number, fmt.Errorf(format, args...))
}

// at names a line.
func (l line) at() string { return fmt.Sprintf("%s:%d", l.file, l.number) }

const blanks = " \t\r\n"

// parse splits a file into its lines and reads their values.
func parse(path, text string) ([]line, error) {
	var all []line
	n := 0
	for written := range strings.Lines(text) {
		n++
		l := line{file: path, number: n}
		// A form feed is a blank only at a line's end.
		word, rest := split(written[:1] + strings.TrimRight(written[1:], blanks+"\f"))
		if word == "" {
			continue
		}
		if rest == "" {
			return nil, l.errorf("%s has no value", word)
		}
		if err := l.read(strings.ToLower(word), rest); err != nil {
			return nil, l.errorf("%w", err)
		}
		all = append(all, l)
	}
	return all, nil
}

// split takes the keyword off a line; both are "" for one that says nothing.
func split(text string) (word, rest string) {
	word, rest = cutKeyword(text)
	if word == "" { // blanks stood first
		word, rest = cutKeyword(rest)
	}
	if strings.HasPrefix(word, "#") {
		return "", ""
	}
	return word, strings.TrimLeft(rest, blanks)
}

// cutKeyword cuts a line at the first blank, equals sign or double quote. One
// equals sign, with blanks around it, goes with what is cut. A keyword may stand
// in quotes; with one quote alone it is none.
func cutKeyword(text string) (word, rest string) {
	end := strings.IndexAny(text, blanks+`"=`)
	if end < 0 {
		return text, ""
	}
	if text[end] == '"' {
		open := text[:end] + text[end+1:]
		length := strings.IndexByte(open[end:], '"')
		if length < 0 {
			return "", ""
		}
		return open[:end+length], strings.TrimLeft(open[end+length+1:], blanks)
	}
	word, rest = text[:end], strings.TrimLeft(text[end+1:], blanks)
	if text[end] != '=' && strings.HasPrefix(rest, "=") {
		rest = strings.TrimLeft(rest[1:], blanks)
	}
	return word, rest
}

// read reads what follows the keyword.
func (l *line) read(word, rest string) error {
	k, known := keywords[word]
	if k.today != "" {
		word, k = k.today, keywords[k.today]
	}
	l.keyword, l.known = word, known
	words, err := words(rest)
	if err != nil {
		return fmt.Errorf("%s: %w", word, err)
	}
	switch {
	case !known:
		return nil // IgnoreUnknown may name it: that depends on the host
	case word == "match":
		l.match, err = criteria(words)
		return err
	}
	if l.values, err = k.read(words, rest); err != nil {
		return fmt.Errorf("%s: %w", word, err)
	}
	return nil
}

// words splits the rest of a line. Single and double quotes keep blanks inside a
// word, a backslash does so for a quote, a backslash and, outside quotes, a
// blank. A word that begins with # ends the line.
func words(text string) ([]string, error) {
	var all []string
	for i := 0; i < len(text); {
		if text[i] == ' ' || text[i] == '\t' {
			i++
			continue
		}
		if text[i] == '#' {
			break
		}
		var word []byte
		quote := byte(0)
	word:
		for ; i < len(text); i++ {
			c := text[i]
			switch {
			case c == '\\' && i+1 < len(text) && escapes(text[i+1], quote):
				i++
				word = append(word, text[i])
			case quote == 0 && (c == ' ' || c == '\t'):
				break word
			case quote == 0 && (c == '"' || c == '\''):
				quote = c
			case quote != 0 && c == quote:
				quote = 0
			default:
				word = append(word, c)
			}
		}
		if quote != 0 {
			return nil, fmt.Errorf("a quote is not closed")
		}
		all = append(all, string(word))
	}
	return all, nil
}

func escapes(c, quote byte) bool {
	return c == '\'' || c == '"' || c == '\\' || c == ' ' && quote == 0
}

// Quote makes one word of a file name, for ssh -o.
func Quote(name string) string {
	if name != "" && !strings.ContainsAny(name, " \t\"'\\#") {
		return name
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
}
