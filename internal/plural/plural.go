// Package plural writes a number with its noun.
package plural

import "strconv"

// Of is a number with a noun whose plural ends in s: 1 node, 2 nodes.
func Of(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
