package lang

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// The characters of names. All of them are ASCII: a letter that only looks like
// another one is none of these.
const (
	Letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	Digits  = "0123456789"
)

// LongestName keeps NAME-KEY, and a file called after it, below every limit.
const LongestName = 128

// Only reports whether a word is made of some characters and starts with some of
// them.
func Only(word, first, rest string) bool {
	return word != "" && strings.Contains(first, word[:1]) && strings.Trim(word, rest) == ""
}

// IsName reports whether a word can be the name of a block.
func IsName(word string) bool {
	return len(word) <= LongestName && Only(word, Letters+Digits, Letters+Digits+"._-")
}

// CheckName refuses what cannot be the name of a block.
func (s *Scope) CheckName(what, name string, at hcl.Range) bool {
	if IsName(name) {
		return true
	}
	s.Refuse(at, "Not a name", "%s %s: a name starts with a letter or a digit, goes on with letters, digits, '.', '_' and '-', and has at most %d characters.", what, Quote(name), LongestName)
	return false
}
