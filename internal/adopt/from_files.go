package adopt

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/keepalived"
)

// A topology of files alone, without a look at any node, goes through three steps: each
// file becomes a config, which is one director as that kind of file has it
// (from_keepalived.go, from_ldirectord.go, from_ipvsadm.go); the directors that share
// addresses are found (files_pair.go); and nodes and services are made of it all
// (files_topology.go). What a file does not say, such as the director's own address, is
// made up and is a Guess.

// A File is one that operators have, of a director.
type File struct {
	Form string // "ipvsadm", "keepalived" or "ldirectord"
	keepalived.Text
}

// Forms are the kinds of files that can be read.
func Forms() []string { return []string{"ipvsadm", "keepalived", "ldirectord"} }

// FromFiles makes a draft of files. Those of a pair of directors become one vrrp_instance,
// and an ipvsadm table is joined to the director whose services it has. source gives the
// files that a keepalived.conf includes; it may be nil.
func FromFiles(files []File, source keepalived.Source) Draft {
	notes := &notes{}
	var configs []*config
	for _, f := range files {
		switch f.Form {
		case "keepalived":
			configs = append(configs, readKeepalived(f.Text, source, notes)...)
		case "ldirectord":
			configs = append(configs, readLdirectord(f.Text, notes))
		default:
			configs = append(configs, readIPVSADM(f.Text, notes))
		}
	}
	nameDirectors(configs)
	b := &builder{Draft: New(), notes: notes, elements: map[any]Element{}}
	b.build(joinTables(configs, notes))
	b.Remarks = append(b.Remarks, notes.remarks(b.elements)...)
	b.sortAll()
	return b.Draft
}

// A place is a line of a file.
type place struct {
	file string
	line int
}

// notes collects what there is to say of a file. What is said of one thing several times
// becomes one remark with all places.
type notes struct {
	list  []*note
	known map[noteKey]*note
}

// scratch are notes that nobody reads.
func scratch() *notes { return &notes{} }

type note struct {
	kind   Kind
	about  any // a *config, *instance or *service, or nil
	text   string
	places []place
	seen   map[place]bool
}

func (n *notes) add(kind Kind, about any, at place, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	key := noteKey{kind, about, text}
	o := n.known[key]
	if o == nil {
		o = &note{kind: kind, about: about, text: text, seen: map[place]bool{}}
		n.list = append(n.list, o)
		if n.known == nil {
			n.known = map[noteKey]*note{}
		}
		n.known[key] = o
	}
	if at.line > 0 && !o.seen[at] {
		o.seen[at] = true
		o.places = append(o.places, at)
	}
}

type noteKey struct {
	kind  Kind
	about any
	text  string
}

func (n *notes) lost(about any, at place, format string, args ...any) {
	n.add(Lost, about, at, format, args...)
}

// mostPlaces is how many lines a remark names.
const mostPlaces = 8

// remarks are the notes, each at the element that its subject became.
func (n *notes) remarks(elements map[any]Element) []Remark {
	var list []Remark
	// What is said of the same service of two files is said of one element.
	type key struct {
		kind Kind
		at   Element
		text string
	}
	merged := map[key]*note{}
	var all []*note
	for _, o := range n.list {
		k := key{o.kind, elements[o.about], o.text}
		if first := merged[k]; first != nil {
			first.places = append(first.places, o.places...)
			continue
		}
		merged[k] = o
		all = append(all, o)
	}
	for _, o := range all {
		r := Remark{Kind: o.kind, At: elements[o.about], Text: o.text}
		var words []string
		for i, p := range o.places {
			switch {
			case i >= mostPlaces:
			case i > 0 && p.file == o.places[i-1].file:
				words = append(words, strconv.Itoa(p.line))
			default:
				words = append(words, p.file+":"+strconv.Itoa(p.line))
			}
		}
		r.Source = strings.Join(words, ", ")
		if more := len(o.places) - mostPlaces; more > 0 {
			r.Source += fmt.Sprintf(" and %d more", more)
		}
		list = append(list, r)
	}
	return list
}

// nameDirectors gives each config a name that no other has: what the file calls itself,
// else the file's name, else a number.
func nameDirectors(configs []*config) {
	count := map[string]int{}
	for _, c := range configs {
		c.name = identifier(c.name)
		count[c.name]++
	}
	taken := map[string]bool{}
	for _, c := range configs {
		// LVS_DEVEL is in the sample that every package brings.
		if c.name == "" || c.name == "LVS_DEVEL" || count[c.name] > 1 {
			c.name = fileName(c.file)
		}
		for base, i := c.name, 2; c.name == "" || taken[c.name]; i++ {
			if c.name = "director-" + strconv.Itoa(i-1); base != "" {
				c.name = base + "-" + strconv.Itoa(i)
			}
		}
		taken[c.name] = true
	}
}

// usual are names of files and folders that say nothing of the director.
var usual = []string{"", ".", "keepalived", "ldirectord", "ipvsadm", "rules", "table", "etc", "sysconfig", "ha.d", "conf.d", "conf"}

// fileName is a director's name by its file: lb1 of lb1.conf and of lb1/keepalived.conf.
func fileName(file string) string {
	base, _, _ := strings.Cut(path.Base(file), ".")
	for _, word := range []string{"keepalived", "ldirectord", "ipvsadm"} {
		for _, joint := range []string{"-", "_"} {
			base = strings.TrimSuffix(strings.TrimPrefix(base, word+joint), joint+word)
		}
	}
	if slices.Contains(usual, base) {
		if base = path.Base(path.Dir(file)); slices.Contains(usual, base) {
			return ""
		}
	}
	return identifier(base)
}

// identifier makes a name of the language of a text.
func identifier(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9',
			b.Len() > 0 && (r == '.' || r == '_' || r == '-'):
			b.WriteRune(r)
		case b.Len() > 0:
			b.WriteByte('-')
		}
	}
	return strings.TrimRight(b.String(), "-._")
}
