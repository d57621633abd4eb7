package live

import (
	"slices"
	"testing"

	"github.com/lvsctl/lvsctl/internal/state"
)

func TestParseOthers(t *testing.T) {
	text := "record /var/lib/lvsctl/db.json\n {\n  \"version\": 1, \"topology\": \"db\",\n  \"set\": {\"sysctls\": {\"a\": \"1\"}}, \"before\": {}\n }\n" +
		"record /var/lib/lvsctl/old.json\n {\"version\": 1, \"topology\": \"old\", \"set\": {\"sysctls\": {\"net/ipv4/ip_forward\": \"1\"}}, \"before\": {}}\n" +
		"record /var/lib/lvsctl/torn.json\n {\"vers\n" +
		"record /var/lib/lvsctl/null.json\n {\"version\": 1, \"topology\": \"null\", \"set\": null}\n" +
		"record /var/lib/lvsctl/empty.json\n"
	n := Node{State: state.New(), Record: state.NewRecord("web")}
	if err := parseOthers(text, []string{"old"}, &n); err != nil {
		t.Fatal(err)
	}
	if o := n.Record.Others; len(o) != 1 || o[0].Topology != "db" || o[0].Set.Sysctls["a"] != "1" {
		t.Errorf("others: %+v", o)
	}
	if n.Record.Set.Sysctls["net/ipv4/ip_forward"] != "1" || !slices.Equal(n.Adopted, []string{"old"}) {
		t.Errorf("adopted %v: %+v", n.Adopted, n.Record.Set)
	}
	if want := []string{"/var/lib/lvsctl/torn.json", "/var/lib/lvsctl/null.json", "/var/lib/lvsctl/empty.json"}; !slices.Equal(n.Unclear, want) {
		t.Errorf("unclear: %v", n.Unclear)
	}
}
