package remote

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/lvsctl/lvsctl/internal/remote/sshconfig"
)

// algorithms are what may be negotiated with an endpoint, best first.
type algorithms struct {
	keyExchanges, ciphers, macs []string
	hostKeys                    []string
	hostKeysInOrder             bool // the config gives the order of hostKeys
	publicKeys                  []string
	caSignatures                []string
}

// certificateAlgorithms and plainAlgorithms are OpenSSH's order for host keys.
// ssh-rsa with SHA-1 comes last: OpenSSH has it no more, but EL6 has nothing else
// for its RSA keys.
var (
	certificateAlgorithms = []string{
		ssh.CertAlgoED25519v01, ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01, ssh.CertAlgoECDSA521v01,
		ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01, ssh.CertAlgoRSAv01,
	}
	plainAlgorithms = []string{
		ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
		ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA,
	}
)

// subject is one keyword that lists algorithms.
type subject struct {
	keyword string
	// usual is what is negotiated where the config says nothing: OpenSSH's order,
	// as far as x/crypto goes, and at its end what old nodes need.
	usual []string
	// more is what x/crypto can do beyond that, for those who ask for it.
	more []string
	// table is all of it in the order in which OpenSSH goes through it for a
	// pattern; nil for usual and more.
	table []string
	// foreign is what OpenSSH knows and x/crypto does not: no typing mistake.
	foreign string
}

var subjects = []subject{
	{
		keyword: "KexAlgorithms",
		usual: []string{ssh.KeyExchangeMLKEM768X25519, ssh.KeyExchangeCurve25519, "curve25519-sha256@libssh.org",
			ssh.KeyExchangeECDHP256, ssh.KeyExchangeECDHP384, ssh.KeyExchangeECDHP521,
			ssh.KeyExchangeDHGEXSHA256, ssh.KeyExchangeDH16SHA512, ssh.KeyExchangeDH14SHA256, ssh.InsecureKeyExchangeDH14SHA1},
		more:    []string{ssh.InsecureKeyExchangeDH1SHA1, ssh.InsecureKeyExchangeDHGEXSHA1},
		foreign: "diffie-hellman-group18-sha512 sntrup761x25519-sha512 sntrup761x25519-sha512@openssh.com sntrup4591761x25519-sha512@tinyssh.org",
	}, {
		keyword: "Ciphers",
		usual: []string{ssh.CipherChaCha20Poly1305, ssh.CipherAES128GCM, ssh.CipherAES256GCM,
			ssh.CipherAES128CTR, ssh.CipherAES192CTR, ssh.CipherAES256CTR},
		more:    []string{ssh.InsecureCipherAES128CBC, ssh.InsecureCipherTripleDESCBC},
		foreign: "aes192-cbc aes256-cbc rijndael-cbc@lysator.liu.se",
	}, {
		keyword: "MACs",
		usual:   []string{ssh.HMACSHA256ETM, ssh.HMACSHA512ETM, ssh.HMACSHA256, ssh.HMACSHA512, ssh.HMACSHA1},
		more:    []string{ssh.InsecureHMACSHA196},
		foreign: "umac-64-etm@openssh.com umac-128-etm@openssh.com hmac-sha1-etm@openssh.com umac-64@openssh.com umac-128@openssh.com " +
			"hmac-md5 hmac-md5-96 hmac-md5-etm@openssh.com hmac-md5-96-etm@openssh.com hmac-sha1-96-etm@openssh.com hmac-ripemd160",
	}, {
		keyword: "HostKeyAlgorithms",
		usual:   slices.Concat(certificateAlgorithms[:6], plainAlgorithms[:6], []string{ssh.CertAlgoRSAv01, ssh.KeyAlgoRSA}),
		table:   keyTable,
		foreign: foreignKeys,
	}, {
		keyword: "PubkeyAcceptedAlgorithms",
		usual:   slices.Concat(certificateAlgorithms[:6], plainAlgorithms[:6], []string{ssh.CertAlgoRSAv01, ssh.KeyAlgoRSA}),
		more:    []string{ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256, ssh.CertAlgoSKED25519v01, ssh.CertAlgoSKECDSA256v01},
		table: slices.Concat([]string{ssh.KeyAlgoSKED25519, ssh.CertAlgoSKED25519v01, ssh.KeyAlgoSKECDSA256, ssh.CertAlgoSKECDSA256v01},
			keyTable),
		foreign: foreignKeys,
	}, {
		keyword: "CASignatureAlgorithms",
		usual:   plainAlgorithms[:6],
		more:    []string{ssh.KeyAlgoRSA, ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256},
		foreign: foreignKeys,
	},
}

var keyTable = []string{
	ssh.KeyAlgoED25519, ssh.CertAlgoED25519v01, ssh.KeyAlgoECDSA256, ssh.CertAlgoECDSA256v01, ssh.KeyAlgoECDSA384, ssh.CertAlgoECDSA384v01,
	ssh.KeyAlgoECDSA521, ssh.CertAlgoECDSA521v01, ssh.KeyAlgoRSA, ssh.CertAlgoRSAv01, ssh.KeyAlgoRSASHA256, ssh.CertAlgoRSASHA256v01,
	ssh.KeyAlgoRSASHA512, ssh.CertAlgoRSASHA512v01,
}

const foreignKeys = "ssh-dss ssh-dss-cert-v01@openssh.com sk-ssh-ed25519@openssh.com sk-ssh-ed25519-cert-v01@openssh.com " +
	"sk-ecdsa-sha2-nistp256@openssh.com sk-ecdsa-sha2-nistp256-cert-v01@openssh.com " +
	"webauthn-sk-ecdsa-sha2-nistp256@openssh.com webauthn-sk-ecdsa-sha2-nistp256-cert-v01@openssh.com"

// newAlgorithms puts together what the ssh config says of algorithms.
func newAlgorithms(s *sshconfig.Settings) (algorithms, error) {
	var a algorithms
	into := []*[]string{&a.keyExchanges, &a.ciphers, &a.macs, &a.hostKeys, &a.publicKeys, &a.caSignatures}
	for i, sub := range subjects {
		var err error
		if *into[i], err = sub.assemble(s.Get(sub.keyword)); err != nil {
			return a, fmt.Errorf("the ssh config's %s for %s: %w", sub.keyword, s.Host, err)
		}
	}
	spec := s.Get("HostKeyAlgorithms")
	a.hostKeysInOrder = spec != "" && spec[0] != '+' && spec[0] != '-'
	return a, nil
}

// assemble reads a list of ssh_config: a whole one, or one that adds to the usual
// one (+), takes from it (-) or puts something at its head (^). Names may be
// patterns.
func (s subject) assemble(spec string) ([]string, error) {
	if spec == "" {
		return s.usual, nil
	}
	var all []string
	for name := range strings.SplitSeq(strings.TrimLeft(spec[:1], "+-^")+spec[1:], ",") {
		found := s.matching(name)
		if len(found) == 0 && spec[0] != '-' && !s.isForeign(name) {
			return nil, fmt.Errorf("%q is no algorithm that is known", name)
		}
		all = append(all, found...)
	}
	switch spec[0] {
	case '+':
		all = slices.Concat(s.usual, all)
	case '^':
		all = slices.Concat(all, s.usual)
	case '-':
		all = slices.DeleteFunc(slices.Clone(s.usual), func(name string) bool { return slices.Contains(all, name) })
	}
	if all = unique(all); len(all) == 0 {
		return nil, fmt.Errorf("%s leaves nothing that lvsctl can do\nit can do %s", spec, strings.Join(slices.Concat(s.usual, s.more), ", "))
	}
	return all, nil
}

// matching is the algorithms that a name or a pattern stands for.
func (s subject) matching(name string) []string {
	all := s.table
	if all == nil {
		all = slices.Concat(s.usual, s.more)
	}
	var found []string
	for _, a := range all {
		if sshconfig.Match(a, name) {
			found = append(found, a)
		}
	}
	return found
}

func (s subject) isForeign(name string) bool {
	return slices.ContainsFunc(strings.Fields(s.foreign), func(a string) bool { return sshconfig.Match(a, name) })
}

func unique(all []string) []string {
	var once []string
	for _, a := range all {
		if !slices.Contains(once, a) {
			once = append(once, a)
		}
	}
	return once
}

func (a algorithms) allowsHostKey(name string) bool { return slices.Contains(a.hostKeys, name) }

// signatures are the algorithms with which a key of some type signs, best first.
func signatures(keyType string) []string {
	switch keyType {
	case ssh.KeyAlgoRSA:
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA}
	case ssh.CertAlgoRSAv01:
		return []string{ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01, ssh.CertAlgoRSAv01}
	}
	return []string{keyType}
}
