package examples_test

import (
	"strings"
)

// imports are the hosts of the examples that are imported while they are applied: NAT, DR
// and a pair.
var imports = map[string][]string{
	"dr-lan": {"lvs-server", "real-server1", "real-server2"},
	"ha":     {"director-1", "director-2", "router", "rs1", "rs2"},
	"nat":    {"lvs", "web1", "web2"},
}

// imported imports the cluster while it is applied: nothing that is live would change, and
// nothing would be added.
func (c *cluster) imported(hosts ...string) {
	c.Helper()
	first, said, code := c.run(append([]string{"import", "--lab", c.topology}, hosts...)...)
	if code != 0 || !strings.HasSuffix(said, "\nProof: nothing that is live would change; 0 things would be added.\n") {
		c.Errorf("import: exit %d\n%s\n%s", code, said, first)
	}
}

// importedByHand imports the cluster as if its records and files for the next boot were
// not there: as one that somebody else has made. Nothing that is live would change either.
func (c *cluster) importedByHand(hosts ...string) {
	c.Helper()
	const records = "/var/lib/lvsctl"
	c.each(hosts, "if [ -d "+records+" ]; then mv "+records+" "+records+".away; fi")
	text, said, code := c.run(append([]string{"import", "--lab", c.topology}, hosts...)...)
	c.each(hosts, "if [ -d "+records+".away ]; then mv "+records+".away "+records+"; fi")
	if code != 0 || !strings.Contains(said, "\nProof: nothing that is live would change; ") || strings.Contains(said, "\nNot said: ") {
		c.Errorf("import of a cluster without records: exit %d\n%s\n%s", code, said, text)
	}
}
