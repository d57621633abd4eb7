package remote

import (
	"fmt"
	"strings"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"

	"github.com/lvsctl/lvsctl/internal/shell"
)

func (e *endpoint) checkPin(key ssh.PublicKey) *Error {
	if cert, ok := key.(*ssh.Certificate); ok {
		key = cert.Key
	}
	if same(key, e.pin) {
		return nil
	}
	return &Error{
		Kind:    KindHostKey,
		Summary: fmt.Sprintf("it offers the host key %s, but the topology's host_key is %s", describe(key), describe(e.pin)),
		Remedy: "either the node has a new key or somebody stands in between: compare with\n" + fingerprintCommand(key) +
			"\non the node's console, and only then change host_key",
	}
}

func (e *endpoint) unknown(key ssh.PublicKey) *Error {
	return &Error{
		Kind:    KindHostKey,
		Summary: fmt.Sprintf("its host key is not known: %s", describe(key)),
		Remedy: "compare the fingerprint with the node's own (" + fingerprintCommand(key) + "), then accept it:\n" +
			e.ssh("-o", "StrictHostKeyChecking=ask"),
		Err: errUnknown,
	}
}

func (e *endpoint) changed(key ssh.PublicKey, want []xknownhosts.KnownKey, err error) *Error {
	var lines []string
	for _, k := range want {
		lines = append(lines, fmt.Sprintf("%s in %s:%d", describe(k.Key), k.Filename, k.Line))
	}
	return &Error{
		Kind:    KindHostKey,
		Summary: fmt.Sprintf("ITS HOST KEY HAS CHANGED: it offers %s, but known is %s", describe(key), strings.Join(lines, ", ")),
		Remedy: "either the node was reinstalled or somebody stands in between. If it was reinstalled, remove the old key:\n" +
			shell.Cmd("ssh-keygen", "-f", want[0].Filename, "-R", knownhosts.Normalize(e.known())).String(),
		Err: err,
	}
}

func describe(key ssh.PublicKey) string { return key.Type() + " " + ssh.FingerprintSHA256(key) }

// fingerprintCommand shows the fingerprint on the node itself.
func fingerprintCommand(key ssh.PublicKey) string {
	name := strings.TrimPrefix(key.Type(), "ssh-")
	if strings.HasPrefix(name, "ecdsa") {
		name = "ecdsa"
	}
	return "ssh-keygen -lf /etc/ssh/ssh_host_" + name + "_key.pub"
}
