package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/fatih/color"
	"github.com/hashicorp/hcl/v2"
	"golang.org/x/term"
)

// A screen is standard output or standard error. Everything that lvsctl prints goes through
// it, wherever the text came from: a topology, a file name, a node. Characters that a
// terminal would act on are printed as escapes that a person can read, see [visible]. Only
// lvsctl's own colours are not. JSON has the exact text.
type screen struct {
	w      io.Writer
	colour *string // --color, known once the flags are parsed

	mu sync.Mutex
	// err is the first error of writing. It decides the exit code.
	err error
	// status is what stands on the terminal's last line and is replaced in place; ""
	// for nothing.
	status string
}

// A span is a part of a line with its colours.
type span struct {
	text  string
	attrs []color.Attribute
}

func painted(text string, attrs ...color.Attribute) span { return span{text, attrs} }

// Write prints text without colours. It may have several lines.
func (s *screen) Write(text []byte) (int, error) {
	if err := s.raw(visibleLines(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// line prints one line. It prints a line break in a span as an escape.
func (s *screen) line(spans ...span) { _ = s.raw(s.rendered(spans...) + "\n") }

// rendered is a line as it is printed.
func (s *screen) rendered(spans ...span) string {
	var b strings.Builder
	for _, part := range spans {
		c := color.New(part.attrs...)
		if len(part.attrs) > 0 && s.coloured() {
			c.EnableColor()
		} else {
			c.DisableColor()
		}
		b.WriteString(c.Sprint(visible(part.text)))
	}
	return b.String()
}

func (s *screen) linef(format string, args ...any) { s.line(painted(fmt.Sprintf(format, args...))) }

// json prints a value as indented JSON. Characters that a terminal would act on are printed
// as escapes of JSON, so a program reads the exact text.
func (s *screen) json(v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("cannot print JSON: %w", err)
	}
	return s.raw(jsonVisible(string(text)) + "\n")
}

// jsonLine prints a value as JSON in one line.
func (s *screen) jsonLine(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("cannot print JSON: %w", err)
	}
	return s.raw(jsonVisible(string(text)) + "\n")
}

// exact prints the content of a file as it is if standard output is not a terminal. On a
// terminal it prints escapes.
func (s *screen) exact(content []byte) {
	text := string(content)
	if _, ok := s.terminal(); ok {
		text = visibleLines(text)
	}
	_ = s.raw(text)
}

// inPlace replaces the status on the terminal's last line; "" clears it. Lines that
// are printed meanwhile come above it.
func (s *screen) inPlace(text string) {
	width, _ := s.terminal()
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.status
	if s.status = cutTo(visible(text), width-1); s.status != old {
		s.write(clearLine + s.status)
	}
}

// clearLine takes away what stands on the line that the cursor is on.
const clearLine = "\r\033[K"

// cutTo cuts a text to width characters. A longer status would need a second line, which
// nothing clears.
func cutTo(text string, width int) string {
	if runes := []rune(text); len(runes) > width {
		return string(runes[:max(width, 0)])
	}
	return text
}

// diagnose prints diagnostics with the source lines that they are about.
func (s *screen) diagnose(files map[string]*hcl.File, diags hcl.Diagnostics) {
	if len(diags) == 0 {
		return
	}
	width, _ := s.terminal()
	var b bytes.Buffer
	w := hcl.NewDiagnosticTextWriter(&b, withoutEscapes(files), uint(width), s.coloured())
	for _, d := range diags {
		d := *d
		d.Summary, d.Detail = visibleLines(d.Summary), visibleLines(d.Detail)
		_ = w.WriteDiagnostic(&d) // writing to a buffer cannot fail
	}
	_ = s.raw(visibleAround(b.String()))
}

// raw writes to the terminal; nothing else does. It also stores the first error in s.err, so
// most callers ignore it.
func (s *screen) raw(text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status != "" {
		text = clearLine + text + s.status
	}
	return s.write(text)
}

func (s *screen) write(text string) error {
	_, err := io.WriteString(s.w, text)
	if s.err == nil {
		s.err = err
	}
	return err
}

// failure is the first error of writing, or nil.
func (s *screen) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// gone reports whether an error says that the reader of the output has ended.
func gone(err error) bool { return errors.Is(err, syscall.EPIPE) }

// terminal reports whether the screen is a terminal, and its width in columns.
func (s *screen) terminal() (width int, ok bool) {
	f, ok := asTerminal(s.w)
	if !ok {
		return 80, false
	}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		return width, true
	}
	return 80, true
}

// asTerminal returns the file of a reader or writer that is a terminal.
func asTerminal(v any) (*os.File, bool) {
	f, ok := v.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}

func (s *screen) coloured() bool {
	switch *s.colour {
	case "always":
		return true
	case "never":
		return false
	}
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	_, ok := s.terminal()
	return ok
}
