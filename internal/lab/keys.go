package lab

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// A keyPair is an ECDSA key in OpenSSH's formats. Of those that OpenSSH knows, an
// emulated processor is quickest with this one: sshd does it by OpenSSL's assembly, and
// ed25519 by code of its own in C, which makes a login a quarter slower.
type keyPair struct {
	private []byte // PEM
	public  ssh.PublicKey
}

func newKeyPair(comment string) (keyPair, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return keyPair{}, fmt.Errorf("cannot make a key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(private, comment)
	if err != nil {
		return keyPair{}, fmt.Errorf("cannot make a key: %w", err)
	}
	public, err := ssh.NewPublicKey(&private.PublicKey)
	if err != nil {
		return keyPair{}, fmt.Errorf("cannot make a key: %w", err)
	}
	return keyPair{private: pem.EncodeToMemory(block), public: public}, nil
}

// authorise makes the key by which this machine logs in to every host, and writes it
// into each lab's folder. It returns the public half as a line of authorized_keys.
func authorise(folders []folder) (string, error) {
	key, err := newKeyPair("lvsctl lab")
	if err != nil {
		return "", err
	}
	for _, f := range folders {
		if err := writeNew(f.Root, identityFile, key.private); err != nil {
			return "", err
		}
	}
	return string(ssh.MarshalAuthorizedKey(key.public)), nil
}

// sshConfig is the text of a lab's ssh_config. A name that two hosts share means the
// first one, as OpenSSH reads the file.
func sshConfig(dir string, hosts []Host, ports []int) string {
	var b strings.Builder
	for n, h := range hosts {
		names := []string{h.Name}
		for _, name := range h.Aliases {
			if alias.MatchString(name) && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		fmt.Fprintf(&b, "Host %s\n", strings.Join(names, " "))
		fmt.Fprintf(&b, "    HostName 127.0.0.1\n    Port %d\n\n", ports[n])
	}
	// OpenSSH's default key exchange takes a second on an emulated processor. Logins
	// to many hosts at once share the processors, so each takes far longer.
	fmt.Fprintf(&b, `Host *
    User root
    IdentityFile %s
    IdentitiesOnly yes
    UserKnownHostsFile %s
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    KexAlgorithms ecdh-sha2-nistp256
    ConnectTimeout %d
    LogLevel ERROR
`, quoteConfig(filepath.Join(dir, identityFile)), quoteConfig(filepath.Join(dir, knownHostsFile)), connectTime(len(hosts)))
	return b.String()
}

// connectTime is how long a login may take, in seconds, while all hosts have a login.
func connectTime(hosts int) int { return 120 + 4*hosts }

// quoteConfig writes a path as ssh_config(5) reads it: quoted if it has blanks.
func quoteConfig(path string) string {
	path = strings.ReplaceAll(path, "%", "%%")
	if strings.ContainsAny(path, " \t") {
		return `"` + path + `"`
	}
	return path
}

// writeSSH writes the ssh config and the known hosts of a lab.
func writeSSH(f folder, hosts []Host, keys []keyPair, ports []int) error {
	var known strings.Builder
	for n := range hosts {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[n]))
		known.WriteString(knownhosts.Line([]string{addr}, keys[n].public) + "\n")
	}
	for name, text := range map[string]string{knownHostsFile: known.String(), sshConfigFile: sshConfig(f.path, hosts, ports)} {
		if err := writeNew(f.Root, name, []byte(text)); err != nil {
			return err
		}
	}
	return nil
}
