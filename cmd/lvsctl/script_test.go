package main

import (
	"os"
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
	testscript.Run(t, testscript.Params{Dir: "../../testdata/script"})
}
