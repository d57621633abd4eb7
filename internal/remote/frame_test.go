package remote

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lvsctl/lvsctl/internal/shell"
)

func TestFrame(t *testing.T) {
	const mark = "lvsctl-XYZ"
	const begin, end = "\n" + mark + "\n", "\n" + mark + " 0\n"
	for name, c := range map[string]struct {
		in    string
		text  string
		lines []string
		ended bool
	}{
		"nothing":                {in: "", text: ""},
		"noise alone":            {in: "hello\n", text: "hello\n"},
		"cut before the end":     {in: begin + "a\nb", text: "a\nb", lines: []string{"a"}},
		"cut in the end mark":    {in: begin + "a\n\n" + mark + " ", text: "a\n\n" + mark + " ", lines: []string{"a"}},
		"empty":                  {in: begin + end, ended: true},
		"one line":               {in: begin + "a\n" + end, text: "a\n", lines: []string{"a"}, ended: true},
		"no newline":             {in: begin + "a" + end, text: "a", lines: []string{"a"}, ended: true},
		"empty lines":            {in: begin + "\na\n\n" + end, text: "\na\n\n", lines: []string{"", "a", ""}, ended: true},
		"noise around":           {in: "banner\nno newline" + begin + "a" + end + "late\n", text: "a", lines: []string{"a"}, ended: true},
		"the mark, echoed":       {in: "printf " + mark + "\n" + begin + "x " + mark + " 0\n" + end, text: "x " + mark + " 0\n", lines: []string{"x " + mark + " 0"}, ended: true},
		"the start of a mark":    {in: begin + "\nlvsctl-\n" + end, text: "\nlvsctl-\n", lines: []string{"", "lvsctl-"}, ended: true},
		"bytes that are no text": {in: begin + "\x00\xff\r\n" + end, text: "\x00\xff\r\n", lines: []string{"\x00\xff\r"}, ended: true},
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				var lines []string
				f := &frame{mark: mark, line: func(s string) { lines = append(lines, s) }}
				for rest := c.in; rest != ""; {
					n := rapid.IntRange(1, len(rest)).Draw(t, "n")
					if _, err := f.Write([]byte(rest[:n])); err != nil {
						t.Fatal(err)
					}
					rest = rest[n:]
				}
				text, _ := f.result()
				ended := f.over()
				if text != c.text || ended != c.ended {
					t.Fatalf("want %q %v, have %q %v", c.text, c.ended, text, ended)
				}
				if d := cmp.Diff(c.lines, lines); d != "" {
					t.Fatal(d)
				}
			})
		})
	}
}

// TestFrameEndsEndlessStatus: an end mark whose line does not end is none, and is not
// waited for up to the limit of all output.
func TestFrameEndsEndlessStatus(t *testing.T) {
	f := &frame{mark: "m"}
	for range 1000 {
		if _, err := f.Write([]byte("\nm\n\nm 99999999999999999999")); err != nil {
			t.Fatal(err)
		}
	}
	if _, whole := f.code(); whole || !f.over() || len(f.buf) > 100 {
		t.Errorf("over %t, whole %t, kept %d bytes", f.over(), whole, len(f.buf))
	}
}

func TestFrameIsBounded(t *testing.T) {
	f := &frame{mark: "m"}
	chunk := []byte(strings.Repeat("x", 1<<20))
	for range 10 { // a login with much to tell
		if _, err := f.Write(chunk[:bannerLimit/10]); err != nil {
			t.Fatal(err)
		}
	}
	if text, _ := f.result(); len(text) > noiseLimit {
		t.Errorf("kept %d bytes of noise", len(text))
	}
	if _, err := f.Write([]byte("\nm\n")); err != nil {
		t.Fatal(err)
	}
	for range outputLimit >> 20 {
		if _, err := f.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Write(chunk); err == nil {
		t.Error("no end to what it takes")
	}
}

func TestFrameEndsEndlessNoise(t *testing.T) {
	f := &frame{mark: shell.NewMark()}
	line := []byte(strings.Repeat("y\n", 4096))
	for range 1 << 12 {
		if _, err := f.Write(line); err != nil {
			return
		}
	}
	t.Error("a node that never stops talking before the script begins is listened to for ever")
}
