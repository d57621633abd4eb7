package apply_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/apply"
	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/remote"
)

// TestBrokenHost breaks something on a host before an apply or in the middle of
// it. Whatever that is the host is as it was afterwards, and once it is mended
// the next apply works.
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
		// unsure hosts cannot be seen to be as before: the record goes on naming what
		// may still be there.
		unsure bool
	}{
		{
			name: "/var/lib full", setup: smallDisk, before: fill, mend: free,
			want: "cannot write the record",
		},
		{
			name: "/var/lib full by the time of the confirmation", setup: smallDisk, at: "d 6", during: fill, mend: free,
			want: "cannot write the record",
		},
		{
			name: "/var/lib read-only", before: "mount -o remount,bind,ro /var/lib", mend: "mount -o remount,bind,rw /var/lib",
			want: "cannot write the record: mkdir",
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
			name: "/run out of inodes by the time of a step", at: "s 4 ", during: "mount -o remount,nr_inodes=200 /run; for i in $(seq 200); do true >/run/thin$i || break; done 2>/dev/null", mend: "rm /run/thin*",
			want: "No space left on device",
		},
		{
			name: "no ip", at: "s 4 ", during: `mount --bind /dev/null "$(command -v ip)"`, mend: `umount "$(readlink -f /sbin/ip)" || umount /bin/ip`,
			want: "ip: ", unsure: true,
		},
		{
			name: "one command fails", before: wrapIP(`*"route add 10.2.0.0/16"*) echo "RTNETLINK answers: Too bad" >&2; exit 2;;`), mend: unwrapIP,
			want: "cannot add route 10.2.0.0/16: RTNETLINK answers: Too bad",
		},
	} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			n := start(t, how{setup: ethernet + f.setup})
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
)

// wrapIP puts a script before ip that treats some of its command lines in
// another way: cases are those of a case statement.
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

// TestHangingCommand has a command hang for longer than a host may be silent,
// and do its work when nobody waits for it any more.
func TestHangingCommand(t *testing.T) {
	t.Parallel()
	n := start(t, how{setup: ethernet, silence: 2 * time.Second})
	before := n.snapshot()
	n.sh(wrapIP(`*"route replace default via 10.0.0.254"*) sleep 12;;`))
	s := look(t, job{node: n, want: newState()})
	r := s.apply(t.Context(), nil)
	if r.Complete() || r.Reverted["web"] == nil || !strings.Contains(explain(r), "it said nothing for 2s") {
		t.Errorf("result: %s", explain(r))
	}
	eventually(t, 30*time.Second, "the command has ended", func() bool {
		_, err := n.try("! pgrep -f '^/bin/sh .*/ip -4 route replace'")
		return err == nil
	})
	if diff := cmp.Diff(before, n.snapshot()); diff != "" {
		t.Errorf("it is not as it was (-before +after):\n%s", diff)
	}
	n.sh(unwrapIP)
	eventually(t, 10*time.Second, "an apply can begin", func() bool {
		return look(t, job{node: n, want: newState()}).apply(t.Context(), nil).Complete()
	})
}

// TestSilentLoss has every packet of a connection lost, without a word to either
// end, while the host goes on or is held up.
func TestSilentLoss(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]string{
		"while it locks": "say locked", "before a step": "s 1 ", "after a step": "d 6",
		"before the record": "mv -f", "before it disarms": `if ! mv "$x/armed"`, "after it disarmed": "rm -rf",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPassage(t, how{silence: 2 * time.Second})
			g := &gates{where: where{before: at}, text: waiting}
			g.reached = func() {
				p.wire.hush()
				p.sh(": >/run/go")
			}
			r := p.broken(g)
			p.wire.cut() // the host would not know for hours
			p.settled(20 * time.Second)
			p.honest(r)
			p.finish()
		})
	}
}

// TestGarbage has a host whose shell answers anything but what it was asked.
func TestGarbage(t *testing.T) {
	t.Parallel()
	n := start(t, how{setup: ethernet, silence: 3 * time.Second})
	before := n.snapshot()
	s := look(t, job{node: n, want: newState()})
	for _, shell := range []string{
		"head -c 300000 /dev/urandom",
		"cat",
		"exit 0",
		"printf 'Welcome to this fine router\\n> '; exec sleep 60",
		"sed -u -e 's/[0-9a-f][0-9a-f]/00/g' | dash -s",
	} {
		n.sh(fmt.Sprintf("printf '%%s\\n' '#!/bin/bash' %s >/run/garbage; chmod +x /run/garbage; mount --bind /run/garbage /bin/sh", remote.Quote(shell)))
		_, err := survey(t.Context(), job{node: n, want: newState()})
		if err == nil {
			t.Errorf("%s: it was read", shell)
		}
		r := s.apply(t.Context(), nil)
		if r.Complete() || r.Unconfirmed["web"] == nil {
			t.Errorf("%s: result: %s", shell, explain(r))
		}
		// nsenter runs no sh that is not one.
		unmount(t, n, "/bin/sh")
		if diff := cmp.Diff(before, n.snapshot()); diff != "" {
			t.Errorf("%s: it is not as it was (-before +after):\n%s", shell, diff)
		}
		s = look(t, job{node: n, want: newState()})
	}
	must(t, job{node: n, want: newState()})
}

// truncating cuts the output of one script of an apply in the middle, as a
// transport does that loses the end and does not say so.
type truncating struct {
	remote.Runner
	state *truncation
}

type truncation struct {
	script  int // which; they are counted from 0
	percent int // how much is left of it
	seen    int
	hit     bool
}

func (r truncating) Run(ctx context.Context, s remote.Script) (remote.Output, error) {
	next, lines := s.Line, []string(nil)
	if next != nil {
		s.Line = func(line string) { lines = append(lines, line) }
	}
	out, err := r.Runner.Run(ctx, s)
	if r.state.cut(&out) {
		lines = lines[:len(lines)*r.state.percent/100]
	}
	for _, line := range lines {
		next(line)
	}
	return out, err
}

func (r truncating) Hold(ctx context.Context, s remote.Script) (remote.Output, func(), error) {
	out, release, err := r.Runner.Hold(ctx, s)
	r.state.cut(&out)
	return out, release, err
}

func (c *truncation) cut(out *remote.Output) bool {
	c.seen++
	if c.seen-1 != c.script {
		return false
	}
	c.hit = true
	out.Stdout = out.Stdout[:len(out.Stdout)*c.percent/100]
	return true
}

func TestTruncatedOutput(t *testing.T) {
	t.Parallel()
	for _, percent := range []int{0, 30, 60, 95} {
		t.Run(fmt.Sprintf("%d percent", percent), func(t *testing.T) {
			t.Parallel()
			p := newPassage(t, how{})
			for script := 1; ; script++ { // 0 made the plan
				c := &truncation{script: script, percent: percent}
				s := look(t, job{node: p.node, want: newState(), wrap: func(r remote.Runner) remote.Runner { return truncating{r, c} }})
				r := s.apply(t.Context(), nil)
				if !c.hit {
					break
				}
				p.settled(10 * time.Second)
				p.honest(r)
				p.finish()
			}
		})
	}
	t.Run("any line of a read", func(t *testing.T) {
		t.Parallel()
		n := start(t, how{setup: ethernet})
		conn, err := n.dial(t.Context())
		check(t, err)
		defer conn.Close()
		script, err := live.NewScript(job{node: n, want: newState()}.question())
		check(t, err)
		out, err := conn.Run(t.Context(), remote.Script{Body: script.Body})
		check(t, err)
		whole := out.Stdout
		for i := range whole {
			out.Stdout = whole[:i]
			if _, err := script.Parse(out); err == nil {
				t.Fatalf("the first %d of %d bytes are taken for all", i, len(whole))
			}
		}
	})
}

// TestPowerCut pulls a host's plug while it is changed, before anybody could
// confirm. Its namespaces are made anew, with an empty /run and the same
// /var/lib: a reboot as far as an apply can tell.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]string{
		"before a step": "s 1 ", "after a step": "d 6", "before the record": "mv -f", "before it disarms": `if ! mv "$x/armed"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := start(t, how{setup: ethernet})
			before := n.snapshot()
			g := &gates{where: where{before: at}, text: waiting}
			g.reached = func() {
				n.off()
				n.boot()
			}
			s := look(t, job{node: n, want: newState(), wrap: g.wrap})
			g.open()
			r := s.apply(t.Context(), nil)
			if r.Complete() || !g.passed() {
				t.Errorf("result: %s", explain(r))
			}
			if diff := cmp.Diff(before, n.snapshot()); diff != "" {
				t.Errorf("it is not as it was (-before +after):\n%s", diff)
			}
			must(t, job{node: n, want: newState()})
			if left := n.left(); left != "" {
				t.Errorf("left over:\n%s", left)
			}
			// What was there before the first apply is known still.
			must(t, job{node: n, want: oldState()})
			n.sh("ip addr del 10.0.0.100/32 dev lo; ip route del 10.1.0.0/16; echo 0 >/proc/sys/net/ipv4/conf/lo/arp_ignore")
			if diff := cmp.Diff(before, n.snapshot()); diff != "" {
				t.Errorf("what was there before is not known (-before +after):\n%s", diff)
			}
		})
	}
}

// TestFailingRollback has an inverse that does not work: the others are carried
// out all the same, and it is said what is not as it was.
func TestFailingRollback(t *testing.T) {
	t.Parallel()
	t.Run("an inverse fails", func(t *testing.T) {
		t.Parallel()
		n := start(t, how{setup: ethernet})
		before := n.snapshot()
		n.sh(wrapIP(`*"addr del 10.0.0.101"*) echo "RTNETLINK answers: Never" >&2; exit 2;;`))
		r := look(t, job{node: n, want: impossible()}).apply(t.Context(), nil)
		if err := r.Unconfirmed["web"]; err == nil || err.Error() != "the rollback did not take: address 10.0.0.101/32 dev lo is there instead of absent (Cannot find device \"eth9\"; RTNETLINK answers: Never)" {
			t.Errorf("result: %s", explain(r))
		}
		n.sh(unwrapIP)
		must(t, job{node: n, want: newState()})
		if left := n.left(); left != "" {
			t.Errorf("left over:\n%s", left)
		}
		must(t, job{node: n, want: oldState()})
		n.sh("ip addr del 10.0.0.100/32 dev lo; ip route del 10.1.0.0/16; echo 0 >/proc/sys/net/ipv4/conf/lo/arp_ignore")
		if diff := cmp.Diff(before, n.snapshot()); diff != "" {
			t.Errorf("what was there before is not known (-before +after):\n%s", diff)
		}
	})
	for name, breaks := range map[string]string{
		"the script is gone":   "rm /run/lvsctl/*/rollback.sh",
		"the script is no sh":  "for f in /run/lvsctl/*/rollback.sh; do echo ') (' >$f; done",
		"the script is killed": "", // by its first inverse
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPassage(t, how{})
			if breaks == "" {
				p.sh(wrapIP(`*"route del 10.2.0.0/16"*) [ -e /run/killed ] || { : >/run/killed; kill -9 $PPID; sleep 1; };;`))
			}
			g := &gates{where: where{before: "d 6"}, text: breaks + "\nprintf '%s\\n' tripped; ip addr del 10.0.0.101/32 dev lo\n"}
			s := look(t, job{node: p.node, want: newState(), wrap: g.wrap})
			g.open()
			r := s.apply(t.Context(), func(o *apply.Options) { o.Rollback = 5 * time.Second })
			if r.Complete() || r.Unconfirmed["web"] == nil {
				t.Errorf("result: %s", explain(r))
			}
			if breaks == "" {
				p.sh(unwrapIP)
			}
			eventually(t, time.Minute, "the next apply can begin and finishes", func() bool {
				return look(t, job{node: p.node, want: newState()}).apply(t.Context(), nil).Complete()
			})
			p.finish()
		})
	}
}

// TestInterrupted ends the context in the middle of an apply: what is under way
// is finished and confirmed, nothing else is begun.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	p := newPassage(t, how{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	g := &gates{where: changing, text: "printf '%s\\n' tripped\n", reached: cancel}
	s := look(t, job{node: p.node, want: newState(), wrap: g.wrap})
	g.open()
	r := s.apply(ctx, nil)
	if diff := cmp.Diff(p.states[1], p.snapshot()); diff != "" || r.Complete() {
		t.Errorf("what was begun was not finished (-want +have):\n%s\n%s", diff, explain(r))
	}
	for _, a := range r.Plan.Actions {
		if a.ID > 6 && r.Outcomes[a.ID].Status != apply.Skipped {
			t.Errorf("something else was begun: %s", explain(r))
		}
	}
	p.finish()
}

// TestClock has the host's timers go by no clock that anybody can set.
func TestClock(t *testing.T) {
	t.Parallel()
	n := start(t, how{setup: ethernet})
	end := holdUp(t, n)
	text := n.sh("cat /run/lvsctl/*/rollback.sh; cat /run/lvsctl/*/deadline; cat /proc/uptime")
	if strings.Contains(text, "date") || !strings.Contains(text, "/proc/uptime") {
		t.Errorf("the rollback is timed by something else than /proc/uptime:\n%s", text)
	}
	end()
}
