package live

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// parseOthers reads the records of other topologies:
//
//	record /var/lib/lvsctl/db.json
//	 {
//	   "sysctls": "net/ipv4/ip_forward",
//
// The records of the topologies in adopt become a part of n.Record. A record that cannot
// be read is no error, because it is another topology's.
func parseOthers(text string, adopt []string, n *Node) error {
	parts := strings.Split("\n"+text, "\nrecord ")
	if strings.TrimSpace(parts[0]) != "" {
		return fmt.Errorf("cannot read the records of others: unexpected line %q", strings.TrimSpace(parts[0]))
	}
	for _, part := range parts[1:] {
		file, body, _ := strings.Cut(part, "\n")
		topology := strings.TrimSuffix(path.Base(file), ".json")
		r, err := decodeRecord(strings.ReplaceAll(body, "\n ", "\n"), topology)
		switch {
		case err != nil:
			n.Unclear = append(n.Unclear, file)
		case slices.Contains(adopt, topology):
			n.Record.Adopt(r)
			n.Adopted = append(n.Adopted, topology)
		default:
			n.Record.Others = append(n.Record.Others, r)
		}
	}
	return nil
}
