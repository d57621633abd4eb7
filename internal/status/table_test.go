package status_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/golden"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/internal/status"
)

var now = time.Date(2026, 3, 1, 13, 40, 2, 0, time.UTC)

func load(active, inactive int, rates ...float64) status.Load {
	l := status.Load{Active: active, Inactive: inactive}
	if len(rates) > 0 {
		l.Rates = &status.Rates{Connections: rates[0], PacketsIn: rates[1], PacketsOut: rates[2], BytesIn: rates[3], BytesOut: rates[4]}
	}
	return l
}

// report has a node and a server of each sort.
func report() status.Report {
	applied := state.Applied{By: "kai@desk", At: now.Add(-2*time.Hour - 5*time.Minute)}
	nodes := []status.Node{
		{Name: "lvs-1", Role: "director", Address: "192.168.188.8", Applied: applied, Part: status.Master, Holds: []string{"192.168.188.100", "192.168.188.101", "192.168.188.102"}},
		{Name: "lvs-2", Role: "director", Address: "192.168.188.9", Applied: applied, Part: status.Backup, Differences: 3, Pending: 1, FailedOver: map[string]state.FailedOver{"web": {To: "lvs-1", By: "kai@desk", Since: now.Add(-time.Hour)}}},
		{Name: "lvs-3", Role: "director", Address: "192.168.188.10", Applied: applied, Lacks: []string{"192.168.188.110"}},
		{Name: "lvs-4", Role: "director", Address: "192.168.188.11", Error: "cannot reach lvs-4 (192.168.188.11:22): no route to host, and this is a sentence that is longer than any table is wide\nLook there"},
		{Name: "gw", Role: "router", Address: "192.168.188.1", Never: true, Pending: 5},
	}
	for i := range 12 {
		n := status.Node{Name: fmt.Sprintf("web-%d", i+1), Role: "real_server", Address: fmt.Sprintf("192.168.188.%d", 80+i), Applied: applied}
		if i == 6 {
			n.Differences = 1
		}
		nodes = append(nodes, n)
	}
	return status.Report{
		FormatVersion: status.FormatVersion, Topology: "shop", At: now,
		Alarms: []string{"split brain: 192.168.188.100 of vrrp_instance web is on lvs-1 and lvs-2; their files agree, so adverts do not arrive: look for a firewall that drops IP protocol 112"},
		Nodes:  nodes,
		Services: []status.Service{
			{Director: "lvs-1", Name: "web", Service: "tcp 192.168.188.100:80", How: "rr", Load: load(12, 340, 10.24, 700, 500, 3.4e6, 0), Servers: []status.Server{
				{Name: "web-1", Address: "192.168.188.80:80", Mode: "dr", Weight: 1, Load: load(6, 170, 5.1, 350, 250, 1.7e6, 0)},
				{Name: "web-2", Address: "192.168.188.81:80", Mode: "dr", State: status.Drained, Since: now.Add(-70 * time.Second), Load: load(6, 170, 0, 1, 0, 40, 0)},
				{Name: "web-3", Address: "192.168.188.82:80", Mode: "dr", State: status.Down, Since: now.Add(-3 * time.Hour)},
				{Name: "web-4", Address: "192.168.188.83:80", Mode: "dr", State: status.Maintenance, Load: load(0, 0, 0, 0, 0, 0, 0)},
				{Address: "192.168.188.99:80", Mode: "dr", Weight: 65535, State: status.Foreign, Load: load(123456789, 99999, 0.04, 12345, 0, 9.999e12, 0)},
			}},
			{Director: "lvs-1", Name: "a-service-with-a-very-long-name-indeed", Service: "tcp [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:443", How: "wlc persistent 360", Load: load(0, 0), Servers: []status.Server{
				{Name: "web-5", Address: "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:1]:443", Mode: "dr", Weight: 1, Load: load(0, 0)},
			}},
			{Director: "lvs-1", Service: "fwm 7", How: "rr", State: status.Foreign, Load: load(0, 0, 0, 0, 0, 0, 0), Servers: []status.Server{}},
			{Director: "lvs-3", Name: "mail", Service: "tcp 192.168.188.110:25", State: status.Gone, Servers: []status.Server{}},
		},
	}
}

func text(r status.Report, width int) string {
	var b strings.Builder
	for _, l := range r.Lines(width) {
		b.WriteString(l.Text + "\n")
	}
	return b.String()
}

func TestTable(t *testing.T) {
	t.Setenv("TZ", "UTC")
	time.Local = time.UTC
	golden.Check(t, filepath.Join("testdata", "table.txt"), text(report(), status.Width))
}

// TestTableFits: no line is wider than it may be, and no number leaves its column.
func TestTableFits(t *testing.T) {
	for width := 60; width <= 140; width += 8 {
		for line := range strings.Lines(text(report(), width)) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > max(width, 24+6*8) {
				t.Errorf("%d columns instead of %d: %s", n, width, line)
			}
		}
	}
	r := report()
	load := &r.Services[0].Servers[0].Load
	for n := 0.01; n < 1e15; n *= 1.1 {
		load.Rates = &status.Rates{Connections: n, PacketsIn: n, BytesIn: n}
		load.Active, load.Inactive = int(n), int(n)
		var line string
		for l := range strings.Lines(text(r, 100)) {
			if strings.HasPrefix(l, "    web-1 ") {
				line = l
			}
		}
		words := strings.Fields(line)
		if len(words) != 9 {
			t.Fatalf("%g: %s", n, line)
		}
		for _, w := range words[3:] {
			if len(w) > 6 {
				t.Errorf("%g is shown as %s", n, w)
			}
		}
	}
}

func TestSort(t *testing.T) {
	for by, want := range map[string]string{
		"name":        "web-1 web-2 web-3 web-4 192.168.188.99:80",
		"connections": "web-1 192.168.188.99:80 web-2 web-3 web-4",
		"packets":     "192.168.188.99:80 web-1 web-2 web-3 web-4",
		"bytes":       "192.168.188.99:80 web-1 web-2 web-3 web-4",
		"active":      "192.168.188.99:80 web-1 web-2 web-3 web-4",
		"weight":      "192.168.188.99:80 web-1 web-2 web-3 web-4",
	} {
		r := report()
		if err := r.Sort(by); err != nil {
			t.Fatal(err)
		}
		var have []string
		for _, s := range r.Services[0].Servers {
			name := s.Name
			if name == "" {
				name = s.Address
			}
			have = append(have, name)
		}
		if strings.Join(have, " ") != want {
			t.Errorf("by %s: %s", by, strings.Join(have, " "))
		}
	}
	r := report()
	r.Services[0], r.Services[2] = r.Services[2], r.Services[0]
	if err := r.Sort("bytes"); err != nil || r.Services[0].Name != "web" || r.Services[3].Director != "lvs-3" {
		t.Errorf("services by bytes: %v, %v", r.Services, err)
	}
	if err := r.Sort("colour"); err == nil || !strings.Contains(err.Error(), "One of name, connections, ") {
		t.Errorf("by colour: %v", err)
	}
}

func TestOnly(t *testing.T) {
	for _, name := range []string{"web", "tcp 192.168.188.100:80", "192.168.188.100:80", "192.168.188.100"} {
		r := report()
		if unknown := r.Only([]string{name}); unknown != "" || len(r.Services) != 1 || r.Services[0].Name != "web" {
			t.Errorf("%s: %q, %v", name, unknown, r.Services)
		}
		var nodes []string
		for _, n := range r.Nodes {
			nodes = append(nodes, n.Name)
		}
		if d := cmp.Diff([]string{"lvs-1", "web-1", "web-2", "web-3", "web-4"}, nodes); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	r := report()
	if unknown := r.Only([]string{"web", "wob"}); unknown != "wob" || len(r.Services) != 1 {
		t.Errorf("%q, %v", unknown, r.Services)
	}
}

// TestMemory: since when a server is something is known if it was seen to become so.
func TestMemory(t *testing.T) {
	var m status.Memory
	at := func(seconds int, state status.State) time.Time {
		r := status.Report{At: now.Add(time.Duration(seconds) * time.Second), Services: []status.Service{
			{Director: "lvs", Service: "tcp 10.0.0.1:80", Servers: []status.Server{{Address: "10.0.0.2:80", State: state}}},
		}}
		m.Note(&r)
		return r.Services[0].Servers[0].Since
	}
	for _, c := range []struct {
		seconds int
		state   status.State
		want    time.Time
	}{
		{0, status.Drained, time.Time{}},
		{1, status.Drained, time.Time{}},
		{2, "", time.Time{}},
		{3, status.Down, now.Add(3 * time.Second)},
		{9, status.Down, now.Add(3 * time.Second)},
		{10, status.Drained, now.Add(10 * time.Second)},
	} {
		if have := at(c.seconds, c.state); !have.Equal(c.want) {
			t.Errorf("%d s: %s since %s", c.seconds, c.state, have)
		}
	}
}

// TestJSON: what is not known is null or left out, never zero.
func TestJSON(t *testing.T) {
	out, err := json.Marshal(report().Services[1].Servers[0])
	if err != nil {
		t.Fatal(err)
	}
	want := `{"name":"web-5","address":"[2001:db8:aaaa:bbbb:cccc:dddd:eeee:1]:443","mode":"dr","weight":1,"active":0,"inactive":0,"rates":null}`
	if string(out) != want {
		t.Errorf("have %s", out)
	}
}
