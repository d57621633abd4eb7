package keepalived

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Block is a statement of a configuration, with the statements inside it.
type Block struct {
	Words []string
	// Opens tells a block without statements from a plain one.
	Opens  bool
	Inside []*Block
	File   string
	Line   int
}

// Word is a statement's word, or "".
func (b *Block) Word(i int) string {
	if i < len(b.Words) {
		return b.Words[i]
	}
	return ""
}

// Source gives the files that an include names: a path, or a pattern, as it is
// written. Its result is by path, in order.
type Source func(pattern, from string) ([]Text, error)

// Text is a file and what is in it.
type Text struct{ Path, Text string }

// deepest is how far files may include each other.
const deepest = 16

// ReadBlocks reads a configuration in any of the spellings that versions accept:
// braces on lines of their own or not, several statements on a line, quotes,
// comments with # and !, definitions and sequences. Files that are included stand
// where the include did; source may be nil where there are none. What is for one
// node only, by @id, is left out: [Reading] knows ids.
func ReadBlocks(t Text, source Source) ([]*Block, error) {
	read := Reading{Source: source}.Read(t)
	if len(read.Problems) > 0 {
		return nil, read.Problems[0]
	}
	return read.Blocks, nil
}

// Reading is how a configuration is read.
type Reading struct {
	Source Source // nil: what is included is a problem
	// ID is the node's, for the lines that begin with @ID: its host name, or what
	// keepalived was started with.
	ID string
}

// Read is what was found in a configuration.
type Read struct {
	Blocks []*Block
	IDs    []string // all that lines are for or not for, sorted
	// Problems are what no version reads, in order. The rest was read as
	// keepalived does: a } that closes nothing is passed over.
	Problems []Problem
}

// Read reads a configuration and all it includes. It takes time and memory in
// proportion to them, up to a limit that is a problem.
func (o Reading) Read(t Text) Read {
	r := &reader{source: o.Source, id: o.ID, ids: map[string]bool{}, definitions: map[string]string{}}
	top := &Block{Opens: true}
	r.file(t, top, 0)
	return Read{Blocks: top.Inside, IDs: slices.Sorted(maps.Keys(r.ids)), Problems: r.problems}
}

type reader struct {
	source      Source
	id          string
	ids         map[string]bool
	definitions map[string]string
	spent       int // bytes of lines so far
	full        bool
	problems    []Problem
}

// fileReader reads one file's statements into a block. A file closes what it opens.
type fileReader struct {
	reader   *reader
	text     Text
	number   int // the line
	open     []*Block
	depth    int    // of inclusion
	defining string // the definition of several lines that is being read
}

func (f *fileReader) problem(format string, args ...any) {
	f.reader.problems = append(f.reader.problems, Problem{f.text.Path, f.number, fmt.Sprintf(format, args...)})
}

func (r *reader) file(t Text, into *Block, depth int) {
	f := &fileReader{reader: r, text: t, open: []*Block{into}, depth: depth}
	for line := range strings.Lines(t.Text) {
		f.number++
		line = uncomment(strings.TrimRight(line, "\r\n"))
		if f.defining != "" {
			f.more(line)
			continue
		}
		f.line(line, 0)
	}
	if len(f.open) > 1 {
		last := f.open[len(f.open)-1]
		r.problems = append(r.problems, Problem{last.File, last.Line, "the { of " + strings.Join(last.Words, " ") + " is never closed"})
	}
}

// statements reads an expanded line.
func (f *fileReader) statements(line string) {
	if word, pattern, ok := strings.Cut(strings.ReplaceAll(line, "\t", " "), " "); ok && included(word) {
		f.include(strings.Trim(pattern, " \""))
		return
	}
	words, err := words(line)
	if err != nil {
		f.problem("%s", err)
	}
	for len(words) > 0 {
		inside := f.open[len(f.open)-1]
		end := statement(words)
		if end > 0 {
			inside.Inside = append(inside.Inside, &Block{Words: words[:end:end], File: f.text.Path, Line: f.number})
		}
		if words = words[end:]; len(words) == 0 {
			return
		}
		brace := words[0]
		words = words[1:]
		switch {
		case brace == "}" && len(f.open) == 1:
			f.problem("a } closes nothing")
		case brace == "}":
			f.open = f.open[:len(f.open)-1]
		case len(inside.Inside) == 0:
			f.problem("a { opens nothing")
			nameless := &Block{Opens: true, File: f.text.Path, Line: f.number}
			inside.Inside = append(inside.Inside, nameless)
			f.open = append(f.open, nameless)
		default:
			last := inside.Inside[len(inside.Inside)-1]
			last.Opens = true
			f.open = append(f.open, last)
		}
	}
}

// included reports the spellings of include: includer, includem and the like
// say only what happens when there is no such file.
func included(word string) bool {
	return strings.HasPrefix(word, "include") && len(word) <= len("includemwb")
}

func (f *fileReader) include(pattern string) {
	switch {
	case f.depth == deepest:
		f.problem("files include each other more than %d deep", deepest)
		return
	case f.reader.source == nil:
		f.problem("it includes %s, which was not read", pattern)
		return
	}
	files, err := f.reader.source(pattern, f.text.Path)
	if err != nil {
		f.problem("%s", err)
	}
	for _, t := range files {
		if f.reader.spent > mostExpanded {
			return
		}
		f.reader.file(t, f.open[len(f.open)-1], f.depth+1)
	}
}

// statement is where the first statement of a line's words ends: before a brace,
// or with the line.
func statement(words []string) int {
	for i, w := range words {
		if w == "{" || w == "}" {
			return i
		}
	}
	return len(words)
}

// words splits a line at blanks and around braces. Quotes keep a word together,
// and keep a brace from being one.
func words(line string) ([]string, error) {
	var list []string
	var word strings.Builder
	in, quote := false, byte(0)
	end := func() {
		if in {
			list = append(list, word.String())
			word.Reset()
			in = false
		}
	}
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteByte(c)
		case c == '"':
			quote, in = c, true
		case c == ' ' || c == '\t':
			end()
		case c == '{' || c == '}':
			end()
			list = append(list, string(c))
		default:
			word.WriteByte(c)
			in = true
		}
	}
	end()
	if quote != 0 {
		return list, errors.New("a quote is not closed")
	}
	return list, nil
}
