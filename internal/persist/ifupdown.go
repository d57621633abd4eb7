package persist

import (
	"slices"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// ifupdown: ifup and ifdown of Debian and of busybox (interfaces(5)).
//
// ifup stops configuring a device at the first command of a stanza that fails. An
// administrator's stanza may add the same VIP or default route as lvsctl. If lvsctl's were
// there first, the command would fail, and the node might not get its own address. So
// lvsctl writes no stanza. It writes a script in if-up.d, which sets everything after ifup
// has configured a device, at boot and each time that the device is brought up again.
//
// Debian's ifup -a runs the scripts a last time for --all. busybox's and ifupdown-ng's do
// not, and they do not set LOGICAL. There the script sets everything after every device,
// so that a device without a stanza, such as tunl0, is configured too.
func ifupdown(j *job) {
	var names []string
	for _, d := range devices(j.Want) {
		j.leaveAll(d, hooked)
		if d.name != "" {
			names = append(names, d.name)
		}
	}
	j.lateSysctls(hooked)
	names = append(names, j.ruled()...)
	if len(j.hooked.why) == 0 && len(names) == 0 {
		return
	}
	lines := []string{
		"#!/bin/sh",
		"# lvsctl, topology " + j.Topology + ". Made by lvsctl; edits are drift.",
		"script=" + shell.Quote(j.scriptPath()),
		"case ${LOGICAL:+$IFACE} in ''|" + patterns(append(names, "--all")) + ") ;; *) exit 0 ;; esac",
	}
	j.file(j.ifUpPath(), "0755", slices.Concat(lines, shell.IfUp())...)
}

func (j *job) ifUpPath() string { return "/etc/network/if-up.d/" + j.own() }
