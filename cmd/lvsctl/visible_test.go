package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/apply"
	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

func TestVisible(t *testing.T) {
	for _, c := range []struct{ have, want string }{
		{"", ""},
		{"10.0.0.1:80  rr", "10.0.0.1:80  rr"},
		{"10.0.0.1\tlvs", "10.0.0.1\tlvs"},
		{"Müller 東京 …", "Müller 東京 …"},
		{"\x1b[2J\x1b[1;1H", `\x1b[2J\x1b[1;1H`},
		{"a\r+ b", `a\r+ b`},
		{"a\nb", `a\nb`},
		{"a\bb\x7f\x00", `a\bb\x7f\x00`},
		{"\u009b2J", `\u009b2J`},
		{"\x9b2J", `\x9b2J`},
		{"\u202etcp\u2066\u200b\ufeff\u2028", `\u202etcp\u2066\u200b\ufeff\u2028`},
		{"\U000e0041", `\U000e0041`},
	} {
		if have := visible(c.have); have != c.want {
			t.Errorf("%q: want %s, have %s", c.have, c.want, have)
		}
	}
	if have := visibleLines("a\x1b\nb\r\n"); have != "a\\x1b\nb\\r\n" {
		t.Errorf("lines: %q", have)
	}
}

// evil is text that changes what a terminal shows.
const evil = "x\x1b[8m\u009b2J\r\n  + address 10.6.6.6/32\u202e\xff"

// acting matches the only escape sequences that may be printed: lvsctl's own colours.
var acting = regexp.MustCompile("\x1b\\[[0-9;]*m")

// TestHostileOutput prints a plan and a result of which every string is hostile. The output
// for a terminal has no character of it that a terminal would act on, and no line of its
// own. JSON has the exact strings.
func TestHostileOutput(t *testing.T) {
	var doc plan.Document
	poison(reflect.ValueOf(&doc).Elem())
	doc.Nodes[0].Error = ""
	action := plan.Action{Node: evil}
	action.Key, action.Before, action.After = state.Path(evil), evil, evil
	p := &plan.Plan{Nodes: []plan.Node{{Name: evil, Chosen: true, Unreadable: errors.New(evil)}}, Actions: []plan.Action{action}}
	for _, colour := range []string{"always", "never"} {
		var out, err strings.Builder
		a := newApp(strings.NewReader(""), &out, &err)
		a.colour = colour
		a.printLines(doc.Lines(plan.Detail{Commands: true, Files: true}))
		a.printSummary(doc.Summary.Text)
		a.reportUnreadable(p)
		event := a.events(p).event
		event(apply.Event{Node: evil, Note: evil})
		for _, status := range []apply.Status{apply.Done, apply.Failed, apply.RolledBack} {
			event(apply.Event{Node: evil, Action: &action, Outcome: apply.Outcome{Status: status}})
		}
		a.warn("%v", &remote.Error{Node: evil, Address: evil, Summary: evil, Remedy: evil})
		a.fail(&apply.LockedError{Node: evil, Holder: evil})
		a.fail(&plan.StaleError{Node: evil, Conflicts: []plan.Conflict{{Kind: evil, Key: evil, Planned: evil, Want: evil, Found: evil}}})
		text := acting.ReplaceAllString(out.String()+err.String(), "")
		if colour == "never" {
			text = out.String() + err.String()
		}
		for _, line := range strings.Split(text, "\n") {
			if line != visible(line) {
				t.Errorf("--color=%s: %q reaches the terminal", colour, line)
			}
		}
		if strings.Contains(out.String(), "\n  + address 10.6.6.6") {
			t.Errorf("--color=%s: a value makes a line of a plan:\n%s", colour, out.String())
		}
	}
	var out strings.Builder
	if err := newApp(nil, &out, nil).stdout.json(doc); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); visibleLines(text) != text {
		t.Errorf("JSON has what a terminal acts on: %q", text)
	}
	var have plan.Document
	if err := json.Unmarshal([]byte(out.String()), &have); err != nil {
		t.Fatal(err)
	}
	utf8 := strings.ReplaceAll(evil, "\xff", "\ufffd") // JSON can hold only UTF-8
	if have.Changes[0].After != utf8 {
		t.Errorf("JSON is not exact:\nwant %q\nhave %q", utf8, have.Changes[0].After)
	}
}

// poison sets every string of a value to a hostile one, and gives every list one entry.
func poison(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if v.CanSet() { // others are unexported and not in the JSON
			v.SetString(evil)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			poison(v.Field(i))
		}
	case reflect.Slice:
		if !v.CanSet() {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		poison(v.Index(0))
	}
}

// TestHostileSource prints a diagnostic that quotes a hostile line of a topology, with and
// without colours.
func TestHostileSource(t *testing.T) {
	dir := folder(t, "dr", "nonsense = 1 # \x1b[31m\x1b[2J\u202e here\n")
	for colour, want := range map[string]string{
		"never":  `   1: nonsense = * # \x1b[31m\x1b[2J\u202e here`,
		"always": "   1: \x1b[1;4mnonsense\x1b[0m = * # \\x1b[31m\\x1b[2J\\u202e here",
	} {
		code, _, stderr := lvsctl(t, "", "validate", "--color="+colour, dir)
		if code != 1 || !strings.Contains(stderr, want+"\n") {
			t.Errorf("--color=%s: exit %d\nwant %q\nhave %q", colour, code, want, stderr)
		}
	}
	_, _, stderr := lvsctl(t, "", "validate", filepath.Join(t.TempDir(), evil))
	if want := visibleLines(stderr); stderr != want {
		t.Errorf("the name of a file: %s", cmp.Diff(want, stderr))
	}
}

// TestOneWayOut checks that only main.go names standard output and standard error, and that
// only the screen, and lab exec for another program, use a screen's raw writer.
func TestOneWayOut(t *testing.T) {
	for file, names := range map[string]string{
		"main.go": `os\.Std`, "screen.go": `\bs\.w\b`, "lab_exec.go": `std(out|err)\.w\b`,
	} {
		text, err := os.ReadFile(file)
		if err != nil || !regexp.MustCompile(names).Match(text) {
			t.Errorf("%s: no %s; look where it went: %v", file, names, err)
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	way := regexp.MustCompile(`os\.Std(out|err)|fmt\.Print|\bprintln\(|std(out|err)\.w\b`)
	for _, file := range files {
		if file == "main.go" || file == "lab_exec.go" || strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if found := way.Find(text); found != nil {
			t.Errorf("%s writes past the screen: %s", file, found)
		}
	}
}
