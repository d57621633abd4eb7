package persist

import (
	"fmt"

	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
)

// table writes the lines by which the ipvsadm service restores the table at boot. They are
// a block in the service's file, because others may have lines there. They are made here
// and not by ipvsadm -S, which leaves out thresholds, timeouts and daemons.
func (j *job) table() {
	foreign, complaints := j.Boot.foreignServices()
	lines := j.Want.RestoreLines(foreign)
	if len(lines) == 0 {
		return
	}
	kind := j.Boot.Table
	if kind == "" {
		// The service is not installed yet: this plan installs it.
		kind = map[string]string{"apt-get": TableDebian, "dnf": TableRedHat, "yum": TableRedHat, "apk": TableOpenRC}[j.Live.Manager]
	}
	path := debianRules
	switch kind {
	case TableRedHat:
		path = redHatRules
	case TableOpenRC:
		path = openRCRules
	}
	j.block(path, lines...)
	for _, c := range complaints {
		j.out.Warnings = append(j.out.Warnings, fmt.Sprintf("%s has the line %s; if it adds a service of this topology, that one wins at boot: write addresses and numbers, or remove the line", path, c))
	}
	for _, line := range j.Boot.Restored {
		if word, ends := state.EndsRestore(line); ends {
			j.out.Warnings = append(j.out.Warnings, fmt.Sprintf("%s has the line %q, and ipvsadm -R ends at its word %q: what stands after it is not restored at boot; correct the line, or begin it with #", path, line, word))
		}
	}
	const what = "the table of virtual services"
	switch {
	case kind == "" || j.Live.Init == "":
		j.scriptTable = path
		j.script.why[nobody] = append(j.script.why[nobody], what)
		return
	case kind == TableOpenRC && j.Boot.OpenRC.NoRestore:
		j.scriptTable = path
		j.script.why[noBash] = append(j.script.why[noBash], what)
		return
	}
	j.out.Units["ipvsadm"] = state.Unit{Init: j.Live.Init}
	if _, loads := j.Live.Units["ipvsadm"]; !loads && kind != TableDebian {
		j.otherLines(path, "the service ipvsadm does not start at boot")
	}
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
			j.otherLines(path, `AUTO="false" in `+debianDefault)
		}
	}
}

// otherLines warns of what others wrote to a file that was not loaded until now.
func (j *job) otherLines(path, why string) {
	if n := len(j.Boot.Restored); n > 0 {
		j.out.Warnings = append(j.out.Warnings, fmt.Sprintf("%s has other lines (%d), which were not loaded at boot (%s) and will be from now on; look through them", path, n, why))
	}
}

// tableBeforeKeepalived has the ipvsadm service start before keepalived. It clears the table
// before it loads its file, and with it the services that keepalived has added.
//
// Red Hat 6 numbers its services: ipvsadm is 08, keepalived 21.
func (j *job) tableBeforeKeepalived() {
	_, ours := j.out.Units["ipvsadm"]
	_, theirs := j.Live.Units["ipvsadm"]
	clears := ours || theirs && (j.Boot.Table != TableDebian || j.Boot.Auto)
	if !j.Keepalived || !clears {
		return
	}
	switch j.Live.Init {
	case state.InitSystemd:
		j.file(j.keepalivedPath(), "0644",
			"# The service ipvsadm clears the table.",
			"[Unit]",
			"After=ipvsadm.service")
	case state.InitOpenRC:
		j.block(openRCKeepalived, `rc_after="$rc_after ipvsadm"`)
	case state.InitDebian:
		j.out.Warnings = append(j.out.Warnings, "the service ipvsadm clears the table at boot and may start after keepalived, whose services are missing then; add ipvsadm to the line Required-Start: in /etc/init.d/keepalived and run update-rc.d keepalived defaults")
	}
}

func (j *job) savePath() string { return "/etc/lvsctl/" + j.Topology + ".save" }
func (j *job) dropInPath() string {
	return "/etc/systemd/system/ipvsadm.service.d/lvsctl-" + j.Topology + ".conf"
}
func (j *job) keepalivedPath() string {
	return "/etc/systemd/system/keepalived.service.d/lvsctl-" + j.Topology + ".conf"
}

// keepTable is for a service that writes the table to its file when it stops, at every
// shutdown. A drop-in keeps the lines between lvsctl's markers as they are, and writes all
// others as the service would.
func (j *job) keepTable() {
	j.file(j.savePath(), "0644", shell.SaveTable()...)
	j.file(j.dropInPath(), "0644",
		"# ipvsadm-save forgets thresholds, timeouts and sync daemons.",
		"[Service]",
		"ExecStop=",
		"ExecStop=/bin/sh "+j.savePath(),
		"ExecStop=/sbin/ipvsadm -C")
}
