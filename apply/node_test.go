// Package apply_test applies to real Linux hosts: namespaces of this machine
// with a real sshd, a network, processes, /run and /var/lib of their own. What
// they lack is IPVS, so they are real servers; directors are broken in
// examples/faults_test.go.
package apply_test

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"

	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/remote/sshtest"
)

func TestMain(m *testing.M) {
	if os.Getenv(doomedPlace) != "" {
		os.Exit(doomed())
	}
	flag.Parse()
	// Hosts mostly wait: more of them than there are processors are no burden.
	if err := flag.Set("test.parallel", "12"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// node is one host.
type node struct {
	testing.TB
	name   string
	how    how
	pid    atomic.Int64 // of its first process
	off    func()       // pulls the plug
	dir    string
	stanza string // of an ssh config, which knows it by name
	config string // ssh config that knows it alone
	wire   *wire
	dialer *remote.Dialer
}

// how is what is special about a host; the zero value is a plain one.
type how struct {
	name  string // default "web"
	setup string // sh that runs on the node before its sshd starts
	// silence is how long a lost connection goes unnoticed; default 10 s.
	silence time.Duration
	// from is the host whose network connections to it come from, at an address
	// of its own; nil is the host itself.
	from    *node
	address string
}

// ethernet gives a host an eth0 whose other end is in the host too: gateways on
// it never answer, and ping says so at once.
const ethernet = `echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
ip link add eth0 type veth peer name wall
ip link set wall up; ip addr add 10.0.0.2/24 dev eth0; ip link set eth0 up
ip route add default via 10.0.0.1
ping=$(command -v ping) && mount --bind /bin/false "$ping"
`

// needNodes leaves a test out, saying why, where there can be no hosts. In CI
// nothing is left out.
func needNodes(t testing.TB) {
	t.Helper()
	skip := t.Skip
	if os.Getenv("CI") == "true" {
		skip = t.Fatal
	}
	if os.Geteuid() != 0 {
		skip("left out: namespaces need root")
	}
	for _, tool := range []string{"/usr/sbin/sshd", "ip", "nsenter", "bash"} {
		if _, err := exec.LookPath(tool); err != nil {
			skip("left out: " + err.Error() + "; `make setup` installs it")
		}
	}
}

// start starts a host and waits for its sshd; it is gone with the test.
func start(t testing.TB, h how) *node {
	t.Helper()
	needNodes(t)
	if h.name == "" {
		h.name = "web"
	}
	if h.silence == 0 {
		h.silence = 10 * time.Second
	}
	n := &node{TB: t, name: h.name, dir: t.TempDir(), how: h}
	check(t, os.Mkdir(filepath.Join(n.dir, "disk"), 0o700))
	if out, err := exec.Command("cp", "-a", "/etc", n.dir).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v: %s", err, out)
	}
	sshtest.WriteKey(t, filepath.Join(n.dir, "host"), "")
	pub := sshtest.WriteKey(t, filepath.Join(n.dir, "id"), "")
	write(t, filepath.Join(n.dir, "authorized"), string(ssh.MarshalAuthorizedKey(pub)))
	n.boot()
	n.wire = newWire(t, func() (net.Conn, error) {
		if h.from == nil {
			return dialIn(n, "127.0.0.1:22")
		}
		return dialIn(h.from, h.address+":22")
	})
	n.trust()
	var err error
	n.dialer, err = remote.NewDialer(remote.Config{SSHConfig: n.config, Silence: h.silence})
	check(t, err)
	return n
}

// boot makes the namespaces. Their first process ends, and everything in them
// with it, when its standard input does: with this process at the latest. Only
// /var/lib and /etc are the same again after another boot.
func (n *node) boot() {
	n.Helper()
	write(n, filepath.Join(n.dir, "sshd_config"), fmt.Sprintf(`HostKey %[1]s/host
AuthorizedKeysFile %[1]s/authorized
PidFile /run/sshd.pid
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
MaxStartups 100
`, n.dir))
	script := `set -e
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /root # and whatever slow things its .bashrc does
mount --bind ` + n.dir + `/disk /var/lib
mount --bind ` + n.dir + `/etc /etc
hostname ` + n.name + `
mkdir /run/sshd
ip link set lo up
` + n.how.setup + `
cd ` + n.dir + `
# Since OpenSSH 9.8 whoever loses connections is kept out for a while.
if /usr/sbin/sshd -t -f sshd_config -o PerSourcePenalties=no 2>/dev/null; then echo PerSourcePenalties no >>sshd_config; fi
/usr/sbin/sshd -r -f $PWD/sshd_config -E sshd.log || { cat sshd.log >&2; exit 1; }
echo ready
set +e
while read -r line; do :; done
`
	cmd := exec.Command("bash", "-c", script)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC}
	stdin, err := cmd.StdinPipe()
	check(n, err)
	stdout, err := cmd.StdoutPipe()
	check(n, err)
	check(n, cmd.Start())
	n.pid.Store(int64(cmd.Process.Pid))
	n.off = sync.OnceFunc(func() {
		_ = stdin.Close()
		_ = cmd.Wait() // it was not asked to end well
	})
	n.Cleanup(n.off)
	if line, _ := bufio.NewReader(stdout).ReadString('\n'); line != "ready\n" {
		n.off()
		n.Fatalf("host %s does not start: %s", n.name, complaints.String())
	}
}

// trust writes the ssh config by which the host is reached through its wire.
func (n *node) trust() {
	n.Helper()
	host, port, err := net.SplitHostPort(n.wire.addr)
	check(n, err)
	key, err := os.ReadFile(filepath.Join(n.dir, "host.pub"))
	check(n, err)
	write(n, filepath.Join(n.dir, "known_hosts"), fmt.Sprintf("[%s]:%s %s", host, port, key))
	n.stanza = fmt.Sprintf(`Host %s
  HostName %s
  Port %s
  User root
  IdentityFile %[4]s/id
  IdentitiesOnly yes
  UserKnownHostsFile %[4]s/known_hosts
`, n.name, host, port, n.dir)
	n.config = filepath.Join(n.dir, "ssh_config")
	write(n, n.config, n.stanza+elsewhere)
}

// elsewhere ends every ssh config: whatever else a test names is a closed port of
// this machine, and no test leaves it.
const elsewhere = "Host *\n  HostName 127.0.0.1\n  Port 1\n"

func (n *node) dial(ctx context.Context) (remote.Runner, error) {
	return n.dialer.Dial(ctx, remote.Target{Name: n.name, Address: n.name, ConnectTimeout: 10 * time.Second})
}

// id is its first process's, as nsenter wants it.
func (n *node) id() string { return strconv.FormatInt(n.pid.Load(), 10) }

// sh runs a script on the host, past lvsctl and SSH, and returns what it prints.
func (n *node) sh(script string) string {
	n.Helper()
	out, err := n.try(script)
	if err != nil {
		n.Fatalf("%s: %s: %v: %s", n.name, script, err, out)
	}
	return out
}

func (n *node) try(script string) (string, error) {
	cmd := exec.Command("nsenter", "-t", n.id(), "-m", "-n", "-p", "-u", "sh", "-c", script)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// unmount needs no shell on the host.
func unmount(t testing.TB, n *node, path string) {
	t.Helper()
	if out, err := exec.Command("nsenter", "-t", n.id(), "-m", "-p", "umount", "-l", path).CombinedOutput(); err != nil {
		t.Fatalf("cannot unmount %s: %v: %s", path, err, out)
	}
}

// give moves a link of the host into another one.
func (n *node) give(dev string, to *node, name string) {
	n.Helper()
	out, err := exec.Command("nsenter", "-t", n.id(), "-n", "ip", "link", "set", dev, "netns", to.id(), "name", name).CombinedOutput()
	if err != nil {
		n.Fatalf("cannot move %s: %v: %s", dev, err, out)
	}
}

// snapshot is the host as its own tools print it: nothing of lvsctl reads it.
func (n *node) snapshot() string {
	n.Helper()
	return n.sh(`ip -o addr show | sed 's/ *valid_lft.*//; s/ tentative//' | sort
ip route show table all type unicast
grep '' /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/*/* | grep -v /mc_forwarding
`)
}

// record is the text of the record on the host, "" if there is none.
func (n *node) record() string {
	n.Helper()
	return n.sh("cat /var/lib/lvsctl/" + topologyName + ".json 2>/dev/null || :")
}

// left is what is in /run/lvsctl and /var/lib/lvsctl that a finished apply does
// not leave there.
func (n *node) left() string {
	n.Helper()
	return n.sh("find /run/lvsctl /var/lib/lvsctl -mindepth 1 2>/dev/null | grep -vx -e /run/lvsctl/lock -e /run/lvsctl/holder -e /var/lib/lvsctl/" + topologyName + ".json || :")
}

// soon is well within patience, and leaves a busy machine its time.
const soon = 30 * time.Second

// eventually waits until something holds.
func eventually(t testing.TB, within time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(within)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			if n, ok := t.(*node); ok {
				t.Log(n.sh("ps -ef; ls -R /run/lvsctl /var/lib/lvsctl"))
			}
			t.Fatalf("not within %s: %s", within, what)
		case <-tick.C:
		}
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, file, text string) {
	t.Helper()
	check(t, os.WriteFile(file, []byte(text), 0o600))
}
