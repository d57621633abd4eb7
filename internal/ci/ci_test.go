package ci_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/lvsctl/lvsctl/internal/ci"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// document has a node of each sort, and a topology that could not be loaded.
func document() plan.Document {
	at := func(line int) hcl.Range { return hcl.Range{Filename: "shop/main.hcl", Start: hcl.Pos{Line: line}} }
	change := func(op state.Op, key string, line int) plan.Action {
		return plan.Action{Node: "lvs", Change: state.Change{Op: op, Ref: state.Ref{Kind: state.KindLink, Key: state.Name(key)}, Before: "down", After: "up"}, Range: at(line)}
	}
	return plan.DriftDocument([]plan.DriftOf{
		{Path: "shop", Name: "shop", Alarms: []string{"two hold it", "none does"}, Nodes: []plan.NodeDrift{
			{Name: "lvs", Role: "director", Address: "10.0.0.2", Range: at(2), Pending: 3, Differences: []plan.Action{
				change(state.Edit, "tunl0", 9), change(state.Add, "50%,a:b", 7), change(state.Remove, "x]]>\x1b[2J<", 9),
			}},
			{Name: "a", Role: "real_server", Address: "10.0.0.11", Range: at(20), Trouble: []string{"it stands on its head"}},
			{Name: "b", Role: "real_server", Address: "10.0.0.12", Range: at(21)},
			{Name: "c", Role: "real_server", Address: "10.0.0.13", Range: at(22), Never: true, Pending: 1},
			{Name: "d", Role: "real_server", Address: "10.0.0.14", Range: at(23), Unreadable: errors.New("cannot reach d\nTry again")},
		}},
		{Path: "mail", Err: errors.New("no such folder")},
	})
}

func clean(text string) string { return strings.ReplaceAll(text, "\x1b", `\x1b`) }

func TestJUnit(t *testing.T) {
	text, err := ci.JUnit(document(), clean)
	if err != nil {
		t.Fatal(err)
	}
	type result struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
	type testcase struct {
		Name    string  `xml:"name,attr"`
		Class   string  `xml:"classname,attr"`
		Failure *result `xml:"failure"`
		Error   *result `xml:"error"`
		Skipped *result `xml:"skipped"`
		Out     string  `xml:"system-out"`
	}
	var have struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
		Suites   []struct {
			Name  string     `xml:"name,attr"`
			Cases []testcase `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(text, &have); err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	if have.Tests != 7 || have.Failures != 3 || have.Errors != 2 || have.Skipped != 1 {
		t.Errorf("it counts %d tests, %d failures, %d errors, %d skipped", have.Tests, have.Failures, have.Errors, have.Skipped)
	}
	var cases []testcase
	for _, s := range have.Suites {
		cases = append(cases, s.Cases...)
	}
	want := []testcase{
		{Name: "between the nodes", Class: "shop", Failure: &result{"two hold it", "two hold it\nnone does"}},
		{Name: "lvs", Class: "shop.director", Failure: &result{"1 gone, 1 changed, 1 added", "~ link      tunl0  down -> up  (changed)\n+ link      50%,a:b  up  (gone)\n- link      x]]>\\x1b[2J<  down  (added)"}, Out: "Not applied yet: 3 changes"},
		{Name: "a", Class: "shop.real_server", Failure: &result{"1 that cannot be put back", "! it stands on its head"}},
		{Name: "b", Class: "shop.real_server"},
		{Name: "c", Class: "shop.real_server", Skipped: &result{Message: "the topology was never applied to it"}, Out: "Not applied yet: 1 change"},
		{Name: "d", Class: "shop.real_server", Error: &result{"cannot reach d", "cannot reach d\nTry again"}},
		{Name: "mail", Class: "mail", Error: &result{"no such folder", "no such folder"}},
	}
	if d := cmp.Diff(want, cases); d != "" {
		t.Error(d)
	}
}

// TestPrometheus reads the numbers back as Prometheus does.
func TestPrometheus(t *testing.T) {
	text, err := ci.Prometheus(document())
	if err != nil {
		t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(string(text)))
	if err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	have := map[string]float64{}
	for name, f := range families {
		for _, m := range f.Metric {
			var labels []string
			for _, l := range m.Label {
				if l.GetName() != "role" && l.GetName() != "topology" {
					labels = append(labels, l.GetValue())
				}
			}
			have[fmt.Sprint(strings.TrimPrefix(name, "lvsctl_drift_"), labels)] = m.Gauge.GetValue()
		}
	}
	want := map[string]float64{
		"differences[lvs]": 3, "differences[a]": 1, "differences[b]": 0, "differences[c]": 0,
		"pending_changes[lvs]": 3, "pending_changes[a]": 0, "pending_changes[b]": 0, "pending_changes[c]": 1,
		"node_readable[lvs]": 1, "node_readable[a]": 1, "node_readable[b]": 1, "node_readable[c]": 1, "node_readable[d]": 0,
		"alarms[]": 2, "topology_loaded[shop]": 1, "topology_loaded[mail]": 0,
	}
	if d := cmp.Diff(want, have); d != "" {
		t.Error(d)
	}
}

func TestGitHub(t *testing.T) {
	want := []string{
		"::error title=lvsctl drift::shop: two hold it%0Ashop: none does%0Amail: no such folder",
		"::error file=in:place/shop/main.hcl,line=9,title=lvsctl drift::lvs: ~ link      tunl0  down -> up  (changed)%0Alvs: - link      x]]>\\x1b[2J<  down  (added)",
		"::error file=in:place/shop/main.hcl,line=7,title=lvsctl drift::lvs: + link      50%25,a:b  up  (gone)",
		"::error file=in:place/shop/main.hcl,line=20,title=lvsctl drift::a: it stands on its head",
		"::error file=in:place/shop/main.hcl,line=23,title=lvsctl drift::d: cannot reach d",
	}
	for i, line := range want {
		want[i] = strings.ReplaceAll(line, "in:place", "in%3Aplace")
	}
	have := ci.GitHub(document(), func(file string) string { return "in:place/" + file }, clean)
	if d := cmp.Diff(want, have); d != "" {
		t.Error(d)
	}
}

// TestGitHubShowsTen: the tenth annotation counts what GitHub would drop.
func TestGitHubShowsTen(t *testing.T) {
	for _, c := range []struct{ places, want int }{{9, 9}, {10, 10}, {11, 10}, {50, 10}} {
		var nodes []plan.NodeDrift
		for i := range c.places {
			n := plan.NodeDrift{Name: fmt.Sprint("n", i), Range: hcl.Range{Filename: "m.hcl", Start: hcl.Pos{Line: i + 1}}}
			for range 1 + i%30 {
				n.Trouble = append(n.Trouble, "it is late")
			}
			nodes = append(nodes, n)
		}
		have := ci.GitHub(plan.DriftDocument([]plan.DriftOf{{Path: ".", Name: "x", Nodes: nodes}}), func(f string) string { return f }, clean)
		if len(have) != c.want {
			t.Errorf("%d places: %d annotations", c.places, len(have))
		}
		rest := fmt.Sprintf("title=lvsctl drift::and in %d more places", c.places-9)
		if told := strings.HasSuffix(have[len(have)-1], rest); told != (c.places > 10) {
			t.Errorf("%d places: the last is %s", c.places, have[len(have)-1])
		}
	}
}
