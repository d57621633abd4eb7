package lab

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

func TestSSHConfig(t *testing.T) {
	hosts := []Host{{Name: "lb", Aliases: []string{"10.0.0.1", "lb", "a b", "*", "!x"}}, {Name: "rs-1", Aliases: []string{"fd00::1"}}}
	const want = `Host lb 10.0.0.1
    HostName 127.0.0.1
    Port 2201

Host rs-1 fd00::1
    HostName 127.0.0.1
    Port 2202

Host *
    User root
    IdentityFile "/a b/lab/id_ecdsa"
    IdentitiesOnly yes
    UserKnownHostsFile "/a b/lab/known_hosts"
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    KexAlgorithms ecdh-sha2-nistp256
    ConnectTimeout 128
    LogLevel ERROR
`
	if diff := cmp.Diff(want, sshConfig("/a b/lab", hosts, []int{2201, 2202})); diff != "" {
		t.Errorf("-want +have:\n%s", diff)
	}
}

func TestWriteSSH(t *testing.T) {
	dir := t.TempDir()
	key, err := newKeyPair("lb")
	if err != nil {
		t.Fatal(err)
	}
	if err := writeSSH(folder{Root: openRoot(t, dir), path: dir}, []Host{{Name: "lb"}}, []keyPair{key}, []int{2201}); err != nil {
		t.Fatal(err)
	}
	check, err := knownhosts.New(filepath.Join(dir, knownHostsFile))
	if err != nil {
		t.Fatal(err)
	}
	addr := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2201}
	if err := check("127.0.0.1:2201", addr, key.public); err != nil {
		t.Error(err)
	}
	signer, err := ssh.ParsePrivateKey(key.private)
	if err != nil || string(signer.PublicKey().Marshal()) != string(key.public.Marshal()) {
		t.Errorf("the halves of a key do not match: %v", err)
	}
}

func TestQuote(t *testing.T) {
	if have, want := quote([]string{"echo", "it's", "", "a b"}), `'echo' 'it'\''s' '' 'a b'`; have != want {
		t.Errorf("want %s, have %s", want, have)
	}
}

func TestMachineArgs(t *testing.T) {
	m := machine{id: "5e36", name: "a,b", accel: "tcg", memory: 512, cpus: 2, mgmt: netip.MustParsePrefix("198.18.3.0/24"), ports: []int{2201, 2202}}
	args := m.args()
	for _, want := range []string{
		"lvsctl-lab-5e36-a,,b", "file,id=console,path=console.log", "initrd", "qemu.pid",
		"user,id=mgmt0,restrict=on,ipv6=off,net=198.18.3.0/24,host=198.18.3.2,hostfwd=tcp:127.0.0.1:2201-198.18.3.100:22,hostfwd=tcp:127.0.0.1:2202-198.18.3.101:22",
		"tcg,thread=multi", "-daemonize", "-no-reboot",
	} {
		if !slices.Contains(args, want) {
			t.Errorf("no %s in %q", want, args)
		}
	}
}

func TestFreePorts(t *testing.T) {
	ports, err := freePorts(20)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(ports)
	if len(slices.Compact(ports)) != 20 {
		t.Errorf("ports %v", ports)
	}
}

func TestConsole(t *testing.T) {
	for name, test := range map[string]struct {
		console string
		timeout time.Duration
		want    string
	}{
		"ready":   {"x\r\nlab: ready: 5 hosts\r\n", time.Minute, ""},
		"failed":  {"x\r\nlab: cannot make host lb: y\r\n", time.Minute, "its machine failed\nx\nlab: cannot make host lb: y"},
		"ended":   {"Kernel panic\r\n", time.Minute, "its machine ended\nKernel panic"},
		"timeout": {"", time.Millisecond, "its hosts did not answer within 1ms\n"},
	} {
		root := openRoot(t, t.TempDir())
		if err := writeNew(root, consoleFile, []byte("lab: ready: an earlier boot\n"+test.console)); err != nil {
			t.Fatal(err)
		}
		have := ""
		c := console{root, consoleFile, int64(len("lab: ready: an earlier boot\n"))}
		if _, err := c.await(t.Context(), test.timeout, func() bool { return false }); err != nil {
			have = err.Error()
		}
		if have != test.want {
			t.Errorf("%s: want %q, have %q", name, test.want, have)
		}
	}
}

func TestCheckAccelRefuses(t *testing.T) {
	if err := checkAccel("xen"); err == nil || !strings.Contains(err.Error(), "it is auto, kvm or tcg") {
		t.Errorf("error: %v", err)
	}
}

func TestMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if err := CheckTools(Options{}); err != nil {
		var m Missing
		if !errors.As(err, &m) || !strings.Contains(err.Error(), "\nInstall what is missing: apt-get install "+strings.Join(m.Packages, " ")) {
			t.Errorf("error: %v", err)
		}
	}
	m := Missing{Programs: []string{"ipvsadm", "qemu-system-x86_64"}, Packages: []string{"ipvsadm", "qemu-system-x86"}}
	const want = "cannot run a lab without ipvsadm, qemu-system-x86_64\nInstall what is missing: apt-get install ipvsadm qemu-system-x86"
	if m.Error() != want {
		t.Errorf("want %q, have %q", want, m.Error())
	}
}

// openRoot opens a folder for the test.
func openRoot(t *testing.T, dir string) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}
