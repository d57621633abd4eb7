package persist

import (
	"fmt"

	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
)

// table has the ipvsadm service load the table: the file is its own, so are the
// services that others wrote there. ipvsadm -S forgets thresholds, timeouts and
// daemons, so the lines are made here.
func (j *job) table() {
	strays, complaints := j.Boot.strays()
	lines := j.Want.RestoreLines(strays)
	if len(lines) == 0 {
		return
	}
	kind := j.Boot.Table
	if kind == "" {
		// Not installed yet: the plan does that.
		kind = map[string]string{"apt-get": TableDebian, "dnf": TableRedHat, "yum": TableRedHat}[j.Live.Manager]
	}
	path := debianRules
	if kind == TableRedHat {
		path = redHatRules
	}
	j.block(path, lines...)
	for _, c := range complaints {
		j.out.Warnings = append(j.out.Warnings, fmt.Sprintf("%s has the line %s; if it adds a service of this topology, that one wins at boot: write addresses and numbers, or remove the line", path, c))
	}
	if kind == "" || j.Live.Init == "" {
		j.scriptTable = path
		j.script.why[nobody] = append(j.script.why[nobody], "the table of virtual services")
		return
	}
	j.out.Units["ipvsadm"] = state.Unit{Init: j.Live.Init}
	switch kind {
	case TableRedHat:
		if j.Live.Init == state.InitSystemd {
			j.keepTable()
		} else if j.Boot.Saves {
			j.out.Warnings = append(j.out.Warnings, "/etc/sysconfig/ipvsadm-config has the table saved over "+redHatRules+" when its service stops, which forgets thresholds, timeouts and sync daemons; set IPVS_SAVE_ON_STOP and IPVS_SAVE_ON_RESTART to no there")
		}
	case TableDebian:
		if !j.Boot.Auto {
			j.block(debianDefault, `AUTO="true"`)
			if n := len(j.Boot.Restored); n > 0 {
				j.out.Warnings = append(j.out.Warnings, fmt.Sprintf("%s has other lines (%d), which were not loaded at boot (AUTO=\"false\" in %s) and will be from now on; look through them", debianRules, n, debianDefault))
			}
		}
	}
}

func (j *job) savePath() string { return "/etc/lvsctl/" + j.Topology + ".save" }
func (j *job) dropInPath() string {
	return "/etc/systemd/system/ipvsadm.service.d/lvsctl-" + j.Topology + ".conf"
}

// keepTable mends a service that writes the table over its file when it stops,
// at every shutdown: the lines between markers stay as they are, and the rest is
// what it would have written.
func (j *job) keepTable() {
	j.file(j.savePath(), "0644", shell.SaveTable()...)
	j.file(j.dropInPath(), "0644",
		"# ipvsadm-save forgets thresholds, timeouts and sync daemons.",
		"[Service]",
		"ExecStop=",
		"ExecStop=/bin/sh "+j.savePath(),
		"ExecStop=/sbin/ipvsadm -C")
}
