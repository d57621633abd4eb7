package apply

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
)

// encodeRecord returns the record's text, with who applies in it. The second line names
// every kernel parameter in it: the script that reads a node needs them, and has no JSON
// parser.
func (r *run) encodeRecord(rec state.Record) (string, error) {
	if !r.opts.At.IsZero() {
		rec.Applied = state.Applied{By: r.opts.Owner, At: r.opts.At.UTC().Truncate(time.Second)}
	}
	keys := map[string]bool{}
	for _, s := range []*state.State{rec.Set, rec.Before} {
		for k := range s.Sysctls {
			keys[k] = true
		}
	}
	rec.Sysctls = strings.Join(slices.Sorted(maps.Keys(keys)), " ")
	text, err := json.MarshalIndent(rec, "", "  ")
	if err != nil {
		return "", fmt.Errorf("cannot encode the record: %w", err)
	}
	return string(text), nil
}

// recordText is the record's text, or "" if no record is needed.
func (r *run) recordText(rec state.Record) (string, error) {
	if rec.Empty() {
		return "", nil
	}
	return r.encodeRecord(rec)
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
