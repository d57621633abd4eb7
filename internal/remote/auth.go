package remote

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// mostKeys is how many keys are offered to one server: sshd hangs up after six
// (MaxAuthTries), and newer ones lock out addresses that try many.
const mostKeys = 6

var errNoKey = errors.New("no key left to try")

// candidate is one key to offer.
type candidate struct {
	label  string // where it is from, for messages
	signer ssh.Signer
}

// attempt is one login: it offers keys one by one, best first, and remembers
// what was refused.
type attempt struct {
	e     *endpoint
	ring  *keyring
	pause func() (resume func()) // stops the clock while a person is asked

	socket  net.Conn // the agent's, while it may have to sign
	ready   bool
	queue   []candidate
	tried   []string
	skipped []string
	allowed []string
	asked   bool // a person was asked; the server may have lost patience
}

// next is an ssh.ClientAuthCallback. Handing out one key at a time keeps a
// signature that fails (a wrong passphrase, an agent that says no) from ending
// the others' turn.
func (a *attempt) next(ctx *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	a.allowed = ctx.AllowedMethods
	if !slices.Contains(ctx.AllowedMethods, "publickey") {
		return nil, errNoKey
	}
	if !a.ready {
		a.ready = true
		a.prepare()
	}
	if len(a.queue) == 0 {
		return nil, errNoKey
	}
	c := a.queue[0]
	a.queue = a.queue[1:]
	a.tried = append(a.tried, c.label)
	return ssh.PublicKeys(c.signer), nil
}

func (a *attempt) close() {
	if a.socket != nil {
		_ = a.socket.Close()
	}
}

// prepare orders the keys: those somebody named, the agent's copy first; then
// whatever else the agent has; the default files; and last what needs a
// passphrase, which is asked only when the server would take that key.
func (a *attempt) prepare() {
	held := a.fromAgent()
	files := a.ring.load(a.e.identities)
	named, missing := a.ring.certificates(a.e.certificates)
	a.skipped = append(a.skipped, missing...)
	if a.e.token != "" {
		a.skipped = append(a.skipped, "the keys of PKCS11Provider "+a.e.token+" (lvsctl does not load it: ssh-add -s)")
	}
	var first, plain, locked []candidate
	for _, id := range files {
		certs := named
		if id.cert != nil {
			certs = append([]certificate{{id.path + "-cert.pub", id.cert}}, named...)
		}
		if c, ok := takeAgentKey(&held, id); ok {
			first = append(first, certified(c, certs)...)
			continue
		}
		switch {
		case id.problem != "":
			if a.e.named || !id.missing {
				a.skipped = append(a.skipped, id.path+" ("+id.problem+")")
			}
		case id.locked && a.ring.prompt == nil:
			a.skipped = append(a.skipped, id.path+" (encrypted, and there is no terminal to ask for its passphrase: ssh-add it)")
		case id.locked:
			locked = append(locked, certified(candidate{id.path, &lockedKey{id: id, ring: a.ring, attempt: a}}, certs)...)
		default:
			plain = append(plain, certified(candidate{id.path, id.signer}, certs)...)
		}
	}
	first, plain, locked = a.accepted(first), a.accepted(plain), a.accepted(locked)
	if a.e.identitiesOnly {
		held = nil
	}
	var others []candidate
	for _, c := range held {
		others = append(others, certified(c, named)...)
	}
	held = a.accepted(others)
	// An agent full of other keys must not use up the server's patience.
	if room := max(0, mostKeys-len(first)-len(plain)-len(locked)); len(held) > room {
		a.skipped = append(a.skipped, fmt.Sprintf("%d more keys of the agent (a server hangs up after %d: name the right one with identity_file)", len(held)-room, mostKeys))
		held = held[:room]
	}
	if a.e.named {
		a.queue = slices.Concat(first, plain, held, locked)
	} else {
		a.queue = slices.Concat(first, held, plain, locked)
	}
	if len(a.queue) > mostKeys {
		for _, c := range a.queue[mostKeys:] {
			a.skipped = append(a.skipped, c.label)
		}
		a.queue = a.queue[:mostKeys]
	}
}

// accepted leaves out what PubkeyAcceptedAlgorithms and RequiredRSASize leave out.
func (a *attempt) accepted(all []candidate) []candidate {
	var rest []candidate
	for _, c := range all {
		key := c.signer.PublicKey()
		if size := rsaBits(key); size > 0 && size < a.e.minRSA {
			a.skipped = append(a.skipped, fmt.Sprintf("%s (it has %d bits, and RequiredRSASize is %d)", c.label, size, a.e.minRSA))
			continue
		}
		var allowed []string
		possible := signatures(key.Type())
		for _, name := range possible {
			if slices.Contains(a.e.algorithms.publicKeys, name) {
				allowed = append(allowed, strings.Replace(name, "-cert-v01@openssh.com", "", 1))
			}
		}
		signer, ok := c.signer.(ssh.AlgorithmSigner)
		switch {
		case len(allowed) == 0:
			a.skipped = append(a.skipped, c.label+" (PubkeyAcceptedAlgorithms leaves out "+key.Type()+")")
			continue
		case len(allowed) < len(possible) && ok:
			s, err := ssh.NewSignerWithAlgorithms(signer, allowed)
			if err != nil {
				a.skipped = append(a.skipped, c.label+" ("+reason(err)+")")
				continue
			}
			c.signer = s
		}
		rest = append(rest, c)
	}
	return rest
}

// fromAgent is every key the agent has.
func (a *attempt) fromAgent() []candidate {
	if a.e.agent == "" {
		return nil
	}
	conn, err := net.Dial("unix", a.e.agent)
	if err != nil {
		a.skipped = append(a.skipped, "the agent ("+err.Error()+")")
		return nil
	}
	a.socket = conn
	// Listing keys takes no person's time; signing with one may.
	_ = conn.SetDeadline(time.Now().Add(a.e.timeout))
	defer func() { _ = conn.SetDeadline(time.Time{}) }()
	client := agent.NewClient(conn)
	keys, err := client.List()
	var signers []ssh.Signer
	if err == nil {
		signers, err = client.Signers()
	}
	if err != nil || len(signers) != len(keys) {
		a.skipped = append(a.skipped, fmt.Sprintf("the agent (%v)", err))
		return nil
	}
	all := make([]candidate, len(keys))
	for i, k := range keys {
		all[i] = candidate{
			label:  fmt.Sprintf("agent key %s (%s)", printable(k.Comment), ssh.FingerprintSHA256(signers[i].PublicKey())),
			signer: &patientSigner{Signer: signers[i], attempt: a},
		}
	}
	return all
}

// takeAgentKey moves the agent's copy of id out of held.
func takeAgentKey(held *[]candidate, id *identity) (candidate, bool) {
	if id.public == nil {
		return candidate{}, false
	}
	want := id.public.Marshal()
	for i, c := range *held {
		if string(c.signer.PublicKey().Marshal()) == string(want) {
			*held = slices.Delete(slices.Clone(*held), i, i+1)
			return c, true
		}
	}
	return candidate{}, false
}

// failure is the error of a login that the server refused.
func (a *attempt) failure(err error) *Error {
	e := &Error{Kind: KindAuth, Err: err}
	offered := strings.Join(a.tried, ", ")
	if offered == "" {
		offered = "none at all"
	}
	switch {
	case len(a.allowed) > 0 && !slices.Contains(a.allowed, "publickey") && len(a.tried) == 0:
		e.Summary = fmt.Sprintf("it takes no keys from %s, only %s", a.e.user, strings.Join(a.allowed, ", "))
		e.Remedy = "allow PubkeyAuthentication in the node's sshd_config; lvsctl sends no passwords"
		return e
	case len(a.allowed) > 0 && !slices.Contains(a.allowed, "publickey"):
		e.Summary = fmt.Sprintf("besides a key it wants %s from %s, which lvsctl does not have", strings.Join(a.allowed, ", "), a.e.user)
		e.Remedy = "exempt this user in the node's sshd_config: Match User " + a.e.user + " / AuthenticationMethods publickey"
		return e
	}
	e.Summary = fmt.Sprintf("it accepts no key from %s; offered: %s", a.e.user, offered)
	if !errors.Is(err, errNoKey) {
		e.Summary = fmt.Sprintf("it ended the login of %s (%s); offered: %s", a.e.user,
			printable(reason(err)), offered)
	}
	if len(a.skipped) > 0 {
		e.Summary += "; not offered: " + strings.Join(a.skipped, ", ")
	}
	e.Remedy = "put a public key there (" + shell.Cmd("ssh-copy-id", "-p", fmt.Sprint(a.e.port), a.e.user+"@"+a.e.host).String() +
		"), or name the right one with identity_file; the node's own log (journalctl -u ssh -u sshd) says why it refused"
	return e
}
