package apply_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/apply"
	"github.com/lvsctl/lvsctl/internal/netsystem"
	"github.com/lvsctl/lvsctl/internal/state"
)

// debian makes a host's /etc that of a Debian with ifupdown and without systemd.
const debian = `mkdir -p /etc/network/interfaces.d /etc/network/if-up.d /etc/sysctl.d
printf 'source /etc/network/interfaces.d/*\nauto lo\niface lo inet loopback\n' >/etc/network/interfaces
`

// etc lists the files below /etc with their mode and checksum.
func (n *node) etc() string {
	n.Helper()
	return n.sh("cd /etc && find . -type f -exec ls -ln {} + | awk '{ print $1, $3, $4, $9 }' | sort; find . -type f -exec md5sum {} + | sort")
}

// withoutFiles is a host that is as wanted, except for its files for the next boot. before
// is its /etc.
func withoutFiles(t *testing.T) (n *node, before string) {
	t.Helper()
	n = start(t, hostOptions{setup: ethernet + debian})
	must(t, job{node: n, want: newState()})
	return n, n.etc()
}

// TestFilesLast looks at the host at each script of an apply. Files are written only when
// nothing waits to be confirmed any more.
func TestFilesLast(t *testing.T) {
	t.Parallel()
	n := start(t, hostOptions{setup: ethernet + debian})
	before, etc := n.snapshot(), n.etc()
	g := &gates{where: where{before: "{ lvsctl_block "}, text: "printf '%s\\n' tripped\n"}
	g.reached = func() {
		if shot := n.snapshot(); !strings.Contains(shot, "10.0.0.101/32") || !strings.Contains(shot, "default via 10.0.0.254") {
			t.Errorf("files are written before the host is as wanted:\n%s", shot)
		}
		if armed := n.sh("ls /run/lvsctl/*/armed 2>/dev/null || :"); armed != "" {
			t.Errorf("files are written while the host may still put itself back: %s", armed)
		}
	}
	s := look(t, job{node: n, want: newState(), persist: netsystem.Auto, wrap: g.wrap})
	g.open()
	if r := s.apply(t.Context(), nil); !r.Complete() || !g.passed() {
		t.Fatalf("reached %t: %s", g.passed(), explain(r))
	}
	for file, text := range map[string]string{
		"/etc/sysctl.d/zz-lvsctl.conf":              "net.ipv4.conf.all.arp_ignore = 1\n",
		"/etc/network/if-up.d/lvsctl-test":          "script=/etc/lvsctl/test.sh\n",
		"/etc/lvsctl/test.sh":                       "ip -4 route replace default via 10.0.0.254 dev eth0\n",
		"/var/lib/lvsctl/" + topologyName + ".json": "/etc/network/if-up.d/lvsctl-test",
	} {
		if have := n.sh("cat " + file); !strings.Contains(have, text) {
			t.Errorf("%s has no %q:\n%s", file, text, have)
		}
	}
	if again := look(t, job{node: n, want: newState(), persist: netsystem.Auto}); len(again.Plan.Actions) > 0 {
		t.Errorf("planned again: %+v", again.Plan.Actions)
	}
	must(t, job{node: n, want: state.New()})
	if diff := cmp.Diff(before, n.snapshot()) + cmp.Diff(etc, n.etc()); diff != "" {
		t.Errorf("not all is given back (-want +have):\n%s", diff)
	}
	if left := n.left() + n.record(); left != "" {
		t.Errorf("left over:\n%s", left)
	}
}

// TestFileFails has a folder that cannot be written to. The live configuration stays, and
// the next apply writes the other files.
func TestFileFails(t *testing.T) {
	t.Parallel()
	n := start(t, hostOptions{setup: ethernet + debian})
	n.sh("mount --bind /etc/sysctl.d /etc/sysctl.d; mount -o remount,bind,ro /etc/sysctl.d")
	r := look(t, job{node: n, want: newState(), persist: netsystem.Auto}).apply(t.Context(), nil)
	const why = "cannot add file /etc/sysctl.d/zz-lvsctl.conf"
	if r.Complete() || len(r.Reverted) > 0 || !strings.Contains(explain(r), why) || !strings.Contains(explain(r), "Read-only file system") {
		t.Errorf("it says %s", explain(r))
	}
	statuses := map[apply.Status]int{}
	for _, a := range r.Plan.Actions {
		if !a.Kind.Persistent() {
			statuses[r.Outcomes[a.ID].Status]++
		}
	}
	if statuses[apply.Done] == 0 || len(statuses) > 1 {
		t.Errorf("what is live does not stay: %s", explain(r))
	}
	n.sh("umount /etc/sysctl.d")
	must(t, job{node: n, want: newState(), persist: netsystem.Auto})
	if left := n.left(); left != "" {
		t.Errorf("left over:\n%s", left)
	}
}

// TestFilesCut cuts the connection or kills the shell between any two statements of an
// apply that writes files. Each file has its old or its new content, the live configuration
// is unchanged, and the next apply finishes.
func TestFilesCut(t *testing.T) {
	needNodes(t)
	for name, text := range map[string]string{"connection": waiting, "shell": dying} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, before := withoutFiles(t)
			live := n.snapshot()
			want := job{node: n, want: newState(), persist: netsystem.Auto}
			must(t, want)
			after := n.etc()
			back := job{node: n, want: newState()}
			must(t, back)
			allowed := map[string]bool{}
			for line := range strings.Lines(before + after) {
				allowed[line] = true
			}
			known := map[string][]int{}
			for place := 0; ; place++ {
				g := &gates{where: where{number: place}, text: text, known: known}
				g.reached = func() {
					if text == waiting {
						n.wire.cut()
					}
				}
				cut := want
				cut.wrap = g.wrap
				s := look(t, cut)
				g.open()
				s.apply(t.Context(), nil)
				if !g.passed() {
					if place < 10 {
						t.Errorf("only %d places", place)
					}
					return
				}
				n.sh(": >/run/go")
				eventually(n, soon, "the host is at rest", func() bool {
					_, err := n.try(`! pgrep -f "^/bin/sh -s" && flock -n /run/lvsctl/lock true`)
					return err == nil
				})
				n.sh("rm -f /run/go")
				for line := range strings.Lines(n.etc()) {
					if !allowed[line] && !strings.Contains(line, ".lvsctl.new") {
						t.Errorf("place %d: neither old nor new: %s", place, line)
					}
				}
				must(t, want)
				if diff := cmp.Diff(after, n.etc()) + cmp.Diff(live, n.snapshot()); diff != "" {
					t.Fatalf("place %d: the next apply does not finish (-want +have):\n%s", place, diff)
				}
				must(t, back)
				if diff := cmp.Diff(before, n.etc()); diff != "" {
					t.Fatalf("place %d: not given back (-want +have):\n%s", place, diff)
				}
			}
		})
	}
}
