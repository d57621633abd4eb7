// Package apply_test applies to real Linux hosts: namespaces of this machine, each with a
// real sshd and with its own network, processes, /run and /var/lib. They have no IPVS, so
// they are real servers. The faults of directors are in examples/faults_test.go.
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
	// The tests mostly wait, so more run at the same time than there are processors.
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// node is one host.
type node struct {
	testing.TB
	name    string
	options hostOptions
	pid     atomic.Int64 // of its first process
	off     func()       // ends all its processes at once, like a power cut
	dir     string
	stanza  string // the host's part of an ssh config
	config  string // path of an ssh config with this host alone
	wire    *wire
	dialer  *remote.Dialer
}

// hostOptions is how a host differs from a plain one.
type hostOptions struct {
	name  string // default "web"
	setup string // sh that runs on the node before its sshd starts
	// silence is how long the host may be silent before lvsctl gives it up; default 30 s.
	silence time.Duration
	// from is the host from whose network the test connects; nil is the host itself.
	from    *node
	address string
}

// ethernet is setup for an eth0 whose other end is in the host too. Gateways on it do not
// exist, and ping fails at once.
const ethernet = `echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
ip link add eth0 type veth peer name wall
ip link set wall up; ip addr add 10.0.0.2/24 dev eth0; ip link set eth0 up
ip route add default via 10.0.0.1
ping=$(command -v ping) && mount --bind /bin/false "$ping"
`

// needNodes skips a test, with the reason, if this machine cannot make hosts. In CI it
// skips none.
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

// start starts a host and waits for its sshd. The host ends with the test.
func start(t testing.TB, h hostOptions) *node {
	t.Helper()
	needNodes(t)
	if h.name == "" {
		h.name = "web"
	}
	if h.silence == 0 {
		h.silence = 30 * time.Second
	}
	n := &node{TB: t, name: h.name, dir: t.TempDir(), options: h}
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

// boot makes the host's namespaces. Their first process ends when its standard input is
// closed, at the latest with this process, and with it all others of the host. After
// another boot only /var/lib and /etc are the same.
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
` + n.options.setup + `
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
		_ = cmd.Wait() // it was killed, so this is an error
	})
	n.Cleanup(n.off)
	if line, _ := bufio.NewReader(stdout).ReadString('\n'); line != "ready\n" {
		n.off()
		n.Fatalf("host %s does not start: %s", n.name, complaints.String())
	}
}

// trust writes the ssh config by which lvsctl reaches the host through its wire.
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

// elsewhere is the end of every ssh config. Any other host name means a closed port of
// this machine, so no test connects to another machine.
const elsewhere = "Host *\n  HostName 127.0.0.1\n  Port 1\n"

func (n *node) dial(ctx context.Context) (remote.Runner, error) {
	return n.dialer.Dial(ctx, remote.Target{Name: n.name, Address: n.name, ConnectTimeout: time.Minute})
}

// id is the process id of the host's first process, for nsenter.
func (n *node) id() string { return strconv.FormatInt(n.pid.Load(), 10) }

// sh runs a script on the host, without lvsctl and SSH, and returns its output.
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

// unmount unmounts a path of the host. It needs no shell there.
func unmount(t testing.TB, n *node, path string) {
	t.Helper()
	if out, err := exec.Command("nsenter", "-t", n.id(), "-m", "-p", "umount", "-l", path).CombinedOutput(); err != nil {
		t.Fatalf("cannot unmount %s: %v: %s", path, err, out)
	}
}

// give moves a network device of the host to another host.
func (n *node) give(dev string, to *node, name string) {
	n.Helper()
	out, err := exec.Command("nsenter", "-t", n.id(), "-n", "ip", "link", "set", dev, "netns", to.id(), "name", name).CombinedOutput()
	if err != nil {
		n.Fatalf("cannot move %s: %v: %s", dev, err, out)
	}
}

// snapshot is the host's configuration as its own tools print it, without lvsctl.
func (n *node) snapshot() string {
	n.Helper()
	return n.sh(`ip -o addr show | sed 's/ *valid_lft.*//; s/ tentative//' | sort
ip route show table all type unicast
grep '' /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/*/* | grep -v /mc_forwarding
`)
}

// record is the text of the record on the host, or "".
func (n *node) record() string {
	n.Helper()
	return n.sh("cat /var/lib/lvsctl/" + topologyName + ".json 2>/dev/null || :")
}

// left lists the files in /run/lvsctl and /var/lib/lvsctl that no finished apply should
// leave there.
func (n *node) left() string {
	n.Helper()
	return n.sh("find /run/lvsctl /var/lib/lvsctl -mindepth 1 2>/dev/null | grep -vx -e /run/lvsctl/lock -e /run/lvsctl/holder -e /var/lib/lvsctl/" + topologyName + ".json || :")
}

// soon is less than longTimeout, and long enough for a busy machine.
const soon = 30 * time.Second

// eventually waits until holds returns true. what is that in words.
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
