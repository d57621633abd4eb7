package main

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/lvsctl/lvsctl/internal/plural"
	"github.com/lvsctl/lvsctl/plan"
)

// A page is a terminal's whole window, whose content is replaced again and again. It is
// xterm's other screen, so that what was there before comes back.
type page struct{ screen *screen }

// page opens one; nil where the screen is no terminal.
func (s *screen) page() *page {
	if _, ok := s.terminal(); !ok {
		return nil
	}
	_ = s.raw("\x1b[?1049h\x1b[?25l")
	return &page{s}
}

// show replaces the content. What the window has no room for is counted in its last
// line.
func (p *page) show(lines []plan.Line) {
	height := p.height()
	if rest := len(lines) - height + 1; rest > 1 {
		lines = append(lines[:height-1:height-1], plan.Line{Style: plan.Quiet, Text: fmt.Sprintf("... and %s; --service and --sort choose", plural.Of(rest, "more row"))})
	}
	var b strings.Builder
	b.WriteString("\x1b[H")
	for i, l := range lines {
		if i > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(p.screen.rendered(painted(l.Text, styles[l.Style]...)) + "\x1b[K")
	}
	b.WriteString("\x1b[J")
	_ = p.screen.raw(b.String())
}

// end gives the window back.
func (p *page) end() { _ = p.screen.raw("\x1b[?25h\x1b[?1049l") }

func (p *page) height() int {
	if f, ok := p.screen.w.(*os.File); ok {
		if _, height, err := term.GetSize(int(f.Fd())); err == nil && height > 1 {
			return height
		}
	}
	return 24
}
