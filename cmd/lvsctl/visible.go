package main

import (
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

// visible returns text for one line of a terminal. Characters that a terminal acts on, or
// that a person cannot see, are written as in a Go string: control characters and line
// breaks (\x1b, \n), bidirectional overrides and characters without width (\u202e), and
// bytes that are not UTF-8 (\xff). A tab stays.
func visible(text string) string {
	if plain(text) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case r == '\t' || unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
		text = text[size:]
	}
	return b.String()
}

// plain reports whether text has no such character, which is the common case.
func plain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c != '\t' && (c < ' ' || c > '~') {
			return false
		}
	}
	return true
}

// visibleLines is [visible] for text of several lines.
func visibleLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = visible(line)
	}
	return strings.Join(lines, "\n")
}

// colours are the escape sequences of HCL's writer of diagnostics (diagnostic_text.go,
// v2.24).
var colours = regexp.MustCompile("\x1b\\[(?:0|31|33|1;4)m")

// noText is a byte that UTF-8 text never has. It replaces the escape character in source
// lines while HCL's writer adds its own escape sequences.
const noText = "\xfe"

// withoutEscapes returns files with noText in place of each escape character, so that
// source ranges stay right.
func withoutEscapes(files map[string]*hcl.File) map[string]*hcl.File {
	clean := maps.Clone(files)
	for name, f := range clean {
		if f != nil && strings.Contains(string(f.Bytes), "\x1b") {
			f := *f
			f.Bytes = []byte(strings.ReplaceAll(string(f.Bytes), "\x1b", noText))
			clean[name] = &f
		}
	}
	return clean
}

// visibleAround is [visible] that leaves the colours of diagnostics as they are.
func visibleAround(text string) string {
	var b strings.Builder
	from := 0
	for _, at := range append(colours.FindAllStringIndex(text, -1), []int{len(text), len(text)}) {
		part := visibleLines(text[from:at[0]])
		b.WriteString(strings.ReplaceAll(part, `\xfe`, `\x1b`))
		b.WriteString(text[at[0]:at[1]])
		from = at[1]
	}
	return b.String()
}

// jsonVisible escapes the other characters in JSON that a terminal would act on. The
// encoder escapes only those below U+0020.
func jsonVisible(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
