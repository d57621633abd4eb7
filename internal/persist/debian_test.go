package persist

import (
	"bytes"
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lvsctl/lvsctl/internal/lab"
	"github.com/lvsctl/lvsctl/internal/netsystem"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
)

// debian is a whole Debian of the lab's, with the programs of one network system and
// its own systemd, in namespaces of this machine instead of in a machine of its own:
// it boots in a second. It has the kernel of this machine, so there is no IPVS and no
// tunnel on it. lvsctl is at work there as far as state and persist are: it reads,
// settles, changes and records.
type debian struct {
	testing.TB
	system netsystem.Name
	dir    string
	init   int // its first process, as this machine counts; 0 while it is off
	off    func()
	record state.Record
	// dhcp has eth0 lead to a server that gives it 10.1.0.2, from the next boot on.
	dhcp bool
}

// images are the lab's images, each looked for once.
var images = map[netsystem.Name]func() (string, error){}

func init() {
	for _, s := range []netsystem.Name{netsystem.Ifupdown, netsystem.Netplan, netsystem.Networkd, netsystem.NetworkManager} {
		images[s] = sync.OnceValues(func() (string, error) {
			return lab.Image(context.Background(), lab.System(s), func(string) {})
		})
	}
}

// newDebian makes a host that has some files, by their paths; it is off.
func newDebian(t testing.TB, system netsystem.Name, files map[string]string) *debian {
	t.Helper()
	d := &debian{TB: t, system: system, dir: t.TempDir(), off: func() {}, record: state.NewRecord("web")}
	d.put(map[string]string{"/etc/machine-id": strings.Repeat("1", 32) + "\n", "/etc/hostname": "host\n", "/etc/resolv.conf": ""})
	d.put(files)
	t.Cleanup(func() { d.off() })
	return d
}

// put writes files while the host is off. NetworkManager and netplan want theirs to be
// nobody else's. A text "->PATH" is a symbolic link.
func (d *debian) put(files map[string]string) {
	d.Helper()
	for path, text := range files {
		mode := os.FileMode(0o644)
		switch {
		case strings.HasPrefix(text, "->"):
			check(d, os.MkdirAll(filepath.Dir(d.path(path)), 0o755))
			check(d, os.Symlink(text[2:], d.path(path)))
			continue
		case strings.HasPrefix(text, "#!"):
			mode = 0o755
		case strings.HasPrefix(path, profilesDir), strings.HasPrefix(path, "/etc/netplan/"):
			mode = 0o600
		}
		write(d, d.path(path), text, mode)
	}
}

// file is a file that the host did not get with its image.
func (d *debian) file(path string) string {
	d.Helper()
	text, err := os.ReadFile(d.path(path))
	check(d, err)
	return string(text)
}

func (d *debian) path(path string) string { return filepath.Join(d.dir, "disk", path) }

// boot starts the host and waits until systemd says that it is up. A host that runs
// is switched off before.
func (d *debian) boot() {
	d.Helper()
	d.off()
	image, err := images[d.system]()
	check(d, err)
	cmd := exec.Command("unshare", "--mount", "bash", filepath.Join(workdir(d), "testdata", "debian.sh"), d.dir, image, strconv.FormatBool(d.dhcp))
	cmd.Env = []string{"PATH=/usr/sbin:/sbin:/usr/bin:/bin"}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // it ends with the test
	check(d, cmd.Start())
	pid := strconv.Itoa(cmd.Process.Pid)
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	d.off = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		<-ended
		for d.init != 0 && syscall.Kill(d.init, 0) == nil {
			time.Sleep(5 * time.Millisecond)
		}
		d.init = 0
		const tidy = `mount -t cgroup2 cgroup "$1/cgroup" && find "$1/cgroup/lvsctl-test-$2" -depth -type d -exec rmdir {} +`
		if out, err := exec.Command("unshare", "--mount", "sh", "-c", tidy, "sh", d.dir, pid).CombinedOutput(); err != nil {
			d.Errorf("cannot remove a control group: %v: %s", err, out)
		}
	})
	for d.init == 0 {
		select {
		case <-ended:
			d.Fatalf("the host does not boot: %s", said.String())
		case <-time.After(20 * time.Millisecond):
		}
		children, _ := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
		for child := range strings.FieldsSeq(string(children)) {
			if name, _ := os.ReadFile("/proc/" + child + "/comm"); string(name) == "systemd\n" {
				d.init, err = strconv.Atoi(child)
				check(d, err)
			}
		}
	}
	d.sh("until [ -S /run/systemd/private ]; do sleep 0.05; done; systemctl is-system-running --wait >/dev/null; systemctl start network-online.target")
	if d.dhcp {
		d.sh("until ip addr show dev eth0 | grep -q -F 10.1.0.2/; do sleep 0.05; done")
	}
}

// sh runs a script on the host and returns what it prints.
func (d *debian) sh(script string) string {
	d.Helper()
	out, complaints, err := d.try(script)
	if err != nil {
		d.Fatalf("%s: %v: %s%s", lastLines(script), err, out, complaints)
	}
	return out
}

// try is sh where a failure is nobody's.
func (d *debian) try(script string) (out, complaints string, err error) {
	d.Helper()
	cmd := exec.CommandContext(d.Context(), "timeout", "40", "nsenter", "-t", strconv.Itoa(d.init), "-a", "-r", "-w", "sh")
	cmd.Env = []string{"PATH=/usr/sbin:/sbin:/usr/bin:/bin", "LC_ALL=C"}
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(script), &stdout, &stderr
	err = cmd.Run()
	return stdout.String(), stderr.String(), err
}

// read reads the host as lvsctl does.
func (d *debian) read(want *state.State) (*state.State, Boot) {
	d.Helper()
	wanted := state.Wanted{Topology: "web", Shared: Shared(), Own: Own("web"), Units: Units("web"), Sysctls: slices.Sorted(maps.Keys(want.Sysctls))}
	sections := append(state.Sections(wanted), state.Section{Name: "boot", Read: Section()})
	var s shell.Script
	for _, part := range sections {
		s.Line("echo 'PART ", part.Name, "'; ", part.Read)
	}
	live := state.New()
	var boot Boot
	rest := d.sh(s.String())
	for i, part := range sections {
		_, text, _ := strings.Cut(rest, "PART "+part.Name+"\n")
		if i+1 < len(sections) {
			text, rest, _ = strings.Cut(text, "PART "+sections[i+1].Name+"\n")
			rest = "PART " + sections[i+1].Name + "\n" + rest
		}
		if part.Name == "boot" {
			boot = Parse(text)
			continue
		}
		if err := part.Parse(text, live); err != nil {
			d.Fatalf("%s: %v", part.Name, err)
		}
	}
	return live, boot
}

// plan is what lvsctl would change, and what it says of the files.
func (d *debian) plan(want *state.State) ([]state.Change, state.Settled, Output) {
	d.Helper()
	live, boot := d.read(want)
	if have := Choose(boot, []string{"eth0"}); have != d.system {
		d.Fatalf("lvsctl takes its network system for %q", have)
	}
	var out Output
	settled := state.SettleWithFiles(live, want, d.record, false, func(s state.Settled) *state.State {
		lasting := want.Clone()
		lasting.Routes = s.Wanted().Routes
		out = Files(Input{
			Topology: "web", System: netsystem.Auto, Want: lasting, Before: s.Intent.Before, Live: live, Boot: boot, Devices: []string{"eth0"},
		})
		with := want.Clone()
		maps.Copy(with.Blocks, out.Blocks)
		maps.Copy(with.Files, out.Files)
		maps.Copy(with.Units, out.Units)
		return with
	})
	return state.Diff(settled.Have, settled.Want), settled, out
}

// apply makes the host as wanted, and its record.
func (d *debian) apply(want *state.State) Output {
	d.Helper()
	changes, settled, out := d.plan(want)
	var s shell.Script
	s.Line("true")
	removals := slices.DeleteFunc(slices.Clone(changes), func(c state.Change) bool { return c.Op != state.Remove })
	slices.Reverse(removals)
	others := slices.DeleteFunc(changes, func(c state.Change) bool { return c.Op == state.Remove })
	for _, c := range slices.Concat(others, removals) {
		for _, do := range c.Do {
			s.Line(do, " || exit")
		}
	}
	d.sh(s.String())
	live, _ := d.read(want)
	d.record = state.Confirm(settled, live)
	return out
}

// network is each address and each route of the host's, a line each, and each unit that
// failed.
func (d *debian) network() string {
	d.Helper()
	return d.sh(`{
  ip -o addr show | grep -v -e ' fe80' -e ' 127' -e ' ::1/' | sed 's/^[0-9]*: //; s/\\.*//; s/  */ /g; s/ tentative//; s/ metric 1024//; s/ *$//'
  for t in main local; do { ip -4 route show table $t; ip -6 route show table $t; } | grep -v -e fe80 -e ff00 -e ' 127' -e '^127' -e ' ::1 ' | sed "s/^/$t /; /proto kernel/s/ metric 10[0-9]\\>//; s/ metric 1024//; s/ *$//"; done
  systemctl --failed --plain --no-legend
} | sort`)
}

// lastLines is the end of a script: what comes before it defines functions.
func lastLines(script string) string {
	_, end, long := strings.Cut(script, "\ntrue\n")
	if !long {
		return script
	}
	return end
}
