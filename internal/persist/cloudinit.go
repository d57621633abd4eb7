package persist

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
)

// CloudHosts is the line by which cloud-init writes /etc/hosts anew at each boot,
// as FILE:LINE, and the templates that are there for it (cc_update_etc_hosts).
type CloudHosts struct {
	Place     string // "" if it leaves the file alone
	Templates []string
}

const cloudTemplates = "/etc/cloud/templates/hosts."

// cloudFiles are read one after another, the last assignment counts: the node's
// own, then what its user data says.
var cloudFiles = []string{"/etc/cloud/cloud.cfg", "/etc/cloud/cloud.cfg.d/*.cfg", "/var/lib/cloud/instance/cloud-config.txt"}

// set reads a line like manage_etc_hosts: true. "localhost" keeps what is there.
func (c *CloudHosts) set(place, line string) {
	_, value, _ := strings.Cut(line, ":")
	value, _, _ = strings.Cut(value, " #")
	c.Place = ""
	switch strings.ToLower(strings.Trim(strings.TrimSpace(value), `"'`)) {
	case "true", "yes", "on", "template":
		c.Place = place
	}
}

// cloudHosts has the names of /etc/hosts written into the template too, from which
// cloud-init makes that file: otherwise they are gone after the next boot.
func (j *job) cloudHosts(lasting bool) {
	b, wanted := j.Want.Blocks[state.BlockKey{Path: state.HostsFile, Topology: j.Topology}]
	c := j.Boot.CloudHosts
	if !wanted || c.Place == "" {
		return
	}
	// Templates are named after a family of distributions.
	family := map[string]string{"apt-get": "debian", "dnf": "redhat", "yum": "redhat", "zypper": "suse", "apk": "alpine"}[j.Live.Manager]
	path := cloudTemplates + family + ".tmpl"
	if !lasting || !slices.Contains(c.Templates, path) {
		j.out.Warnings = append(j.out.Warnings, fmt.Sprintf("cloud-init writes %s anew at each boot (%s), without the names of hosts = true; set manage_etc_hosts to false there", state.HostsFile, c.Place))
		return
	}
	j.block(path, strings.Split(strings.TrimSuffix(b.Text, "\n"), "\n")...)
	j.out.Notes = append(j.out.Notes, fmt.Sprintf("cloud-init writes %s anew at each boot (%s), so its template %s gets the names too", state.HostsFile, c.Place, path))
}
