package examples_test

import (
	"strings"

	"github.com/lvsctl/lvsctl/internal/plural"
)

// imported imports the cluster while it is applied: nothing that is live would change, and
// added is how many things would be added.
func (c *cluster) imported(added int, hosts ...string) {
	c.Helper()
	text, said, code := c.run(append([]string{"import", "--lab", c.topology}, hosts...)...)
	if code != 0 || !strings.HasSuffix(said, "\nProof: nothing that is live would change; "+plural.Of(added, "thing")+" would be added.\n") || strings.Contains(said, "\nNot said: ") {
		c.Errorf("import: exit %d\n%s\n%s", code, said, text)
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
