package remote

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/lvsctl/lvsctl/internal/remote/sshtest"
)

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, text string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func tool(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, out)
	}
}

func public(t *testing.T, line string) ssh.PublicKey {
	t.Helper()
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestHostKeys(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{HostKeys: []string{"ed25519", "ecdsa", "rsa"}})
	name := fmt.Sprintf("[%s]:%d", s.Host, s.Port)
	ed, ec, rsa := read(t, s.HostKey("ed25519")+".pub"), read(t, s.HostKey("ecdsa")+".pub"), read(t, s.HostKey("rsa")+".pub")
	other := string(ssh.MarshalAuthorizedKey(sshtest.WriteKey(t, filepath.Join(t.TempDir(), "other"), "")))
	hashed := write(t, name+" "+ec)
	tool(t, "ssh-keygen", "-H", "-f", hashed)
	print := ssh.FingerprintSHA256(public(t, ed))

	for title, c := range map[string]struct {
		known   string
		pin     string
		config  string
		kind    ErrorKind // "" if it is to be trusted
		summary string
		remedy  string
	}{
		"nothing known":    {kind: KindHostKey, summary: "not known: ssh-ed25519 " + print, remedy: "-o 'StrictHostKeyChecking=ask' " + s.User + "@127.0.0.1 true"},
		"another host":     {known: "127.0.0.1 " + ed, kind: KindHostKey, summary: "not known"},
		"changed":          {known: "# comment\n" + name + " " + other, kind: KindHostKey, summary: "HAS CHANGED: it offers ssh-ed25519 " + print + ", but known is " + describe(public(t, other)) + " in KNOWN:2", remedy: "ssh-keygen -f KNOWN -R '" + name + "'"},
		"one of several":   {known: name + " " + other + name + " " + ec, kind: KindHostKey, summary: "HAS CHANGED"},
		"another CA's":     {known: "@cert-authority * " + other, kind: KindHostKey, summary: "not known"},
		"a CA is no host":  {known: "@cert-authority * " + ed, kind: KindHostKey, summary: "not known"},
		"revoked":          {known: name + " " + ed + "@revoked * " + ed, kind: KindHostKey, summary: "REVOKED in KNOWN:2"},
		"pin of another":   {known: name + " " + ed, pin: other, kind: KindHostKey, summary: "host_key is " + describe(public(t, other))},
		"no pin at all":    {pin: "ssh-ed25519 what", kind: KindConfig, summary: "cannot read host_key"},
		"no known_hosts":   {known: name + " ssh-ed25519 what\n", kind: KindConfig, summary: "cannot read known_hosts: KNOWN:1"},
		"no means yes":     {config: "StrictHostKeyChecking no", kind: KindHostKey, summary: "not known"},
		"off means yes":    {config: "StrictHostKeyChecking off", kind: KindHostKey, summary: "not known"},
		"ask means yes":    {config: "StrictHostKeyChecking ask", kind: KindHostKey, summary: "not known"},
		"accept-new holds": {known: name + " " + other, config: "StrictHostKeyChecking accept-new", kind: KindHostKey, summary: "HAS CHANGED"},

		"ed25519":          {known: name + " " + ed},
		"ecdsa":            {known: name + " " + ec},
		"rsa":              {known: name + " " + rsa},
		"all":              {known: name + " " + ed + name + " " + ec + name + " " + rsa},
		"hashed":           {known: read(t, hashed)},
		"wildcard":         {known: "*.example.com,127.0.0.* " + ec},
		"pin":              {pin: ed},
		"pin of ecdsa":     {pin: ec},
		"pin of rsa":       {pin: rsa, known: name + " " + other},
		"HostKeyAlias":     {known: "web.example.com " + ec, config: "HostKeyAlias web.example.com"},
		"accept-new known": {known: name + " " + rsa, config: "StrictHostKeyChecking accept-new"},
	} {
		t.Run(title, func(t *testing.T) {
			to := target(s)
			to.HostKey, to.KnownHosts = c.pin, write(t, c.known)
			err := greet(t.Context(), dialer(t, c.config), to)
			if c.kind == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e := wantError(t, err, c.kind, strings.ReplaceAll(c.summary, "KNOWN", to.KnownHosts))
			if remedy := strings.ReplaceAll(c.remedy, "KNOWN", to.KnownHosts); !strings.Contains(e.Remedy, remedy) {
				t.Errorf("want remedy ...%s..., have %s", remedy, e.Remedy)
			}
		})
	}
}

// The remedy for an unknown key is a command line that works as it is printed.
func TestUnknownKeyRemedy(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	to := target(s)
	to.KnownHosts = filepath.Join(t.TempDir(), "known hosts")
	d := dialer(t, "")
	e := wantError(t, greet(t.Context(), d, to), KindHostKey, "not known")
	_, command, _ := strings.Cut(e.Remedy, "\n")
	command = strings.Replace(command, "=ask", "=accept-new", 1) // nobody is here to answer
	tool(t, "sh", "-c", command)
	wantHello(t, dialer(t, ""), to)
}

func TestAcceptNew(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	for title, config := range map[string]string{
		"plain":  "StrictHostKeyChecking accept-new",
		"hashed": "StrictHostKeyChecking accept-new\nHashKnownHosts yes",
	} {
		t.Run(title, func(t *testing.T) {
			to := target(s)
			to.KnownHosts = filepath.Join(t.TempDir(), "new", "known_hosts")
			d := dialer(t, config)
			wantHello(t, d, to)
			wantHello(t, d, to)
			text := read(t, to.KnownHosts)
			if n := strings.Count(text, "\n"); n != 1 {
				t.Errorf("want one line, have %d: %s", n, text)
			}
			if strings.Contains(text, s.Host) == (title == "hashed") {
				t.Errorf("have %s", text)
			}
			tool(t, "ssh-keygen", "-F", fmt.Sprintf("[%s]:%d", s.Host, s.Port), "-f", to.KnownHosts)
			wantHello(t, dialer(t, ""), to) // and without accept-new
		})
	}
}

func TestAcceptNewKeepsTheLastLine(t *testing.T) {
	file := write(t, "# no newline at its end")
	for _, line := range []string{"a", "b"} {
		if err := appendLine(file, line); err != nil {
			t.Fatal(err)
		}
	}
	if have, want := read(t, file), "# no newline at its end\na\nb\n"; have != want {
		t.Errorf("want %q, have %q", want, have)
	}
}

func TestHostCertificates(t *testing.T) {
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca")
	sshtest.WriteKey(t, ca, "")
	cert := func(t *testing.T, args ...string) *sshtest.Server {
		// The host key is of another type than the CA's.
		key := filepath.Join(t.TempDir(), "host")
		tool(t, "ssh-keygen", "-q", "-N", "", "-t", "ecdsa", "-f", key)
		tool(t, "ssh-keygen", append([]string{"-q", "-s", ca, "-I", "web", "-h"}, append(args, key+".pub")...)...)
		return sshtest.Start(t, sshtest.Options{Config: "HostKey " + key + "\nHostCertificate " + key + "-cert.pub"})
	}
	good := cert(t, "-n", "127.0.0.1")
	expired := cert(t, "-n", "127.0.0.1", "-V", "20200101:20200102")
	elsewhere := cert(t, "-n", "mail.example.com")
	trust := "@cert-authority 127.0.0.* " + read(t, ca+".pub")

	for title, c := range map[string]struct {
		s       *sshtest.Server
		known   string
		summary string
	}{
		"good":                    {good, trust, ""},
		"good, and a revoked one": {good, trust + "@revoked * " + read(t, good.HostKey("ed25519")+".pub"), ""},
		"CA revoked":              {good, trust + "@revoked * " + read(t, ca+".pub"), "revoked"},
		"expired":                 {expired, trust, "expired"},
		"for another name":        {elsewhere, trust, "principal"},
		"CA of another domain":    {good, "@cert-authority *.example.com " + read(t, ca+".pub"), "not known"},
	} {
		t.Run(title, func(t *testing.T) {
			to := target(c.s)
			to.KnownHosts = write(t, c.known)
			err := greet(t.Context(), dialer(t, ""), to)
			if c.summary == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, err, KindHostKey, c.summary)
		})
	}
}
