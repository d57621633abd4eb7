package persist

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
)

// CloudHosts is the line that makes cloud-init write /etc/hosts at each boot, and the
// templates of that file that the node has (cc_update_etc_hosts).
type CloudHosts struct {
	Place     string // FILE:LINE, or "" if cloud-init leaves the file alone
	Templates []string
}

const cloudTemplates = "/etc/cloud/templates/hosts."

// cloudFiles are cloud-init's configuration: the node's own files, then its user data. The
// last assignment wins.
var cloudFiles = []string{"/etc/cloud/cloud.cfg", "/etc/cloud/cloud.cfg.d/*.cfg", "/var/lib/cloud/instance/cloud-config.txt"}

// set parses a line like manage_etc_hosts: true. With "localhost" cloud-init keeps the
// other lines of the file.
func (c *CloudHosts) set(place, line string) {
	_, value, _ := strings.Cut(line, ":")
	value, _, _ = strings.Cut(value, " #")
	c.Place = ""
	switch strings.ToLower(strings.Trim(strings.TrimSpace(value), `"'`)) {
	case "true", "yes", "on", "template":
		c.Place = place
	}
}

// cloudHosts also writes the names of /etc/hosts to the template from which cloud-init
// makes that file. Otherwise they would be gone after the next boot.
func (j *job) cloudHosts(lasting bool) {
	b, wanted := j.Want.Blocks[state.BlockKey{Path: state.HostsFile, Topology: j.Topology}]
	c := j.Boot.CloudHosts
	if !wanted || c.Place == "" {
		return
	}
	// The name of a template ends in that of a family of distributions.
	family := map[string]string{"apt-get": "debian", "dnf": "redhat", "yum": "redhat", "zypper": "suse", "apk": "alpine"}[j.Live.Manager]
	path := cloudTemplates + family + ".tmpl"
	if !lasting || !slices.Contains(c.Templates, path) {
		j.out.Warnings = append(j.out.Warnings, fmt.Sprintf("cloud-init writes %s anew at each boot (%s), without the names of hosts = true; set manage_etc_hosts to false there", state.HostsFile, c.Place))
		return
	}
	j.block(path, strings.Split(strings.TrimSuffix(b.Text, "\n"), "\n")...)
	j.out.Notes = append(j.out.Notes, fmt.Sprintf("cloud-init writes %s anew at each boot (%s), so its template %s gets the names too", state.HostsFile, c.Place, path))
}
