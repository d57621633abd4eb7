package adopt

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/lvsctl/lvsctl/topology"
)

// Write writes a draft as HCL, in the layout of lvsctl fmt: only what differs from the
// defaults. The same draft is always the same bytes. A topology that [topology.Load]
// accepts is the same when it is written and loaded again, with [Secrets] as variables.
func Write(d Draft) []byte {
	d.sortAll()
	w := writer{Draft: d, secrets: map[string]string{}, groups: map[string]*merger{}, at: map[Element][]Remark{}}
	for _, s := range Secrets(d) {
		w.secrets[s.Value] = s.Name
	}
	for _, r := range d.Remarks {
		w.at[r.At] = append(w.at[r.At], r)
	}
	w.mergeGroups()
	blocks := w.settings()
	for _, role := range []topology.Role{topology.Director, topology.Router, topology.RealServer, topology.Client} {
		blocks = append(blocks, w.nodes(role)...)
	}
	for _, v := range d.Topology.VRRP {
		blocks = append(blocks, w.instance(v))
	}
	for _, v := range d.Topology.Services {
		blocks = append(blocks, w.service(v))
	}
	var out strings.Builder
	for _, r := range w.at[Element{}] {
		comment(&out, "", r)
	}
	for _, b := range blocks {
		if out.Len() > 0 {
			out.WriteString("\n")
		}
		b.write(&out, 0)
	}
	return hclwrite.Format([]byte(out.String()))
}

type writer struct {
	Draft
	// secrets are the names of variables, by value.
	secrets map[string]string
	// groups are the groups that can be written as one block, by name.
	groups map[string]*merger
	at     map[Element][]Remark
}

// A Secret is a value that is not written. The topology has a variable in its place.
type Secret struct{ Name, Value string }

// Secrets are the values that a draft does not write, with the names of their variables.
func Secrets(d Draft) []Secret {
	var list []Secret
	for _, v := range d.Topology.VRRP {
		if v.AuthPass == "" || slices.ContainsFunc(list, func(s Secret) bool { return s.Value == v.AuthPass }) {
			continue
		}
		list = append(list, Secret{"auth_pass", v.AuthPass})
	}
	for i := range list {
		if len(list) > 1 {
			list[i].Name = fmt.Sprintf("auth_pass_%d", i+1)
		}
	}
	return list
}

// settings are the blocks that are of no node or service.
func (w *writer) settings() []*block {
	var blocks []*block
	if name := w.Topology.Name; name != "" {
		b := &block{kind: "lvsctl"}
		b.set("name", name)
		blocks = append(blocks, b)
	}
	for _, s := range Secrets(w.Draft) {
		b := &block{kind: "variable", label: s.Name}
		b.remarks = []Remark{{Text: "The password of VRRP is not written here. Set it: export LVSCTL_VAR_" + s.Name + "=..."}}
		b.set("type", expr("string"))
		b.set("sensitive", true)
		blocks = append(blocks, b)
	}
	if ssh := sshBlock(w.Topology.SSH, topology.SSH{}); len(ssh.children) > 0 {
		blocks = append(blocks, ssh)
	}
	return blocks
}

// sshBlock is an ssh block with what differs from outside it.
func sshBlock(s, outside topology.SSH) *block {
	b := &block{kind: "ssh"}
	differing(b, "user", s.User, outside.User)
	differing(b, "port", s.Port, outside.Port)
	differing(b, "identity_file", s.IdentityFile, outside.IdentityFile)
	if only := s.IdentitiesOnly; only != nil && (outside.IdentitiesOnly == nil || *only != *outside.IdentitiesOnly) {
		b.set("identities_only", *only)
	}
	differing(b, "known_hosts", s.KnownHosts, outside.KnownHosts)
	differing(b, "host_key", s.HostKey, outside.HostKey)
	differing(b, "proxy_jump", s.ProxyJump, outside.ProxyJump)
	if s.ConnectTimeout != outside.ConnectTimeout {
		b.set("connect_timeout", s.ConnectTimeout.String())
	}
	differing(b, "sudo", s.Sudo, outside.Sudo)
	return b
}

// differing sets an attribute if its value is not what holds without it.
func differing[T comparable](b *block, name string, v, without T) {
	if v != without {
		b.set(name, v)
	}
}

// names are words for a list of nodes: a group where all of its members are there, in
// any order, else their names.
func (w *writer) names(nodes []*topology.Node) []value {
	var list []value
	done := map[string]bool{}
	whole := w.whole(nodes)
	for _, n := range nodes {
		switch g := n.Group; {
		case !whole[g]:
			list = append(list, n.Name)
		case !done[g]:
			done[g] = true
			list = append(list, g)
		}
	}
	return list
}

// whole are the groups that are among nodes with all of their members.
func (w *writer) whole(nodes []*topology.Node) map[string]bool {
	count := map[string]int{}
	for _, n := range nodes {
		count[n.Group]++
	}
	whole := map[string]bool{}
	for g, n := range count {
		m := w.groups[g]
		whole[g] = m != nil && len(m.nodes) == n
	}
	return whole
}
