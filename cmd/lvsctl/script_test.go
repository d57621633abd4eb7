package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"lvsctl": func() { os.Exit(run(os.Args[1:], newApp(os.Stdin, os.Stdout, os.Stderr))) },
	})
}

// TestScripts are what a user types and sees. Standard output and standard error
// are told apart, and silence is asserted too.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "../../testdata/script", Setup: stayHere})
}

// stayHere is the ssh config of the user who types: whatever a script names, but
// 127.0.0.0/8, is a closed port of this machine. No test leaves it.
func stayHere(e *testscript.Env) error {
	e.Setenv("HOME", filepath.Join(e.WorkDir, "home"))
	folder := filepath.Join(e.WorkDir, "home", ".ssh")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "config"), []byte("Host * !127.*\n  HostName 127.0.0.1\n  Port 1\n"), 0o600)
}
