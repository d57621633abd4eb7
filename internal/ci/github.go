package ci

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/plural"
	"github.com/lvsctl/lvsctl/plan"
)

// GitHub shows ten errors a step and silently drops the rest; and an annotation is read
// beside code, so that it has an end too.
const (
	mostAnnotations = 10
	mostLines       = 20
)

// annotation is what GitHub shows at a line of a file.
type annotation struct {
	file  string
	line  int
	lines []string
}

// GitHub is the drift as workflow commands, which GitHub Actions shows at the lines of
// the topologies that the drifted entries come from. What belongs to one line is one
// annotation; those with the most to say come first. locate is a file's path as the
// repository has it.
func GitHub(doc plan.Document, locate, clean func(string) string) []string {
	list := annotations(doc, locate, clean)
	var commands []string
	for i, a := range list {
		if rest := len(list) - i; i == mostAnnotations-1 && rest > 1 {
			commands = append(commands, annotation{lines: []string{"and in " + plural.Of(rest, "more place")}}.command())
			break
		}
		commands = append(commands, a.command())
	}
	return commands
}

func annotations(doc plan.Document, locate, clean func(string) string) []*annotation {
	type place struct {
		file string
		line int
	}
	at := map[place]*annotation{}
	var list []*annotation
	say := func(file string, line int, text string) {
		a := at[place{file, line}]
		if a == nil {
			a = &annotation{line: line}
			if file != "" {
				a.file = locate(file)
			}
			at[place{file, line}] = a
			list = append(list, a)
		}
		a.lines = append(a.lines, text)
	}
	for _, t := range doc.Topologies {
		if t.Error != "" {
			say("", 0, clean(t.Path+": "+firstLine(t.Error))) // its path may be a folder's
		}
		for _, alarm := range t.Alarms {
			say("", 0, clean(t.Name+": "+alarm))
		}
	}
	for _, n := range doc.Parts() {
		who := clean(n.Name) + ": "
		if n.Error != "" {
			say(n.File, n.Line, who+clean(firstLine(n.Error)))
		}
		for _, problem := range n.Problems {
			say(n.File, n.Line, who+clean(problem))
		}
		for _, c := range n.Changes {
			say(c.File, c.Line, who+clean(c.Text()))
		}
	}
	slices.SortStableFunc(list, func(a, b *annotation) int {
		return cmp.Or(cmp.Compare(len(b.lines), len(a.lines)), strings.Compare(a.file, b.file), cmp.Compare(a.line, b.line))
	})
	return list
}

// command is the annotation in GitHub's syntax, docs.github.com: Workflow commands for
// GitHub Actions. The escapes are those of the runner (ActionCommand.cs).
func (a annotation) command() string {
	lines := a.lines
	if rest := len(lines) - mostLines; rest > 1 {
		lines = append(slices.Clone(lines[:mostLines]), fmt.Sprintf("... and %s", plural.Of(rest, "more line")))
	}
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	where := ""
	if a.file != "" {
		where = "file=" + property.Replace(a.file) + ","
	}
	if a.line > 0 {
		where += fmt.Sprintf("line=%d,", a.line)
	}
	return "::error " + where + "title=lvsctl drift::" + data.Replace(strings.Join(lines, "\n"))
}
