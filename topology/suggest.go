package topology

import (
	"fmt"
	"strings"

	"github.com/agext/levenshtein"
)

// didYouMean is a sentence to end a detail with, or "".
func didYouMean(given string, candidates []string) string {
	best := nearest(given, candidates)
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" Did you mean %s?", quote(best))
}

// nearest returns the candidate with the fewest edits from a misspelt name, or
// "" when none is near.
func nearest(given string, candidates []string) string {
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

// orList writes the values an attribute can have: "a", "b" or "c".
func orList(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = quote(v)
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	last := len(quoted) - 1
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}
