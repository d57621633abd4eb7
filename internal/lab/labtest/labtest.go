// Package labtest decides whether tests that need a lab run on this machine.
package labtest

import (
	"os"
	"testing"
)

// Need skips the test unless LVSCTL_LAB=1 or CI=true: it boots a virtual machine and takes
// minutes. It says what the machine lacks for it; missing is lab.CheckTools. With
// LVSCTL_LAB=0 the test is skipped in CI too: it runs in another part of it.
func Need(t *testing.T, missing func() error) {
	t.Helper()
	switch lab := os.Getenv("LVSCTL_LAB"); {
	case lab == "1" || lab == "" && os.Getenv("CI") == "true":
		return
	case missing() != nil:
		t.Skip("left out: it boots a virtual machine, and ", missing())
	}
	t.Skip("left out: it boots a virtual machine; `make lab` runs it, and LVSCTL_LAB=1")
}
