package graph

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/golden"
	"github.com/lvsctl/lvsctl/topology"
)

func load(t *testing.T, path string) *topology.Topology {
	t.Helper()
	top, _, diags := topology.Load(t.Context(), path, topology.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return top
}

// all are the topologies that are drawn: every example, and a shop of fifty nodes in
// every mode.
func all(t *testing.T) map[string]*topology.Topology {
	t.Helper()
	paths, err := filepath.Glob("../../examples/*/cluster.hcl")
	if err != nil || len(paths) < 10 {
		t.Fatal(paths, err)
	}
	list := map[string]*topology.Topology{"shop": load(t, "../../testdata/graph/shop.hcl")}
	for _, path := range paths {
		list[filepath.Base(filepath.Dir(path))] = load(t, filepath.Dir(path))
	}
	return list
}

// marks are some of each level.
var marks = map[string]Mark{
	"lvs-1": {Differs, "3 differences"}, "web-7": {Down, "unreachable"},
	"web-8": {Away, "drained by ops@laptop since 2026-03-01 12:00 UTC"}, "web-9": {Level: Fine, Text: "fine"},
}

// TestGolden holds what is drawn to testdata/graph, and the picture in the README to
// the example that it is of. Look at a new picture in a browser.
func TestGolden(t *testing.T) {
	topologies := all(t)
	shop := New(topologies["shop"], marks)
	for file, have := range map[string]string{
		"testdata/graph/shop.mmd": shop.Mermaid(), "testdata/graph/shop.dot": shop.DOT(),
		"testdata/graph/shop.svg":     shop.SVG(),
		"testdata/graph/dr-local.mmd": New(topologies["dr-local"], nil).Mermaid(),
		"docs/graph.svg":              New(topologies["dr"], nil).SVG(),
	} {
		golden.Check(t, filepath.Join("..", "..", file), have)
	}
}

// TestSVGIsLegible: a picture is XML, everything is inside of it, and no text runs into
// another, by the widths that are reckoned with.
func TestSVGIsLegible(t *testing.T) {
	for name, top := range all(t) {
		for _, m := range []map[string]Mark{nil, marks} {
			svg := New(top, m).SVG()
			width, height, texts := textsOf(t, svg)
			if width > 2000 {
				t.Errorf("%s is %d pixels wide", name, width)
			}
			for i, a := range texts {
				if a.left < 0 || a.right > width || a.top < 0 || a.bottom > height {
					t.Errorf("%s: %q is not in the picture of %d x %d: %+v", name, a.s, width, height, a)
				}
				for _, b := range texts[:i] {
					if a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom {
						t.Errorf("%s: %q and %q run into each other: %+v %+v", name, a.s, b.s, a, b)
					}
				}
			}
			if again := New(top, m).SVG(); again != svg {
				t.Errorf("%s: the same topology has two pictures", name)
			}
		}
	}
}

// placed is a text and where it stands.
type placed struct {
	s                        string
	left, right, top, bottom int
}

func textsOf(t *testing.T, svg string) (width, height int, list []placed) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return width, height, list
		}
		if err != nil {
			t.Fatal(err)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		attr := map[string]string{}
		for _, a := range e.Attr {
			attr[a.Name.Local] = a.Value
		}
		number := func(name string) int { n, _ := strconv.Atoi(attr[name]); return n }
		switch e.Name.Local {
		case "svg":
			width, height = number("width"), number("height")
		case "text":
			var s string
			if err := d.DecodeElement(&s, &e); err != nil {
				t.Fatal(err)
			}
			list = append(list, place(s, attr["class"], attr["text-anchor"], number("x"), number("y")))
		}
	}
}

// place is where a text stands. Half a pixel a character is allowed for: the widths are
// rather more than less.
func place(s, class, anchor string, x, y int) placed {
	size := map[string]int{"h1": 20, "h2": 15, "s": small, "m": small, "n": small}[strings.Fields(class)[0]]
	if size == 0 {
		size = text
	}
	w := sansWidth(s, size)
	if class == "m" || class == "p" {
		w = monoWidth(s, size)
	}
	w -= len(s) / 2
	p := placed{s: s, left: x, right: x + w, top: y - size + 3, bottom: y + 2}
	switch anchor {
	case "middle":
		p.left, p.right = x-w/2, x+w/2
	case "end":
		p.left, p.right = x-w, x
	}
	return p
}

// TestFolded: nodes are drawn as one unless something known of them differs.
func TestFolded(t *testing.T) {
	titles := func(g *Graph) []string {
		var list []string
		for _, n := range g.Nodes {
			if n.Role == topology.RealServer {
				list = append(list, n.title())
			}
		}
		return list
	}
	top := all(t)["shop"]
	want := []string{"db-1 ... db-8 (8)", "far-1 ... far-12 (12)", "old", "web-1 ... web-30 (30)"}
	if d := cmp.Diff(want, titles(New(top, nil))); d != "" {
		t.Error(d)
	}
	want = []string{"db-1 ... db-8 (8)", "far-1 ... far-12 (12)", "old", "web-1 ... web-6, web-9 ... web-30 (28)", "web-7", "web-8"}
	if d := cmp.Diff(want, titles(New(top, marks))); d != "" {
		t.Error(d)
	}
}

// TestHostileText: what a node says cannot break out of a label.
func TestHostileText(t *testing.T) {
	const evil = "\"]; x --> y\n</text><script>alert(1)</script>\x1b[31m`#{}\\"
	g := New(all(t)["dr"], map[string]Mark{"lvs": {Down, evil}})
	if _, _, texts := textsOf(t, g.SVG()); len(texts) == 0 || strings.Contains(g.SVG(), "<script") {
		t.Errorf("the SVG has more than text:\n%s", g.SVG())
	}
	for _, text := range []string{g.Mermaid(), g.DOT()} {
		if strings.Contains(text, "\n</text>") || strings.Contains(text, "\x1b") {
			t.Errorf("a label has a line break or an escape:\n%q", text)
		}
	}
	for line := range strings.Lines(g.Mermaid()) {
		if quotes := strings.Count(line, `"`); quotes%2 != 0 || quotes > 2 && !strings.Contains(line, "title") {
			t.Errorf("a Mermaid line has %d quotes: %s", quotes, line)
		}
	}
	for line := range strings.Lines(strings.ReplaceAll(strings.ReplaceAll(g.DOT(), `\\`, ""), `\"`, "")) {
		if strings.Count(line, `"`)%2 != 0 {
			t.Errorf("a DOT line has an odd number of quotes: %s", line)
		}
	}
}

// TestWays: who is in the way of a packet, by how the topology sends it.
func TestWays(t *testing.T) {
	for name, want := range map[string][]string{
		"dr":           {"internet > router", "router > lvs", "lvs > web-1, web-2", "web-1, web-2 < router", "router < internet"},
		"nat":          {"internet > lvs", "lvs > web1, web2", "web1, web2 < lvs", "lvs < internet"},
		"nat-weights":  {"client > director", "director > RS1, RS2", "RS1, RS2 < director", "director < client"},
		"dr-local":     {"client > director", "director > director", "director < router", "router < client", "director > RS1, RS2", "RS1, RS2 < router"},
		"dr-lan":       {"client > lvs-server", "lvs-server > real-server1, real-server2", "real-server1, real-server2 < client"},
		"without-name": {"clients > lvs", "lvs > a", "a < clients"},
	} {
		top := all(t)[name]
		if name == "without-name" {
			file := filepath.Join(t.TempDir(), "x.hcl")
			text := "director \"lvs\" {\n interface \"e\" { address = \"10.0.0.1/24\" }\n}\nreal_server \"a\" {\n interface \"e\" { address = \"10.0.0.2/24\" }\n}\nvirtual_server \"v\" {\n fwmark = 7\n mode = \"dr\"\n real_servers = [\"a\"]\n}\n"
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			top = load(t, file)
		}
		var have []string
		p := New(top, nil).Paths[0]
		for _, s := range p.Steps {
			arrow := ">"
			if s.Back {
				arrow = "<"
			}
			have = append(have, fmt.Sprintf("%s %s %s", p.Stops[s.From].Title, arrow, p.Stops[s.To].Title))
		}
		if d := cmp.Diff(want, have); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}
