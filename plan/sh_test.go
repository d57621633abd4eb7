package plan_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lvsctl/lvsctl/internal/shell/shelltest"
	"github.com/lvsctl/lvsctl/plan"
)

// TestGoldenCommandsAreSh has each shell read the commands of every golden plan.
func TestGoldenCommandsAreSh(t *testing.T) {
	files, err := filepath.Glob("../testdata/plan/*.json")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d golden plans: %v", len(files), err)
	}
	shells := shelltest.Each(t)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d plan.Document
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, c := range d.Changes {
			lines = append(append(lines, c.Commands...), c.Inverse...)
		}
		for name, args := range shells {
			cmd := exec.Command(args[0], append(args[1:], "-n")...)
			cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %s: %v: %s", file, name, err, out)
			}
		}
	}
}
