package shell

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Script is POSIX sh in the making. It brings along the functions that its commands
// call, whatever those need, and at its end what closes them. The zero value is
// empty.
type Script struct {
	lines strings.Builder
	calls map[Function]bool
}

// Line adds a line. Its parts are put one after the other: a Command is rendered and
// its function noted, an int is a number, and a string is text of the shell that
// holds no value.
func (s *Script) Line(parts ...any) {
	for _, part := range parts {
		switch p := part.(type) {
		case Command:
			s.note(p.Calls)
			s.lines.WriteString(p.String())
		case int:
			s.lines.WriteString(strconv.Itoa(p))
		case string:
			s.lines.WriteString(p)
		default:
			panic(fmt.Sprintf("shell: a line cannot have a %T", part))
		}
	}
	s.lines.WriteByte('\n')
}

// Empty reports whether the script has no line.
func (s *Script) Empty() bool { return s.lines.Len() == 0 }

// Must adds a call of a function that has said why when it fails: the script ends
// there.
func (s *Script) Must(f Function, args ...string) { s.Line(Call(f, args...), " || return 0") }

// Add adds another script's lines.
func (s *Script) Add(other *Script) {
	for f := range other.calls {
		s.note(f)
	}
	s.lines.WriteString(other.lines.String())
}

func (s *Script) note(f Function) {
	if f == "" {
		return
	}
	if s.calls == nil {
		s.calls = map[Function]bool{}
	}
	s.calls[f] = true
}

// Closers are the calls that close what the script has called until now. One that
// another one closes comes before that.
func (s *Script) Closers() []Command {
	var list []Command
	seen := map[Function]bool{}
	var visit func(Function)
	visit = func(f Function) {
		c := functions[f].closes
		if c == "" || seen[c] {
			return
		}
		seen[c] = true
		visit(c)
		list = append(list, Call(c))
	}
	for _, f := range slices.Sorted(maps.Keys(s.calls)) {
		visit(f)
	}
	slices.Reverse(list)
	return list
}

// String is the whole script: the functions, then the lines.
func (s *Script) String() string {
	return Definitions(slices.Collect(maps.Keys(s.calls))...) + s.lines.String()
}

// Definitions is the text that defines functions and whatever they need.
func Definitions(list ...Function) string {
	names := map[string]bool{}
	var visit func(Function)
	visit = func(f Function) {
		d, ok := functions[f]
		if !ok {
			panic(fmt.Sprintf("shell: %q is no function", string(f)))
		}
		if names[d.file] {
			return
		}
		names[d.file] = true
		for _, n := range d.needs {
			visit(n)
		}
		if d.closes != "" {
			visit(d.closes)
		}
	}
	for _, f := range list {
		visit(f)
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(names)) {
		b.WriteString(text(name))
	}
	return b.String()
}
