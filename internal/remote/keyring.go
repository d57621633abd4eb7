package remote

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"github.com/lvsctl/lvsctl/internal/remote/sshconfig"
)

// mostKeyBytes bounds one key file.
const mostKeyBytes = 1 << 20

// keyring holds the key files of a run: each is read once, and asked for once.
type keyring struct {
	prompt func(question string) ([]byte, error)

	mu  sync.Mutex
	ids map[string]*identity
	// certs are the certificates of files that were asked for; nil where there is
	// none.
	certs map[string]*ssh.Certificate

	asking sync.Mutex // one question at a time
}

// identity is one key file. Its fields do not change once it is loaded, but
// for what opened guards.
type identity struct {
	path    string
	public  ssh.PublicKey    // nil: known only once it is decrypted
	cert    *ssh.Certificate // from PATH-cert.pub; nil for none
	signer  ssh.Signer       // nil if locked
	locked  bool             // encrypted
	missing bool
	problem string // why it cannot be used
	pem     []byte

	opened struct {
		signer ssh.Signer
		err    error
		done   bool
	} // guarded by keyring.asking
}

func (r *keyring) load(paths []string) []*identity {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ids == nil {
		r.ids = map[string]*identity{}
	}
	all := make([]*identity, len(paths))
	for i, p := range paths {
		if r.ids[p] == nil {
			r.ids[p] = readIdentity(p)
		}
		all[i] = r.ids[p]
	}
	return all
}

// readIdentity reads PATH, PATH.pub and PATH-cert.pub.
func readIdentity(path string) *identity {
	id := &identity{path: path}
	if pub := readPublic(path + ".pub"); pub != nil {
		id.public = pub
	}
	if cert, ok := readPublic(path + "-cert.pub").(*ssh.Certificate); ok {
		id.cert, id.public = cert, cert.Key
	}
	text, err := sshconfig.ReadFile(path, mostKeyBytes)
	if err != nil {
		id.missing = errors.Is(err, fs.ErrNotExist)
		id.problem = strings.TrimPrefix(err.Error(), "open "+path+": ")
		return id
	}
	id.pem = text
	signer, err := ssh.ParsePrivateKey(text)
	var locked *ssh.PassphraseMissingError
	switch {
	case err == nil:
		id.signer, id.public = signer, signer.PublicKey()
	case errors.As(err, &locked):
		id.locked = true
		if locked.PublicKey != nil {
			id.public = locked.PublicKey
		}
		if id.public == nil {
			// The old PEM format hides the public half too.
			id.problem = "encrypted in the old PEM format and no .pub next to it: ssh-keygen -p rewrites it"
		}
	default:
		id.problem = strings.TrimPrefix(err.Error(), "ssh: ")
		if pub := readPublic(path); pub != nil { // IdentityFile may name the public half of an agent's key
			id.public, id.problem = pub, "the public half of a key that the agent does not have"
		}
	}
	return id
}

func readPublic(path string) ssh.PublicKey {
	text, err := sshconfig.ReadFile(path, mostKeyBytes)
	if err != nil {
		return nil
	}
	pub, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return nil
	}
	return pub
}

// certificates reads certificate files, each once. What is no certificate is
// said, and left out.
func (r *keyring) certificates(paths []string) (all []certificate, missing []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.certs == nil {
		r.certs = map[string]*ssh.Certificate{}
	}
	for _, p := range paths {
		cert, known := r.certs[p]
		if !known {
			cert, _ = readPublic(p).(*ssh.Certificate)
			r.certs[p] = cert
		}
		if cert == nil {
			missing = append(missing, p+" (no certificate)")
			continue
		}
		all = append(all, certificate{p, cert})
	}
	return all, missing
}

// certificate is one that may fit a key.
type certificate struct {
	path string
	*ssh.Certificate
}

// certified is c, preceded by c with each certificate that fits its key: a server
// that trusts only a CA takes nothing else.
func certified(c candidate, certs []certificate) []candidate {
	var all []candidate
	for _, cert := range certs {
		if !same(cert.Key, c.signer.PublicKey()) {
			continue
		}
		if s, err := ssh.NewCertSigner(cert.Certificate, c.signer); err == nil {
			all = append(all, candidate{label: c.label + " with " + cert.path, signer: s})
		}
	}
	return append(all, c)
}

// open asks for the passphrase of id, once for all nodes, and three times if
// it is mistyped.
func (r *keyring) open(id *identity) (ssh.Signer, error) {
	r.asking.Lock()
	defer r.asking.Unlock()
	o := &id.opened
	if o.done {
		return o.signer, o.err
	}
	o.done = true
	for range 3 {
		var pass []byte
		if pass, o.err = r.prompt(fmt.Sprintf("Enter passphrase for key '%s': ", id.path)); o.err != nil {
			o.err = fmt.Errorf("cannot ask for the passphrase of %s: %w", id.path, o.err)
			return nil, o.err
		}
		o.signer, o.err = ssh.ParsePrivateKeyWithPassphrase(id.pem, pass)
		clear(pass)
		if !errors.Is(o.err, x509.IncorrectPasswordError) {
			break
		}
	}
	if o.err != nil {
		o.err = fmt.Errorf("cannot decrypt %s: %w", id.path, o.err)
	}
	return o.signer, o.err
}

// lockedKey is an encrypted key that is decrypted when it has to sign: sshd is
// asked first whether it would take the key, so nobody types a passphrase in
// vain.
type lockedKey struct {
	id      *identity
	ring    *keyring
	attempt *attempt
}

func (k *lockedKey) PublicKey() ssh.PublicKey { return k.id.public }

func (k *lockedKey) Sign(rand io.Reader, data []byte) (*ssh.Signature, error) {
	return k.SignWithAlgorithm(rand, data, "")
}

func (k *lockedKey) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	defer k.attempt.pause()()
	k.attempt.asked = true
	signer, err := k.ring.open(k.id)
	if err != nil {
		k.attempt.skipped = append(k.attempt.skipped, err.Error())
		return nil, err
	}
	return signWith(signer, rand, data, algorithm)
}

// patientSigner is an agent's key: the agent may ask its owner, or wait for a
// touch.
type patientSigner struct {
	ssh.Signer
	attempt *attempt
}

func (k *patientSigner) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	defer k.attempt.pause()()
	return signWith(k.Signer, rand, data, algorithm)
}

func signWith(s ssh.Signer, rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	if as, ok := s.(ssh.AlgorithmSigner); ok && algorithm != "" {
		return as.SignWithAlgorithm(rand, data, algorithm)
	}
	return s.Sign(rand, data)
}
