package live

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/remote/sshtest"
	"github.com/lvsctl/lvsctl/internal/shell/shelltest"
	"github.com/lvsctl/lvsctl/internal/state"
)

// question asks for everything that directors and real servers are asked for.
func question() Question {
	return Question{
		Topology:   "web",
		Schedulers: []string{"rr", "twos"},
		Wanted: state.Wanted{
			Sysctls:  []string{"net/ipv4/conf/all/log_martians", "net/ipv4/vs/conntrack"},
			Packages: []string{"ipvsadm", "no-such-command"},
			Modules:  []string{"ip_vs", "ipip"},
		},
	}
}

// answered is the output of a node that ran every section. fill has the output of each.
func answered(nonce string, sections []section, fill map[string]string) string {
	var b strings.Builder
	for _, s := range sections {
		fmt.Fprintf(&b, "%[1]s begin %[2]s\n%[3]s%[1]s end %[2]s 0\n", nonce, s.name, fill[s.name])
	}
	return b.String()
}

func TestParseRefuses(t *testing.T) {
	const nonce = "lvsctl-0123456789abcdef"
	sections := question().sections()
	whole := answered(nonce, sections, map[string]string{
		"links": "1: lo: <LOOPBACK,UP> mtu 65536\n",
		"ipvs":  "-A -t 10.0.0.1:80 -s rr\n",
	})
	for _, c := range []struct {
		name        string
		out, stderr string
		want        string
	}{
		{"nothing", "", "", "cannot read its facts: the output does not begin where it should"},
		{"no ip command", "no ip\n", "", "there is no ip command; install iproute2 on the node"},
		{"noise", "hello\n" + whole, "", "cannot read its facts: the output does not begin where it should"},
		{"another nonce", strings.ReplaceAll(whole, nonce, "lvsctl-ffff"), "", "cannot read its facts: the output does not begin where it should"},
		{"sections in another order", swap(whole, nonce, "links", "addresses4"), "", "cannot read its links: the output does not begin where it should"},
		{"a section left out", without(whole, nonce, "routes4"), "", "cannot read its routes4: the output does not begin where it should"},
		{"cut off in a section", whole[:strings.Index(whole, "-A -t")+5], "", "cannot read its ipvs: the output is cut off"},
		{"cut off in an end line", whole[:strings.Index(whole, "end links")+9], "", "cannot read its links: the output is cut off"},
		{"cut off before a newline", strings.TrimSuffix(whole, "\n"), "", "cannot read its recorded sysctls: the output is cut off"},
		{"a section that failed", strings.Replace(whole, "end ipvs 0", "end ipvs 1", 1), "warning\nCan't initialize ipvs\n", "cannot read its ipvs: exit status 1: Can't initialize ipvs"},
		{"a section that failed silently", strings.Replace(whole, "end routes6 0", "end routes6 255", 1), "", "cannot read its routes6: exit status 255: no message"},
		{"text of a tool that nobody knows", strings.Replace(whole, "begin addresses4\n", "begin addresses4\n1: lo inet what\n", 1), "", `cannot read address line "1: lo inet what": netip.ParsePrefix("what/32"): ParseAddr("what"): unable to parse IP`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse(remote.Output{Stdout: c.out, Stderr: c.stderr}, nonce, sections)
			if err == nil {
				t.Fatal("no error")
			}
			if d := cmp.Diff(c.want, err.Error()); d != "" {
				t.Error(d)
			}
		})
	}
	if _, err := parse(remote.Output{Stdout: whole}, nonce, sections); err != nil {
		t.Errorf("the whole: %v", err)
	}
	for i := range len(whole) - 1 {
		if _, err := parse(remote.Output{Stdout: whole[:i]}, nonce, sections); err == nil {
			t.Fatalf("no error for the first %d of %d bytes", i, len(whole))
		}
	}
}

// without removes a section from an output.
func without(text, nonce, name string) string {
	before, rest, _ := strings.Cut(text, nonce+" begin "+name+"\n")
	_, after, _ := strings.Cut(rest, nonce+" end "+name+" 0\n")
	return before + after
}

// swap exchanges two sections that follow each other.
func swap(text, nonce, first, second string) string {
	start := strings.Index(text, nonce+" begin "+first+"\n")
	middle := strings.Index(text, nonce+" begin "+second+"\n")
	mark := nonce + " end " + second + " 0\n"
	end := strings.Index(text, mark) + len(mark)
	return text[:start] + text[middle:end] + text[start:middle] + text[end:]
}

func TestParseFacts(t *testing.T) {
	for _, c := range []struct {
		text string
		want Facts
	}{
		{"kernel=2.6.32-754.el6.x86_64\nssh=\n", Facts{Kernel: "2.6.32-754.el6.x86_64"}},
		{"kernel=6.1.0\nroot=1\nbusybox=1\nssh=192.0.2.7 51234 192.0.2.1 22\n", Facts{Kernel: "6.1.0", Root: true, Busybox: true, SSHClient: "192.0.2.7", SSHServer: "192.0.2.1"}},
		{"kernel=6.1.0\nssh=fd00::7 51234 fd00::1 22\n", Facts{Kernel: "6.1.0", SSHClient: "fd00::7", SSHServer: "fd00::1"}},
		{"kernel=6.1.0\nssh=half a line\n", Facts{Kernel: "6.1.0"}},
	} {
		n := Node{State: state.New()}
		if err := parseFacts(c.text, &n); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, n.Facts); d != "" {
			t.Error(d)
		}
	}
}

func TestScriptIsSh(t *testing.T) {
	for _, q := range []Question{question(), {Topology: "it's"}} {
		s := NewScript(q)
		for name, args := range shelltest.Each(t) {
			cmd := exec.Command(args[0], append(args[1:], "-n")...)
			cmd.Stdin = strings.NewReader("f() {\n" + s.Lines.String() + "\n}\n")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v: %s", name, err, out)
			}
		}
	}
}

// shellRunner runs scripts in one shell of this machine.
type shellRunner struct {
	remote.Runner // nil: reading needs no other methods
	args          []string
}

func (r shellRunner) Run(ctx context.Context, s remote.Script) (remote.Output, error) {
	cmd := exec.CommandContext(ctx, r.args[0], append(r.args[1:], "-s")...)
	var stdout, stderr strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader("body() {\n"+s.Body+"\n}\nbody </dev/null\n"), &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = nil
	}
	return remote.Output{Stdout: stdout.String(), Stderr: stderr.String(), Status: cmd.ProcessState.ExitCode()}, err
}

// TestReadThisMachine reads this machine, in every shell, and checks that nothing was
// changed.
func TestReadThisMachine(t *testing.T) {
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("no ip here")
	}
	d, err := remote.NewDialer(remote.Config{SSHConfig: os.DevNull})
	if err != nil {
		t.Fatal(err)
	}
	local, err := d.Dial(t.Context(), remote.Target{Name: "here", Address: "local"})
	if err != nil {
		t.Fatal(err)
	}
	runners := map[string]remote.Runner{"local": local}
	for name, args := range shelltest.Each(t) {
		runners[name] = shellRunner{args: args}
	}
	for name, r := range runners {
		t.Run(name, func(t *testing.T) {
			before := traces(t)
			n, err := Read(t.Context(), r, question())
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(before, traces(t)); d != "" {
				t.Errorf("reading left traces: %s", d)
			}
			sane(t, n)
		})
	}
}

// traces are what reading could change by mistake: loaded modules and files.
func traces(t *testing.T) map[string]string {
	t.Helper()
	have := map[string]string{}
	for _, file := range []string{"/proc/modules", "/proc/net/ip_tables_names", "/proc/net/ip6_tables_names", "/etc/hosts"} {
		text, err := os.ReadFile(file)
		if err != nil {
			have[file] = "absent"
			continue
		}
		var names []string
		for line := range strings.Lines(string(text)) {
			if word, _, _ := strings.Cut(line, " "); file != "/proc/modules" {
				names = append(names, line)
			} else {
				names = append(names, word)
			}
		}
		have[file] = strings.Join(names, "\n")
	}
	if files, err := filepath.Glob(RecordDir + "/*"); err == nil {
		have[RecordDir] = strings.Join(files, " ")
	}
	return have
}

func sane(t *testing.T, n Node) {
	t.Helper()
	s := n.State
	if lo, ok := s.Links["lo"]; !ok || !lo.Up {
		t.Errorf("links: %v", s.Links)
	}
	loopback := false
	for k := range s.Addresses {
		loopback = loopback || k.Dev == "lo" && k.Prefix.Addr().IsLoopback()
	}
	if !loopback {
		t.Errorf("addresses: %v", s.Addresses)
	}
	for _, k := range []string{"net/ipv4/ip_forward", "net/ipv4/conf/all/arp_ignore", "net/ipv4/conf/lo/rp_filter", "net/ipv4/conf/all/log_martians"} {
		if v := s.Sysctls[k]; v == "" || strings.ContainsAny(v, "\n:") {
			t.Errorf("%s = %q", k, v)
		}
	}
	if _, there := s.Packages["no-such-command"]; there {
		t.Error("found a command that does not exist")
	}
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil || n.Facts.Kernel != strings.TrimSpace(string(release)) {
		t.Errorf("kernel %q", n.Facts.Kernel)
	}
	if !n.Record.Empty() || n.RecordText != "" {
		t.Errorf("a record of a topology that was never applied here: %q", n.RecordText)
	}
}

// TestNoIP reads a node without ip. The error names the tool.
func TestNoIP(t *testing.T) {
	s := NewScript(question())
	empty := t.TempDir()
	for name, args := range shelltest.Each(t) {
		if name == "busybox" {
			continue // busybox has ip built in
		}
		path, err := exec.LookPath(args[0])
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(path, append(args[1:], "-s")...)
		cmd.Env = []string{"PATH=" + empty}
		cmd.Stdin = strings.NewReader("body() {\n" + s.Lines.String() + "\n}\nbody </dev/null\n")
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Parse(remote.Output{Stdout: string(out)})
		if err == nil || err.Error() != "there is no ip command; install iproute2 on the node" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type failing struct{ remote.Runner }

func (failing) Run(context.Context, remote.Script) (remote.Output, error) {
	return remote.Output{}, errors.New("the line is dead")
}

func TestReadHandsOnTheRunnersError(t *testing.T) {
	if _, err := Read(t.Context(), failing{}, question()); err == nil || err.Error() != "the line is dead" {
		t.Errorf("have %v", err)
	}
}

// TestConnectionUnderSudo reads a node by sudo, which removes SSH_CONNECTION. The two ends
// of the connection must be known all the same.
func TestConnectionUnderSudo(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("left out: only root may use sudo everywhere")
	}
	if _, err := exec.LookPath("sudo"); err != nil {
		t.Skip("left out: ", err)
	}
	s := sshtest.Start(t, sshtest.Options{Config: "ForceCommand exec env LC_ALL=C sudo -n /bin/sh -s"})
	d, err := remote.NewDialer(remote.Config{SSHConfig: s.ConfigPath})
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.Dial(t.Context(), remote.Target{Name: "web", Address: "node"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	env, err := r.Run(t.Context(), remote.Script{Body: `echo "${SUDO_USER-none} ${SSH_CONNECTION-none}"`})
	if err != nil || env.Stdout != s.User+" none\n" {
		t.Fatalf("want sudo without SSH_CONNECTION, have %q, %v", env.Stdout, err)
	}
	have, err := Read(t.Context(), r, question())
	if err != nil {
		t.Fatal(err)
	}
	if have.Facts.SSHClient != "127.0.0.1" || have.Facts.SSHServer != "127.0.0.1" {
		t.Errorf("want the connection's two ends, have %q and %q", have.Facts.SSHClient, have.Facts.SSHServer)
	}
}
