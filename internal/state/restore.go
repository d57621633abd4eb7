package state

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// RestoreLines are the lines by which ipvsadm -R restores the IPVS table: its timeouts,
// daemons, services and servers, with the thresholds that ipvsadm -S leaves out. Lines
// that may fail come first, because the exit status of -R is that of the last line.
// Services in again are deleted before they are added: another file adds them too.
func (s *State) RestoreLines(again map[ServiceKey]bool) []string {
	var lines []string
	add := func(args ...string) { lines = append(lines, strings.Join(args, " ")) }
	if len(s.Timeouts) > 0 {
		args := []string{"--set"}
		for _, k := range timeoutOrder() {
			args = append(args, strconv.Itoa(s.Timeouts[k])) // 0 leaves the timeout as it is
		}
		add(args...)
	}
	for _, k := range slices.Sorted(maps.Keys(s.Daemons)) {
		add(startDaemon(k, s.Daemons[k]).Args[1:]...)
	}
	servers := map[ServiceKey][]ServerKey{}
	for _, k := range slices.SortedFunc(maps.Keys(s.Servers), CompareServers) {
		servers[k.Service] = append(servers[k.Service], k)
	}
	for _, k := range slices.SortedFunc(maps.Keys(s.Services), CompareServices) {
		if again[k] {
			add(append([]string{"-D"}, k.args()...)...)
		}
		add(serviceCommand("-A", k, s.Services[k]).Args[1:]...)
		for _, sk := range servers[k] {
			add(serverCommand("-a", sk, s.Servers[sk]).Args[1:]...)
		}
	}
	return lines
}
