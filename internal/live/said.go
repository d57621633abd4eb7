package live

import (
	"fmt"
	"strings"
)

// A node decides what it says, and messages quote it. Nobody reads more than a few
// words of it, and nobody's terminal or log is to be filled by a node.

// longestQuote is how much of what a node said stands in one line of a message, in
// bytes.
const longestQuote = 500

// Said is what a node said as a part of a message: no longer than anybody reads.
func Said(text string) string {
	if len(text) <= longestQuote {
		return text
	}
	return fmt.Sprintf("%s... (%d bytes in all)", strings.ToValidUTF8(text[:longestQuote], ""), len(text))
}

// saidError is an error that quotes what a node said. The first line quotes, the rest
// is lvsctl's own.
type saidError struct{ error }

func (e saidError) Error() string {
	first, rest, _ := strings.Cut(e.error.Error(), "\n")
	if rest != "" {
		rest = "\n" + rest
	}
	return Said(first) + rest
}

func (e saidError) Unwrap() error { return e.error }
