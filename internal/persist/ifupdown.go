package persist

import (
	"slices"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// ifupdown: ifup and ifdown of Debian and of busybox (interfaces(5)).
//
// ifup gives a device up at the first command of a stanza that fails, and a stanza
// adds what it names. A VIP or a route of ours that is there by then can cost the
// node its own address: an administrator's stanza may add the same VIP, or a
// default route. Therefore lvsctl writes no stanza. A script in if-up.d sets
// everything once ifup is through, and again each time that a device was taken
// down and brought up.
func ifupdown(j *job) {
	var names []string
	for _, d := range devices(j.Want) {
		j.leaveAll(d, hooked)
		if d.name != "" {
			names = append(names, d.name)
		}
	}
	if len(j.hooked.why) == 0 {
		return
	}
	lines := []string{
		"#!/bin/sh",
		"# lvsctl, topology " + j.Topology + ". Made by lvsctl; edits are drift.",
		"script=" + shell.Quote(j.scriptPath()),
		"case $IFACE in " + patterns(append(names, "--all")) + ") ;; *) exit 0 ;; esac",
	}
	j.file(j.ifUpPath(), "0755", slices.Concat(lines, shell.IfUp())...)
}

func (j *job) ifUpPath() string { return "/etc/network/if-up.d/" + j.own() }
