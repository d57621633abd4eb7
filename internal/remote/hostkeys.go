package remote

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// hostKeys is the known_hosts of a run: each set of files is read once.
type hostKeys struct {
	mu  sync.Mutex
	dbs map[string]*knownhosts.HostKeyDB
}

// noAddr stands in for the peer's IP: keys are looked up by name alone, as
// OpenSSH does since 8.5 (CheckHostIP no).
var noAddr = &net.TCPAddr{IP: net.IPv4zero}

// plainAlgorithms and certAlgorithms are what we can check, in OpenSSH's order
// of preference. ssh-rsa with SHA-1 comes last, for EL6.
var (
	plainAlgorithms = []string{
		ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
		ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA,
	}
	certAlgorithms = []string{
		ssh.CertAlgoED25519v01, ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01, ssh.CertAlgoECDSA521v01,
		ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01, ssh.CertAlgoRSAv01,
	}
)

// errUnknown marks a host of which no key is known.
var errUnknown = errors.New("unknown host key")

// open reads the known_hosts files, once.
func (h *hostKeys) open(files []string) (*knownhosts.HostKeyDB, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := strings.Join(files, "\x00")
	if db := h.dbs[key]; db != nil {
		return db, nil
	}
	db, err := readKnownHosts(files)
	if err != nil {
		return nil, err
	}
	if h.dbs == nil {
		h.dbs = map[string]*knownhosts.HostKeyDB{}
	}
	h.dbs[key] = db
	return db, nil
}

// readKnownHosts reads those of the files that exist. A line that makes no sense
// is an error, not left out as in OpenSSH: it may have been meant to revoke.
func readKnownHosts(files []string) (*knownhosts.HostKeyDB, error) {
	var there []string
	for _, f := range files {
		if _, err := os.Stat(f); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		there = append(there, f)
	}
	db, err := knownhosts.NewDB(there...)
	if err != nil {
		return nil, fmt.Errorf("cannot read known_hosts: %s", strings.TrimPrefix(err.Error(), "knownhosts: "))
	}
	return db, nil
}

// known is the name under which e stands in known_hosts, as host:port.
func (e *endpoint) known() string {
	if e.keyAlias != "" {
		return net.JoinHostPort(e.keyAlias, "22") // an alias stands there without its port
	}
	return strings.ToLower(e.dial())
}

// algorithms is what to negotiate: the types of the keys we know come first, so
// that a server with several keys shows one we can compare (golang/go#29286).
// The others follow, so that a server without such a key still shows one, and
// the error can name it.
func (e *endpoint) algorithms(db *knownhosts.HostKeyDB) []string {
	var first []string
	if e.pin != nil {
		first = signatures(e.pin.Type())
	} else {
		for _, k := range db.HostKeys(e.known()) {
			if k.Cert { // a CA signs host keys of any type
				first = slices.Concat(certAlgorithms, first)
			} else {
				first = append(first, signatures(k.Type())...)
			}
		}
	}
	var all []string
	for _, a := range slices.Concat(first, plainAlgorithms) {
		if !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	return all
}

func signatures(keyType string) []string {
	if keyType == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA}
	}
	return []string{keyType}
}

// check says whether key is the host key of e; nil if it is, or now counts as
// such.
func (h *hostKeys) check(e *endpoint, db *knownhosts.HostKeyDB, key ssh.PublicKey) *Error {
	failed := e.check(db, key)
	if failed == nil || !e.acceptNew || !errors.Is(failed, errUnknown) || len(e.knownHosts) == 0 {
		return failed
	}
	return h.remember(e, key)
}

func (e *endpoint) check(db *knownhosts.HostKeyDB, key ssh.PublicKey) *Error {
	if e.pin != nil {
		return e.checkPin(key)
	}
	known := db.HostKeys(e.known())
	cert, isCert := key.(*ssh.Certificate)
	if isCert && slices.ContainsFunc(known, func(k knownhosts.PublicKey) bool {
		return k.Cert && same(k.PublicKey, cert.SignatureKey)
	}) {
		if err := db.HostKeyCallback()(e.known(), noAddr, key); err != nil {
			return &Error{
				Kind:    KindHostKey,
				Summary: "its host certificate does not hold: " + said(strings.TrimPrefix(err.Error(), "ssh: ")),
				Remedy:  "have its CA sign the node's host key anew, for the name " + host(e.known()),
				Err:     err,
			}
		}
		return nil
	}
	if isCert { // not from a CA of ours: as OpenSSH does, the bare key may still be known
		key = cert.Key
	}
	err := db.HostKeyCallback()(e.known(), noAddr, key)
	var revoked *xknownhosts.RevokedError
	var other *xknownhosts.KeyError
	switch {
	case errors.As(err, &revoked):
		return &Error{
			Kind:    KindHostKey,
			Summary: fmt.Sprintf("its host key %s is REVOKED in %s:%d", describe(key), revoked.Revoked.Filename, revoked.Revoked.Line),
			Remedy:  "somebody may hold a copy of that key: give the node a new one (ssh-keygen -A after removing the old files)",
			Err:     err,
		}
	case err == nil && slices.ContainsFunc(known, func(k knownhosts.PublicKey) bool { return !k.Cert && same(k.PublicKey, key) }):
		return nil
	case errors.As(err, &other):
		if want := plain(other.Want, known); len(want) > 0 {
			return e.changed(key, want, err)
		}
	case err != nil:
		return &Error{Kind: KindHostKey, Summary: "its host key cannot be checked: " + err.Error(), Err: err}
	}
	return e.unknown(key)
}

// remember writes a new host's key down. The lock is held throughout: nodes
// dialled at once must not write the same line twice, or half a line.
func (h *hostKeys) remember(e *endpoint, key ssh.PublicKey) *Error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dbs = nil // read again: the next connection must find it
	now, err := readKnownHosts(e.knownHosts)
	if err != nil {
		return configError(err)
	}
	if failed := e.check(now, key); failed == nil || !errors.Is(failed, errUnknown) {
		return failed // somebody was faster
	}
	if cert, ok := key.(*ssh.Certificate); ok {
		key = cert.Key
	}
	file := e.knownHosts[0]
	name := knownhosts.Normalize(e.known())
	if e.hashNew {
		name = xknownhosts.HashHostname(name)
	}
	if err := appendLine(file, name+" "+strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))); err != nil {
		return configError(fmt.Errorf("cannot write the new host key to known_hosts: %w", err))
	}
	return nil
}

func appendLine(file, line string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		line = "\n" + line
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line + "\n")
	return errors.Join(err, f.Close())
}

// plain leaves the keys of CAs out of want: a CA that did not sign the key says
// nothing about whether it changed.
func plain(want []xknownhosts.KnownKey, known []knownhosts.PublicKey) []xknownhosts.KnownKey {
	var rest []xknownhosts.KnownKey
	for _, w := range want {
		if slices.ContainsFunc(known, func(k knownhosts.PublicKey) bool { return !k.Cert && same(k.PublicKey, w.Key) }) {
			rest = append(rest, w)
		}
	}
	return rest
}

func same(a, b ssh.PublicKey) bool { return bytes.Equal(a.Marshal(), b.Marshal()) }

func host(hostport string) string {
	h, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return hostport
	}
	return h
}
