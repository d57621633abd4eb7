package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/schollz/progressbar/v3"
)

// manyNodes is from how many nodes on a terminal shows a bar a stage instead of a
// line an event.
const manyNodes = 10

// bar is a stage on a terminal: one line, in place until the stage has ended.
type bar struct {
	screen *screen
	title  string
	done   int
	bar    *progressbar.ProgressBar
}

// bar begins a stage of so many parts.
func (s *screen) bar(title string, total int) *bar {
	b := &bar{screen: s, title: title, bar: progressbar.NewOptions(total,
		progressbar.OptionSetWriter(io.Discard), // the screen shows it
		progressbar.OptionSetWidth(30),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionShowElapsedTimeOnFinish(),
		progressbar.OptionShowCount(),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "=", SaucerHead: ">", SaucerPadding: " ", BarStart: "[", BarEnd: "]"}),
	)}
	_ = b.bar.RenderBlank() // nothing that it could fail at
	b.show()
	return b
}

// set says how many parts are through by now.
func (b *bar) set(done int) {
	_ = b.bar.Add(done - b.done)
	b.done = done
	b.show()
}

func (b *bar) show() { b.screen.inPlace(b.text()) }

func (b *bar) text() string {
	return fmt.Sprintf("%-22s %s", b.title, strings.TrimSpace(strings.TrimPrefix(b.bar.String(), "\r")))
}

// end leaves the line as it is.
func (b *bar) end() {
	b.screen.inPlace("")
	b.screen.line(painted(b.text()))
}
