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

// TestScripts runs scripts of what a user types and sees. They check standard output and
// standard error separately, also that there is none.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "../../testdata/script", Setup: stayHere})
}

// stayHere writes the ssh config of the user in a script. Every host name outside of
// 127.0.0.0/8 means a closed port of this machine, so no test connects to another one.
func stayHere(e *testscript.Env) error {
	e.Setenv("HOME", filepath.Join(e.WorkDir, "home"))
	folder := filepath.Join(e.WorkDir, "home", ".ssh")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "config"), []byte("Host * !127.*\n  HostName 127.0.0.1\n  Port 1\n"), 0o600)
}
