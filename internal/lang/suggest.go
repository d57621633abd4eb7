package lang

import (
	"fmt"
	"strings"

	"github.com/agext/levenshtein"
)

// DidYouMean is a sentence to end a detail with, or "".
func DidYouMean(given string, candidates []string) string {
	best := Nearest(given, candidates)
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" Did you mean %s?", Quote(best))
}

// Nearest returns the candidate with the fewest edits from a misspelt name, or
// "" when none is near.
func Nearest(given string, candidates []string) string {
	// Comparing is quadratic in length and linear in candidates; beyond these
	// sizes a suggestion is worth less than the time it takes.
	const longest, most = 64, 2000
	if given == "" || len(given) > longest || len(candidates) > most {
		return ""
	}
	best, edits := "", max(2, len(given)/3)+1
	for _, c := range candidates {
		if len(c) > longest {
			continue
		}
		d := levenshtein.Distance(strings.ToLower(given), strings.ToLower(c), nil)
		if d < max(len(given), len(c)) && (d < edits || d == edits && c < best) {
			best, edits = c, d
		}
	}
	return best
}
