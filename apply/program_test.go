package apply_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// program is lvsctl itself, with a topology whose real server is a host.
type program struct {
	*testing.T
	path string // of the executable
	dir  string // of the topology
	lvs  *node
	web  *node
}

const drTopology = `
lvsctl { name = "test" }
director "lvs" {
  address = "lvs" # of the ssh config: no test leaves this machine
  interface "eth0" { address = "10.0.0.254/24" }
}
real_server "web" {
  address = "web"
  persist = "none"
  interface "eth0" { address = "10.0.0.2/24" }
}
virtual_server "web" {
  vip          = "10.0.0.100"
  port         = 80
  mode         = "dr"
  real_servers = ["web"]
}
`

var natTopology = strings.Replace(drTopology, `"dr"`, `"nat"`, 1)

func (p *program) command(args ...string) *exec.Cmd {
	// The director has no IPVS here, so it is left out. It is read all the same.
	cmd := exec.Command(p.path, append([]string{"--ssh-config", filepath.Join(p.dir, "ssh_config")}, args...)...)
	cmd.Dir = p.dir
	return cmd
}

// run runs lvsctl to its end and checks its exit code.
func (p *program) run(want int, args ...string) (stdout, stderr string) {
	p.Helper()
	var out, errOut bytes.Buffer
	cmd := p.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.Fatalf("cannot run lvsctl: %v", err)
	}
	if have := cmd.ProcessState.ExitCode(); have != want {
		p.Errorf("lvsctl %s: exit %d, want %d\n%s%s", strings.Join(args, " "), have, want, &out, &errOut)
	}
	return out.String(), errOut.String()
}

func (p *program) apply(want int, args ...string) (stdout, stderr string) {
	p.Helper()
	return p.run(want, append([]string{"apply", "--auto-approve", "--only", "web"}, args...)...)
}

// begin starts an apply and waits until it is in the middle of its changes.
func (p *program) begin(args ...string) (*exec.Cmd, *bytes.Buffer) {
	p.Helper()
	var out bytes.Buffer
	cmd := p.command(append([]string{"apply", "--auto-approve", "--only", "web"}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &out
	check(p, cmd.Start())
	eventually(p.web, time.Minute, "the apply is in the middle of its changes", func() bool {
		_, err := p.web.try("[ -e /run/reached ]")
		return err == nil
	})
	return cmd, &out
}

// slowIP lets the command that adds the VIP wait until there is a file /run/go.
const slowIP = `*"addr add 10.0.0.100"*) : >/run/reached; while [ ! -e /run/go ]; do sleep 0.05; done;;`

func TestProgram(t *testing.T) {
	t.Parallel()
	needNodes(t)
	path := filepath.Join(t.TempDir(), "lvsctl")
	build := exec.Command("go", "build", "-o", path, "../cmd/lvsctl")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("cannot build lvsctl: %v: %s", err, out)
	}
	director := func(t *testing.T) *node {
		return start(t, hostOptions{name: "lvs", setup: strings.ReplaceAll(ethernet, "10.0.0.2/24", "10.0.0.254/24")})
	}
	with := func(t *testing.T, topology string, web *node) *program {
		p := &program{T: t, path: path, dir: t.TempDir(), lvs: director(t), web: web}
		write(t, filepath.Join(p.dir, "ssh_config"), p.lvs.stanza+web.stanza+elsewhere)
		write(t, filepath.Join(p.dir, "main.hcl"), topology)
		return p
	}
	for name, test := range map[string]func(*program){
		"drift":          drift,
		"GitHub Actions": gitHubRecipe,
		"GitLab CI":      gitLabRecipe,
		"systemd timer":  systemdRecipe,
		"failed step": func(p *program) {
			p.web.sh(wrapIP(`*"addr add 10.0.0.100"*) echo "RTNETLINK answers: Too bad" >&2; exit 2;;`))
			before := p.web.snapshot()
			stdout, stderr := p.apply(4)
			if !strings.HasSuffix(stdout, "\nApply incomplete: 0 added, 0 changed, 0 destroyed on 0 nodes. Not done: web (rolled back).\n") {
				p.Errorf("it ends in:\n%s", stdout)
			}
			if !strings.Contains(stderr, "Error: web: cannot add address 10.0.0.100/32 dev lo: RTNETLINK answers: Too bad\n") {
				p.Errorf("it says:\n%s", stderr)
			}
			p.wantSnapshot(before)

			stdout, _ = p.apply(1, "--no-rollback")
			if !strings.HasSuffix(stdout, "\nApply incomplete: 0 added, 4 changed, 0 destroyed on 1 node. Not done: web (1 change).\n") {
				p.Errorf("it ends in:\n%s", stdout)
			}
			p.web.sh(unwrapIP)
			p.apply(0)
		},
		"locked": func(p *program) {
			p.apply(0)
			holder := exec.Command("nsenter", "-t", p.web.id(), "-m", "-p", "flock", "/run/lvsctl/lock", "sh", "-c", "printf 'ann@desk since 2026-01-02T03:04:05Z\\033[2J\\n' >/run/lvsctl/holder; echo; read -r x")
			stdin, err := holder.StdinPipe()
			check(p, err)
			stdout, err := holder.StdoutPipe()
			check(p, err)
			check(p, holder.Start())
			_, err = stdout.Read(make([]byte, 1))
			check(p, err)
			p.web.sh("ip addr del 10.0.0.100/32 dev lo")
			_, stderr := p.apply(6)
			if want := "Error: web is locked by another apply: ann@desk since 2026-01-02T03:04:05Z\\x1b[2J\n"; !strings.Contains(stderr, want) {
				p.Errorf("it says:\n%s\nwant %s", stderr, want)
			}
			check(p, stdin.Close())
			_ = holder.Wait() // its read command fails at the end of the input
			p.apply(0)
		},
		"stale": func(p *program) {
			p.run(0, "plan", "--only", "web", "--out", "saved")
			p.web.sh("echo 1 >/proc/sys/net/ipv4/conf/all/arp_announce")
			before := p.web.snapshot()
			_, stderr := p.run(5, "apply", "--auto-approve", "saved")
			if want := "sysctl net.ipv4.conf.all.arp_announce: planned on 0, wanted 2, found 1\n"; !strings.Contains(stderr, want) {
				p.Errorf("it says:\n%s\nwant %s", stderr, want)
			}
			p.wantSnapshot(before)
			p.web.sh("echo 0 >/proc/sys/net/ipv4/conf/all/arp_announce")
			stdout, _ := p.run(0, "apply", "saved")
			if !strings.HasPrefix(stdout, "Saved plan of topology ") {
				p.Errorf("it begins with:\n%s", stdout)
			}
			p.apply(0)
		},
		"renamed": func(p *program) {
			before := p.web.snapshot()
			p.apply(0)
			main := filepath.Join(p.dir, "main.hcl")
			write(p, main, strings.Replace(drTopology, `name = "test"`, `name = "new"`, 1))
			stdout, _ := p.run(0, "plan", "--only", "web")
			if want := `warning: the record of topology test on this node holds address 10.0.0.100/32 dev lo too; if this topology was called test, take that over with: lvsctl apply --adopt test, or keep the name: lvsctl { name = "test" }`; !strings.Contains(stdout, want) {
				p.Errorf("the old record is not named:\n%s", stdout)
			}
			if stdout, _ := p.run(0, "plan", "--only", "web", "--adopt", "test"); !strings.Contains(stdout, "takes over what topology test holds") || strings.Contains(stdout, "warning") {
				p.Errorf("what is taken over is not said:\n%s", stdout)
			}
			p.apply(0, "--adopt", "test")
			if have := p.web.sh("ls /var/lib/lvsctl"); have != "new.json\n" {
				p.Errorf("its records are %q", have)
			}
			if stdout, _ := p.run(0, "plan", "--only", "web"); strings.Contains(stdout, "record") {
				p.Errorf("afterwards:\n%s", stdout)
			}
			p.run(0, "destroy", "--auto-approve", "--only", "web")
			p.wantSnapshot(before)
		},
		"beside": func(p *program) {
			site := filepath.Join(p.dir, "site")
			check(p, os.Mkdir(site, 0o700))
			text := strings.Replace(drTopology, `lvsctl { name = "test" }`, "", 1)
			bare, _, _ := strings.Cut(text, "virtual_server")
			apply := func(code int, file string) string {
				stdout, stderr := p.run(code, "apply", "--auto-approve", "--only", "web", filepath.Join("site", file))
				return stdout + stderr
			}
			write(p, filepath.Join(site, "a.hcl"), text)
			apply(0, "a.hcl")
			write(p, filepath.Join(site, "a.hcl"), bare+"# no service any more\n")
			write(p, filepath.Join(site, "b.hcl"), text)
			if said := apply(1, "a.hcl"); !strings.Contains(said, "would remove address 10.0.0.100/32 dev lo from web, and site/b.hcl beside it wants that (line 12)\nApply that one first") {
				p.Errorf("it says:\n%s", said)
			}
			apply(0, "b.hcl")
			if said := apply(0, "a.hcl"); strings.Contains(said, "- address") {
				p.Errorf("it does:\n%s", said)
			}
			if shot := p.web.snapshot(); !strings.Contains(shot, "10.0.0.100/32") {
				p.Errorf("the VIP that b wants is gone: %s", shot)
			}
			if said := apply(0, "b.hcl"); strings.Contains(said, "warning") {
				p.Errorf("b says:\n%s", said)
			}
		},
		"interrupted once": func(p *program) {
			p.web.sh(wrapIP(slowIP))
			cmd, out := p.begin()
			check(p, cmd.Process.Signal(os.Interrupt))
			p.web.sh("sleep 1; : >/run/go")
			_ = cmd.Wait() // the exit code is checked below
			if code := cmd.ProcessState.ExitCode(); code != 130 {
				p.Errorf("exit %d, want 130\n%s", code, out)
			}
			if shot := p.web.snapshot(); !strings.Contains(shot, "10.0.0.100/32") || p.web.left() != "" {
				p.Errorf("what was begun is not finished: %s%s", shot, p.web.left())
			}
		},
		"interrupted twice": func(p *program) {
			p.web.sh(wrapIP(slowIP))
			before := p.web.snapshot()
			cmd, _ := p.begin("--rollback-timeout", "5s")
			check(p, cmd.Process.Signal(os.Interrupt))
			var how syscall.WaitStatus
			eventually(p, soon, "it ends at once", func() (ended bool) {
				_ = cmd.Process.Signal(os.Interrupt)
				how, ended = exited(cmd)
				return ended
			})
			// A shell reports exit code 130 for this signal.
			if !how.Signaled() || how.Signal() != syscall.SIGINT {
				p.Errorf("it ends with %#x, not by the interrupt", int(how))
			}
			p.putsItselfBack(before)
			p.web.sh(unwrapIP)
			p.apply(0)
		},
		"killed": func(p *program) {
			p.web.sh(wrapIP(slowIP))
			before := p.web.snapshot()
			cmd, _ := p.begin("--rollback-timeout", "20s")
			check(p, cmd.Process.Kill())
			_ = cmd.Wait()
			_, stderr := p.apply(6)
			if !strings.Contains(stderr, "Error: web waits for an apply that was cut off (") {
				p.Errorf("it says:\n%s", stderr)
			}
			p.putsItselfBack(before)
			p.web.sh(unwrapIP)
			p.apply(0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(with(t, drTopology, start(t, hostOptions{setup: ethernet})))
		})
	}
	orphanTests(t, path)
	t.Run("locked out", func(t *testing.T) {
		t.Parallel()
		p := with(t, natTopology, behindRouter(t))
		before := p.web.snapshot()
		stdout, stderr := p.apply(4, "--rollback-timeout", "5s", "--timeout", "8s")
		if !strings.HasSuffix(stdout, "Not done: web (rolled back).\n") || !strings.HasSuffix(strings.Split(stderr, "Error:")[0], "web: it is as it was before\n") {
			t.Errorf("it says:\n%s%s", stdout, stderr)
		}
		p.wantSnapshot(before)
	})
}

// exited reports whether a program has ended, and how. It reaps the process.
func exited(cmd *exec.Cmd) (how syscall.WaitStatus, ended bool) {
	pid, err := syscall.Wait4(cmd.Process.Pid, &how, syscall.WNOHANG, nil)
	return how, err == nil && pid == cmd.Process.Pid
}

func (p *program) wantSnapshot(before string) {
	p.Helper()
	if diff := cmp.Diff(before, p.web.snapshot()); diff != "" {
		p.Errorf("the host is not as it was (-before +after):\n%s", diff)
	}
}

// putsItselfBack waits until the host has put itself back.
func (p *program) putsItselfBack(before string) {
	p.Helper()
	eventually(p.web, time.Minute, "the host has put itself back", func() bool {
		_, err := p.web.try(atRest)
		return err == nil
	})
	p.wantSnapshot(before)
}
