package keepalived

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// Sensitive stands where a secret is not shown.
const Sensitive = "(sensitive)"

// secrets are the words whose value nobody is to see.
var secrets = []string{"auth_pass", "auth_hmac", "auth_key", "password"}

// Mask is a configuration as it may be shown: with its secrets left out.
func Mask(text string) string {
	masked, _ := split(text)
	return masked
}

// split takes a configuration apart: into what may be shown, and its secrets, a line
// each.
func split(text string) (masked, hidden string) {
	var shown, not strings.Builder
	for line := range strings.Lines(text) {
		at, end := secretIn(line)
		if at < 0 {
			shown.WriteString(line)
			continue
		}
		shown.WriteString(line[:at] + Sensitive + line[end:])
		not.WriteString(line[at:end] + "\n")
	}
	return shown.String(), not.String()
}

// secretIn is where a line's secret begins and ends, or -1: after the first word whose
// value nobody is to see, up to the end. Somebody else's file may have several words on
// a line.
func secretIn(line string) (at, end int) {
	at = -1
	for _, word := range secrets {
		for from := 0; ; {
			i := strings.Index(line[from:], word)
			if i < 0 {
				break
			}
			from += i + len(word)
			value := strings.TrimLeft(line[from:], " \t")
			if value == line[from:] {
				continue // another, longer word
			}
			if start := len(line) - len(value); at < 0 || start < at {
				at = start
			}
			break
		}
	}
	return at, max(len(strings.TrimRight(line, "\r\n")), at)
}

// guessing is how many rounds of SHA-256 a guess at a secret takes: about 50 ms.
const guessing = 200_000

// Hash identifies a configuration without giving it away. Plans and records show it, and
// all of a configuration but its secret can be known: a plain hash would tell a password
// of eight letters to whoever tries them all.
func Hash(text string) string {
	masked, hidden := split(text)
	h := sha256.New()
	h.Write([]byte(masked))
	sum := h.Sum(nil)
	if hidden != "" {
		key, err := pbkdf2.Key(sha256.New, hidden, sum, guessing, sha256.Size)
		if err != nil {
			panic(err) // only for lengths that FIPS does not allow
		}
		h.Write(key)
		sum = h.Sum(nil)
	}
	return hex.EncodeToString(sum)
}

// Hidden is a configuration whose passwords are replaced by hashes, for a checksum that
// is shown.
func (c *Config) Hidden() *Config {
	if c == nil {
		return nil
	}
	hidden := *c
	hidden.Instances = slices.Clone(c.Instances)
	for i, in := range hidden.Instances {
		if in.AuthPass != "" {
			hidden.Instances[i].AuthPass = Hash("vrrp_instance " + in.Name + "\nauth_pass " + in.AuthPass + "\n")
		}
	}
	return &hidden
}
