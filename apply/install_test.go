package apply_test

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/apply"
	"github.com/lvsctl/lvsctl/internal/state"
)

// debianTools gives a host a real apt and dpkg with their own root and repository. The
// lists are empty, and each installation is silent for some time.
const debianTools = `mkdir -p /run/apt/repository /run/apt/root/usr/local/sbin /run/apt/root/var/lib/dpkg/info /run/apt/root/var/lib/dpkg/updates /run/apt/lists/partial /run/apt/cache/archives/partial /run/apt/log /run/apt/package/DEBIAN /run/apt/package/usr/local/sbin
mount --bind /run/apt/root/usr/local/sbin /usr/local/sbin
: >/run/apt/root/var/lib/dpkg/status
printf '#!/bin/sh\n' >/run/apt/package/usr/local/sbin/lvsctl-tool; chmod 755 /run/apt/package/usr/local/sbin/lvsctl-tool
printf 'Package: lvsctl-tool\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@localhost>\nDescription: a tool\n' >/run/apt/package/DEBIAN/control
dpkg-deb -b /run/apt/package /run/apt/repository/tool.deb >/dev/null
cd /run/apt/repository
{ cat /run/apt/package/DEBIAN/control; printf 'Filename: ./tool.deb\nSize: %s\nSHA256: %s\n\n' "$(stat -c %s tool.deb)" "$(sha256sum tool.deb | cut -d' ' -f1)"; } >Packages
rm -rf /etc/apt; mkdir -p /etc/apt/apt.conf.d /etc/apt/preferences.d
echo 'deb [trusted=yes] file:/run/apt/repository ./' >/etc/apt/sources.list
cat >/etc/apt/apt.conf.d/own <<'E'
Dir::State::status "/run/apt/root/var/lib/dpkg/status";
Dir::State::lists "/run/apt/lists";
Dir::State::extended_states "/run/apt/extended_states";
Dir::Cache "/run/apt/cache";
Dir::Log "/run/apt/log";
DPkg::Options { "--root=/run/apt/root"; "--force-script-chrootless"; };
DPkg::Pre-Invoke { "echo started >>/run/apt/began; sleep 8"; };
APT::Sandbox::User "root";
E
`

// withTool is newState and a package.
func withTool() *state.State {
	s := newState()
	s.Packages["lvsctl-tool"] = state.Package{}
	return s
}

// TestInstall has an installation that takes longer than the rollback timeout, and longer
// than a host may be silent. It is not disturbed, and comes before the host is armed.
func TestInstall(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("left out: " + err.Error())
		}
	}
	hurried := func(o *apply.Options) { o.Rollback = 5 * time.Second }
	t.Run("and change", func(t *testing.T) {
		t.Parallel()
		n := start(t, hostOptions{setup: ethernet + debianTools, silence: 5 * time.Second})
		if r := look(t, job{node: n, want: withTool()}).apply(t.Context(), hurried); !r.Complete() {
			t.Fatal(explain(r))
		}
		n.sh("command -v /usr/local/sbin/lvsctl-tool")
		if left := n.left(); left != "" {
			t.Errorf("left over:\n%s", left)
		}
		if again := look(t, job{node: n, want: withTool()}); len(again.Plan.Actions) > 0 {
			t.Errorf("planned again: %+v", again.Plan.Actions)
		}
	})
	t.Run("and fail afterwards", func(t *testing.T) {
		t.Parallel()
		n := start(t, hostOptions{setup: ethernet + debianTools, silence: 5 * time.Second})
		before := n.snapshot()
		n.sh(wrapIP(`*"route add 10.2.0.0/16"*) echo "RTNETLINK answers: Too bad" >&2; exit 2;;`))
		r := look(t, job{node: n, want: withTool()}).apply(t.Context(), hurried)
		for _, a := range r.Plan.Actions {
			if have := r.Outcomes[a.ID].Status; (a.Kind == state.KindPackage) != (have == apply.Done) {
				t.Errorf("%s %s: %s", a.Kind, a.Key, have)
			}
		}
		if diff := cmp.Diff(before, n.snapshot()); diff != "" {
			t.Errorf("it is not as it was (-before +after):\n%s", diff)
		}
		n.sh("command -v /usr/local/sbin/lvsctl-tool")
	})
	t.Run("and lose the connection", func(t *testing.T) {
		t.Parallel()
		n := start(t, hostOptions{setup: ethernet + debianTools, silence: 5 * time.Second})
		s := look(t, job{node: n, want: withTool()})
		done := make(chan apply.Result)
		go func() { done <- s.apply(t.Context(), hurried) }()
		eventually(n, time.Minute, "the package manager is at work", func() bool {
			_, err := n.try("[ -e /run/apt/began ]")
			return err == nil
		})
		n.wire.cut()
		if r := <-done; r.Complete() {
			t.Errorf("nobody noticed: %s", explain(r))
		}
		// The next apply waits for the installation and begins no other.
		must(t, job{node: n, want: withTool()})
		if began := n.sh("cat /run/apt/began"); strings.Count(began, "started") != 1 {
			t.Errorf("it was begun more than once: %s", began)
		}
		n.sh("command -v /usr/local/sbin/lvsctl-tool")
	})
}

// TestLongStep has a step that takes longer than the rollback timeout. It may finish, as
// long as lvsctl waits for it.
func TestLongStep(t *testing.T) {
	t.Parallel()
	n := start(t, hostOptions{setup: ethernet, silence: 2 * time.Minute})
	n.sh(wrapIP(`*"route replace default via 10.0.0.254"*) sleep 30;;`))
	// It is time enough for a busy machine to confirm, and too little for the step.
	r := look(t, job{node: n, want: newState()}).apply(t.Context(), func(o *apply.Options) { o.Rollback = 20 * time.Second })
	if !r.Complete() {
		t.Error(explain(r))
	}
}
