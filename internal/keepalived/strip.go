package keepalived

import "strings"

// Strip is a configuration reduced to what counts: no comments, no indentation,
// no empty lines. A file and what keepalived says of it once loaded are equal
// after it. That is, from 2.2.0 on,
//
//	# /etc/keepalived/keepalived.conf
//
//	vrrp_instance pair {
//	state BACKUP
//	}
//	!
//
// with a line for each file that was read and "!" at the end of each.
func Strip(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.Join(strings.Fields(uncomment(line)), " ")
		if line == "" {
			continue
		}
		b.WriteString(line)
		b.WriteByte('\n')
	}
	return b.String()
}

// uncomment cuts a line at a # or ! that begins it or follows a blank, outside of
// quotes.
func uncomment(line string) string {
	quoted := false
	for i, c := range line {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case (c == '#' || c == '!') && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t'):
			return line[:i]
		}
	}
	return line
}
