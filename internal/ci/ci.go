// Package ci writes a document of drift ([plan.DriftDocument]) for the programs that
// watch: JUnit for CI systems, the text format of Prometheus for its node exporter, and
// GitHub's annotations.
//
// Texts that a node or a topology wrote pass through clean on their way.
package ci

import (
	"fmt"
	"strings"

	"github.com/lvsctl/lvsctl/plan"
)

// text is what there is to say of a node, a line each, without its heading.
func text(n plan.DocumentPart, clean func(string) string) []string {
	var lines []string
	for _, l := range n.Lines(plan.Detail{}) {
		if l.Style != plan.Heading {
			lines = append(lines, clean(strings.TrimPrefix(l.Text, "  ")))
		}
	}
	return lines
}

// sum is what became of a node: "2 gone, 1 changed".
func sum(n plan.DocumentPart) string {
	count := map[plan.Since]int{}
	for _, c := range n.Changes {
		count[c.Since]++
	}
	var words []string
	for _, since := range []plan.Since{plan.Gone, plan.Changed, plan.Added} {
		if count[since] > 0 {
			words = append(words, fmt.Sprintf("%d %s", count[since], since))
		}
	}
	if len(n.Problems) > 0 {
		words = append(words, fmt.Sprintf("%d that cannot be put back", len(n.Problems)))
	}
	return strings.Join(words, ", ")
}

// firstLine is an error without its remedy.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
