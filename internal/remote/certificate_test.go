package remote

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/lvsctl/lvsctl/internal/remote/sshtest"
)

// A certificate that stands elsewhere than beside its key: CertificateFile.
func TestCertificateFile(t *testing.T) {
	dir := t.TempDir()
	ca, key := filepath.Join(dir, "ca"), filepath.Join(dir, "id")
	sshtest.WriteKey(t, ca, "")
	sshtest.WriteKey(t, key, "")
	cert := func(name string, args ...string) string {
		file := filepath.Join(dir, name+".pub")
		tool(t, "cp", key+".pub", file)
		tool(t, "ssh-keygen", append([]string{"-q", "-s", ca, "-I", "me"}, append(args, file)...)...)
		return filepath.Join(dir, name+"-cert.pub")
	}
	s := sshtest.Start(t, sshtest.Options{Config: "TrustedUserCAKeys " + ca + ".pub"})
	good, elsewhere := cert("good", "-n", s.User), cert("other", "-n", "somebody")
	agent := startAgent(t, key)

	for title, c := range map[string]struct {
		config  string
		agent   string
		summary string // "" if it is to work
	}{
		"none":                {config: "IdentityFile " + key, summary: "it accepts no key"},
		"for somebody else":   {config: "IdentityFile " + key + "\nCertificateFile " + elsewhere, summary: key + " with " + elsewhere},
		"no certificate":      {config: "IdentityFile " + key + "\nCertificateFile " + key + ".pub", summary: key + ".pub (no certificate)"},
		"missing":             {config: "IdentityFile " + key + "\nCertificateFile /no/such", summary: "/no/such (no certificate)"},
		"of another key":      {config: "IdentityFile " + s.Identity + ".no\nCertificateFile " + good, summary: "it accepts no key"},
		"not accepted":        {config: "IdentityFile " + key + "\nCertificateFile " + good + "\nPubkeyAcceptedAlgorithms -*cert*", summary: "PubkeyAcceptedAlgorithms leaves out ssh-ed25519-cert-v01@openssh.com"},
		"good":                {config: "IdentityFile " + key + "\nCertificateFile " + good},
		"the second":          {config: "IdentityFile " + key + "\nCertificateFile " + elsewhere + "\nCertificateFile " + good},
		"by a variable":       {config: "IdentityFile ${LVSCTL_TEST_KEYS}/id\nCertificateFile ${LVSCTL_TEST_KEYS}/good-cert.pub"},
		"for an agent's key":  {config: "IdentityFile none\nCertificateFile " + good, agent: agent},
		"for its public half": {config: "IdentitiesOnly yes\nIdentityFile " + key + ".pub\nCertificateFile " + good, agent: agent},
	} {
		t.Run(title, func(t *testing.T) {
			t.Setenv("HOME", t.TempDir())
			t.Setenv("LVSCTL_TEST_KEYS", dir)
			d := dialer(t, c.config)
			t.Setenv("SSH_AUTH_SOCK", c.agent)
			to := target(s)
			to.IdentityFile = ""
			if c.summary == "" {
				wantHello(t, d, to)
				return
			}
			wantError(t, greet(t.Context(), d, to), KindAuth, c.summary)
		})
	}
}

// What is no key file is left alone, and nobody waits for it.
func TestFilesThatAreNone(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	for name, want := range map[string]string{
		"/dev/zero": "/dev/zero (not a regular file)",
		"/dev/null": "/dev/null (no key found)",
		fifo(t):     "(not a regular file)",
		t.TempDir(): "(not a regular file)",
		write(t, strings.Repeat("x", mostKeyBytes+1)): "(larger than 1024 KiB)",
	} {
		to := target(s)
		to.IdentityFile = name
		wantError(t, greet(t.Context(), dialer(t, ""), to), KindAuth, want)
	}
}

func TestPubkeyAcceptedAlgorithms(t *testing.T) {
	key := filepath.Join(t.TempDir(), "rsa")
	tool(t, "ssh-keygen", "-q", "-N", "", "-t", "rsa", "-b", "2048", "-f", key)
	s := sshtest.Start(t, sshtest.Options{Config: "LogLevel DEBUG2"})
	s.Authorize(t, read(t, key+".pub"))
	to := target(s)
	to.IdentityFile = key
	wantError(t, greet(t.Context(), dialer(t, "PubkeyAcceptedAlgorithms ssh-ed25519"), to), KindAuth, "PubkeyAcceptedAlgorithms leaves out ssh-rsa")
	wantError(t, greet(t.Context(), dialer(t, "RequiredRSASize 3072"), to), KindAuth, "it has 2048 bits, and RequiredRSASize is 3072")
	wantHello(t, dialer(t, "PubkeyAcceptedKeyTypes rsa-sha2-512"), to)
	if log := s.Log(); !strings.Contains(log, "pkalg rsa-sha2-512") || strings.Contains(log, "pkalg rsa-sha2-256") {
		t.Errorf("want rsa-sha2-512 alone:\n%s", log)
	}
}
