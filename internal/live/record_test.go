package live

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/state"
)

// TestParseRecord has texts that are no whole record of the topology. Each is an error that
// says how to go on.
func TestParseRecord(t *testing.T) {
	whole := `{"sysctls": "", "version": 1, "topology": "web", "set": {}, "before": {}}`
	for text, want := range map[string]string{
		"":                                      "it is empty, as after a power cut or on a full disk",
		"\n \n":                                 "it is empty",
		"\x00\x00":                              "invalid character",
		"null":                                  "it is no record but null",
		"garbage":                               "invalid character 'g'",
		"[]":                                    "json: cannot unmarshal array",
		`"web"`:                                 "json: cannot unmarshal string",
		"{}":                                    "it says no version",
		whole + "{}":                            "more follows its end",
		whole[:len(whole)-1]:                    "unexpected EOF",
		strings.Replace(whole, "1", "0", 1):     "it says no version",
		strings.Replace(whole, "1", `"one"`, 1): "it says no version",
		strings.Replace(whole, "1", "1.5", 1):   "it says no version",
		strings.Replace(whole, "1", "null", 1):  "it says no version",
		strings.Replace(whole, "1", "2", 1):     "it was written by a newer lvsctl (format 2, this one knows 1); use that one",
		strings.Replace(whole, `"web"`, `"db"`, 1):                                                     `it is the record of topology "db", not of "web"`,
		strings.Replace(whole, `"web"`, `"../../etc/x"`, 1):                                            `it is the record of topology "../../etc/x", not of "web"`,
		strings.Replace(whole, `"topology": "web", `, "", 1):                                           `it is the record of topology "", not of "web"`,
		strings.Replace(whole, `"set": {}`, `"set": null`, 1):                                          `it has no "set"`,
		strings.Replace(whole, `"set": {}, `, "", 1):                                                   `it has no "set"`,
		strings.Replace(whole, `"set": {}`, `"set": []`, 1):                                            `it has no "set"`,
		strings.Replace(whole, `, "before": {}`, "", 1):                                                `it has no "before"`,
		strings.Replace(whole, `"before": {}`, `"before": {"routes": null}`, 1):                        "its before.routes is null",
		strings.Replace(whole, `"set": {}`, `"set": {"services": {"a": null}}`, 1):                     "its set.services.a is null",
		strings.Replace(whole, `"set": {}`, `"set": {}, "Set": null`, 1):                               "its Set is null",
		strings.Replace(whole, `"set": {}`, `"set": {"addresses": {"x": {}}}`, 1):                      "cannot read",
		strings.Replace(whole, `"set": {}`, `"set": {"sysctls": {"net/ipv4/x": {}}}`, 1):               "json: cannot unmarshal object",
		strings.Replace(whole, `"sysctls": ""`, `"sysctls": ["net/ipv4/ip_forward"]`, 1):               "json: cannot unmarshal array",
		strings.Replace(whole, `"set"`, `"Topology": "../../etc/x", "set"`, 1):                         "it says twice what it is of",
		strings.Replace(whole, `"set"`, `"VERSION": 2, "set"`, 1):                                      "it says twice what it is of",
		strings.Replace(whole, `"set": {}`, `"set": {"sysctls": {"../x": "1"}}`, 1):                    `"../x" is no kernel parameter`,
		strings.Replace(whole, `"before": {}`, `"before": {"sysctls": {"/x": "1"}}`, 1):                `"/x" is no kernel parameter`,
		strings.Replace(whole, `"set"`, `"x": [`+strings.Repeat("{},", largestRecord)+`{}], "set"`, 1): "it holds more than 2097152 values",
	} {
		var n Node
		err := parseRecord("record\n"+text+"\n", "web", &n)
		if err == nil || !strings.HasPrefix(err.Error(), "cannot use /var/lib/lvsctl/web.json: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%.300s: want %q, have %v", text, want, err)
		}
		if err != nil && !strings.Contains(want, "use that one") && !strings.Contains(err.Error(), "move ") {
			t.Errorf("%.300s: nothing says how to go on: %v", text, err)
		}
	}
	for _, text := range []string{"", "record\n" + whole + "\n"} {
		var n Node
		if err := parseRecord(text, "web", &n); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if n.Record.Topology != "web" || !n.Record.Empty() || n.Record.Set.Servers == nil || n.Record.Before.Routes == nil {
			t.Errorf("%q is read as %+v", text, n.Record)
		}
	}
}

// TestOwnRecord parses a record as lvsctl writes it.
func TestOwnRecord(t *testing.T) {
	want := state.NewRecord("web")
	want.Set.Sysctls["net/ipv4/ip_forward"] = "1"
	want.Before.Sysctls["net/ipv4/ip_forward"] = "0"
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var n Node
	if err := parseRecord("record\n"+string(text)+"\n", "web", &n); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, n.Record); d != "" {
		t.Error(d)
	}
}

func TestShield(t *testing.T) {
	var nowhere map[string]int
	err := Shield(func() error { nowhere["x"] = 1; return nil })
	if err == nil || !strings.Contains(err.Error(), "record_test.go:") || !strings.Contains(err.Error(), "assignment to entry in nil map") {
		t.Errorf("have %v", err)
	}
	if err := Shield(func() error { return nil }); err != nil {
		t.Error(err)
	}
}
