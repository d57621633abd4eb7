package persist

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
)

// Shared are the files that may have a topology's block, as patterns of the
// shell.
func Shared() []string {
	return []string{
		redHatRules, debianRules, openRCRules, debianDefault, rcLocalRedHat, rcLocal, ifUpLocal, interfaces, interfacesDir + "/lvsctl",
		scriptsDir + "ifcfg-*", scriptsDir + "route-*", scriptsDir + "route6-*", networkFile,
		networkDir + "*lvsctl*", networkDir + "*.network.d/lvsctl.conf", sysctlFile, modulesFile, modulesScript, etcModules,
		cloudTemplates + "*.tmpl", openRCKeepalived,
	}
}

// Own are the topology's own files, as patterns of the shell.
func Own(topology string) []string {
	j := job{Input: Input{Topology: topology}}
	return []string{
		j.scriptPath(), j.savePath(), j.unitPath(), j.initPath(), j.dropInPath(), j.keepalivedPath(),
		profilesDir + j.own() + "-lo.nmconnection", j.dispatcherPath(), j.ifUpPath(),
	}
}

// Units are the services that a topology may want at boot.
func Units(topology string) []string {
	j := job{Input: Input{Topology: topology}}
	return slices.Compact([]string{"ipvsadm", j.unitName(), j.own(), state.UnitModules, state.UnitSysctl})
}

// lookup finds lines in files of a node.
type lookup struct {
	word  string         // tells Parse what the lines mean
	files []string       // patterns of the shell
	line  *regexp.Regexp // also for grep -E; it begins with ^. nil for every line
}

// lookups lists the lookups. One grep does all of them, because starting processes is slow
// on some nodes.
var lookups = []lookup{
	{"ifindex", []string{"/sys/class/net/*/ifindex"}, regexp.MustCompile(`^[0-9]+$`)},
	{"link", []string{"/run/systemd/netif/links/*"}, regexp.MustCompile(`^NETWORK_FILE=`)},
	{"network", []string{networkDir + "*.network", networkDir + "*.network.d/*.conf", runNetworkDir + "*.network", runNetworkDir + "*.network.d/*.conf"}, nil},
	{"managed", []string{"/run/NetworkManager/devices/*"}, regexp.MustCompile(`^managed=true$`)},
	{"class", []string{"/sys/class/net/*/uevent"}, regexp.MustCompile(`^DEVTYPE=`)},
	{"interfaces", []string{interfaces, interfacesDir + "/*"}, regexp.MustCompile(`^[[:space:]]*iface[[:space:]]+[^[:space:]]`)},
	{"ifcfg", []string{scriptsDir + "ifcfg-*"}, nil},
	{"loopback", []string{profilesDir + "*", "/run/NetworkManager/system-connections/*"}, regexp.MustCompile(`^type=loopback$`)},
	{"routes", []string{scriptsDir + "route-*", scriptsDir + "route6-*"}, nil},
	{"tables", []string{debianDefault, redHatConfig}, nil},
	{"rcexit", []string{rcLocalRedHat, rcLocal, ifUpLocal}, regexp.MustCompile(`^[[:space:]]*exit([[:space:]]|$)`)},
	{"cloudhosts", cloudFiles, regexp.MustCompile(`^[[:space:]]*manage_etc_hosts[[:space:]]*:`)},
	{"cloudtemplate", []string{cloudTemplates + "*.tmpl"}, regexp.MustCompile(`^127\.0\.0\.1`)},
	{"written", append(Shared(), state.HostsFile), writtenLine},
	{"sysctl", []string{sysctlConf, "/etc/sysctl.d/*.conf", "/run/sysctl.d/*.conf"}, regexp.MustCompile(`^[[:space:]]*-?[[:space:]]*net[./]`)},
}

// find returns the lookup that a line of grep, FILE:NUMBER:TEXT, belongs to. The name of a
// file may have a colon: ifcfg-lo:0. Such a file is an alias, and is added to aliases.
func find(answer string, aliases map[string]bool) (l lookup, file, number, text string) {
	for i, r := range answer {
		if r != ':' {
			continue
		}
		number, text, ok := strings.Cut(answer[i+1:], ":")
		if !isNumber(number) || !ok {
			continue
		}
		if again, _, ok := strings.Cut(text, ":"); ok && isNumber(again) && aliases[strings.TrimPrefix(answer[:i], scriptsDir+"ifcfg-")+":"+number] {
			continue
		}
		for _, l := range lookups {
			if l.at(answer[:i]) && (l.line == nil || l.line.MatchString(text)) {
				return l, answer[:i], number, text
			}
		}
	}
	return lookup{}, "", "", ""
}

func isNumber(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}

// at reports whether a file is one of the lookup's.
func (l lookup) at(file string) bool {
	return slices.ContainsFunc(l.files, func(pattern string) bool {
		is, err := path.Match(pattern, file)
		return is && err == nil
	})
}

// Section is the command that prints what [Parse] reads, in lines of a word and its value.
func Section() shell.Command {
	var args, files, whole []string
	for _, l := range lookups {
		if l.line == nil {
			whole = append(whole, l.files...)
			continue
		}
		args, files = append(args, l.line.String()), append(files, l.files...)
	}
	return shell.Call(shell.ReadBoot, slices.Concat(args, []string{"--"}, files, []string{"--"}, whole)...)
}
