package persist

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lvsctl/lvsctl/internal/state"
)

// host is a node in namespaces of this machine. It has the devices eth0 and eth1, and an
// /etc with further files.
type host struct {
	testing.TB
	root string
	usr  string // a folder whose usr is laid over /usr, see unpack; "" for none
}

// newHost makes a host with these files, by their paths.
func newHost(t testing.TB, files map[string]string) host {
	t.Helper()
	need(t, "unshare", "ip", "mount")
	if os.Geteuid() != 0 {
		t.Skip("left out: namespaces need root")
	}
	h := host{TB: t, root: t.TempDir()}
	for _, phase := range []string{"pre-up", "up", "down", "post-down"} { // ifup fails without
		check(t, os.MkdirAll(h.root+"/etc/network/if-"+phase+".d", 0o755))
	}
	for path, text := range files {
		mode := os.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			mode = 0o755
		}
		write(t, h.root+path, text, mode)
	}
	return h
}

// has writes the files of an Output to the host.
func (h host) has(topology string, out Output) {
	h.Helper()
	for k, b := range out.Blocks {
		before, err := os.ReadFile(h.root + k.Path)
		if err != nil && !os.IsNotExist(err) {
			h.Fatal(err)
		}
		write(h, h.root+k.Path, string(before)+"# BEGIN lvsctl "+topology+"\n"+b.Text+"# END lvsctl "+topology+"\n", 0o755)
	}
	for path, f := range out.Files {
		write(h, h.root+path, f.Text, map[bool]os.FileMode{true: 0o755, false: 0o600}[f.Mode == "0755"])
	}
}

// run runs a script as the host's first process and returns its output. All processes of
// the host end with it.
func (h host) run(script string) string {
	h.Helper()
	usr := ""
	if h.usr != "" {
		usr = "mkdir /run/real; mount --bind /usr /run/real; mount -t overlay -o lowerdir=" + h.usr + "/usr:/usr overlay /usr\n"
	}
	cmd := exec.CommandContext(h.Context(), "timeout", "60", "unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", `set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/etc/work /run/etc/upper
mount -t overlay -o upperdir=/run/etc/upper,workdir=/run/etc/work,lowerdir=`+filepath.Join(h.root, "etc")+`:/etc overlay /etc
mkdir /run/network
echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
for n in 0 1; do ip link add eth$n type veth peer name wall$n; ip link set wall$n up; done
`+usr+`set +e
`+script)
	cmd.Env = []string{"PATH=/usr/sbin:/sbin:/usr/bin:/bin", "LC_ALL=C"}
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		h.Fatalf("%v: %s%s", err, out.String(), complaints.String())
	}
	h.Cleanup(func() {
		if h.Failed() {
			h.Log("the host's complaints: " + complaints.String())
		}
	})
	return out.String()
}

// settle waits until lvsctl's hook has ended. It may wait for ifup in the background.
const settle = "while pgrep -x lvsctl-web >/dev/null; do sleep 0.1; done\n"

// network prints a line for each address, then for each route of the main tables and of
// lvsctl's table.
const network = `
{ ip -o addr show | awk '$4 !~ /^(fe80|::1\/|127)/ { $1 = ""; sub(/\\.*/, ""); gsub(/ (dynamic|tentative|nodad|deprecated)/, ""); sub(/ [^ ]*:[0-9a-z]+ *$/, " " $2); gsub(/ +/, " "); print }'
  ip -4 route show; ip -4 route show table 862 2>/dev/null; ip -6 route show | grep -v '^fe80' | sed 's/ pref medium//'; } | sed 's/ onlink//; s/ *$//; s/^ //' | sort
`

// missing lists the wanted routes and addresses that are not in the output of network.
func missing(have string, want *state.State) []string {
	var list []string
	for k := range want.Addresses {
		if !strings.Contains("\n"+have, "\n"+k.Dev+" "+map[bool]string{true: "inet6", false: "inet"}[k.Prefix.Addr().Is6()]+" "+k.Prefix.String()+" ") {
			list = append(list, k.String())
		}
	}
	for k, r := range want.Routes {
		line := k.Dst.String()
		switch {
		case k.IsDefault():
			line = "default"
		case k.Dst.IsSingleIP():
			line = k.Dst.Addr().String()
		}
		if r.Via.IsValid() {
			line += " via " + r.Via.String()
		}
		if !strings.Contains("\n"+have, "\n"+line+" dev "+r.Dev) {
			list = append(list, "route "+k.String())
		}
	}
	return list
}

func workdir(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	check(t, err)
	return dir
}
