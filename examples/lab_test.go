package examples_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/lvsctl/lvsctl/internal/lab"
	"github.com/lvsctl/lvsctl/internal/lab/labtest"
)

// program is the lvsctl under test, built once for all tests.
var program string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "lvsctl-examples-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "lvsctl")
		build := exec.Command("go", "build", "-o", program, "../cmd/lvsctl")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "cannot build lvsctl: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

func needLab(t *testing.T) {
	t.Helper()
	labtest.Need(t, func() error { return lab.CheckTools(lab.Options{}) })
}

// cluster is a topology running in a lab of its own.
type cluster struct {
	*testing.T
	dir      string // where the commands run, and the lab's files are
	topology string
	links    string // folder of the sockets of ssh's open connections
	// passwords are what no command of lvsctl may print.
	passwords []string
}

// besideOthers is for labs that run beside each other in `make lab`: with a processor each
// they take a quarter less of this machine's time.
const besideOthers = "--cpus=1"

// start brings up the lab of an example, or of another topology's folder.
func start(t *testing.T, topology string, flags ...string) *cluster {
	t.Helper()
	return startAll(t, []string{topology}, flags...)[0]
}

// startAll brings up the labs of several topologies in one machine. That boots once, and
// all clusters use the code that the emulator has translated for one of them.
func startAll(t *testing.T, topologies []string, flags ...string) []*cluster {
	t.Helper()
	needLab(t)
	// The path of a socket must be short, and that of TempDir is not.
	links, err := os.MkdirTemp("", "lvsctl-")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var all []*cluster
	var paths []string
	for n, topology := range topologies {
		abs, err := filepath.Abs(topology)
		if err != nil {
			t.Fatal(err)
		}
		c := &cluster{T: t, dir: dir, topology: abs, links: filepath.Join(links, fmt.Sprint(n))}
		if err := os.Mkdir(c.links, 0o700); err != nil {
			t.Fatal(err)
		}
		all, paths = append(all, c), append(paths, abs)
	}
	t.Cleanup(func() {
		if t.Failed() {
			if text, err := os.ReadFile(all[0].file("console.log")); err == nil {
				lines := strings.Split(string(text), "\n")
				t.Logf("the lab's console ends in:\n%s", strings.Join(lines[max(0, len(lines)-30):], "\n"))
			}
		}
		for _, c := range all {
			c.lvsctl(0, "lab", "down", c.topology)
		}
		if _, err := os.Stat(filepath.Join(dir, ".lvsctl")); !errors.Is(err, os.ErrNotExist) {
			t.Error("lab down leaves .lvsctl behind")
		}
		_ = os.RemoveAll(links) // the connections ended with the machine
	})
	all[0].lvsctl(0, append(append([]string{"lab", "up"}, paths...), flags...)...)
	return all
}

// in is the cluster for a subtest.
func (c *cluster) in(t *testing.T) *cluster {
	sub := *c
	sub.T = t
	return &sub
}

// file is a file of the lab's folder.
func (c *cluster) file(name string) string {
	return filepath.Join(c.dir, ".lvsctl", "lab", filepath.Base(c.topology), name)
}

// lvsctl runs the program and returns its standard output. It fails the test if the exit
// code is not the wanted one.
func (c *cluster) lvsctl(want int, args ...string) string {
	c.Helper()
	stdout, stderr, have := c.run(args...)
	if have != want {
		c.Fatalf("lvsctl %s: exit %d, want %d\n%s%s", strings.Join(args, " "), have, want, stdout, stderr)
	}
	return stdout
}

func (c *cluster) run(args ...string) (stdout, stderr string, code int) {
	c.Helper()
	var out, errOut bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.dir, &out, &errOut
	begin := time.Now()
	err := cmd.Run()
	c.Logf("%5.1fs lvsctl %s", time.Since(begin).Seconds(), strings.Join(args, " "))
	for _, password := range c.passwords {
		if strings.Contains(out.String()+errOut.String(), password) {
			c.Errorf("lvsctl %s shows a password:\n%s%s", strings.Join(args, " "), &out, &errOut)
		}
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.Fatalf("cannot run lvsctl: %v", err)
	}
	return out.String(), errOut.String(), cmd.ProcessState.ExitCode()
}

func (c *cluster) plan(want int, args ...string) string {
	c.Helper()
	return c.lvsctl(want, append([]string{"plan", "--lab", "--detailed-exitcode", c.topology}, args...)...)
}

func (c *cluster) apply(want int, args ...string) string {
	c.Helper()
	return c.lvsctl(want, append([]string{"apply", "--lab", "--auto-approve", c.topology}, args...)...)
}

func (c *cluster) destroy(want int) string {
	c.Helper()
	return c.lvsctl(want, "destroy", "--lab", "--auto-approve", c.topology)
}

// sh runs a script on a host and returns its output.
func (c *cluster) sh(host, script string) string {
	c.Helper()
	out, err := c.shell(host, script)
	if err != nil {
		c.Fatal(err)
	}
	return out
}

// shell is sh that returns its error, for use in any goroutine. The first call logs in, and
// later ones use its connection: on an emulated processor a login takes longer than most
// scripts. The connection stays when the host's sshd is stopped.
func (c *cluster) shell(host, script string) (string, error) {
	var out, errOut bytes.Buffer
	ssh := exec.Command("ssh", "-F", c.file("ssh_config"),
		"-o", "ControlMaster=auto", "-o", "ControlPersist=yes", "-o", "ControlPath="+filepath.Join(c.links, "%n"),
		host, "--", script)
	ssh.Stdout, ssh.Stderr = &out, &errOut
	begin := time.Now()
	defer func() { c.Logf("%5.1fs on %s: %.40q", time.Since(begin).Seconds(), host, script) }()
	if err := ssh.Run(); err != nil {
		return "", fmt.Errorf("%s: %s: %w\n%s%s", host, script, err, &out, &errOut)
	}
	return out.String(), nil
}

// closing is curl with a new connection for each request. One curl does all requests,
// because on an emulated processor starting it takes longer than a request.
const closing = "curl -sS -m 5 -H 'Connection: close'"

// ask sends n requests one after the other, and counts the answers of each host. A request
// without an answer counts under curl's message.
func (c *cluster) ask(client, url string, n int) map[string]int {
	c.Helper()
	out := c.sh(client, fmt.Sprintf("%s -g%s 2>&1 || :", closing, strings.Repeat(" '"+url+"'", n)))
	answers := map[string]int{}
	for line := range strings.Lines(out) {
		answers[strings.TrimSpace(line)]++
	}
	return answers
}

// wantAnswers sends requests and compares how often each host answers.
func (c *cluster) wantAnswers(client, url string, want map[string]int) {
	c.Helper()
	n := 0
	for _, times := range want {
		n += times
	}
	if diff := cmp.Diff(want, c.ask(client, url, n)); diff != "" {
		c.Errorf("answers of %s (-want +have):\n%s", url, diff)
	}
}

// snapshot prints a host's configuration by its own tools, without lvsctl. It leaves out
// devices without addresses: those that a loaded module brings (tunl0) stay.
const snapshot = `ip -o addr show | sed 's/valid_lft.*//; s/ tentative//'
ip route show
ip -6 route show
grep '' /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding /proc/sys/net/ipv4/conf/*/* 2>/dev/null | grep -v -e /tunl0/ -e /mc_forwarding
[ ! -e /proc/net/ip_vs ] || ipvsadm -S -n
grep -s 1 /proc/sys/net/ipv4/vs/conntrack
! grep -q ^nf_tables /proc/modules || for t in iptables ip6tables; do $t-save | grep ^-A; done
[ ! -e /proc/net/ip_vs ] || ipvsadm -L -n --thresholds | tail -n +4
find /etc /var/lib/lvsctl -type f 2>/dev/null | sort | xargs md5sum
`

// each runs a script on several hosts at the same time and returns the output by host.
func (c *cluster) each(hosts []string, script string) map[string]string {
	c.Helper()
	texts := make([]string, len(hosts))
	var group errgroup.Group
	for i, h := range hosts {
		group.Go(func() (err error) {
			texts[i], err = c.shell(h, script)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		c.Fatal(err)
	}
	shots := map[string]string{}
	for i, h := range hosts {
		shots[h] = texts[i]
	}
	return shots
}
