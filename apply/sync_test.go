package apply_test

import (
	"testing"

	"github.com/lvsctl/lvsctl/internal/netsystem"
	"github.com/lvsctl/lvsctl/internal/state"
)

// BenchmarkSync shows what it costs that an apply ends only when its files are on disk: a
// host gets an address, a route, parameters and the files for its next boot, and gives
// them back. Without the tool sync, nothing is waited for.
func BenchmarkSync(b *testing.B) {
	for name, more := range map[string]string{"on disk": "", "not waited for": `mount --bind /bin/true "$(command -v sync)"` + "\n"} {
		b.Run(name, func(b *testing.B) {
			n := start(b, hostOptions{setup: ethernet + debian + more})
			for b.Loop() {
				must(b, job{node: n, want: newState(), persist: netsystem.Auto})
				must(b, job{node: n, want: state.New()})
			}
		})
	}
}
