package remote

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"github.com/lvsctl/lvsctl/internal/remote/sshconfig"
)

// revokedFiles is the files of RevokedHostKeys in a run: each is read once.
type revokedFiles struct {
	mu    sync.Mutex
	files map[string]*revokedKeys
}

// revokedKeys is one such file, a public key a line.
type revokedKeys struct {
	name  string
	lines map[string]int // line numbers, by the key's wire format
	err   error
}

// open reads the files. One that cannot be read lets no host in, as with ssh: it
// might name the very key that is shown.
func (r *revokedFiles) open(names []string) ([]*revokedKeys, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.files == nil {
		r.files = map[string]*revokedKeys{}
	}
	var all []*revokedKeys
	for _, name := range names {
		f := r.files[name]
		if f == nil {
			f = &revokedKeys{name: name, lines: map[string]int{}}
			f.err = f.read()
			r.files[name] = f
		}
		if f.err != nil {
			return nil, fmt.Errorf("cannot read RevokedHostKeys: %w", f.err)
		}
		all = append(all, f)
	}
	return all, nil
}

func (f *revokedKeys) read() error {
	text, err := sshconfig.ReadFile(f.name, mostKnownHosts)
	if err != nil {
		return err
	}
	if bytes.HasPrefix(text, []byte("SSHKRL\n\x00")) {
		return errors.New(f.name + " is a key revocation list (KRL), which lvsctl does not read\nlist the public keys one a line (ssh reads that too)")
	}
	n := 0
	for line := range bytes.Lines(text) {
		n++
		rest := strings.TrimSpace(string(line))
		if rest == "" || rest[0] == '#' {
			continue
		}
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(rest))
		if err != nil {
			return fmt.Errorf("%s:%d: no public key: %s", f.name, n, reason(err))
		}
		f.lines[string(key.Marshal())] = n
	}
	return nil
}

// line is where a key stands, 0 if it does not.
func (f *revokedKeys) line(key ssh.PublicKey) int { return f.lines[string(key.Marshal())] }
