package plural

import "strings"

// Names joins names, three or more in a row as a range: web-1 ... web-6, web-8. places
// say where each stands among all of its kind, so that a range has all that stand
// between its ends. After limit names and ranges the rest is counted.
func Names(names []string, places []int, limit int) string {
	var parts []string
	shown := 0
	for i := 0; i < len(names) && len(parts) < limit; {
		end := i + 1
		for end < len(names) && places[end] == places[end-1]+1 {
			end++
		}
		if end-i >= 3 {
			parts = append(parts, names[i]+" ... "+names[end-1])
		} else {
			parts, end = append(parts, names[i]), i+1
		}
		shown += end - i
		i = end
	}
	text := strings.Join(parts, ", ")
	if rest := len(names) - shown; rest > 0 {
		text += " and " + Of(rest, "other")
	}
	return text
}
