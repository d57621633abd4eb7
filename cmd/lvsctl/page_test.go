package main

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/creack/pty"

	"github.com/lvsctl/lvsctl/plan"
)

// TestPage: a page takes the whole window and no more, replaces what it showed, and
// gives the window back.
func TestPage(t *testing.T) {
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(tty, &pty.Winsize{Rows: 4, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	all := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(master) // ends in an error when the terminal is closed
		all <- string(text)
	}()
	colour := "never"
	p := (&screen{w: tty, colour: &colour}).page()
	rows := func(texts ...string) (lines []plan.Line) {
		for _, text := range texts {
			lines = append(lines, plan.Line{Text: text})
		}
		return lines
	}
	p.show(rows("one", "two\x1b[2J", "three", "four"))
	p.show(rows("1", "2", "3", "4", "5"))
	p.end()
	closeFile(t, tty)
	have := strings.ReplaceAll(<-all, "\r\r\n", "\r\n")
	const end = "\x1b[K"
	want := "\x1b[?1049h\x1b[?25l" +
		"\x1b[H" + strings.Join([]string{"one", `two\x1b[2J`, "three", "four"}, end+"\r\n") + end + "\x1b[J" +
		"\x1b[H" + strings.Join([]string{"1", "2", "3", "... and 2 more rows; --service and --sort choose"}, end+"\r\n") + end + "\x1b[J" +
		"\x1b[?25h\x1b[?1049l"
	if have != want {
		t.Errorf("have %q\nwant %q", have, want)
	}
	_ = master.Close()

	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if p := (&screen{w: file, colour: &colour}).page(); p != nil {
		t.Error("a file is a page")
	}
}
