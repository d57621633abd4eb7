package keepalived

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Sensitive stands where a secret is not shown.
const Sensitive = "(sensitive)"

// secrets are the words whose value nobody is to see.
var secrets = []string{"auth_pass", "auth_hmac", "auth_key", "password"}

// Mask is a configuration as it may be shown: with its secrets left out.
func Mask(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(maskLine(line))
	}
	return b.String()
}

// maskLine hides what follows a secret's word. Someone else's file may have
// several words on a line.
func maskLine(line string) string {
	for _, word := range secrets {
		from := 0
		for {
			i := strings.Index(line[from:], word)
			if i < 0 {
				break
			}
			start := from + i + len(word)
			value := strings.TrimLeft(line[start:], " \t")
			if value == line[start:] {
				from = start // another, longer word
				continue
			}
			at := len(line) - len(value)
			end := strings.TrimRight(line, "\r\n")
			return line[:at] + Sensitive + line[max(len(end), at):]
		}
	}
	return line
}

// Hash identifies a configuration without giving it away.
func Hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
