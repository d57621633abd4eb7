package shell

import (
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"
)

// Nodes have the tools of their system: coreutils of many years, busybox, toybox. What
// the scripts call is found in them by a parser of the shell, and held against what
// busybox and toybox say that they have.

// builtins are what every shell brings itself.
var builtins = words(". : [ break cd command continue echo eval exec exit export false kill printf pwd read return set shift test trap true umask unset wait")

// specific are tools that are no box's: a node has them for what it is, or they are
// looked for before they are called.
var specific = words(`ip ipvsadm iptables nft keepalived /etc/init.d/keepalived
	apk apt-get zypper NetworkManager systemctl systemd-run firewall-cmd getsebool restorecon chcon /bin/sh`)

// missing is what a box says of a tool that it has not.
var missing = regexp.MustCompile("applet not found|Unknown command")

// lacking are tools and options that a box has not, and what happens then.
var lacking = map[string]map[string]string{
	"busybox": {
		"flock":       "the lock is a file then, lock.sh; not every build has it",
		"ip":          "other builds have it; its options are state's business",
		"modprobe -n": "depmod's lists are read, read_facts.sh",
	},
	"toybox": {
		"arping":   "neighbours learn in time, announce.sh",
		"awk":      "another one has to be there, as POSIX says",
		"modprobe": "toybox calls its own unfinished; depmod's lists are read, read_facts.sh",
		"sh":       "another one is there, or there is nothing to send a script to",
		"sync -f":  "everything is written then, disk.sh",
		"tr":       "toybox calls its own unfinished; what it is for is left out, read_facts.sh, read_holders.sh, if_up.sh",
	},
}

func words(text string) map[string]bool {
	all := map[string]bool{}
	for _, w := range strings.Fields(text) {
		all[w] = true
	}
	return all
}

// calls are the commands that a file's shell runs: TOOL, and TOOL -LETTER for each
// option. The texts are the programs of awk.
func calls(t *testing.T, name string) (all map[string]bool, programs []string) {
	t.Helper()
	text, err := files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(string(text)), name)
	if err != nil {
		t.Fatal(err)
	}
	own, all := map[string]bool{}, map[string]bool{}
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.FuncDecl:
			own[n.Name.Value] = true
		case *syntax.CallExpr:
			args := make([]string, len(n.Args))
			for i, a := range n.Args {
				args[i] = a.Lit()
			}
			if len(args) > 0 && args[0] == "exec" {
				args = args[1:]
			}
			if len(args) == 0 || args[0] == "" || builtins[args[0]] || strings.HasPrefix(args[0], "lvsctl_") {
				return true
			}
			all[args[0]] = true
			for _, a := range args[1:] {
				if len(a) > 1 && a[0] == '-' && a[1] != '-' && (a[1] < '0' || a[1] > '9') {
					for _, letter := range a[1:] {
						all[args[0]+" -"+string(letter)] = true
					}
				}
			}
			if args[0] == "awk" {
				var b strings.Builder
				if err := syntax.NewPrinter().Print(&b, n); err != nil {
					t.Fatal(err)
				}
				programs = append(programs, b.String())
			}
		}
		return true
	})
	for name := range own {
		delete(all, name)
	}
	return all, programs
}

// TestTools: no script calls a tool, or an option, that small systems lack, but where it
// is known what happens then.
func TestTools(t *testing.T) {
	names, err := fs.Glob(files, "*.sh")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{} // and a file that calls it
	for _, name := range names {
		called, programs := calls(t, name)
		for call := range called {
			if tool, _, _ := strings.Cut(call, " "); !specific[tool] {
				all[call] = name
			}
		}
		for _, program := range programs {
			// mawk 1.3.3 (Debian up to 10) takes a class for a set of letters.
			if strings.Contains(program, "[[:") {
				t.Errorf("%s: an old awk knows no class of characters:\n%s", name, program)
			}
		}
	}
	if all["awk"] == "" || all["ls -l"] == "" {
		t.Fatalf("not everything was found: %v", all)
	}
	for _, box := range []string{"busybox", "toybox"} {
		if _, err := exec.LookPath(box); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%v; `make setup` installs it", err)
			}
			continue
		}
		for call, file := range all {
			tool, option, _ := strings.Cut(call, " ")
			help, _ := exec.Command(box, tool, "--help").CombinedOutput() // whose status may be any
			there := !missing.Match(help) && (option == "" || regexp.MustCompile(`(^|[^A-Za-z0-9])-[A-Za-z0-9]*`+option[1:]).Match(help))
			if tool == "true" || there {
				continue
			}
			if lacking[box][tool] == "" && lacking[box][call] == "" {
				t.Errorf("%s calls %s, which %s has not: do without, or say what happens then", file, call, box)
			}
		}
		for call := range lacking[box] {
			if all[call] == "" && !specific[call] {
				t.Errorf("nothing calls %s any more", call)
			}
		}
	}
}
