package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lvsctl/lvsctl/internal/graph"
	"github.com/lvsctl/lvsctl/internal/plural"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
	"github.com/lvsctl/lvsctl/topology"
)

// graphFormats are the formats by name, and by what a file of each is called.
var graphFormats = map[string]struct {
	draw  func(*graph.Graph) string
	names []string
}{
	"mermaid": {(*graph.Graph).Mermaid, []string{".mmd", ".mermaid"}},
	"dot":     {(*graph.Graph).DOT, []string{".dot", ".gv"}},
	"svg":     {(*graph.Graph).SVG, []string{".svg"}},
}

func graphCommand(a *app) *cobra.Command {
	var sc scope
	var format, out string
	var live bool
	cmd := &cobra.Command{
		Use:   "graph [PATH]",
		Short: "Draw a topology, and the way of a packet of each virtual server",
		Long: `Draws which node is on which network, and how a packet of each virtual server comes
to a real server and back: by which devices, where the VIP is, and who rewrites what.
Nodes that differ by name and address only are drawn as one, and so are virtual
servers whose packets go the same way.

The SVG needs no other program, and is light or dark as the reader's system is. No
node is contacted, unless --live asks all of them what is down, drained or differs.

Exit codes: 0 done; 1 error; 3 some node could not be read (it is drawn as such).`,
		Example: `  lvsctl graph                         # Mermaid, for Markdown
  lvsctl graph --out shop.svg
  lvsctl graph --live --out shop.svg
  lvsctl graph clusters/shop --format dot | dot -Tpdf -o shop.pdf`,
		Args: atMost(1, "one PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := graphFormat(format, out)
			if err != nil {
				return err
			}
			g, err := a.graph(cmd.Context(), args, sc, live)
			if err != nil && g == nil {
				return err
			}
			text := graphFormats[f].draw(g)
			if out == "" {
				a.stdout.exact([]byte(text))
				return err
			}
			if writing := replaceFile(out, []byte(text), 0o644); writing != nil {
				return fmt.Errorf("cannot write the graph: %w", writing)
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&format, "format", "", "mermaid, dot or svg (default by the name of --out, else mermaid)")
	f.StringVar(&out, "out", "", "write to `FILE` instead of standard output")
	f.BoolVar(&live, "live", false, "ask the nodes, and colour what is down, drained or differs")
	f.BoolVar(&sc.lab, "lab", false, "with --live: ask the topology's lab instead of the real nodes")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]cobra.Completion{"mermaid", "dot", "svg"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// graphFormat is the format that is asked for, by name or by that of the file.
func graphFormat(format, out string) (string, error) {
	if _, known := graphFormats[format]; known {
		return format, nil
	}
	if format != "" {
		return "", fmt.Errorf("there is no format %q\nThere are mermaid, dot and svg.", format)
	}
	for name, f := range graphFormats {
		for _, ending := range f.names {
			if strings.EqualFold(filepath.Ext(out), ending) {
				return name, nil
			}
		}
	}
	if out != "" {
		return "", fmt.Errorf("the name %q says no format\nCall it .svg, .dot or .mmd, or add --format.", out)
	}
	return "mermaid", nil
}

// graph draws a topology. The error is an exit code where there is a graph.
func (a *app) graph(ctx context.Context, args []string, sc scope, ask bool) (*graph.Graph, error) {
	if !ask {
		l, err := a.load(ctx, args)
		if err != nil {
			return nil, err
		}
		return graph.New(l.Topology, nil), nil
	}
	k, err := a.casesBeside(ctx, args, sc, everything, nothingBeside)
	if err != nil {
		return nil, err
	}
	s, err := a.look(ctx, k)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	a.reportUnreadable(s.Plan)
	g := graph.New(k.Topology, marksOf(k.Topology, s.Plan))
	if len(s.Plan.Unreadable()) > 0 {
		return g, exitError{code: exitUnreadable}
	}
	return g, nil
}

// marksOf is what a plan knows of each node: the worst of it is the colour, all of it
// the text.
func marksOf(t *topology.Topology, p *plan.Plan) map[string]graph.Mark {
	marks := map[string]graph.Mark{}
	add := func(name string, level graph.Level, text string) {
		m := marks[name]
		if strings.Contains(m.Text, text) {
			return
		}
		if m.Text != "" {
			text = m.Text + "; " + text
		}
		marks[name] = graph.Mark{Level: max(m.Level, level), Text: text}
	}
	changes := map[string]int{}
	for _, act := range p.Actions {
		changes[act.Node]++
	}
	for _, n := range p.Nodes {
		if n.Unreadable != nil {
			add(n.Name, graph.Down, "unreachable")
		}
		for _, key := range n.Down {
			if name := serverOf(t, key); name != "" {
				add(name, graph.Down, "down on "+n.Name)
			}
		}
		for _, d := range n.Drained {
			add(d.Node, graph.Away, fmt.Sprintf("drained by %s since %s", d.By, d.Since.UTC().Format("2006-01-02 15:04 MST")))
		}
		for _, name := range n.Maintenance {
			add(name, graph.Away, "in maintenance")
		}
	}
	for _, n := range p.Nodes {
		switch {
		case len(n.Problems) > 0:
			add(n.Name, graph.Differs, plural.Of(len(n.Problems), "problem"))
		case changes[n.Name] > 0:
			add(n.Name, graph.Differs, plural.Of(changes[n.Name], "difference"))
		}
	}
	return marks
}

// serverOf is the real server of an entry of a director's table, "" for none.
func serverOf(t *topology.Topology, entry string) string {
	var k state.ServerKey
	if k.UnmarshalText([]byte(entry)) != nil {
		return ""
	}
	for _, v := range t.Services {
		for _, s := range v.RealServers {
			if s.Address == k.Addr.Addr() {
				return s.Node.Name
			}
		}
	}
	return ""
}
