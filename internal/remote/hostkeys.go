package remote

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"
)

// What is wrong with a host key.
var (
	errUnknown = errors.New("unknown host key")
	errChanged = errors.New("changed host key")
)

// hostKeyCheck decides whether a key is that of an endpoint. Its answer follows OpenSSH's
// check_host_key with StrictHostKeyChecking yes, whatever the config says: an
// unknown key is refused, and no file is written.
type hostKeyCheck struct {
	e       *endpoint
	known   []knownKey // lines about the endpoint's name
	bare    []knownKey // lines about its host without the port, where that differs
	ip      []*knownFile
	revoked []*revokedKeys
}

// hostKeyCheck reads what is known of e.
func (d *Dialer) hostKeyCheck(e *endpoint) (*hostKeyCheck, error) {
	files, err := d.knownHosts.open(e.knownHosts)
	if err != nil {
		return nil, err
	}
	if e.ofTopology && files[0].foreign() {
		return nil, fmt.Errorf("known_hosts is %s: no line of it is a host's key, so it is a file for something else\nname another file", e.knownHosts[0])
	}
	c := &hostKeyCheck{e: e, known: linesAbout(files, e.knownName())}
	if e.keyAlias == "" && e.port != 22 {
		c.bare = linesAbout(files, strings.ToLower(e.host))
	}
	if e.checkIP {
		c.ip = files
	}
	for _, k := range slices.Concat(c.known, c.bare) {
		// A key that cannot be read is one less to trust. One that cannot be read
		// and is marked may be one less to refuse.
		if k.marker != "" && k.marker != caMarker && (k.bad != nil || k.marker != revokedMarker) {
			if k.bad == nil {
				k.bad = fmt.Errorf("there is no marker %s", k.marker)
			}
			return nil, fmt.Errorf("%s is about %s and is not understood: %w\n"+
				"it may revoke a key: mend the line, or remove it", k.at(), e.host, k.bad)
		}
	}
	c.revoked, err = d.revoked.open(e.revoked)
	return c, err
}

// knownName is the name under which e stands in known_hosts.
func (e *endpoint) knownName() string {
	if e.keyAlias != "" {
		return e.keyAlias // an alias stands there without its port
	}
	return bracketed(strings.ToLower(e.host), e.port)
}

func bracketed(host string, port int) string {
	if port == 22 {
		return host
	}
	return "[" + host + "]:" + strconv.Itoa(port)
}

// principal is the name that a host certificate has to be for.
func (e *endpoint) principal() string {
	if e.keyAlias != "" {
		return e.keyAlias
	}
	return strings.ToLower(e.host)
}

// check says why key is not to be trusted; nil if it is.
func (c *hostKeyCheck) check(key ssh.PublicKey, from net.Addr) *Error {
	if failed := c.revokedBy(key); failed != nil {
		return failed
	}
	if size := rsaBits(key); size > 0 && size < c.e.minRSA {
		return &Error{Kind: KindHostKey, Summary: fmt.Sprintf("its host key has %d bits, and RequiredRSASize is %d", size, c.e.minRSA),
			Remedy: "give the node a longer key, or one of another type: ssh-keygen -A after removing the old files"}
	}
	if c.e.pin != nil {
		return c.e.checkPin(key)
	}
	if cert, ok := key.(*ssh.Certificate); ok {
		if signedBy(c.known, cert) || signedBy(c.bare, cert) {
			return c.e.checkCertificate(cert)
		}
		// Not from a CA of ours: as with OpenSSH the bare key may still be known.
		key = cert.Key
		if !slices.ContainsFunc(signatures(key.Type()), c.e.algorithms.allowsHostKey) {
			return &Error{Kind: KindHostKey, Summary: fmt.Sprintf("HostKeyAlgorithms leaves out the type of its host key %s", describe(key))}
		}
	}
	var others []knownKey
	for _, k := range c.known {
		if k.marker != "" || k.bad != nil {
			continue
		}
		if same(k.public, key) {
			return c.checkAddress(key, from)
		}
		others = append(others, k)
	}
	switch {
	case len(others) > 0:
		return c.e.changed(key, others)
	case slices.ContainsFunc(c.bare, func(k knownKey) bool { return k.marker == "" && k.bad == nil && same(k.public, key) }):
		return nil
	}
	return c.unknown(key)
}

// checkAddress holds the key against what is known of the address, where
// CheckHostIP wants that: a name that leads elsewhere all of a sudden shows.
func (c *hostKeyCheck) checkAddress(key ssh.PublicKey, from net.Addr) *Error {
	addr, ok := from.(*net.TCPAddr)
	if !ok || c.ip == nil || addr.IP.IsLoopback() || addr.IP.String() == c.e.host {
		return nil
	}
	var others []knownKey
	for _, k := range linesAbout(c.ip, bracketed(addr.IP.String(), c.e.port)) {
		if k.marker != "" || k.bad != nil {
			continue
		}
		if same(k.public, key) {
			return nil
		}
		others = append(others, k)
	}
	if len(others) == 0 {
		return nil
	}
	return &Error{
		Kind: KindHostKey,
		Summary: fmt.Sprintf("its host key %s is known, but its address %s had another one: %s",
			describe(key), addr.IP, places(others)),
		Remedy: "either its address has changed or somebody answers in its name: look at the name service, then remove the old line",
	}
}

// signedBy tells whether one of the lines names the CA of a certificate.
func signedBy(lines []knownKey, cert *ssh.Certificate) bool {
	return slices.ContainsFunc(lines, func(k knownKey) bool {
		return k.marker == caMarker && k.bad == nil && same(k.public, cert.SignatureKey)
	})
}

func (e *endpoint) checkCertificate(cert *ssh.Certificate) *Error {
	var err error
	switch {
	case cert.CertType != ssh.HostCert:
		err = errors.New("it is not one for hosts")
	case !slices.Contains(e.algorithms.caSignatures, cert.Signature.Format):
		err = fmt.Errorf("CASignatureAlgorithms leaves out %s", cert.Signature.Format)
	default:
		err = new(ssh.CertChecker).CheckCert(e.principal(), cert)
	}
	if err == nil {
		return nil
	}
	return &Error{
		Kind:    KindHostKey,
		Summary: "its host certificate does not hold: " + printable(reason(err)),
		Remedy:  "have its CA sign the node's host key anew, for the name " + e.principal(),
		Err:     err,
	}
}

// revokedBy says where a key, or the key of the CA that signed it, is revoked.
func (c *hostKeyCheck) revokedBy(key ssh.PublicKey) *Error {
	keys := []ssh.PublicKey{key}
	if cert, ok := key.(*ssh.Certificate); ok {
		keys = append(keys, cert.Key, cert.SignatureKey)
	}
	for _, key := range keys {
		place := ""
		for _, k := range slices.Concat(c.known, c.bare) {
			if k.marker == revokedMarker && same(k.public, key) {
				place = k.at()
			}
		}
		for _, f := range c.revoked {
			if n := f.line(key); n > 0 {
				place = fmt.Sprintf("%s:%d", f.name, n)
			}
		}
		if place != "" {
			return &Error{
				Kind:    KindHostKey,
				Summary: fmt.Sprintf("its host key %s is REVOKED in %s", describe(key), place),
				Remedy:  "somebody may hold a copy of that key: give the node a new one (ssh-keygen -A after removing the old files)",
			}
		}
	}
	return nil
}

// algorithmsFor is which host key algorithms to ask for, in what order: those of
// the keys we know come first, so that a server with several keys shows one we
// can compare (golang/go#29286). The others follow, so that a server without such
// a key still shows one, and the error can name it. A HostKeyAlgorithms that is a
// whole list is taken as it stands, as ssh does.
func (c *hostKeyCheck) algorithmsFor() []string {
	all := c.e.algorithms.hostKeys
	if c.e.pin == nil && c.e.algorithms.hostKeysInOrder {
		return all
	}
	wanted := map[string]bool{}
	want := func(key ssh.PublicKey) {
		for _, s := range signatures(key.Type()) {
			wanted[s] = true
		}
	}
	if c.e.pin != nil {
		want(c.e.pin)
	} else {
		for _, k := range slices.Concat(c.known, c.bare) {
			switch {
			case k.bad != nil || k.marker == revokedMarker:
			case k.marker == caMarker: // a CA signs host keys of any type
				for _, a := range certificateAlgorithms {
					wanted[a] = true
				}
			default:
				want(k.public)
			}
		}
	}
	var first, last []string
	for _, a := range all {
		if wanted[a] {
			first = append(first, a)
		} else {
			last = append(last, a)
		}
	}
	return slices.Concat(first, last)
}

func same(a, b ssh.PublicKey) bool { return bytes.Equal(a.Marshal(), b.Marshal()) }

// rsaBits is the length of an RSA key, 0 for another one.
func rsaBits(key ssh.PublicKey) int {
	if cert, ok := key.(*ssh.Certificate); ok {
		key = cert.Key
	}
	if k, ok := key.(ssh.CryptoPublicKey); ok {
		if r, ok := k.CryptoPublicKey().(*rsa.PublicKey); ok {
			return r.N.BitLen()
		}
	}
	return 0
}
