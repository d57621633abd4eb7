package remote

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

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

func (c *hostKeyCheck) unknown(key ssh.PublicKey) *Error {
	var unread []string
	for _, k := range slices.Concat(c.known, c.bare) {
		if k.bad != nil {
			unread = append(unread, fmt.Sprintf("; %s is about it and cannot be read: %s", k.at(), printable(k.bad.Error())))
		}
	}
	return &Error{
		Kind:    KindHostKey,
		Summary: fmt.Sprintf("its host key is not known: %s%s", describe(key), strings.Join(unread, "")),
		Remedy: "compare the fingerprint with the node's own (" + fingerprintCommand(key) + "), then accept it:\n" +
			c.e.ssh("-o", "StrictHostKeyChecking=ask"),
		Err: errUnknown,
	}
}

func (e *endpoint) changed(key ssh.PublicKey, others []knownKey) *Error {
	return &Error{
		Kind:    KindHostKey,
		Summary: fmt.Sprintf("ITS HOST KEY HAS CHANGED: it offers %s, but known is %s", describe(key), places(others)),
		Remedy: "either the node was reinstalled or somebody stands in between. If it was reinstalled, remove the old key:\n" +
			shell.Cmd("ssh-keygen", "-f", others[0].file, "-R", e.knownName()).String(),
		Err: errChanged,
	}
}

// places names keys and where they stand.
func places(keys []knownKey) string {
	var all []string
	for _, k := range keys {
		all = append(all, describe(k.public)+" in "+k.at())
	}
	return strings.Join(all, ", ")
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
