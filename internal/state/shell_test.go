package state_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/shell/shelltest"
)

// nodeShell runs scripts as a node's shell does, in a folder in place of /.
type nodeShell struct {
	testing.TB
	name, root string
}

func newShell(t testing.TB, name string) nodeShell {
	t.Helper()
	if _, err := exec.LookPath(shelltest.Commands[name][0]); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("left out: " + err.Error() + "; `make setup` installs it")
	}
	return nodeShell{t, name, t.TempDir()}
}

// run runs a script whose paths are in the folder already.
func (s nodeShell) run(script string) string {
	s.Helper()
	path := os.Getenv("PATH")
	if s.name == "busybox" {
		applets := s.TempDir()
		if out, err := exec.Command("busybox", "--install", "-s", applets).CombinedOutput(); err != nil {
			s.Fatalf("busybox: %v: %s", err, out)
		}
		path = applets + ":" + path
	}
	prelude := "set -u\n"
	if os.Geteuid() != 0 {
		prelude += "chown() { :; }\n" // only root may use chown
	}
	cmd := exec.Command(shelltest.Commands[s.name][0], append(shelltest.Commands[s.name][1:], "-s")...)
	cmd.Stdin = strings.NewReader(prelude + shell.Definitions(shell.Block) + script)
	cmd.Env = []string{"PATH=" + path, "LC_ALL=C"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.Fatalf("%s: %v: %s", s.name, err, out)
	}
	return string(out)
}

func write(t testing.TB, path, text, mode string) {
	t.Helper()
	check(t, os.MkdirAll(filepath.Dir(path), 0o755))
	check(t, os.WriteFile(path, []byte(text), 0o600))
	var bits os.FileMode
	_, err := fmt.Sscanf(mode, "%o", &bits)
	check(t, err)
	check(t, os.Chmod(path, bits))
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
