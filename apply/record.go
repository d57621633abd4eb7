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

// stageRecord writes the record beside its place; the script ends where that
// fails.
func stageRecord(s *shell.Script, topology, text string) {
	s.Must(shell.StageRecord, live.RecordDir, live.RecordPath(topology), text)
}

// placeRecord puts a staged record in its place.
func placeRecord(s *shell.Script, topology string) {
	s.Must(shell.PlaceRecord, live.RecordPath(topology))
}

// writeRecord is both at once.
func writeRecord(s *shell.Script, topology, text string) {
	s.Must(shell.WriteRecord, live.RecordDir, live.RecordPath(topology), text)
}

// removeRecord takes a record away, and its folder with the last one.
func removeRecord(s *shell.Script, topology string) {
	s.Line(shell.Call(shell.RemoveRecord, live.RecordDir, live.RecordPath(topology)))
}
