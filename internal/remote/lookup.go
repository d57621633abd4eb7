package remote

import (
	"strconv"
	"strings"

	"github.com/kevinburke/ssh_config"
)

// lookup is one question to the ssh config.
type lookup struct {
	key   string
	about map[string]string // what the tests of blocks look at
	final bool              // collect the final blocks' values, not the others'
}

// get is the first value of a keyword for a host, "" if there is none.
func (c *sshConfig) get(alias, key string) string {
	if all := c.all(alias, key); len(all) > 0 {
		return all[0]
	}
	return ""
}

// all is every value of a keyword that may be given several times.
func (c *sshConfig) all(alias, key string) []string {
	q := lookup{key: key, about: map[string]string{"originalhost": alias, "host": alias, "localuser": c.me}}
	if !strings.EqualFold(key, "HostName") {
		// Match host looks at the name after HostName replaced it.
		if name := c.get(alias, "HostName"); name != "" {
			q.about["host"] = hostName(name, alias)
		}
	}
	var all []string
	for _, q.final = range []bool{false, true} {
		for _, f := range c.files {
			all = append(all, f.values(q, false)...)
		}
	}
	return all
}

// hostName is a HostName with its token replaced.
func hostName(name, alias string) string {
	return strings.NewReplacer("%%", "%", "%h", alias).Replace(name)
}

// values collects from a file; final is true where a final block included it.
func (f *configFile) values(q lookup, final bool) []string {
	var all []string
	for i, h := range f.hosts {
		b := f.blocks[i]
		if !b.holds(q) {
			continue
		}
		final := final || b.final
		for _, node := range h.Nodes {
			kv, ok := node.(*ssh_config.KV)
			switch {
			case !ok: // a comment
			case kv.Key == includeKey:
				n, _ := strconv.Atoi(kv.Value) // we wrote it
				for _, inc := range f.includes[n] {
					all = append(all, inc.values(q, final)...)
				}
			case final == q.final && strings.EqualFold(kv.Key, q.key):
				all = append(all, kv.Value)
			}
		}
	}
	return all
}

func (b block) holds(q lookup) bool {
	for _, t := range b.tests {
		if !t.patterns.Matches(q.about[t.subject]) {
			return false
		}
	}
	return true
}
