package lang

import (
	"strconv"
	"strings"
)

// Quote shows a value from a file: escaped, so that nothing in it can act on a
// terminal or pass for another letter, and never longer than a line.
func Quote(s string) string {
	const most = 64
	if len(s) > most {
		return strconv.QuoteToASCII(strings.ToValidUTF8(s[:most], "")) + "..."
	}
	return strconv.QuoteToASCII(s)
}

// OrList writes the values an attribute can have: "a", "b" or "c".
func OrList(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = Quote(v)
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	last := len(quoted) - 1
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}
