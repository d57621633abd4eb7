package persist

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// Shared are the files that may have a topology's block, as patterns of the
// shell.
func Shared() []string {
	return []string{
		redHatRules, debianRules, debianDefault, rcLocalRedHat, rcLocal, interfaces, interfacesDir + "/lvsctl",
		scriptsDir + "ifcfg-*", scriptsDir + "route-*", scriptsDir + "route6-*", networkFile,
		networkDir + "*lvsctl*", networkDir + "*.network.d/lvsctl.conf", sysctlFile, modulesFile, modulesScript, etcModules,
	}
}

// Own are the files that are a topology's own, as patterns of the shell.
func Own(topology string) []string {
	j := job{Input: Input{Topology: topology}}
	return []string{
		j.scriptPath(), j.savePath(), j.unitPath(), j.dropInPath(), netplanPath(topology),
		profilesDir + j.own() + "-lo.nmconnection", j.dispatcherPath(), j.hookPath(),
	}
}

// Units are the services that a topology may want at boot.
func Units(topology string) []string {
	j := job{Input: Input{Topology: topology}}
	return []string{"ipvsadm", j.unitName()}
}

// lookup is a question that one grep answers for all of its files.
type lookup struct {
	word  string         // what its lines are to Parse
	files []string       // patterns of the shell
	line  *regexp.Regexp // of grep -E too; it begins with ^
}

// lookups are the questions whose answers are lines of files. All of them are one
// process: nodes are slow, and there are many.
var lookups = []lookup{
	{"ifindex", []string{"/sys/class/net/*/ifindex"}, regexp.MustCompile(`^[0-9]+$`)},
	{"link", []string{"/run/systemd/netif/links/*"}, regexp.MustCompile(`^NETWORK_FILE=`)},
	{"managed", []string{"/run/NetworkManager/devices/*"}, regexp.MustCompile(`^managed=true$`)},
	{"class", []string{"/sys/class/net/*/uevent"}, regexp.MustCompile(`^DEVTYPE=`)},
	{"interfaces", []string{interfaces, interfacesDir + "/*"}, regexp.MustCompile(`^[[:space:]]*(iface|source|source-directory)[[:space:]]`)},
	{"ifcfg", []string{scriptsDir + "ifcfg-*"}, regexp.MustCompile(`^(DEVICE|ONBOOT|BOOTPROTO|IPADDR0?|PREFIX0?|NETMASK0?)=`)},
	{"loopback", []string{profilesDir + "*", "/run/NetworkManager/system-connections/*"}, regexp.MustCompile(`^type=loopback$`)},
	{"indexed", []string{scriptsDir + "route-*"}, regexp.MustCompile(`^ADDRESS[0-9]`)},
	{"save", []string{"/etc/sysconfig/ipvsadm-config"}, regexp.MustCompile(`^[[:space:]]*IPVS_SAVE_ON_(STOP|RESTART)=.?yes`)},
	{"rcexit", []string{rcLocalRedHat, rcLocal}, regexp.MustCompile(`^[[:space:]]*exit([[:space:]]|$)`)},
	{"sysctl", []string{sysctlConf, "/etc/sysctl.d/*.conf", "/run/sysctl.d/*.conf"}, regexp.MustCompile(`^[[:space:]]*-?[[:space:]]*net[./]`)},
}

// find is the question that a line of grep's, FILE:NUMBER:TEXT, answers. Files
// may have colons in their names.
func find(answer string) (l lookup, file, number, text string) {
	for i, r := range answer {
		if r != ':' {
			continue
		}
		number, text, ok := strings.Cut(answer[i+1:], ":")
		if _, err := strconv.Atoi(number); err != nil || !ok {
			continue
		}
		for _, l := range lookups {
			if l.at(answer[:i]) && l.line.MatchString(text) {
				return l, answer[:i], number, text
			}
		}
	}
	return lookup{}, "", "", ""
}

// at reports whether a file is one of those that are asked.
func (l lookup) at(file string) bool {
	return slices.ContainsFunc(l.files, func(pattern string) bool {
		is, err := path.Match(pattern, file)
		return is && err == nil
	})
}

func grepAll() string {
	var b strings.Builder
	b.WriteString("{ grep -H -n -E")
	for _, l := range lookups {
		b.WriteString(" -e " + shell.Quote(l.line.String()))
	}
	for _, l := range lookups {
		b.WriteString(" \\\n  " + strings.Join(l.files, " "))
	}
	b.WriteString(" 2>/dev/null || :; } | sed 's/^/grep /'")
	return b.String()
}

// Section is the script that prints what of a node decides how things come back
// there, a line each: a word, then its value.
var Section = strings.Replace(sectionScript, "GREP", grepAll(), 1)

const sectionScript = `if [ -r /etc/redhat-release ]; then read -r l </etc/redhat-release; printf 'redhat %s\n' "$l"; fi
if [ -e /etc/sysconfig/network-scripts/ifup-aliases ]; then
  for l in /etc/rc[35].d/S[0-9][0-9]network /etc/rc.d/rc[35].d/S[0-9][0-9]network; do
    if [ -e "$l" ] || [ -L "$l" ]; then printf 'scripts\n'; break; fi
  done
fi
running() {
  if [ -d /run/systemd/system ]; then systemctl is-active --quiet "$1" 2>/dev/null; return; fi
  [ -e "/var/run/$1/$1.pid" ]
}
if running NetworkManager; then printf 'nm %s\n' "$(NetworkManager --version 2>/dev/null)"; fi
if running systemd-networkd; then printf 'networkd\n'; fi
if command -v netplan >/dev/null; then
  for f in /etc/netplan/*.yaml /run/netplan/*.yaml /lib/netplan/*.yaml; do
    if [ -e "$f" ]; then printf 'netplan\n'; break; fi
  done
fi
for f in /etc/sysconfig/network-scripts/ifcfg-*:*; do
  if [ -e "$f" ]; then printf 'alias %s\n' "${f#*/ifcfg-}"; fi
done
for f in /etc/systemd/system/ipvsadm.service /usr/lib/systemd/system/ipvsadm.service /lib/systemd/system/ipvsadm.service /etc/init.d/ipvsadm; do
  [ -e "$f" ] || continue
  if grep -q sysconfig/ipvsadm "$f"; then printf 'service redhat\n'; else printf 'service debian\n'; fi
  break
done
if [ -r /etc/default/ipvsadm ]; then
  sed -n -e '/^# BEGIN lvsctl /,/^# END lvsctl /d' -e '/^[[:space:]]*AUTO=/s/^/auto /p' /etc/default/ipvsadm
fi
for f in /etc/sysconfig/ipvsadm /etc/ipvsadm.rules; do
  if [ -r "$f" ]; then sed -n -e '/^# BEGIN lvsctl /,/^# END lvsctl /d' -e '/^[^#]/s/^/rule /p' "$f"; fi
done
for f in /etc/rc.d/rc.local /etc/rc.local; do
  if [ -f "$f" ] && [ -x "$f" ]; then printf 'rclocal %s\n' "$f"; break; fi
done
GREP`
