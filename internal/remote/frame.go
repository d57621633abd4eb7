package remote

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/lvsctl/lvsctl/internal/shell"
)

const (
	// outputLimit and linesLimit bound what one script may print on one stream, in
	// bytes and in lines: a runaway command must not take all memory here, and
	// whoever reads lines keeps more than their bytes.
	outputLimit = 64 << 20
	linesLimit  = 2 << 20
	// toldLimit and toldLines bound a script that is followed line by line: what is
	// said on the way is kept, and shown to people.
	toldLimit = 8 << 20
	toldLines = 64 << 10
	// noiseLimit is how much of a login's banners is kept to explain a failure.
	noiseLimit = 4 << 10
	// longestStatus is more than an end mark's status has, in bytes: what never ends is
	// none.
	longestStatus = 20
	// bannerLimit bounds what a node may say before the script begins: one that
	// never stops is not a login with much to tell.
	bannerLimit = 1 << 20
)

// tooMuch is the error of a script that printed more than anybody reads.
type tooMuch string

func (e tooMuch) Error() string { return "it printed more than " + string(e) }

// wrap makes the text that goes to sh -s: the functions, then one command with the whole
// script in it. internal/shell/frame.sh says what for.
func wrap(body, mark string) string { return wrapIn(shell.Frame, body, mark) }

// wrapHold is [wrap] for a shell that lives on after its script, until the end of its
// input.
func wrapHold(body, mark string) string { return wrapIn(shell.FrameHeld, body, mark) }

// wrapNext is [wrap] for a shell that runs other scripts afterwards.
func wrapNext(body, mark string) string { return wrapIn(shell.FrameNext, body, mark) }

func wrapIn(frame shell.Function, body, mark string) string {
	var s shell.Script
	s.Line(shell.Call(shell.Environment))
	s.Line("{ ", shell.Call(frame, mark, "lvsctl_body() { :\n"+body+"\n}"), "; }")
	return s.String()
}

// frame takes one output stream of a wrapped script as it arrives and keeps
// what stands between the marks:
//
//	Last login: ...
//	<newline>MARK<newline>
//	anything, with or without a newline at its end
//	<newline>MARK 0<newline>
type frame struct {
	mark string
	line func(string) // may be nil

	mu       sync.Mutex
	buf      []byte // before the first mark: noise; after it: content
	noise    int    // how much came before the first mark
	lines    int    // how many newlines came in the content
	begun    bool
	ended    bool
	closed   bool // nothing is taken, and line is not called, any more
	status   string
	searched int // content before this holds no end mark
	told     int // content before this went to line
}

// Write takes the next bytes; it fails only on too much output.
func (f *frame) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || f.ended {
		return len(p), nil
	}
	f.buf = append(f.buf, p...)
	if !f.begun && !f.begin() {
		if f.noise += len(p); f.noise > bannerLimit {
			f.closed = true
			return len(p), tooMuch("1 MiB before the script began")
		}
		return len(p), nil
	}
	if err := f.bound(p); err != nil {
		f.closed = true
		return len(p), err
	}
	f.end()
	f.tell()
	return len(p), nil
}

// bound says whether the content has become too much with its last bytes.
func (f *frame) bound(last []byte) error {
	f.lines += bytes.Count(last, []byte("\n"))
	size, lines := outputLimit, linesLimit
	if f.line != nil {
		size, lines = toldLimit, toldLines
	}
	switch {
	case len(f.buf) > size:
		return tooMuch(fmt.Sprintf("%d MiB", size>>20))
	case f.lines > lines:
		return tooMuch(fmt.Sprintf("%d lines", lines))
	}
	return nil
}

func (f *frame) begin() bool {
	first := "\n" + f.mark + "\n"
	at := bytes.Index(f.buf, []byte(first))
	if at < 0 {
		if over := len(f.buf) - noiseLimit; over > 0 {
			f.buf = append(f.buf[:0], f.buf[over:]...)
		}
		return false
	}
	f.begun = true
	f.buf = append([]byte(nil), f.buf[at+len(first):]...)
	return true
}

func (f *frame) end() {
	last := "\n" + f.mark + " "
	at := bytes.Index(f.buf[f.searched:], []byte(last))
	if at < 0 {
		f.searched = max(f.searched, len(f.buf)-len(last))
		return
	}
	at += f.searched
	f.searched = at
	rest := f.buf[at+len(last):]
	status, _, whole := bytes.Cut(rest[:min(len(rest), longestStatus)], []byte("\n"))
	if !whole && len(rest) < longestStatus {
		return
	}
	f.ended, f.status = true, string(status)
	f.buf = f.buf[:at]
}

// tell hands whole lines to the callback. An empty line is held back while it
// may still turn out to be the newline that introduces the end mark.
func (f *frame) tell() {
	if f.line == nil {
		return
	}
	f.told = min(f.told, len(f.buf))
	for {
		rest := f.buf[f.told:]
		n := bytes.IndexByte(rest, '\n')
		if n < 0 {
			break
		}
		if n == 0 && !f.ended && f.mayEnd(rest[1:]) {
			return
		}
		f.line(string(rest[:n]))
		f.told += n + 1
	}
	if f.ended && f.told < len(f.buf) {
		f.line(string(f.buf[f.told:]))
		f.told = len(f.buf)
	}
}

func (f *frame) mayEnd(rest []byte) bool {
	return strings.HasPrefix(f.mark, string(rest[:min(len(rest), len(f.mark))]))
}

// over is whether the end mark came.
func (f *frame) over() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ended
}

// close stops the frame: whatever still arrives is dropped.
func (f *frame) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
}

// result is what arrived: content once begun, noise before that.
func (f *frame) result() (text string, begun bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return string(f.buf), f.begun
}

// code is the script's status, and false if there is none to read.
func (f *frame) code() (int, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := strconv.Atoi(f.status)
	return n, f.ended && err == nil
}
