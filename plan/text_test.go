package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lvsctl/lvsctl/plan"
)

// TestOthersHideNothing: what is left alone is named up to a number, and with -v
// whole; a long value is cut, and says so. JSON has all of it.
func TestOthersHideNothing(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	doc := plan.Document{
		Nodes:   []plan.DocumentNode{{Name: "lb", Role: "director"}},
		Changes: []plan.DocumentItem{{Node: "lb", Kind: "sysctl", Key: "net.ipv4.x", Action: "change", Before: long, After: "1"}},
	}
	for i := range 1000 {
		doc.Nodes[0].LeftAlone = append(doc.Nodes[0].LeftAlone, plan.Foreign{Service: fmt.Sprintf("tcp 10.0.0.1:%d", i)})
	}
	for _, c := range []struct {
		detail plan.Detail
		lines  int
		last   string
	}{
		{plan.Detail{}, 23, "  left alone on lb: 980 services more, which -v and --json name"},
		{plan.Detail{Files: true}, 1002, "  left alone on lb: tcp 10.0.0.1:999 (0 servers), not in this topology"},
	} {
		lines := doc.Lines(c.detail)
		if len(lines) != c.lines || lines[len(lines)-1].Text != c.last {
			t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1].Text)
		}
		if change := lines[1].Text; len(change) > 1000 || !strings.HasSuffix(change, "... (1048576 bytes in all) -> 1") {
			t.Errorf("%d bytes: %.600s", len(change), change)
		}
	}
}
