package keepalived

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// release is a Debian whose keepalived is another one than this machine's.
type release struct{ suite, version string }

var releases = []release{{"bullseye", "2.1.5"}, {"trixie", "2.3.3"}}

// unpack fills a folder with a release's keepalived, and with the tools that scripts call.
func (r release) unpack(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("left out: namespaces need root")
	}
	const tools = "keepalived,iproute2,base-files,coreutils,dash,grep,sed,mawk,mount,util-linux"
	var root string
	var out []byte
	var err error
	for _, server := range []string{"deb", "archive"} { // where a release goes that gets old
		root = t.TempDir()
		out, err = exec.Command("mmdebstrap", "--quiet", "--variant=extract", "--include="+tools, `--aptopt=Acquire::Check-Valid-Until "false"`,
			r.suite, root, "http://"+server+".debian.org/debian").CombinedOutput()
		if err == nil {
			break
		}
	}
	if err != nil && os.Getenv("CI") != "true" {
		t.Skipf("left out: cannot unpack %s: %v: %s", r.suite, err, out)
	} else if err != nil {
		t.Fatalf("cannot unpack %s: %v: %s", r.suite, err, out)
	}
	// What the packages' own scripts would do. /etc/init.d/keepalived needs more of Debian.
	sh := exec.Command("sh", "-euc", `for d in bin sbin lib lib64; do [ -e $d ] || ln -s usr/$d $d; done
mkdir -p proc run root etc/keepalived
ln -sf mawk usr/bin/awk
cp /etc/passwd /etc/group etc
rm etc/init.d/keepalived`)
	sh.Dir = root
	if out, err := sh.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return root
}

// run runs a script as on a host of that release: files, network, processes and /run are
// its own.
func (r release) run(t *testing.T, root, script string) string {
	t.Helper()
	const begin = `cd "$1" && mount -t proc proc proc && mount -t tmpfs tmpfs run && mount -t tmpfs tmpfs root && mount --rbind /dev dev &&
mkdir run/lvsctl && exec chroot . /bin/sh -s`
	cmd := exec.Command("unshare", "-m", "-n", "-p", "-f", "--mount-proc", "sh", "-c", begin, "sh", root)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v", err)
	}
	return string(out)
}

// TestReleases has the keepaliveds of other releases judge the files that are rendered for
// them, load one, and load another one in its place.
func TestReleases(t *testing.T) {
	for _, r := range releases {
		t.Run(r.version, func(t *testing.T) {
			t.Parallel()
			root := r.unpack(t)
			v := version(t, r.version)
			if have := r.run(t, root, "keepalived -v 2>&1 | head -n 1"); !strings.Contains(have, "Keepalived v"+r.version) {
				t.Fatalf("%s has %s", r.suite, have)
			}
			pair := tutorial()
			pair.Instances[0].Interface, pair.Instances[0].Advertised[0] = "eth0", Address{Prefix: prefix("192.0.2.100/32"), Dev: "eth0"}
			pair.Services = nil // no kernel for them here
			again := pair
			again.Instances = []Instance{pair.Instances[0]}
			again.Instances[0].Priority = 90
			texts := map[string]string{
				"tutorial": tutorial().Render(v), "rich": rich().Render(v),
				"wrong": strings.Replace(tutorial().Render(v), "priority 100", "prioritat 100", 1),
				"pair":  pair.Render(v), "again": again.Render(v),
			}
			if len(modern().Refuse(v)) == 0 {
				texts["modern"] = modern().Render(v)
			}
			var s strings.Builder
			s.WriteString(shell.Definitions(shell.Keepalived, shell.KeepalivedAway, shell.Settle, shell.ReadKeepalived, shell.Transaction, shell.Report))
			s.WriteString(`for d in eth0 eth1 ens33; do ip link add $d type veth peer name p$d; ip link set $d up; ip link set p$d up; done
ip addr add 192.0.2.1/24 dev eth0
mkdir -p /usr/local/bin; printf '#!/bin/sh\n' >/usr/local/bin/check-dns; chmod 755 /usr/local/bin/check-dns
lvsctl_find_run; mkdir $lvsctl_run/t; lvsctl_report n; lvsctl_transaction t 30; conf=/etc/keepalived/keepalived.conf
`)
			for name, text := range texts {
				s.WriteString(shell.Call(shell.Text, name, text).String() + "\n")
			}
			for _, name := range []string{"tutorial", "rich", "modern", "wrong"} {
				if texts[name] != "" {
					s.WriteString("lvsctl_print " + name + " >/run/f; if said=$(lvsctl_keepalived_test /run/f); then echo " + name + " is good; else echo " + name + ": $said; fi\n")
				}
			}
			s.WriteString(`held() { i=0; until [ -n "$(lvsctl_holds 192.0.2.100)" ] || [ $((i += 1)) -gt 30 ]; do sleep 1; done; lvsctl_holds 192.0.2.100; }
lvsctl_keepalived $conf 0600 pair >/dev/null || echo failed; held
p=$(lvsctl_first $(lvsctl_keepaliveds)); kill -0 $p && echo runs
lvsctl_keepalived $conf 0600 again || echo failed; lvsctl_lent $conf && echo lent
lvsctl_settle $conf; grep -o 'priority 90' $conf
[ $p = $(lvsctl_first $(lvsctl_keepaliveds)) ] && echo same; held
lvsctl_read_keepalived $conf | grep -c 'priority 90'
lvsctl_keepalived_away leave; lvsctl_holds 192.0.2.100; lvsctl_keepaliveds
`)
			have := r.run(t, root, s.String())
			loaded := "1" // in the file; what is loaded can be read from 2.2.0 on
			if r.version == "2.3.3" {
				loaded = "2"
			}
			want := "tutorial is good\nrich is good\n"
			if texts["modern"] != "" {
				want += "modern is good\n"
			}
			after := "192.0.2.100\nruns\nlent\npriority 90\nsame\n192.0.2.100\n" + loaded + "\n"
			if !strings.HasPrefix(have, want+"wrong: keepalived refuses the file") || !strings.HasSuffix(have, "\n"+after) {
				t.Errorf("want %swrong: keepalived refuses the file...\n%s\nhave %s", want, after, have)
			}
		})
	}
}
