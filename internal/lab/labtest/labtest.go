// Package labtest decides whether tests that need a lab run on this machine.
package labtest

import (
	"os"
	"testing"
)

// Need skips the test, with the reason, if missing returns an error. missing is
// lab.CheckTools. With CI=true or LVSCTL_LAB=1 no test is skipped; with LVSCTL_LAB=0
// every test is.
func Need(t *testing.T, missing func() error) {
	t.Helper()
	switch {
	case os.Getenv("LVSCTL_LAB") == "0":
		t.Skip("left out: LVSCTL_LAB=0; `make lab` runs it")
	case os.Getenv("LVSCTL_LAB") == "1" || os.Getenv("CI") == "true":
		return
	case testing.Short():
		t.Skip("left out by -short: it boots a virtual machine")
	}
	if err := missing(); err != nil {
		t.Skip("left out: ", err)
	}
}
