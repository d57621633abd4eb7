package remote

import (
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Identity is which machine a target stands for: where it is looked for, as whom
// lvsctl logs in there, and the keys that the topology takes for the machine's.
type Identity struct {
	Host string
	Port int
	User string
	// HostKeys are as in known_hosts, markers included, sorted; nil where the topology leaves them
	// to the ssh config, which is each user's own.
	HostKeys []string
}

// Identity finds out about a target without connecting to it.
func (d *Dialer) Identity(t Target) (Identity, error) {
	if strings.EqualFold(t.Address, "local") {
		return Identity{Host: "local"}, nil
	}
	e, err := d.resolve(t)
	if err != nil {
		return Identity{}, configError(err).at(t.Name, t.Address)
	}
	id := Identity{Host: e.host, Port: e.port, User: e.user}
	switch {
	case e.pin != nil:
		id.HostKeys = []string{strings.TrimSpace(string(ssh.MarshalAuthorizedKey(e.pin)))}
	case t.KnownHosts != "" && len(e.knownHosts) > 0:
		files, err := d.knownHosts.open(e.knownHosts[:1])
		if err != nil {
			return Identity{}, configError(err).at(t.Name, t.Address)
		}
		lines := linesAbout(files, e.knownName())
		if e.port != 22 {
			lines = append(lines, linesAbout(files, strings.ToLower(e.host))...)
		}
		for _, k := range lines {
			typ, rest := cutWord(k.key)
			key, _ := cutWord(rest) // what follows is a comment
			id.HostKeys = append(id.HostKeys, strings.TrimSpace(k.marker+" "+typ+" "+key))
		}
		slices.Sort(id.HostKeys)
	}
	return id, nil
}
