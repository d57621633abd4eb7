// Package labtest says where tests that take a lab run.
package labtest

import (
	"os"
	"testing"
)

// Need leaves a test out, saying why, where no lab can run, which missing tells:
// lab.CheckTools, called only if it matters. With CI=true or LVSCTL_LAB=1
// nothing is left out; with LVSCTL_LAB=0 everything is.
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
