package keepalived

import (
	"fmt"
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
// comments with # and !. Files that are included stand where the include did;
// source may be nil where there are none.
func ReadBlocks(t Text, source Source) ([]*Block, error) {
	r := &reader{source: source}
	top := &Block{Opens: true}
	if err := r.file(t, top, 0); err != nil {
		return nil, err
	}
	return top.Inside, nil
}

type reader struct{ source Source }

// file reads a file's statements into a block. A file closes what it opens.
func (r *reader) file(t Text, into *Block, depth int) error {
	open := []*Block{into}
	number := 0
	for line := range strings.Lines(t.Text) {
		number++
		words, err := words(line)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", t.Path, number, err)
		}
		for len(words) > 0 {
			inside := open[len(open)-1]
			end := statement(words)
			head := words[:end]
			words = words[end:]
			switch {
			case len(head) > 0 && included(head[0]) && len(head) > 1:
				if err := r.include(head[1], t.Path, inside, depth); err != nil {
					return fmt.Errorf("%s:%d: %w", t.Path, number, err)
				}
			case len(head) > 0:
				inside.Inside = append(inside.Inside, &Block{Words: head, File: t.Path, Line: number})
			}
			if len(words) == 0 {
				break
			}
			brace := words[0]
			words = words[1:]
			switch {
			case brace == "}" && len(open) == 1:
				return fmt.Errorf("%s:%d: a } closes nothing", t.Path, number)
			case brace == "}":
				open = open[:len(open)-1]
			case len(inside.Inside) == 0:
				return fmt.Errorf("%s:%d: a { opens nothing", t.Path, number)
			default:
				last := inside.Inside[len(inside.Inside)-1]
				last.Opens = true
				open = append(open, last)
			}
		}
	}
	if len(open) > 1 {
		last := open[len(open)-1]
		return fmt.Errorf("%s:%d: the { of %s is never closed", last.File, last.Line, strings.Join(last.Words, " "))
	}
	return nil
}

// included reports the spellings of include: includer, includem and the like
// say only what happens when there is no such file.
func included(word string) bool {
	return strings.HasPrefix(word, "include") && len(word) <= len("includemwb")
}

func (r *reader) include(pattern, from string, into *Block, depth int) error {
	if depth == deepest {
		return fmt.Errorf("files include each other more than %d deep", deepest)
	}
	if r.source == nil {
		return fmt.Errorf("it includes %s, which was not read", pattern)
	}
	files, err := r.source(pattern, from)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := r.file(f, into, depth+1); err != nil {
			return err
		}
	}
	return nil
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
	line = uncomment(strings.TrimRight(line, "\r\n"))
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
	if quote != 0 {
		return nil, fmt.Errorf("a quote is not closed")
	}
	end()
	return list, nil
}
