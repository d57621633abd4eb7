package apply_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestBrokenHost breaks something on a host before an apply or in the middle of it.
// Afterwards the host is as before. When it is repaired, the next apply works.
func TestBrokenHost(t *testing.T) {
	t.Parallel()
	for _, f := range []struct {
		name  string
		setup string // of the host
		// before breaks it before the apply; at and during in the middle of it.
		before     string
		at, during string
		mend       string
		want       string // in what is said
		// unsure is set if nobody can see whether the host is as before. Then the record
		// goes on naming what may still be there.
		unsure bool
	}{
		{
			name: "/var/lib full", setup: smallDisk, before: fill, mend: free,
			want: "cannot write the record",
		},
		{
			name: "/var/lib full by the time of the confirmation", setup: smallDisk, at: "lvsctl_say done 6", during: fill, mend: free,
			want: "cannot write the record",
		},
		{
			name: "/var/lib read-only", before: "mount -o remount,bind,ro /var/lib", mend: "mount -o remount,bind,rw /var/lib",
			want: "cannot write the record: mkdir",
		},
		{
			name: "the disk fails", before: failingSync, mend: mendSync,
			want: "cannot write the record: sync: error syncing '/var/lib/lvsctl/" + topologyName + ".json.new': Input/output error",
		},
		{
			name: "the disk fails by the time of the confirmation", at: "lvsctl_say done 6", during: failingSync, mend: mendSync,
			want: "cannot write the record: sync: error",
		},
		{
			name: "/run read-only", before: "mount -o remount,ro /run", mend: "mount -o remount,rw /run",
			want: "cannot lock it: mkdir: cannot create directory '/run/lvsctl': Read-only file system",
		},
		{
			name: "/run full", before: "mount -o remount,size=64k /run; dd if=/dev/zero of=/run/fat bs=4k 2>/dev/null || :", mend: "rm /run/fat",
			want: "cannot arm the rollback",
		},
		{
			name: "/run out of inodes by the time of a step", at: "lvsctl_begin 4 ", during: "mount -o remount,nr_inodes=200 /run; for i in $(seq 200); do true >/run/thin$i || break; done 2>/dev/null", mend: "rm /run/thin*",
			want: "No space left on device",
		},
		{
			name: "no ip", at: "lvsctl_begin 4 ", during: `mount --bind /dev/null "$(command -v ip)"`, mend: `umount "$(readlink -f /sbin/ip)" || umount /bin/ip`,
			want: "ip: ", unsure: true,
		},
		{
			name:   "flock fails",
			before: `printf '#!/bin/sh\necho "flock: 9: No locks available" >&2\nexit 71\n' >/run/flock; chmod +x /run/flock; mount --bind /run/flock "$(readlink -f "$(command -v flock)")"`,
			mend:   `umount "$(readlink -f "$(command -v flock)")"`,
			want:   "cannot lock it: flock: 9: No locks available",
		},
		{
			name: "one command fails", before: wrapIP(`*"route add 10.2.0.0/16"*) echo "RTNETLINK answers: Too bad" >&2; exit 2;;`), mend: unwrapIP,
			want: "cannot add route 10.2.0.0/16: RTNETLINK answers: Too bad",
		},
	} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			n := start(t, hostOptions{setup: ethernet + f.setup})
			before := n.snapshot()
			s := look(t, job{node: n, want: newState()})
			if f.at != "" {
				g := &gates{where: where{before: f.at}, text: f.during + "\nprintf '%s\\n' tripped\n"}
				s = look(t, job{node: n, want: newState(), wrap: g.wrap})
				g.open()
			}
			n.sh(f.before)
			r := s.apply(t.Context(), nil)
			if r.Complete() || !strings.Contains(explain(r), f.want) {
				t.Errorf("it says %s\nwant %q", explain(r), f.want)
			}
			n.sh(f.mend)
			if diff := cmp.Diff(before, n.snapshot()); diff != "" {
				t.Errorf("it is not as it was (-before +after):\n%s", diff)
			}
			if left := n.record(); left != "" && !f.unsure {
				t.Errorf("left over:\n%s", left)
			}
			must(t, job{node: n, want: newState()})
			if left := n.left(); left != "" {
				t.Errorf("left over:\n%s", left)
			}
		})
	}
}

const (
	smallDisk = "mount -t tmpfs -o size=16k tmpfs /var/lib\n"
	fill      = "dd if=/dev/zero of=/var/lib/fat bs=4k 2>/dev/null || :"
	free      = "rm /var/lib/fat"

	failingSync = `printf '#!/bin/sh\necho "sync: error syncing \047$1\047: Input/output error" >&2\nexit 1\n' >/run/sync; chmod +x /run/sync; mount --bind /run/sync "$(readlink -f "$(command -v sync)")"`
	mendSync    = `umount "$(readlink -f "$(command -v sync)")"`
)

// wrapIP puts a script in place of ip that does something else for some command lines.
// cases are those of a case statement.
func wrapIP(cases string) string {
	return `ip=$(readlink -f "$(command -v ip)"); cp "$ip" /run/ip
cat >/run/wrapper <<'END'
#!/bin/sh
case "$*" in
` + cases + `
esac
exec /run/ip "$@"
END
chmod +x /run/wrapper; mount --bind /run/wrapper "$ip"`
}

const unwrapIP = `umount -l "$(readlink -f "$(command -v ip)")"`

// TestHangingCommand has a command that hangs for longer than a host may be silent, and
// does its work when lvsctl has given up.
func TestHangingCommand(t *testing.T) {
	t.Parallel()
	n := start(t, hostOptions{setup: ethernet, silence: 10 * time.Second})
	before := n.snapshot()
	n.sh(wrapIP(`*"route replace default via 10.0.0.254"*) sleep 20;;`))
	s := look(t, job{node: n, want: newState()})
	r := s.apply(t.Context(), nil)
	if r.Complete() || r.Reverted["web"] == nil || !strings.Contains(explain(r), "it said nothing for 10s") {
		t.Errorf("result: %s", explain(r))
	}
	eventually(t, time.Minute, "the command has ended", func() bool {
		_, err := n.try("! pgrep -f '^/bin/sh .*/ip -4 route replace'")
		return err == nil
	})
	if diff := cmp.Diff(before, n.snapshot()); diff != "" {
		t.Errorf("it is not as it was (-before +after):\n%s", diff)
	}
	n.sh(unwrapIP)
	eventually(t, soon, "an apply can begin", func() bool {
		return look(t, job{node: n, want: newState()}).apply(t.Context(), nil).Complete()
	})
}

// TestSilentLoss loses every packet of a connection without telling either end.
func TestSilentLoss(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]string{
		"while it locks": "lvsctl_say locked", "before a step": "lvsctl_begin 1 ", "after a step": "lvsctl_say done 6",
		"before the record": `if ! mv -f "$1.new"`, "before it disarms": `if ! mv "$lvsctl_transaction/armed"`, "after it disarmed": `rm -rf "$lvsctl_transaction" `,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPassage(t, hostOptions{silence: 10 * time.Second})
			g := &gates{where: where{before: at}, text: waiting}
			g.reached = func() {
				p.wire.silence()
				p.sh(": >/run/go")
			}
			r := p.broken(g)
			p.wire.cut() // without this the host would notice after hours
			p.awaitRest()
			p.checkComplete(r)
			p.finish()
		})
	}
}
