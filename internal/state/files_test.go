package state_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/shell/shelltest"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/internal/state/statetest"
)

// step is a change of one file.
type step struct {
	path, topology string // topology is "" for a whole file
	lines          []string
}

// command is the step as a command of lvsctl, with root in place of /.
func (c step) command(root string) shell.Command {
	text := ""
	for _, l := range c.lines {
		text += l + "\n"
	}
	if c.topology == "" {
		return state.WriteFile(root+c.path, state.File{Text: text, Mode: "0640"})
	}
	return state.WriteBlock(state.BlockKey{Path: root + c.path, Topology: c.topology}, state.Block{Text: text})
}

// sequence is a node's files, and steps that change them.
type sequence struct {
	texts, modes map[string]string
	steps        []step
}

var sharedPaths = []string{"/etc/hosts", "/etc/sysconfig/modules/x.modules", "/etc/rc.local", "/etc/network/if cfg-a:0"}

func drawSequence(t *rapid.T) sequence {
	lines := func(from int) []string {
		return rapid.SliceOfN(rapid.SampledFrom([]string{
			"", "10.1.0.2 lvs", `a\nb\\ %s %d`, "\ttab ", "\r", "é\xff", "# BEGIN other", "# END lvsctl", "$(exit 9) `:` \"'", "-n", "*",
			"# END lvsctl web (there was no file before this)", " # BEGIN lvsctl web", "# BEGIN lvsctl webs\r",
		}), from, 4).Draw(t, "lines")
	}
	q := sequence{texts: map[string]string{}, modes: map[string]string{}}
	for _, path := range sharedPaths {
		kind := rapid.SampledFrom([]string{"missing", "empty", "open", "closed", "crlf"}).Draw(t, "file")
		if kind == "missing" {
			continue
		}
		q.modes[path] = rapid.SampledFrom([]string{"0600", "0644", "0775"}).Draw(t, "mode")
		text := strings.Join(lines(1), "\n")
		switch kind {
		case "empty":
			text = ""
		case "open":
			text = strings.TrimRight(text, "\n") + "x"
		case "closed":
			text += "\n"
		case "crlf":
			text = strings.ReplaceAll(text, "\n", "\r\n") + "\r\n"
		}
		q.texts[path] = text
	}
	for range rapid.IntRange(1, 7).Draw(t, "steps") {
		c := step{path: "/etc/lvsctl/web.sh"}
		if rapid.IntRange(0, 4).Draw(t, "own") > 0 {
			c.path = rapid.SampledFrom(sharedPaths).Draw(t, "path")
			c.topology = rapid.SampledFrom([]string{"web", "web.s"}).Draw(t, "topology")
		}
		if rapid.IntRange(0, 3).Draw(t, "write") > 0 {
			c.lines = lines(1)
		}
		q.steps = append(q.steps, c)
	}
	// The last steps remove every block and file, in random order.
	var last []step
	for _, path := range sharedPaths {
		last = append(last, step{path: path, topology: "web"}, step{path: path, topology: "web.s"})
	}
	last = append(last, step{path: "/etc/lvsctl/web.sh"})
	q.steps = append(q.steps, rapid.Permutation(last).Draw(t, "removals")...)
	return q
}

// TestFilesAsModel runs random steps by the shell functions and on the model of a node.
// After each step every byte and mode must be the same, with no other files. After the
// last one the files must be as they were at first.
func TestFilesAsModel(t *testing.T) {
	const sequences = 8
	for name := range shelltest.Commands {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sh := newShell(t, name)
			var script strings.Builder
			script.WriteString("sync() { :; }\nkeep() { mkdir -p \"$2\" && cp -a \"$1/.\" \"$2\"; }\n")
			want := map[string]map[string]string{}
			for i := range sequences {
				q := rapid.Custom(drawSequence).Example(len(name)*1000 + i)
				root := fmt.Sprintf("%s/%d", sh.root, i)
				node := statetest.New()
				for path, text := range q.texts {
					write(t, root+path, text, q.modes[path])
					node.Files[root+path], node.Modes[root+path] = text, q.modes[path]
				}
				for k, c := range q.steps {
					command := c.command(root)
					fmt.Fprintf(&script, "(%s) || echo fails\n", command)
					if err := node.Exec(command); err != nil {
						t.Fatal(err)
					}
					// Not every removal at the end is compared: that saves processes.
					if k < len(q.steps)-2*len(sharedPaths)-1 || k == len(q.steps)-1 {
						kept := fmt.Sprintf("%s.%d", root, k)
						fmt.Fprintf(&script, "keep %s %s\n", root, kept)
						want[kept] = model(node, root)
					}
				}
				if d := cmp.Diff(present(q.texts, q.modes), model(node, root)); d != "" {
					t.Errorf("sequence %d: the model does not give the files back: %s\n%v", i, d, q.steps)
				}
				check(t, os.MkdirAll(root+"/etc", 0o755))
			}
			if out := sh.run(script.String()); out != "" {
				t.Error(out)
			}
			for kept, files := range want {
				if d := cmp.Diff(files, found(t, kept)); d != "" {
					t.Errorf("%s: %s", filepath.Base(kept), d)
				}
			}
		})
	}
}

// present joins the contents and modes of files.
func present(texts, modes map[string]string) map[string]string {
	all := map[string]string{}
	for path, text := range texts {
		all[path] = modes[path] + " " + text
	}
	return all
}

func model(n *statetest.Node, root string) map[string]string {
	all := map[string]string{}
	for path, text := range n.Files {
		all[strings.TrimPrefix(path, root)] = n.Modes[path] + " " + text
	}
	return all
}

// found returns the files below a folder, with content and mode.
func found(t testing.TB, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	check(t, filepath.Walk(root, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, root)] = fmt.Sprintf("%04o %s", info.Mode().Perm(), text)
		return err
	}))
	return all
}

// TestBrokenMarkers has files whose marker lines do not pair up. No command may change
// them.
func TestBrokenMarkers(t *testing.T) {
	broken := []string{
		"# BEGIN lvsctl web\nx\n", "x\n# END lvsctl web\n", "# BEGIN lvsctl web\n# BEGIN lvsctl web\n# END lvsctl web\n",
		"# BEGIN lvsctl web (there was no file before this)\nx", "# END lvsctl web\nx\n# BEGIN lvsctl web\n",
	}
	for name := range shelltest.Commands {
		sh := newShell(t, name)
		script := ""
		for i, text := range broken {
			for k, lines := range [][]string{nil, {"y"}} {
				path := fmt.Sprintf("/%d-%d", i, k)
				write(t, sh.root+path, text, "0640")
				script += fmt.Sprintf("(%s) 2>/dev/null && echo %s is changed\n", step{path, "web", lines}.command(sh.root), path)
			}
		}
		if out := sh.run(script + ":"); out != "" {
			t.Errorf("%s: %s", name, out)
		}
		files := found(t, sh.root)
		for i, text := range broken {
			for k := range 2 {
				if have := files[fmt.Sprintf("/%d-%d", i, k)]; have != "0640 "+text {
					t.Errorf("%s: %q became %q", name, text, have)
				}
			}
		}
		if len(files) != 2*len(broken) {
			t.Errorf("%s: there is more: %v", name, files)
		}
	}
}

// TestLinkedFile has a file that is a symbolic link. It stays one.
func TestLinkedFile(t *testing.T) {
	for name := range shelltest.Commands {
		sh := newShell(t, name)
		write(t, sh.root+"/run/hosts", "x\n", "0644")
		check(t, os.MkdirAll(sh.root+"/etc", 0o755))
		check(t, os.Symlink("../run/hosts", sh.root+"/etc/hosts"))
		sh.run(step{"/etc/hosts", "web", []string{"y"}}.command(sh.root).String())
		have, err := os.ReadFile(sh.root + "/run/hosts")
		check(t, err)
		if want := "x\n# BEGIN lvsctl web\ny\n# END lvsctl web\n"; string(have) != want {
			t.Errorf("%s: %q, not %q", name, have, want)
		}
		if to, err := os.Readlink(sh.root + "/etc/hosts"); to != "../run/hosts" {
			t.Errorf("%s: the link leads to %q: %v", name, to, err)
		}
	}
}

// TestReadBack writes blocks and files and reads them again by lvsctl's scripts.
func TestReadBack(t *testing.T) {
	for name := range shelltest.Commands {
		sh := newShell(t, name)
		odd := []string{"", " x", `\t%s`, "file /etc/hosts", "# END lvsctl web.sx", "-"}
		steps := []step{
			{"/a:0", "web", odd}, {"/a:0", "web.s", []string{"not mine"}}, {"/a-b", "webxs", []string{"nor that"}},
			{"/a b", "web", []string{"in a name with a blank"}}, {"/own.sh", "", odd},
		}
		write(t, sh.root+"/a:0", "no newline", "0600")
		script := ""
		for _, c := range steps {
			script += "(" + c.command(sh.root).String() + ") || echo fails\n"
		}
		want := state.New()
		text := strings.Join(odd, "\n") + "\n"
		want.Blocks[state.BlockKey{Path: sh.root + "/a:0", Topology: "web"}] = state.Block{Text: text}
		want.Blocks[state.BlockKey{Path: sh.root + "/a b", Topology: "web"}] = state.Block{Text: "in a name with a blank\n"}
		own := state.File{Text: text, Mode: "0640"}
		if uid := os.Geteuid(); uid != 0 {
			own.Owner = fmt.Sprintf("%d:%d", uid, os.Getegid())
		}
		want.Files[sh.root+"/own.sh"] = own
		if out := sh.run(script); out != "" {
			t.Fatal(out)
		}
		have := state.New()
		for _, s := range state.Sections(state.Wanted{Topology: "web", Shared: []string{sh.root + "/a*"}, Own: []string{sh.root + "/own.sh", sh.root + "/none"}}) {
			if slices.Contains([]string{"files", "own files"}, s.Name) {
				check(t, s.Parse(sh.run(shell.Definitions(s.Read.Calls)+s.Read.String()), have))
			}
		}
		if d := cmp.Diff(want, have); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}
