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

// encodeRecord returns the record's text. The second line names every kernel parameter in
// it: the script that reads a node needs them, and has no JSON parser.
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

// recordText is the record's text, or "" if no record is needed.
func recordText(r state.Record) (string, error) {
	if r.Empty() {
		return "", nil
	}
	return encodeRecord(r)
}

// wrote remembers the record that was written.
func (w *work) wrote(r state.Record, text string) {
	w.rec, w.record = r, text
	w.unsure, w.written = false, true
}

// stageRecord writes the record to a temporary file beside its place. If that fails, the
// script ends.
func stageRecord(s *shell.Script, topology, text string) {
	s.Must(shell.StageRecord, live.RecordDir, live.RecordPath(topology), text)
}

// placeRecord renames a staged record to its place.
func placeRecord(s *shell.Script, topology string) {
	s.Must(shell.PlaceRecord, live.RecordPath(topology))
}

// writeRecord is stageRecord and placeRecord in one.
func writeRecord(s *shell.Script, topology, text string) {
	s.Must(shell.WriteRecord, live.RecordDir, live.RecordPath(topology), text)
}

// removeRecord removes a record, and the folder if it is empty then. The script ends if
// that fails.
func removeRecord(s *shell.Script, topology string) {
	s.Must(shell.RemoveRecord, live.RecordDir, live.RecordPath(topology))
}
