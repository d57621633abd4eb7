package remote

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" // what known_hosts hashes names with
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
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

// knownFile is one file. Most lines name hosts in full, and are found by name;
// only hashed ones and patterns have to be tried one by one.
type knownFile struct {
	lines  []knownLine
	byName map[string][]int // by name in lower case: indices of lines
	others []int            // indices of lines with a hash or a pattern
	err    error
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
			f = readKnownHosts(name)
			k.files[name] = f
		}
		if f.err != nil {
			return nil, fmt.Errorf("cannot read known_hosts: %w", f.err)
		}
		all = append(all, f)
	}
	return all, nil
}

func readKnownHosts(name string) *knownFile {
	f := &knownFile{byName: map[string][]int{}}
	text, err := sshconfig.ReadFile(name, mostKnownHosts)
	if !errors.Is(err, fs.ErrNotExist) {
		f.err = err
	}
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
		f.add(l)
	}
	return f
}

func (f *knownFile) add(l knownLine) {
	i := len(f.lines)
	f.lines = append(f.lines, l)
	if strings.ContainsAny(l.names, "*?!|") {
		f.others = append(f.others, i)
		return
	}
	for name := range strings.SplitSeq(strings.ToLower(l.names), ",") {
		if list := f.byName[name]; len(list) == 0 || list[len(list)-1] != i {
			f.byName[name] = append(list, i)
		}
	}
}

// keyType begins the type of every key that ssh has had since protocol 2.
var keyType = regexp.MustCompile(`^(ssh|ecdsa|sk|rsa|webauthn-sk)-`)

// foreign reports whether a file has lines, and none of them even looks like a host's
// key.
func (f *knownFile) foreign() bool {
	return len(f.lines) > 0 && !slices.ContainsFunc(f.lines, func(l knownLine) bool { return keyType.MatchString(l.key) })
}

// about is the indices of the lines that are about a name, in order.
func (f *knownFile) about(name string) []int {
	all := slices.Clone(f.byName[strings.ToLower(name)])
	for _, i := range f.others {
		if f.lines[i].isAbout(name) {
			all = append(all, i)
		}
	}
	slices.Sort(all)
	return all
}

func cutWord(s string) (word, rest string) {
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		return s[:i], strings.TrimLeft(s[i:], " \t")
	}
	return s, ""
}

// linesAbout are the lines that are about a name, which is HOST or [HOST]:PORT.
func linesAbout(files []*knownFile, name string) []knownKey {
	var all []knownKey
	for _, f := range files {
		for _, i := range f.about(name) {
			k := knownKey{knownLine: f.lines[i]}
			k.public, k.bad = parseKnownKey(k.key)
			all = append(all, k)
		}
	}
	return all
}

// isAbout tells whether a line with a hash or a pattern is about a name.
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
		return nil, errors.New(reason(err))
	case key.Type() != typ:
		return nil, fmt.Errorf("it says %s, but its key is %s", typ, key.Type())
	}
	return key, nil
}
