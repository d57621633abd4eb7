package apply

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/remote"
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

// writeRecord writes the record by rename, readable by root alone; what fails
// ends the script. mkdir without -p, because the folder's parent is every
// system's own.
func writeRecord(b *strings.Builder, topology, text string) {
	path := live.RecordPath(topology)
	fmt.Fprintf(b, `{ [ -d %[1]s ] || mkdir -m 0700 %[1]s; } 2>&1 &&
{ (umask 077 && printf '%%s\n' %[4]s >%[3]s); } 2>&1 &&
mv -f %[3]s %[2]s 2>&1 || { r "exit status $?"; return 0; }
`, remote.Quote(live.RecordDir), remote.Quote(path), remote.Quote(path+".new"), remote.Quote(text))
}

// removeRecord takes a record away, and its folder with the last one.
func removeRecord(b *strings.Builder, topology string) {
	fmt.Fprintf(b, "rm -f %s\nrmdir %s 2>/dev/null || :\n", remote.Quote(live.RecordPath(topology)), remote.Quote(live.RecordDir))
}
