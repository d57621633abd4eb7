package live

import (
	"errors"
	"strings"
	"testing"

	"github.com/lvsctl/lvsctl/internal/remote"
)

// TestSaid: what a node says makes no message longer than a person reads, however it
// says it, and lvsctl's own words after it stay.
func TestSaid(t *testing.T) {
	long := strings.Repeat("é", 1<<20)
	if have := Said(long); len(have) > 2*longestQuote || !strings.HasSuffix(have, "é... (2097152 bytes in all)") {
		t.Errorf("have %d bytes: %.600s", len(have), have)
	}
	if have := Said("short"); have != "short" {
		t.Errorf("have %q", have)
	}
	s := NewScript(Question{Topology: "web"})
	begin := s.nonce + " begin facts\n" + s.nonce + " end facts 0\n" + s.nonce + " begin schedulers\n" + s.nonce + " end schedulers 0\n" + s.nonce + " begin record\n"
	for what, out := range map[string]remote.Output{
		"a tool":   {Stdout: s.nonce + " begin facts\n" + s.nonce + " end facts 3\n", Stderr: long},
		"a record": {Stdout: begin + "record\n" + `{"version": 1, "topology": "` + long + `"}` + "\n" + s.nonce + " end record 0\n"},
		"a line":   {Stdout: begin + s.nonce + " end record 0\n" + s.nonce + " begin other records\n" + long + "\n" + s.nonce + " end other records 0\n"},
	} {
		_, err := s.Parse(out)
		if err == nil || len(err.Error()) > 3*longestQuote || !strings.Contains(err.Error(), " bytes in all)") {
			t.Errorf("%s: have %.700v", what, err)
		}
		if what == "a record" && !strings.Contains(err.Error(), "move ") {
			t.Errorf("%s: nothing says how to go on: %v", what, err)
		}
	}
	if cause := errors.New(long); !errors.Is(saidError{cause}, cause) {
		t.Error("the cause is lost")
	}
}
