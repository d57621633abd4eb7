package adopt

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lvsctl/lvsctl/internal/keepalived"
)

// become is all that a user sees of files.
func (c collection) become(given []File) string {
	d := FromFiles(given, c.source)
	return fmt.Sprintf("%s%v", Write(d), d.Remarks)
}

// usualLines are lines that say what is so without them, so nothing is to be seen of them.
var usualLines = regexp.MustCompile(`^\s*(` + strings.Join([]string{
	"weight 1", "protocol TCP", "advert_int 1", "state BACKUP", "lb_kind NAT", "lb_algo wlc", "priority 100", "version 3",
	"auth_type PASS", "vrrp_skip_check_adv_addr", "persistence_timeout 0", "delay_before_retry 1", "retry 1", "connect_port 80", "status_code 200",
	"path /", "interface eth0", "checktimeout ?= ?5", "protocol=(tcp|fwm)", "checktype=negotiate", "persistence_granularity 255.255.255.255",
	"@\\^?lvs. .*", "track_interface \\{", "eth1", "(no)?preempt", "connect_timeout 3",
	"lvs_method NAT", "interface \\$IF", "scheduler=wrr", "service ?= ?(http|mysql)", "protocol ?= ?udp", "checktype ?= ?negotiate", "router_id (lb.|LVS_DEVEL)",
	"/sbin/ipvsadm -C", "IP Virtual Server .*", "Prot .*", "-> RemoteAddress.*", "exit 0", "#.*", "!.*",
}, "|") + `)\s*$`)

// leftOutBlocks are blocks of which there is one remark, for all that is in them.
var leftOutBlocks = regexp.MustCompile(`^\s*(notification_email|vrrp_script|track_script|virtual_routes|static_routes|bfd_instance|virtual=sip)\b`)

// elsewhere are lines that are said by another line too, or that something takes the place
// of: the members of a sync group that are one instance, the address of a peer, a fallback
// of all services where each has its own, and what is in a service that is left out.
var elsewhere = map[string][]int{
	"active/keepalived.conf": {6, 7}, "standby/keepalived.conf": {6, 7}, "m1.conf": {19}, "m2.conf": {19},
	"lb9.conf": {10}, "hb/ldirectord.cf": {7}, "ldirectord.cf": {4, 10},
}

// TestNothingIsSilent takes each line out of each file, one at a time. What the user sees
// is another thing then: the topology, or what is said of it.
func TestNothingIsSilent(t *testing.T) {
	lines := 0
	for _, c := range collections(t) {
		if strings.Contains(c.path, "broken") {
			continue // its lines cannot be read in the first place
		}
		want := c.become(c.given)
		for g, f := range c.given {
			all := strings.SplitAfter(f.Text.Text, "\n")
			inside := false
			for i, line := range all {
				inside = leftOutBlocks.MatchString(line) || inside && !strings.HasPrefix(strings.TrimSpace(line), "}") && !strings.HasPrefix(line, "virtual=")
				if inside || slices.Contains(elsewhere[f.Path], i+1) {
					continue
				}
				trimmed := strings.TrimSpace(line)
				// A block is taken out by its lines.
				if trimmed == "" || trimmed == "}" || strings.HasSuffix(trimmed, "{") || strings.HasSuffix(trimmed, `\`) || usualLines.MatchString(line) {
					continue
				}
				lines++
				without := slices.Clone(all)
				without[i] = "\n"
				given := slices.Clone(c.given)
				given[g].Text.Text = strings.Join(without, "")
				if c.become(given) == want {
					t.Errorf("%s: %s:%d is passed over in silence: %s", c.path, f.Path, i+1, trimmed)
				}
			}
		}
	}
	if lines < 400 {
		t.Errorf("only %d lines were tried", lines)
	}
}

// TestMangledFiles gives files with lines taken out, doubled and cut: nothing panics, and
// what comes of them can be written.
func TestMangledFiles(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 7))
	all := collections(t)
	for n := range 300 {
		c := all[n%len(all)]
		given := slices.Clone(c.given)
		for g := range given {
			lines := strings.SplitAfter(given[g].Text.Text, "\n")
			for range 1 + r.IntN(4) {
				i := r.IntN(len(lines))
				switch r.IntN(4) {
				case 0:
					lines = slices.Delete(lines, i, i+1)
				case 1:
					lines = slices.Insert(lines, i, lines[r.IntN(len(lines))])
				case 2:
					lines[i] = lines[i][:r.IntN(len(lines[i])+1)]
				default:
					words := strings.Fields(lines[i])
					if len(words) > 0 {
						words[r.IntN(len(words))] = []string{"0", "-1", "x", "256", "::1", "{", "}", "\"", "65536", "10.0.0.255"}[r.IntN(10)]
					}
					lines[i] = strings.Join(words, " ") + "\n"
				}
				if len(lines) == 0 {
					lines = []string{"\n"}
				}
			}
			given[g].Text.Text = strings.Join(lines, "")
		}
		d := FromFiles(given, c.source)
		text := Write(d)
		if err := loads(t, d, text); err != "" {
			t.Errorf("%s, mangled %d: does not load: %s\n%s\n%s", c.path, n, err, given[0].Text.Text, text)
		}
	}
}

func FuzzFromFiles(f *testing.F) {
	f.Add("keepalived", "vrrp_instance a {\n}\nvirtual_server 10.0.0.1 1 {\n real_server 10.0.0.2 {\n}\n")
	f.Add("ldirectord", "virtual=1\n\treal=10.0.0.1->10.0.0.9:x masq \"a\", \"b\" u:1\n")
	f.Fuzz(func(t *testing.T, form, text string) {
		if len(text) > 1<<12 || !slices.Contains(Forms(), form) {
			return
		}
		Write(FromFiles([]File{{form, keepalived.Text{Path: "f", Text: text}}}, nil))
	})
}
