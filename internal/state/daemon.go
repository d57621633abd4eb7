package state

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// The keys of [State.Daemons]: the two daemons that copy connections between directors. A
// director can run both.
const (
	DaemonMaster = "master"
	DaemonBackup = "backup"
)

// Daemon is a running sync daemon.
type Daemon struct {
	// Interface is "" if ipvsadm does not print it (up to 1.27, for a backup).
	Interface string `json:"interface,omitempty"`
	// ID is the number of the group of directors, 0 to 255. Other groups on the same
	// network have another one.
	ID int `json:"id"`
	// Rest is what ipvsadm 1.29 and later print beside that, if it is not the default:
	// group=224.0.0.90, ttl=4. A wanted daemon has none, and accepts a live one's.
	Rest string `json:"rest,omitempty"`
}

var daemons = &table[string, Daemon]{
	kind:    KindDaemon,
	of:      func(s *State) *map[string]Daemon { return &s.Daemons },
	compare: cmp.Compare[string],
	key:     func(k string) Key { return Name(k) },
	value: func(d Daemon) string {
		return strings.TrimSpace("dev "+d.Interface) + " id " + strconv.Itoa(d.ID)
	},
	make: func(_ *State, k string, d Daemon) []shell.Command {
		return []shell.Command{startDaemon(k, d)}
	},
	// A daemon that runs cannot be changed, so it is stopped and started.
	edit: func(_ *State, k string, _, d Daemon) []shell.Command {
		return []shell.Command{shell.Cmd("ipvsadm", "--stop-daemon", k), startDaemon(k, d)}
	},
	unmake: func(_ *State, k string, _ Daemon) []shell.Command {
		return []shell.Command{shell.Cmd("ipvsadm", "--stop-daemon", k)}
	},
	fit: func(_ *State, _ Record, have, want map[string]Daemon) {
		for k, w := range want {
			h, ok := have[k]
			unsaid := h.Interface == ""
			if ok && (unsaid || w.Rest == "" && h.Interface == w.Interface && h.ID == w.ID) {
				want[k] = h
			}
		}
	},
}

// daemonDefaults are the words that ipvsadm prints for a daemon's default settings
// (ip_vs_sync.c). maxlen depends on the interface's MTU, here 1500.
func daemonDefaults() []string {
	return []string{"maxlen=1472", "group=224.0.0.81", "port=8848", "ttl=1"}
}

// startDaemon names the interface always: ipvsadm's default is literally eth0
// (DEF_MCAST_IFN, libipvs.h).
func startDaemon(k string, d Daemon) shell.Command {
	args := []string{"ipvsadm", "--start-daemon", k, "--mcast-interface", d.Interface, "--syncid", strconv.Itoa(d.ID)}
	flags := map[string]string{"maxlen": "--sync-maxlen", "group": "--mcast-group", "port": "--mcast-port", "ttl": "--mcast-ttl"}
	for word := range strings.FieldsSeq(strings.ReplaceAll(d.Rest, ",", " ")) {
		name, value, _ := strings.Cut(word, "=")
		if flag, ok := flags[name]; ok {
			args = append(args, flag, value)
		}
	}
	return shell.Cmd(args...)
}

// parseDaemons reads ipvsadm -L --daemon:
//
//	master sync daemon (mcast=eth0, syncid=1)
//	backup sync daemon (mcast=eth0, syncid=1, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)
//
// 1.29 and later print the second form. 1.25 and 1.26 print a backup only if there is a
// master too, and 1.27 prints the master in its place (list_daemon, ipvsadm.c; corrected
// in 1.28).
func parseDaemons(text string, s *State) error {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		role, rest, ok := strings.Cut(line, " sync daemon")
		if !ok || (role != DaemonMaster && role != DaemonBackup) {
			continue
		}
		d, err := parseDaemon(strings.Trim(rest, " ()"))
		if err != nil {
			return fmt.Errorf("cannot read sync daemon line %q: %w", line, err)
		}
		if _, known := s.Daemons[role]; !known || d.Interface != "" {
			s.Daemons[role] = d
		}
	}
	return nil
}

func parseDaemon(text string) (Daemon, error) {
	var d Daemon
	var rest []string
	for word := range strings.FieldsSeq(strings.ReplaceAll(text, ",", " ")) {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "mcast":
			d.Interface = value
		case "syncid":
			n, err := strconv.Atoi(value)
			if err != nil {
				return d, err
			}
			d.ID = n
		default:
			if !slices.Contains(daemonDefaults(), word) {
				rest = append(rest, word)
			}
		}
	}
	d.Rest = strings.Join(rest, ", ")
	return d, nil
}
