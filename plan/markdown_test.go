package plan_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

func asIs(text string) string { return text }

func TestMarkdown(t *testing.T) {
	doc := plan.Document{
		Topology: "web_shop",
		Summary:  plan.DocumentCounts{Text: "Plan: 1 to add, 1 to change, 1 to destroy on 2 nodes. 1 node could not be read."},
		Nodes: []plan.DocumentNode{
			{Name: "lvs", Role: "director", Address: "10.1.0.2", Warnings: []string{"it is late"}},
			{Name: "a", Role: "real_server", Address: "10.1.0.11"},
			{Name: "b", Role: "real_server", Address: "10.1.0.12", LeftAlone: []plan.Foreign{{Service: "tcp 192.0.2.2:443"}}},
			{Name: "c", Role: "real_server", Address: "<c>", Error: "no route to host"},
		},
		Changes: []plan.DocumentItem{
			{Node: "lvs", Kind: "sysctl", Key: "net.ipv4.ip_forward", Action: state.Edit, Before: "0", After: "1"},
			{Node: "a", Kind: "address", Key: "10.1.0.100/32 dev lo", Action: state.Add},
			{Node: "a", Kind: "file", Key: "/etc/x", Action: state.Remove, Before: "1 line", Diff: "@@ -1 +0,0 @@\n-````` is no end\n"},
		},
	}
	want := "### lvsctl plan: web\\_shop\n\n" +
		"**Plan: 1 to add, 1 to change, 1 to destroy on 2 nodes. 1 node could not be read.**\n\n" +
		"<details><summary><b>a</b> (real_server, 10.1.0.11): 2 changes</summary>\n\n" +
		"``````diff\n+ address   10.1.0.100/32 dev lo\n- file      /etc/x  1 line\n    @@ -1 +0,0 @@\n    -````` is no end\n``````\n\n</details>\n\n" +
		"<details><summary><b>lvs</b> (director, 10.1.0.2): 1 change</summary>\n\n" +
		"```diff\n! warning: it is late\n! sysctl    net.ipv4.ip_forward  0 -> 1\n```\n\n</details>\n\n" +
		"<details><summary><b>c</b> (real_server, &lt;c&gt;): could not be read</summary>\n\n" +
		"```diff\n! could not be read; nothing is planned for it\n```\n\n</details>\n"
	if d := cmp.Diff(want, doc.Markdown(plan.Detail{Files: true}, asIs)); d != "" {
		t.Error(d)
	}
}

// TestMarkdownFits: whatever there is, a comment takes it, the nodes that are shown
// are the biggest, and the others are counted.
func TestMarkdownFits(t *testing.T) {
	for _, c := range []struct{ nodes, changes, diff int }{
		{1, 1, 0}, {1, 3000, 0}, {3, 700, 0}, {50, 40, 3000}, {2000, 1, 0}, {2000, 3, 500}, {1, 1, 100_000}, {500, 9, 0},
	} {
		var doc plan.Document
		for n := range c.nodes {
			name := fmt.Sprintf("web-%d", n)
			doc.Nodes = append(doc.Nodes, plan.DocumentNode{Name: name, Role: "real_server", Address: "10.1.0.11"})
			for i := range c.changes + n%3 {
				doc.Changes = append(doc.Changes, plan.DocumentItem{
					Node: name, Kind: "server", Key: fmt.Sprintf("tcp 10.1.0.100:%d -> 10.2.0.1:%d", n, i), Action: state.Edit,
					Before: "dr  weight 1", After: "dr  weight 2", Diff: strings.Repeat("+é\n", c.diff/4),
				})
			}
		}
		for _, clean := range []func(string) string{asIs, func(s string) string { return strings.ReplaceAll(s, "é", `\u00e9`) }} {
			text := doc.Markdown(plan.Detail{Files: true}, clean)
			t.Logf("%d nodes with %d changes: %d characters", c.nodes, c.changes, utf8.RuneCountInString(text))
			if len(text) > plan.MarkdownLimit {
				t.Errorf("%d nodes with %d changes: %d bytes", c.nodes, c.changes, len(text))
			}
			folds := strings.Count(text, "<details>")
			if folds != strings.Count(text, "</details>") || strings.Count(text, "```")%2 != 0 || !strings.HasSuffix(text, "\n") {
				t.Errorf("%d nodes with %d changes: a fold does not end", c.nodes, c.changes)
			}
			titles := strings.Count(text, "<b>")
			if rest := fmt.Sprintf("Not shown: %d more node", c.nodes-titles); titles < c.nodes && !strings.Contains(text, rest) {
				t.Errorf("%d nodes with %d changes: %d shown, and the rest is not counted: %s", c.nodes, c.changes, titles, text[len(text)-200:])
			}
			if c.nodes > 2 && !strings.Contains(text, "<summary><b>web-2</b>") {
				t.Errorf("%d nodes with %d changes: the first of the biggest is not shown", c.nodes, c.changes)
			}
		}
	}
}
