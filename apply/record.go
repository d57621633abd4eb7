package apply

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
)

// encodeRecord is the record's text. Its second line names every sysctl in it,
// which live reads before anything parses the rest.
func encodeRecord(r state.Record) (string, error) {
	keys := map[string]bool{}
	for _, s := range []*state.State{r.Set, r.Before} {
		for k := range s.Sysctls {
			keys[k] = true
		}
	}
	r.Sysctls = strings.Join(slices.Sorted(maps.Keys(keys)), " ")
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return "", fmt.Errorf("cannot encode the record: %w", err)
	}
	return string(text), nil
}

// stageRecord writes the record beside its place, readable by root alone; what
// fails ends the script. mkdir goes without -p: the folder's parent is every
// system's own.
func stageRecord(b *strings.Builder, topology, text string) {
	fmt.Fprintf(b, `{ [ -d %[1]s ] || mkdir -m 0700 %[1]s; } 2>&1 && (umask 077 && printf '%%s\n' %[3]s >%[2]s) 2>&1 || { rm -f %[2]s; r 'cannot write the record'; return 0; }
`, shell.Quote(live.RecordDir), shell.Quote(live.RecordPath(topology)+".new"), shell.Quote(text))
}

// placeRecord puts a staged record in its place.
func placeRecord(b *strings.Builder, topology string) {
	path := live.RecordPath(topology)
	fmt.Fprintf(b, "mv -f %s %s 2>&1 || { r 'cannot write the record'; return 0; }\n", shell.Quote(path+".new"), shell.Quote(path))
}

// writeRecord is both at once.
func writeRecord(b *strings.Builder, topology, text string) {
	stageRecord(b, topology, text)
	placeRecord(b, topology)
}

// removeRecord takes a record away, and its folder with the last one.
func removeRecord(b *strings.Builder, topology string) {
	fmt.Fprintf(b, "rm -f %s\nrmdir %s 2>/dev/null || :\n", shell.Quote(live.RecordPath(topology)), shell.Quote(live.RecordDir))
}
