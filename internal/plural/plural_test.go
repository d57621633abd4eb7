package plural

import "testing"

func TestOf(t *testing.T) {
	for n, want := range map[int]string{0: "0 nodes", 1: "1 node", 2: "2 nodes", 1000: "1000 nodes"} {
		if have := Of(n, "node"); have != want {
			t.Errorf("want %q, have %q", want, have)
		}
	}
}
