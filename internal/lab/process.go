package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// machineName is the value of QEMU's -name, by which machines finds the process.
func machineName(id, name string) string { return "lvsctl-lab-" + id + "-" + name }

// machines returns the name of every QEMU that runs for the lab with that id, by
// process id. It reads /proc, because a pid file may be old and its number another
// process's by now. Any user can start a process with the same arguments: so it counts
// only processes of this user whose program is QEMU.
func machines(id string) map[int]string {
	prefix := machineName(id, "")
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil
	}
	out := map[int]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the process has ended
		}
		for word := range strings.SplitSeq(string(text), "\x00") {
			name, ok := strings.CutPrefix(word, prefix)
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); ok && err == nil && isOurQEMU(pid) {
				out[pid] = strings.ReplaceAll(name, ",,", ",")
			}
		}
	}
	return out
}

// isOurQEMU reports whether a process is this user's and runs QEMU.
func isOurQEMU(pid int) bool {
	// /proc/PID/exe of a program that an upgrade has replaced:
	//	/usr/bin/qemu-system-x86_64 (deleted)
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil || !strings.Contains(filepath.Base(exe), qemu) {
		return false
	}
	// Uid:	1000	1000	1000	1000 - real, effective, saved, file system: proc(5)
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(text), "\nUid:")
	ids := strings.Fields(rest)
	return len(ids) > 1 && ids[0] == strconv.Itoa(os.Getuid()) && ids[1] == strconv.Itoa(os.Geteuid())
}
