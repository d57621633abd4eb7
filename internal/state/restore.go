package state

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// RestoreLines are the table's timeouts, daemons, services and servers as
// ipvsadm -R reads them, with the thresholds that ipvsadm -S forgets. What may
// fail comes first: the exit status of -R is that of its last line. Services in
// again are taken out before they are added, because a file has them already.
func (s *State) RestoreLines(again map[ServiceKey]bool) []string {
	var lines []string
	add := func(args ...string) { lines = append(lines, strings.Join(args, " ")) }
	if len(s.Timeouts) > 0 {
		args := []string{"--set"}
		for _, k := range timeoutOrder() {
			args = append(args, strconv.Itoa(s.Timeouts[k])) // 0 leaves one alone
		}
		add(args...)
	}
	for _, k := range slices.Sorted(maps.Keys(s.Daemons)) {
		add(startDaemon(k, s.Daemons[k]).Args[1:]...)
	}
	servers := map[ServiceKey][]ServerKey{}
	for _, k := range slices.SortedFunc(maps.Keys(s.Servers), compareServers) {
		servers[k.Service] = append(servers[k.Service], k)
	}
	for _, k := range slices.SortedFunc(maps.Keys(s.Services), compareServices) {
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
