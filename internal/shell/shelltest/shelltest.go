// Package shelltest names the shells that stand behind /bin/sh on nodes, for tests
// that run the same script in each.
package shelltest

import (
	"os"
	"os/exec"
	"testing"
)

// Commands are those shells by name, each with the arguments that make it what
// /bin/sh is there: dash (Debian), bash (EL), busybox (Alpine).
var Commands = map[string][]string{
	"dash":    {"dash"},
	"bash":    {"bash", "--posix"},
	"busybox": {"busybox", "sh"},
}

// Each returns the shells of [Commands] that this machine has, and leaves the
// test out if it has none. In CI every one of them must be there.
func Each(t testing.TB) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for name, args := range Commands {
		if _, err := exec.LookPath(args[0]); err == nil {
			all[name] = args
		} else if os.Getenv("CI") == "true" {
			t.Fatalf("%v; `make setup` installs it", err)
		}
	}
	if len(all) == 0 {
		t.Skip("left out: none of dash, bash and busybox is installed; `make setup` installs them")
	}
	return all
}
