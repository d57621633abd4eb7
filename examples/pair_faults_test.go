package examples_test

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// heavier is pairPlain with another weight, which is one reload on each director.
var heavier = pairHosts + pairInstance("") + pairService("http", "80", `real_servers = { "rs-1" = 1, "rs-2" = 7 }`)

// pairCutOff kills lvsctl between the two reloads: the director that has its new file puts
// itself back, and the next apply changes both.
func pairCutOff(p pair) {
	p.bring()
	before := p.each(pairDirectors, "md5sum /etc/keepalived/keepalived.conf; cat /run/keepalived.pid")
	p.write(heavier)
	p.wantNoneLost(pairTarget, "an apply that is killed", func() {
		cmd := exec.Command(program, "apply", "--lab", "--auto-approve", "--rollback-timeout", "20s", p.topology)
		cmd.Dir = p.dir
		events, err := cmd.StderrPipe()
		if err != nil {
			p.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			p.Fatal(err)
		}
		reloaded := false
		for lines := bufio.NewScanner(events); !reloaded && lines.Scan(); {
			reloaded = strings.HasPrefix(lines.Text(), "d2: ~ daemon")
		}
		if err := cmd.Process.Kill(); err != nil || !reloaded {
			p.Errorf("d2 was not reloaded: %v", err)
		}
		_ = cmd.Wait() // it was killed
		p.await("d2", "it has put itself back", "! grep -q 'weight 7' /etc/keepalived/keepalived.conf && ! ls /run/lvsctl/*/firing.* 2>/dev/null", 120)
	})
	if have := p.each(pairDirectors, "md5sum /etc/keepalived/keepalived.conf; cat /run/keepalived.pid"); have["d1"] != before["d1"] || have["d2"] != before["d2"] {
		p.Errorf("before %q, after %q", before, have)
	}
	p.wantHolder(pairVIP, pairDirectors, "d1")
	p.apply(0)
	p.plan(0)
	p.wantHolder(pairVIP, pairDirectors, "d1")
}

// killedByReload is a script that kills all of a keepalived once it has loaded a weight of
// 7, as a reload does that it does not survive.
const killedByReload = `p=$(cat /run/keepalived.pid)
for f in /proc/$p/fd/*; do
  case $(readlink $f) in */keepalived/consolidated_configuration*) conf=$f ;; esac
done
[ -n "$conf" ]
sh -c "until grep -q 'weight 7' $conf; do sleep 0.1; done; kill -STOP $p; kill -9 $(cat /run/vrrp.pid) $(cat /run/checkers.pid) $p" </dev/null >/dev/null 2>&1 &`

// pairKilledByReload: a director whose keepalived does not survive its reload runs the old
// file afterwards, and the other one is not changed.
func pairKilledByReload(p pair) {
	p.bring()
	before := p.each(pairDirectors, "md5sum /etc/keepalived/keepalived.conf")
	p.sh("d2", killedByReload)
	p.write(heavier)
	p.wantNoneLost(pairTarget, "a reload that keepalived does not survive", func() {
		if stdout, stderr, code := p.run("apply", "--lab", "--auto-approve", p.topology); code != 4 || !strings.Contains(stderr, "keepalived did not survive it") {
			p.Errorf("exit %d\n%s%s", code, stdout, stderr)
		}
	})
	if have := p.each(pairDirectors, "md5sum /etc/keepalived/keepalived.conf"); have["d1"] != before["d1"] || have["d2"] != before["d2"] {
		p.Errorf("before %q, after %q", before, have)
	}
	p.write(pairPlain)
	p.plan(0)
	p.wantHolder(pairVIP, pairDirectors, "d1")
}

// pairTwoAtOnce: of two applies at the same time that would make the directors strangers to
// each other, at most one changes anything, and no address is on both or on none.
func pairTwoAtOnce(p pair) {
	p.bring()
	var paths []string
	for _, password := range []string{"one", "two"} {
		path := filepath.Join(p.TempDir(), filepath.Base(p.topology))
		if err := os.Mkdir(path, 0o755); err != nil {
			p.Fatal(err)
		}
		writeTopology(p.T, path, strings.NewReplacer("DIRECTOR", "", pairPassword, password).Replace(pairPlain))
		paths = append(paths, path)
	}
	p.wantNoneLost(pairTarget, "two applies at once", func() {
		var codes [2]int
		var said [2]bytes.Buffer
		var group sync.WaitGroup
		for i, path := range paths {
			group.Go(func() {
				cmd := exec.Command(program, "apply", "--lab", "--auto-approve", path)
				cmd.Dir, cmd.Stderr = p.dir, &said[i]
				_ = cmd.Run() // its exit code says it
				codes[i] = cmd.ProcessState.ExitCode()
			})
		}
		group.Wait()
		// Each may find the other's lock on a director: then neither has changed anything.
		for i, code := range codes {
			if other := codes[1-i]; code != 6 && (code != 0 && code != 5 || other != 6 && other != 5) {
				p.Errorf("exit %v\n%s\n%s", codes, &said[0], &said[1])
			}
		}
	})
	p.wantHolder(pairVIP, pairDirectors, "d1")
	p.bring()
	p.plan(0)
}

// pairCutCable cuts the master off: nothing that it sends arrives. The other director takes
// over three adverts and a share of a second later, and only requests of that time may
// fail. When the first one is back it takes the addresses, or does not.
func pairCutCable(p pair) {
	p.write(strings.Replace(pairPlain, "= 51", "= 51\n  preempt = false", 1))
	p.apply(0)
	p.wantHolder(pairVIP, pairDirectors, "d1")
	// A port that is used again meets what servers keep of connections that were cut.
	p.sh("client", manyPorts)
	defer p.sh("client", fewPorts)
	const now = "bash -c 'echo $EPOCHREALTIME'"
	milli := func(text string) int64 {
		seconds, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			p.Fatal(err)
		}
		return int64(1000 * seconds)
	}
	var cut, taken int64
	have := p.under(pairTarget, func() {
		// The kernel keeps IPv4 addresses, and IPv6 ones if it is told to.
		cut = milli(p.sh("d1", "echo 1 >/proc/sys/net/ipv6/conf/eth0/keep_addr_on_down; "+now+"; ip link set eth0 down"))
		taken = milli(p.sh("d2", "until ip -o addr show to "+pairVIP+" | grep -q eth0; do sleep 0.1; done; "+now))
		p.wantServed()
	})
	// 3 adverts of 3 s and 1 s. The emulated processors of a busy machine stand still for
	// some seconds, and keepalived's timers with them.
	const promised, emulation = 10_000, 8_000
	p.Logf("taken over after %d ms", taken-cut)
	if taken-cut > promised+emulation {
		p.Errorf("d2 has taken over only after %d ms", taken-cut)
	}
	// A request that began before is cut if it was under way.
	if have.Failures > 0 && (have.First < cut-2_000 || have.Last > taken+2_000) {
		p.Errorf("requests failed that began from %d ms to %d ms after the cut: %v", have.First-cut, have.Last-cut, have.Errors)
	}
	p.wantNoneLost(pairTarget, "the first director is back", func() {
		p.sh("d1", "ip link set eth0 up; echo 0 >/proc/sys/net/ipv6/conf/eth0/keep_addr_on_down")
		p.await("d1", "it hears the other", "ip -o link show dev eth0 | grep -q LOWER_UP", 20)
		p.plan(0)
	})
	p.wantHolder(pairVIP, pairDirectors, "d2")
}
