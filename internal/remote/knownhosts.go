package remote

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" // what known_hosts hashes names with
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"github.com/lvsctl/lvsctl/internal/remote/sshconfig"
)

// mostKnownHosts bounds one known_hosts file, in bytes.
const mostKnownHosts = 64 << 20

// knownHosts is the known_hosts files of a run: each is read once. Nothing is
// ever written to one.
type knownHosts struct {
	mu    sync.Mutex
	files map[string]*knownFile
}

type knownFile struct {
	lines []knownLine
	err   error
}

// knownLine is one line of known_hosts; its key is parsed when somebody asks for
// the line's host:
//
//	@cert-authority *.example.com,!db ssh-ed25519 AAAA... comment
//	|1|SALT|HASH ssh-ed25519 AAAA...
type knownLine struct {
	file   string
	number int
	marker string // "", "@cert-authority", "@revoked", or one that nobody knows
	names  string
	key    string // type and base64
}

// knownKey is a line that is about a host, with its key.
type knownKey struct {
	knownLine
	public ssh.PublicKey // nil if it cannot be read
	bad    error         // why
}

func (k knownLine) at() string { return fmt.Sprintf("%s:%d", k.file, k.number) }

const (
	caMarker      = "@cert-authority"
	revokedMarker = "@revoked"
)

// open reads the files that are there.
func (k *knownHosts) open(files []string) ([]*knownFile, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.files == nil {
		k.files = map[string]*knownFile{}
	}
	var all []*knownFile
	for _, name := range files {
		f := k.files[name]
		if f == nil {
			f = &knownFile{}
			f.lines, f.err = readKnownHosts(name)
			k.files[name] = f
		}
		if f.err != nil {
			return nil, fmt.Errorf("cannot read known_hosts: %w", f.err)
		}
		all = append(all, f)
	}
	return all, nil
}

func readKnownHosts(name string) ([]knownLine, error) {
	text, err := sshconfig.ReadFile(name, mostKnownHosts)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var all []knownLine
	n := 0
	for text := range bytes.Lines(text) {
		n++
		l := knownLine{file: name, number: n}
		rest := strings.Trim(string(text), " \t\r\n")
		if rest == "" || rest[0] == '#' {
			continue
		}
		if rest[0] == '@' {
			l.marker, rest = cutWord(rest)
		}
		l.names, l.key = cutWord(rest)
		all = append(all, l)
	}
	return all, err
}

func cutWord(s string) (word, rest string) {
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		return s[:i], strings.TrimLeft(s[i:], " \t")
	}
	return s, ""
}

// about are the lines that are about a name, which is HOST or [HOST]:PORT.
func about(files []*knownFile, name string) []knownKey {
	var all []knownKey
	for _, f := range files {
		for _, l := range f.lines {
			if !l.isAbout(name) {
				continue
			}
			k := knownKey{knownLine: l}
			k.public, k.bad = parseKnownKey(l.key)
			all = append(all, k)
		}
	}
	return all
}

// isAbout tells whether a line is about a name, hashed or not.
func (k knownLine) isAbout(name string) bool {
	parts := strings.Split(k.names, "|")
	if parts[0] != "" || len(parts) == 1 {
		return sshconfig.MatchList(strings.ToLower(name), strings.ToLower(k.names))
	}
	if len(parts) != 4 || parts[1] != "1" {
		return false
	}
	salt, err1 := base64.StdEncoding.DecodeString(parts[2])
	want, err2 := base64.StdEncoding.DecodeString(parts[3])
	if err1 != nil || err2 != nil {
		return false
	}
	mac := hmac.New(sha1.New, salt)
	mac.Write([]byte(name))
	return hmac.Equal(mac.Sum(nil), want)
}

// parseKnownKey reads a key as it stands in known_hosts: its type, and the key in
// base64, which says its type too.
func parseKnownKey(text string) (ssh.PublicKey, error) {
	typ, rest := cutWord(text)
	blob, _ := cutWord(rest)
	if typ == "" || blob == "" {
		return nil, errors.New("it has no key")
	}
	raw, err := base64.StdEncoding.DecodeString(blob)
	if err != nil {
		return nil, fmt.Errorf("its key is not in base64: %w", err)
	}
	key, err := ssh.ParsePublicKey(raw)
	switch {
	case err != nil:
		return nil, errors.New(bare(err))
	case key.Type() != typ:
		return nil, fmt.Errorf("it says %s, but its key is %s", typ, key.Type())
	}
	return key, nil
}
