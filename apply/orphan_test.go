package apply_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// site is lvsctl itself with a topology of several hosts. They have no IPVS: what it
// sets is kernel parameters and routes.
type site struct {
	*program
	hosts map[string]*node
	fresh map[string]string // the hosts before
}

// newSite starts hosts whose addresses are 10.0.0.2 and so on, in the order given.
func newSite(t *testing.T, lvsctl string, names ...string) *site {
	t.Helper()
	s := &site{&program{T: t, path: lvsctl, dir: t.TempDir()}, map[string]*node{}, map[string]string{}}
	config := ""
	for i, name := range names {
		setup := strings.ReplaceAll(ethernet, "10.0.0.2/24", fmt.Sprintf("10.0.0.%d/24", i+2))
		s.hosts[name] = start(t, hostOptions{name: name, setup: setup})
		config += s.hosts[name].stanza
		s.fresh[name] = s.hosts[name].snapshot()
	}
	write(t, filepath.Join(s.dir, "ssh_config"), config+elsewhere)
	return s
}

// block is the block of a node at 10.0.0.N; it sets arp_notify of all devices.
func block(role, name string, n int, more string) string {
	return fmt.Sprintf(`
%s %q {
  persist = "none"
  sysctl  = { "net.ipv4.conf.all.arp_notify" = "1" }
  interface "eth0" { address = "10.0.0.%d/24" }
  %s
}
`, role, name, n, more)
}

// at is where SSH goes.
func at(host string) string { return fmt.Sprintf("address = %q", host) }

func (s *site) topology(name string, blocks ...string) {
	s.Helper()
	write(s, filepath.Join(s.dir, "main.hcl"), fmt.Sprintf("lvsctl { name = %q }\n", name)+strings.Join(blocks, ""))
}

// says runs lvsctl and looks for texts in what it says.
func (s *site) says(code int, command string, texts ...string) string {
	s.Helper()
	stdout, stderr := s.run(code, strings.Fields(command)...)
	for _, text := range texts {
		if !strings.Contains(stdout+stderr, text) {
			s.Errorf("lvsctl %s does not say %q:\n%s%s", command, text, stdout, stderr)
		}
	}
	return stdout + stderr
}

// clean sees that a host is as it was before lvsctl knew it.
func (s *site) clean(names ...string) {
	s.Helper()
	for _, name := range names {
		n := s.hosts[name]
		if diff := cmp.Diff(s.fresh[name], n.snapshot()); diff != "" {
			s.Errorf("%s is not as it was (-before +after):\n%s", name, diff)
		}
		if left := n.sh("find /var/lib/lvsctl 2>/dev/null || :"); left != "" {
			s.Errorf("left on %s: %s", name, left)
		}
	}
}

// orphanTests have nodes leave the topology, with lvsctl at a path.
func orphanTests(t *testing.T, lvsctl string) {
	for name, test := range map[string]func(*testing.T, string){
		"orphans": orphanServers, "no director": noDirector, "a director replaced": replacedDirector, "a record that names another's host": hostileRecord,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, lvsctl)
		})
	}
}

func orphanServers(t *testing.T, lvsctl string) {
	s := newSite(t, lvsctl, "lvs", "web-1", "web-2", "gw")
	lvs, one := block("director", "lvs", 2, at("lvs")), block("real_server", "web-1", 3, at("web-1"))
	two, gw := block("real_server", "web-2", 4, at("web-2")+"\n  route {\n    to  = \"10.2.0.0/16\"\n    via = \"10.0.0.1\"\n  }"), block("router", "gw", 5, at("gw"))

	// Another topology has a share of web-2.
	s.topology("other", block("real_server", "web-2", 4, at("web-2")))
	s.says(0, "apply --auto-approve")
	s.topology("test", lvs, one, two, gw)
	s.says(0, "apply --auto-approve")

	// A block that is renamed is the same host, whatever else of it changes.
	s.topology("test", lvs, one, strings.Replace(two, `"web-2" {`, `"db" {`, 1), gw)
	if said := s.says(0, "plan", "No changes. All 4 nodes match the topology."); strings.Contains(said, "no longer") {
		t.Errorf("the renamed node:\n%s", said)
	}
	s.says(0, "apply --auto-approve")
	if record := s.hosts["lvs"].record(); !strings.Contains(record, `"db"`) || strings.Contains(record, `"name": "web-2"`) {
		t.Errorf("the director's record:\n%s", record)
	}

	// Out of reach: all else is done, and it stays known.
	s.topology("test", lvs, strings.Replace(one, `notify" = "1"`, `notify" = "0"`, 1))
	s.hosts["web-2"].wire.refuse()
	said := s.says(3, "plan", "# router gw (gw), no longer in the topology\n  ~ sysctl    net.ipv4.conf.all.arp_notify  1 -> 0", "# real_server db (web-2), no longer in the topology\n  ! could not be read", "give it up: lvsctl apply --forget db\n")
	if !strings.HasSuffix(strings.Split(said, "Reading")[0], "Plan: 0 to add, 2 to change, 0 to destroy on 2 nodes. 1 node could not be read.\n") {
		t.Errorf("it says:\n%s", said)
	}
	// Nobody has to plan to hear of it: drift visits them too.
	s.says(3, "drift", "# router gw (gw), no longer in the topology\n    what it has of this topology is not given back yet\n", "# real_server db (web-2), no longer in the topology\n  ! could not be read; whether it has drifted is not known\n", "No drift on the 3 nodes that were compared. 1 node could not be read. Not applied yet: 2 changes.\n")
	s.hosts["gw"].sh("echo 0 >/proc/sys/net/ipv4/conf/all/arp_notify")
	s.says(2, "drift --only gw", "# router gw (gw), no longer in the topology\n  ~ sysctl    net.ipv4.conf.all.arp_notify  0 -> 1  (changed)\n")
	s.says(1, "drift --only gv", `there is no node "gv"`)
	s.hosts["gw"].sh("echo 1 >/proc/sys/net/ipv4/conf/all/arp_notify")
	s.says(3, "apply --auto-approve --atomic", "Apply incomplete: 0 added, 2 changed, 0 destroyed on 2 nodes. Not done: db (could not be read).\n")
	s.clean("gw")
	s.says(3, "apply --auto-approve", "No changes on the 2 nodes that could be planned. 1 node could not be read.\n")
	s.says(0, "plan --except db", "Warning: cannot reach db (")
	s.says(1, "plan --except dc", `there is no node "dc"`)
	s.says(1, "plan --forget web-1", "web-1 is in topology test")
	s.says(1, "plan --forget web-2", "no record names a node \"web-2\" that topology test no longer has")

	// Back again: what the other topology holds too stays.
	s.hosts["web-2"].wire.allow()
	s.says(0, "plan --only db --out p", "# real_server db (web-2), no longer in the topology")
	s.says(0, "apply p", "left to another topology on this node: sysctl net.ipv4.conf.all.arp_notify\n")
	if shot := s.hosts["web-2"].snapshot(); strings.Contains(shot, "10.2.0.0/16") {
		t.Errorf("web-2 has its route still:\n%s", shot)
	}
	if notify, records := s.hosts["web-2"].sh("cat /proc/sys/net/ipv4/conf/all/arp_notify"), s.hosts["web-2"].sh("ls /var/lib/lvsctl"); notify != "1\n" || records != "other.json\n" {
		t.Errorf("web-2 has arp_notify %s and %s", notify, records)
	}
	s.says(0, "apply --auto-approve", "# real_server db (web-2), no longer in the topology\n    it has nothing of this topology any more")
	if said := s.says(0, "plan"); strings.Contains(said, "no longer") {
		t.Errorf("it is known still:\n%s", said)
	}

	// Given up.
	s.topology("test", lvs)
	s.says(0, "plan --forget web-1 --out p", "# real_server web-1 (web-1), no longer in the topology\n  ~ record    forgets it")
	s.says(0, "show p", ", forgetting web-1\n", "~ record    forgets it")
	s.says(0, "apply p")
	if said := s.says(0, "plan", "No changes. The node matches the topology."); strings.Contains(said, "web-1") {
		t.Errorf("it is known still:\n%s", said)
	}

	// A destroy that one node does not hear leaves it known, and ends with it.
	s.topology("test", lvs, one, gw)
	s.says(0, "apply --auto-approve")
	s.hosts["gw"].wire.refuse()
	s.says(1, "destroy --auto-approve")
	s.clean("web-1")
	if record := s.hosts["lvs"].record(); !strings.Contains(record, `"gw"`) || strings.Contains(record, "web-1") {
		t.Errorf("the director's record:\n%s", record)
	}
	s.hosts["gw"].wire.allow()
	s.topology("test", lvs)
	s.says(0, "destroy --auto-approve", "# router gw (gw), no longer in the topology")
	s.clean("lvs", "gw")

	// A director that cannot be changed knows who was.
	s.topology("test", strings.Replace(lvs, "10.0.0.2/24", "10.0.0.99/24", 1), one)
	s.says(1, "apply --auto-approve", "Not done: lvs (cannot be changed).\n")
	s.topology("test", lvs)
	s.says(0, "destroy --auto-approve", "# real_server web-1 (web-1), no longer in the topology")
	s.clean("lvs", "web-1")
}

// noDirector: where there is no director, other nodes know who was there.
func noDirector(t *testing.T, lvsctl string) {
	s := newSite(t, lvsctl, "lvs", "web-1", "web-2", "web-3")
	lvs, one, two := block("director", "lvs", 2, at("lvs")), block("real_server", "web-1", 3, at("web-1")), block("real_server", "web-2", 4, at("web-2"))
	three := block("real_server", "web-3", 5, at("web-3"))
	s.topology("test", one, two)
	s.says(0, "apply --auto-approve")
	s.topology("test", two)
	s.says(0, "plan", "# real_server web-1 (web-1), no longer in the topology\n  ~ sysctl    net.ipv4.conf.all.arp_notify  1 -> 0")
	s.topology("test", lvs, one, two, three)
	s.says(0, "apply --auto-approve")

	// The director leaves, and web-3 with it; then web-1, after nobody named it as a
	// director.
	s.topology("test", one, two)
	s.says(0, "apply --auto-approve", "# director lvs (lvs), no longer in the topology", "# real_server web-3 (web-3), no longer in the topology")
	s.clean("lvs", "web-3")
	s.says(0, "plan", "No changes. All 2 nodes match the topology.")
	s.topology("test", two)
	s.says(0, "apply --auto-approve", "# real_server web-1 (web-1), no longer in the topology")
	s.clean("web-1")

	// A director that is dead keeps to itself whom it alone names.
	s.topology("test", lvs, two, three)
	s.says(0, "apply --auto-approve")
	s.hosts["lvs"].wire.refuse()
	s.topology("test", two)
	s.says(3, "plan", "# director lvs (lvs), no longer in the topology\n  ! could not be read", "! warning: other nodes whose blocks are deleted may be named by its record alone")
	s.hosts["lvs"].wire.allow()
	s.says(0, "destroy --auto-approve")
	s.clean("lvs", "web-2", "web-3")

	// The last block.
	s.topology("test", one)
	s.says(0, "apply --auto-approve")
	s.topology("test")
	s.says(0, "plan", "Warning: topology test has no node to read", "No changes.")
	s.topology("test", one)
	s.says(0, "destroy --auto-approve")
	s.clean("web-1")
}

func replacedDirector(t *testing.T, lvsctl string) {
	s := newSite(t, lvsctl, "old", "web-1", "web-2", "new")
	one, two := block("real_server", "web-1", 3, at("web-1")), block("real_server", "web-2", 4, at("web-2"))
	s.topology("test", block("director", "lvs", 2, at("old")), one, two)
	s.says(0, "apply --auto-approve")
	// Its successor has its name, and web-2, of which it alone knows, is gone too.
	s.topology("test", block("director", "lvs", 5, at("new")), one)
	s.says(0, "plan", "# director lvs@old (old), no longer in the topology", "# real_server web-2 (web-2), no longer in the topology", "# director lvs (new)\n")
	s.says(0, "apply --auto-approve")
	s.clean("old", "web-2")
	for name, want := range map[string]string{"new": "web-1", "web-1": "new"} {
		if record := s.hosts[name].record(); strings.Count(record, `"name"`) != 2 || !strings.Contains(record, `"host": "`+want+`"`) {
			t.Errorf("the record of %s:\n%s", name, record)
		}
	}
	if said := s.says(0, "plan", "No changes. All 2 nodes match the topology."); strings.Contains(said, "no longer") {
		t.Errorf("afterwards:\n%s", said)
	}
}

// hostileRecord has somebody write into a director's record.
func hostileRecord(t *testing.T, lvsctl string) {
	s := newSite(t, lvsctl, "lvs", "web-1", "theirs")
	lvs, one := block("director", "lvs", 2, at("lvs")), block("real_server", "web-1", 3, at("web-1"))
	// Another topology of the same name, elsewhere.
	s.topology("test", block("real_server", "web-9", 4, at("theirs")))
	s.says(0, "apply --auto-approve")
	before, record := s.hosts["theirs"].snapshot(), s.hosts["theirs"].record()
	s.topology("test", lvs, one)
	s.says(0, "apply --auto-approve")
	name := func(entry string) {
		s.hosts["lvs"].sh(`sed -i 's/"others": \[/"others": [ ` + entry + `,/' /var/lib/lvsctl/test.json`)
	}

	name(`{ "name": "web-9", "role": "real_server", "host": "theirs" }, { "name": "me", "role": "real_server", "host": "LOCAL" }`)
	said := s.says(3, "apply --auto-approve", "web-9: its record does not bear this topology's mark", "me: records say that it is this machine itself", "No changes on the 2 nodes that could be planned. 2 nodes could not be read.\n")
	if strings.Contains(said, "arp_notify") {
		t.Errorf("it does:\n%s", said)
	}
	if d := cmp.Diff(before+record, s.hosts["theirs"].snapshot()+s.hosts["theirs"].record()); d != "" {
		t.Errorf("another's host was changed (-before +after):\n%s", d)
	}
	s.says(0, "apply --auto-approve --forget web-9,me")
	name(`{ "name": "x", "role": "real_server", "host": "-oProxyCommand=touch" }`)
	s.says(3, "plan", `lvs: cannot use /var/lib/lvsctl/test.json: in its members, "-oProxyCommand=touch" is no address for SSH`)
}
