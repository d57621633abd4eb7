package remote

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
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

func fifo(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
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
		"nothing known":             {kind: KindHostKey, summary: "not known: ssh-ed25519 " + print, remedy: "-o 'StrictHostKeyChecking=ask' " + s.User + "@127.0.0.1 true"},
		"another host":              {known: "127.0.0.2 " + ed, kind: KindHostKey, summary: "not known"},
		"another port":              {known: "[127.0.0.1]:1 " + ed, kind: KindHostKey, summary: "not known"},
		"without the port, another": {known: "127.0.0.1 " + other, kind: KindHostKey, summary: "not known"},
		"changed":                   {known: "# comment\n" + name + " " + other, kind: KindHostKey, summary: "HAS CHANGED: it offers ssh-ed25519 " + print + ", but known is " + describe(public(t, other)) + " in KNOWN:2", remedy: "ssh-keygen -f KNOWN -R '" + name + "'"},
		"one of several":            {known: name + " " + other + name + " " + ec, kind: KindHostKey, summary: "HAS CHANGED"},
		"another CA's":              {known: "@cert-authority * " + other, kind: KindHostKey, summary: "not known"},
		"a CA is no host":           {known: "@cert-authority * " + ed, kind: KindHostKey, summary: "not known"},
		"revoked":                   {known: name + " " + ed + "@revoked * " + ed, kind: KindHostKey, summary: "REVOKED in KNOWN:2"},
		"pin of another":            {known: name + " " + ed, pin: other, kind: KindHostKey, summary: "host_key is " + describe(public(t, other))},
		"no pin at all":             {pin: "ssh-ed25519 what", kind: KindConfig, summary: "cannot read host_key"},
		"unreadable":                {known: name + " ssh-ed25519 wh@t\n", kind: KindHostKey, summary: "; KNOWN:1 is about it and cannot be read: its key is not in base64"},
		"unread revoked":            {known: name + " " + ed + "@revoked " + name + " ssh-ed25519 what\n", kind: KindConfig, summary: "KNOWN:2 is about 127.0.0.1 and is not understood"},
		"unknown marker":            {known: name + " " + ed + "@revokd * " + ed, kind: KindConfig, summary: "there is no marker @revokd"},
		"pin and revoked":           {known: "@revoked * " + ed, pin: ed, kind: KindHostKey, summary: "REVOKED in KNOWN:1"},
		"RevokedHostKeys":           {known: name + " " + ed, config: "RevokedHostKeys " + write(t, "# bad\n"+ed), kind: KindHostKey, summary: "is REVOKED in "},
		"revoked and pin":           {pin: ed, config: "RevokedHostKeys " + write(t, ed), kind: KindHostKey, summary: "is REVOKED in "},
		"revoked nowhere":           {known: name + " " + ed, config: "RevokedHostKeys /no/such/file", kind: KindConfig, summary: "cannot read RevokedHostKeys: open /no/such/file"},
		"not a key":                 {known: name + " " + ed, config: "RevokedHostKeys " + write(t, "what\n"), kind: KindConfig, summary: ":1: no public key"},
		"FIFO":                      {config: "UserKnownHostsFile " + fifo(t), kind: KindConfig, summary: "not a regular file"},
		"device":                    {config: "GlobalKnownHostsFile /dev/zero", kind: KindConfig, summary: "/dev/zero: not a regular file"},
		"no common type":            {known: name + " " + ed, config: "HostKeyAlgorithms ssh-dss,ecdsa-sha2-nistp521", kind: KindUnreachable, summary: "no common algorithm for host key"},
		"no common kex":             {known: name + " " + ed, config: "KexAlgorithms diffie-hellman-group1-sha1", kind: KindUnreachable, summary: "no common algorithm for key exchange"},
		"no common cipher":          {known: name + " " + ed, config: "Ciphers 3des-cbc", kind: KindUnreachable, summary: "no common algorithm for client to server cipher"},
		"removed type":              {known: name + " " + ed, config: "HostKeyAlgorithms -ssh-ed25519*", kind: KindHostKey, summary: "HAS CHANGED: it offers ecdsa-sha2"},
		"in that order":             {known: name + " " + ed, config: "HostKeyAlgorithms rsa-sha2-512,ssh-ed25519", kind: KindHostKey, summary: "HAS CHANGED: it offers ssh-rsa"},
		"short key":                 {known: name + " " + rsa, config: "HostKeyAlgorithms rsa-sha2-512\nRequiredRSASize 16000", kind: KindHostKey, summary: "bits, and RequiredRSASize is 16000"},
		"no means yes":              {config: "StrictHostKeyChecking no", kind: KindHostKey, summary: "not known"},
		"off means yes":             {config: "StrictHostKeyChecking off", kind: KindHostKey, summary: "not known"},
		"ask means yes":             {config: "StrictHostKeyChecking ask", kind: KindHostKey, summary: "not known"},
		"accept-new too":            {config: "StrictHostKeyChecking accept-new", kind: KindHostKey, summary: "not known"},
		"another's line":            {known: "nobody ssh-ed25519 what\n@revoked nobody what\nwhat\n|1|what|what ssh-ed25519 AAAA\n" + name + " " + ed},
		"unread, but known":         {known: name + " ssh-ed25519 what\n" + name + " " + ed},
		"without the port":          {known: "127.0.0.1 " + ed},
		"other port's key":          {known: "[127.0.0.1]:1 " + other + name + " " + ed},
		"revokes another":           {known: name + " " + ed, config: "RevokedHostKeys " + write(t, other)},
		"revokes none":              {known: name + " " + ed, config: "RevokedHostKeys none"},
		"removed, known":            {known: name + " " + ec, config: "HostKeyAlgorithms -ssh-ed25519"},
		"added":                     {known: name + " " + rsa, config: "HostKeyAlgorithms +ssh-rsa"},
		"first":                     {known: name + " " + rsa, config: "HostKeyAlgorithms ^rsa-sha2-*"},
		"algorithms":                {known: name + " " + ed, config: "Ciphers ^aes256-ctr\nMACs hmac-sha2-512\nKexAlgorithms ecdh-sha2-nistp521"},
		"accept-new holds":          {known: name + " " + other, config: "StrictHostKeyChecking accept-new", kind: KindHostKey, summary: "HAS CHANGED"},

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
			before := read(t, to.KnownHosts)
			if strings.Contains(c.config, "UserKnownHostsFile") {
				to.KnownHosts = ""
			}
			defer func() {
				if to.KnownHosts != "" && read(t, to.KnownHosts) != before {
					t.Error("known_hosts was written to")
				}
			}()
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
