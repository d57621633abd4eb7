package remote

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/remote/sshconfig"
)

// lists are what may stand behind a keyword that lists algorithms.
var lists = map[string][]string{
	"KexAlgorithms":            {"curve25519-sha256", "ecdh-sha2-nistp521,curve25519-sha256", "-curve25519-sha256", "-ecdh-*,diffie-hellman-*", "+diffie-hellman-group1-sha1", "^ecdh-sha2-nistp384", "no-such-kex", "+no-such-kex", "-no-such-kex", "sntrup761x25519-sha512,ecdh-sha2-nistp256"},
	"Ciphers":                  {"aes256-ctr", "aes256-ctr,aes128-cbc", "-aes*-ctr", "-chacha*", "+3des-cbc", "^aes128-ctr,aes256-gcm@openssh.com", "aes256-cbc,aes128-ctr", "what", "+what", "^aes128-ctr,what"},
	"MACs":                     {"hmac-sha2-512", "-hmac-sha1", "-*-etm@openssh.com", "+hmac-sha1-96", "^hmac-sha1", "umac-64@openssh.com,hmac-sha2-256", "hmac-what"},
	"HostKeyAlgorithms":        {"ssh-ed25519", "rsa-sha2-512,ssh-ed25519", "-ssh-ed25519*", "-*cert*", "+ssh-rsa", "^rsa-sha2-*", "ecdsa-sha2-*", "ssh-what", "-ecdsa-sha2-nistp256,rsa-sha2-*"},
	"PubkeyAcceptedAlgorithms": {"ssh-ed25519", "-rsa-sha2-256", "+ssh-rsa", "^ecdsa-sha2-nistp521", "rsa-*"},
	"PubkeyAcceptedKeyTypes":   {"ssh-ed25519,rsa-sha2-256", "-*cert*"},
	"CASignatureAlgorithms":    {"ssh-ed25519", "-rsa-*", "+ssh-rsa", "^rsa-sha2-512"},
}

// TestAlgorithmsAsSSH holds lists of algorithms against ssh -G: what it would
// negotiate, less what x/crypto cannot do, more what is kept for old nodes.
func TestAlgorithmsAsSSH(t *testing.T) {
	if _, err := exec.LookPath("ssh"); err != nil {
		t.Skip(err)
	}
	for keyword, some := range lists {
		for _, list := range some {
			t.Run(keyword+" "+list, func(t *testing.T) {
				file := write(t, keyword+" "+list+"\n")
				said, wantErr := exec.Command("ssh", "-G", "-F", file, "web").Output()
				have, haveErr := assembled(t, file)
				if (wantErr != nil) != (haveErr != nil) {
					t.Fatalf("ssh: %v, lvsctl: %v", wantErr, haveErr)
				}
				if wantErr != nil {
					return
				}
				for i, sub := range subjects {
					want := keep(listed(string(said), sub.keyword), slices.Concat(sub.usual, sub.more))
					have := have[i]
					if extras := strings.HasPrefix(list, "+") || strings.HasPrefix(list, "-") || strings.HasPrefix(list, "^"); extras || sub.keyword != today(keyword) {
						// The usual list differs from version to version, in order too.
						first := strings.Count(list, ",") + 1
						if list[0] == '^' && sub.keyword == today(keyword) && !strings.Contains(list, "*") {
							if d := cmp.Diff(want[:first], have[:first]); d != "" {
								t.Error(d)
							}
						}
						old := []string{"mlkem768x25519-sha256", "diffie-hellman-group14-sha1", "ssh-rsa", "ssh-rsa-cert-v01@openssh.com"}
						left := slices.DeleteFunc(old, func(a string) bool { return sub.keyword == today(keyword) && strings.Contains(list, a) })
						have, want = drop(have, left), drop(keep(want, slices.Concat(sub.usual, sub.named(list))), left)
						slices.Sort(have)
						slices.Sort(want)
					}
					if d := cmp.Diff(want, have); d != "" {
						t.Errorf("%s: %s", sub.keyword, d)
					}
				}
			})
		}
	}
}

// named is which of the algorithms beyond the usual ones a list names.
func (s subject) named(list string) []string {
	var all []string
	for name := range strings.SplitSeq(strings.TrimLeft(list, "+^"), ",") {
		for _, a := range s.more {
			if sshconfig.Match(a, name) {
				all = append(all, a)
			}
		}
	}
	return all
}

func today(keyword string) string {
	if keyword == "PubkeyAcceptedKeyTypes" {
		return "PubkeyAcceptedAlgorithms"
	}
	return keyword
}

func assembled(t *testing.T, file string) ([][]string, error) {
	t.Helper()
	c, err := sshconfig.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Resolve(sshconfig.Request{Host: "web"})
	if err != nil {
		t.Fatal(err)
	}
	a, err := newAlgorithms(s)
	return [][]string{a.keyExchanges, a.ciphers, a.macs, a.hostKeys, a.publicKeys, a.caSignatures}, err
}

// listed is what ssh -G says of a keyword.
func listed(said, keyword string) []string {
	for line := range strings.Lines(said) {
		if value, ok := strings.CutPrefix(line, strings.ToLower(keyword)+" "); ok {
			return strings.Split(strings.TrimSpace(value), ",")
		}
	}
	return nil
}

func keep(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(a string) bool { return !slices.Contains(some, a) })
}

func drop(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(a string) bool { return slices.Contains(some, a) })
}
