package live

import (
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// factScript prints NAME=VALUE lines. busybox's ip does not know -V and fails.
const factScript = `{ read -r l l kernel l </proc/version; } 2>/dev/null || kernel=$(uname -r)
printf 'kernel=%s\n' "$kernel"
if [ -w /proc/sys/net/ipv4/ip_forward ]; then printf 'root=1\n'; fi
if ! ip -V >/dev/null 2>&1; then printf 'busybox=1\n'; fi
printf 'ssh=%s\n' "$SSH_CONNECTION"`

func parseFacts(text string, n *Node) error {
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimRight(line, "\n"), "=")
		switch name {
		case "kernel":
			n.Facts.Kernel = value
		case "root":
			n.Facts.Root = true
		case "busybox":
			n.Facts.Busybox = true
		case "ssh":
			// SSH_CONNECTION: client address and port, server address and port.
			if words := strings.Fields(value); len(words) == 4 {
				n.Facts.SSHClient, n.Facts.SSHServer = words[0], words[2]
			}
		}
	}
	return nil
}

// schedulerScript asks modprobe, without loading anything, which schedulers the
// kernel has: versions do not tell, distributions leave some out. Where there is
// no modprobe nobody can tell, and the apply will.
func schedulerScript(names []string) string {
	var b strings.Builder
	for _, s := range names {
		m := shell.Quote("ip_vs_" + s)
		b.WriteString("if [ -e /sys/module/" + m + " ] || ! command -v modprobe >/dev/null || modprobe -n -q " + m + " 2>/dev/null; then printf '%s\\n' " + shell.Quote(s) + "; fi\n")
	}
	return b.String()
}

func parseSchedulers(text string, n *Node) error {
	n.Facts.Schedulers = map[string]bool{}
	for name := range strings.FieldsSeq(text) {
		n.Facts.Schedulers[name] = true
	}
	return nil
}

// ownerScript prints who else may change the IPVS table of this network: running
// programs, and devices that such programs leave. keepalived counts where its
// configuration has virtual servers, or includes what may have.
const ownerScript = `for f in /proc/[0-9]*/comm; do
  { read -r c <"$f"; } 2>/dev/null || continue
  case $c in keepalived|ldirectord|kube-proxy|kube-router|seesaw_engine|seesaw_ncc|pybal|nanny|surealived) ;; *) continue ;; esac
  n=${f%/comm}/ns/net
  if [ -e "$n" ] && ! [ "$n" -ef /proc/self/ns/net ]; then continue; fi
  if [ "$c" = keepalived ] && [ -r /etc/keepalived/keepalived.conf ] &&
    ! grep -q -E '^[[:space:]]*(virtual_server|include)' /etc/keepalived/keepalived.conf; then continue; fi
  printf '%s\n' "$c"
done
if [ -e /sys/class/net/kube-ipvs0 ]; then printf 'kube-proxy\n'; fi
if [ -e /sys/class/net/kube-dummy-if ]; then printf 'kube-router\n'; fi
if [ -e /run/docker/netns/ingress_sbox ]; then printf 'docker swarm\n'; fi`

func parseOwners(text string, n *Node) error {
	for line := range strings.Lines(text) {
		if name := strings.TrimSpace(line); name != "" {
			n.Facts.Owners = append(n.Facts.Owners, name)
		}
	}
	slices.Sort(n.Facts.Owners)
	n.Facts.Owners = slices.Compact(n.Facts.Owners)
	return nil
}
