package sshconfig

import (
	"crypto/sha1" // what ssh makes %C of; no secret depends on it
	"encoding/hex"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
)

// tokens gives the value of a token, and false for one that is not allowed there.
type tokens func(token byte) (string, bool)

// File is a file name of the ssh config with ~, %h and its like, and ${NAME}
// replaced.
func (s *Settings) File(name string) (string, error) {
	name, err := s.config.tilde(name)
	if err != nil {
		return "", err
	}
	if name, err = s.expand(name, s.tokens); err != nil {
		return "", err
	}
	return filepath.Clean(name), nil
}

// Jump is a ProxyJump with its tokens replaced.
func (s *Settings) Jump(list string) (string, error) { return s.expand(list, s.tokens) }

// tilde replaces ~ and ~USER at the beginning of a file name.
func (c *Config) tilde(name string) (string, error) {
	if !strings.HasPrefix(name, "~") {
		return name, nil
	}
	who, rest, _ := strings.Cut(name[1:], "/")
	home := c.Home
	if who != "" {
		u, err := user.Lookup(who)
		if err != nil {
			return "", fmt.Errorf("%s: there is no user %s", name, who)
		}
		home = u.HomeDir
	}
	return filepath.Join(home, rest), nil
}

// expand replaces %T and ${NAME}.
func (s *Settings) expand(text string, value tokens) (string, error) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case strings.HasPrefix(text[i:], "${"):
			end := strings.IndexByte(text[i:], '}')
			if end < 0 {
				return "", fmt.Errorf("%s: ${ is not closed", text)
			}
			name := text[i+2 : i+end]
			env, set := os.LookupEnv(name)
			if !set {
				return "", fmt.Errorf("%s: there is no environment variable %s", text, name)
			}
			b.WriteString(env)
			i += end
		case text[i] != '%':
			b.WriteByte(text[i])
		case i+1 == len(text):
			return "", fmt.Errorf("%s ends in %%", text)
		case text[i+1] == '%':
			b.WriteByte('%')
			i++
		default:
			i++
			v, known := value(text[i])
			if !known {
				return "", fmt.Errorf("%s: %%%c is not understood", text, text[i])
			}
			b.WriteString(v)
		}
	}
	return b.String(), nil
}

// tokens are those of most keywords, once everything is resolved.
func (s *Settings) tokens(t byte) (string, bool) { return s.token(t, s.HostName, s.Host) }

// noUserTokens are those of User: neither %r nor %C, which is made of it.
func (s *Settings) noUserTokens(t byte) (string, bool) {
	if t == 'r' || t == 'C' {
		return "", false
	}
	return s.tokens(t)
}

// tokens are those of Include, while files are read.
func (w *walk) tokens(t byte) (string, bool) {
	return w.settings.token(t, w.hostName(), w.hostName())
}

// hostName is where to connect, as far as it is known while files are read.
func (w *walk) hostName() string {
	name := w.settings.Get("HostName")
	switch {
	case name == "":
		return w.host
	case w.final:
		return name
	}
	if full, err := expandHost(name, w.host); err == nil {
		return full
	}
	return name // the error comes when the walk is done
}

// expandHost replaces the tokens of HostName: %h and %% alone.
func expandHost(name, host string) (string, error) {
	rest := strings.NewReplacer("%%", "", "%h", "").Replace(name)
	if strings.Contains(rest, "%") {
		return "", fmt.Errorf("HostName %s: only %%h and %%%% are understood there", name)
	}
	return strings.NewReplacer("%%", "%", "%h", host).Replace(name), nil
}

func (s *Settings) token(t byte, host, alias string) (string, bool) {
	switch t {
	case 'd':
		return s.config.Home, true
	case 'h':
		return host, true
	case 'i':
		return fmt.Sprint(os.Getuid()), true
	case 'j':
		return s.lastJump(), true
	case 'k':
		if a := s.Get("HostKeyAlias"); a != "" {
			return a, true
		}
		return alias, true
	case 'l':
		return thisHost(), true
	case 'L':
		short, _, _ := strings.Cut(thisHost(), ".")
		return short, true
	case 'n':
		return s.Host, true
	case 'p':
		return s.port(), true
	case 'r':
		return s.user(), true
	case 'u':
		return s.config.Me, true
	case 'C':
		sum := sha1.Sum([]byte(thisHost() + host + s.port() + s.user() + s.lastJump()))
		return hex.EncodeToString(sum[:]), true
	}
	return "", false
}

// lastJump is the jump host next to the host, "" for none.
func (s *Settings) lastJump() string {
	list := s.Get("ProxyJump")
	if list == "" || strings.EqualFold(list, "none") {
		return ""
	}
	hops, err := ParseJump(list)
	if err != nil {
		return ""
	}
	return hops[len(hops)-1].Host
}

func thisHost() string {
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return name
}
