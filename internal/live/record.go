package live

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
)

// RecordPath is the path of a topology's record on a node.
func RecordPath(topology string) string { return RecordDir + "/" + topology + ".json" }

// RecordDir is the folder of all records on a node.
const RecordDir = "/var/lib/lvsctl"

// parseRecord parses the line "record" and the record's text after it. If the node has no
// record, there is neither. A damaged record is an error and never counts as none:
// otherwise everything that lvsctl has set there would count as the node's own.
func parseRecord(text, topology string, n *Node) error {
	n.Record, n.RecordText = state.NewRecord(topology), ""
	text, there := strings.CutPrefix(text, "record\n")
	if !there {
		return nil
	}
	n.RecordText = strings.TrimRight(text, "\n")
	record, err := decodeRecord(text, topology)
	if err != nil {
		return fmt.Errorf("cannot use %s: %w", RecordPath(topology), err)
	}
	n.Record = record
	return nil
}

// largestRecord is how many values a record may hold: some ten times as many as that
// of a director with 100,000 real servers. In memory a value takes far more than its
// text, which may be two bytes.
const largestRecord = 2 << 20

// decodeRecord makes a record of its text. encoding/json takes a key in any case, and
// the last of several: what came of them is looked at too.
func decodeRecord(text, topology string) (state.Record, error) {
	r := state.NewRecord(topology)
	if err := checkRecord(text, topology); err != nil {
		return r, err
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return r, fmt.Errorf("%w%s", err, withoutRecord)
	}
	if r.Topology != topology || r.Version > state.RecordVersion {
		return r, errors.New("it says twice what it is of, in two ways" + withoutRecord)
	}
	for _, s := range []*state.State{r.Set, r.Before} {
		for k := range s.Sysctls {
			if !filepath.IsLocal(k) || path.Clean(k) != k {
				return r, fmt.Errorf("%q is no kernel parameter%s", k, withoutRecord)
			}
		}
	}
	return r, nil
}

// withoutRecord says how to go on after an error in a record.
const withoutRecord = "\nRestore the file from a backup; or look at what lvsctl set on this node, and move the file away: whatever is there then counts as the node's own."

// checkRecord refuses a record that is not whole, or not of this topology, before anything
// is taken from it.
func checkRecord(text, topology string) error {
	if n := strings.Count(text, ",") + strings.Count(text, "{") + strings.Count(text, "["); n > largestRecord {
		return fmt.Errorf("it holds more than %d values%s", largestRecord, withoutRecord)
	}
	var whole map[string]any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	switch err := d.Decode(&whole); {
	case strings.TrimSpace(text) == "":
		return errors.New("it is empty, as after a power cut or on a full disk" + withoutRecord)
	case err != nil:
		return fmt.Errorf("%w%s", err, withoutRecord)
	case whole == nil:
		return errors.New("it is no record but null" + withoutRecord)
	case len(bytes.TrimSpace([]byte(text[d.InputOffset():]))) > 0:
		return errors.New("more follows its end" + withoutRecord)
	}
	number, ok := whole["version"].(json.Number)
	version, err := number.Int64()
	switch {
	case !ok || err != nil || version < 1:
		return errors.New("it says no version" + withoutRecord)
	case version > state.RecordVersion:
		return fmt.Errorf("it was written by a newer lvsctl (format %d, this one knows %d); use that one", version, state.RecordVersion)
	}
	if of, _ := whole["topology"].(string); of != topology {
		return fmt.Errorf("it is the record of topology %q, not of %q\nLook at it, and move it to where it belongs, or away.", of, topology)
	}
	for _, part := range []string{"set", "before"} {
		if _, ok := whole[part].(map[string]any); !ok {
			return fmt.Errorf("it has no %q%s", part, withoutRecord)
		}
	}
	if place, found := findNull(whole); found {
		return fmt.Errorf("its %s is null%s", strings.TrimPrefix(place, "."), withoutRecord)
	}
	return nil
}

// findNull returns the path of the first null in a JSON value: .set.services.
func findNull(v any) (place string, found bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if place, found := findNull(v[k]); found {
				return "." + k + place, true
			}
		}
	case []any:
		for i, item := range v {
			if place, found := findNull(item); found {
				return fmt.Sprintf("[%d]%s", i, place), true
			}
		}
	}
	return "", false
}
