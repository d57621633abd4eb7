package live

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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
	if err := checkRecord(text, topology); err != nil {
		return fmt.Errorf("cannot use %s: %w", RecordPath(topology), err)
	}
	if err := json.Unmarshal([]byte(text), &n.Record); err != nil {
		return fmt.Errorf("cannot use %s: %w%s", RecordPath(topology), err, withoutRecord)
	}
	return nil
}

// withoutRecord says how to go on after an error in a record.
const withoutRecord = "\nRestore the file from a backup; or look at what lvsctl set on this node, and move the file away: whatever is there then counts as the node's own."

// checkRecord refuses a record that is not whole, or not of this topology, before anything
// is taken from it.
func checkRecord(text, topology string) error {
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
		return fmt.Errorf("it is the record of topology %q, not of %q; move it to where it belongs, or away", of, topology)
	}
	for _, part := range []string{"set", "before"} {
		if _, ok := whole[part].(map[string]any); !ok {
			return fmt.Errorf("it has no %q%s", part, withoutRecord)
		}
	}
	if place := findNull("", whole); place != "" {
		return fmt.Errorf("its %s is null%s", place, withoutRecord)
	}
	return nil
}

// findNull returns the path of a null in a JSON value, or "".
func findNull(place string, v any) string {
	switch v := v.(type) {
	case nil:
		return place
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			if found := findNull(strings.TrimPrefix(place+"."+k, "."), v[k]); found != "" {
				return found
			}
		}
	case []any:
		for i, item := range v {
			if found := findNull(fmt.Sprintf("%s[%d]", place, i), item); found != "" {
				return found
			}
		}
	}
	return ""
}
