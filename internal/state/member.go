package state

import (
	"cmp"
	"net"
	"slices"
	"strconv"
	"strings"
)

// Members: which nodes a topology has something on.
//
// Terms. A node is a member of a topology as long as its record there says that the
// topology has set something on it, or may have. An orphan is a member that the
// topology no longer has: its block was deleted, or its name stands for another host
// now.
//
// Premise. There is no state file, and nobody asks a host that no block names. So the
// records of the nodes that are left have to know who else there is. A director's
// record names every other member, that of a real server or router only directors:
// together they are linear in the topology, and should the only director be replaced,
// its real servers know the old one. In a topology without a director, the first
// [Keepers] of its nodes do what directors do elsewhere.
//
// Two members are the same host, whatever their names, if SSH goes to the same [Place] or
// if they have an address in common.
//
// The records of one topology's nodes bear one mark, which nobody can guess. Two
// topologies may have the same name, on other hosts; a record that names a host of the
// other one gives no right to it, because the record there bears another mark.

// Member is a node as the records of others name it: who it is, and how it was reached
// when the topology last had it.
type Member struct {
	Name string `json:"name"`
	Role string `json:"role"`
	Place
	User string `json:"user,omitempty"`
	Sudo bool   `json:"sudo,omitempty"`
	// HostKey is the public key that the topology pinned. It is for people to compare:
	// a key that a record names is not taken for the host's.
	HostKey string `json:"host_key,omitempty"`
	// Addresses are the node's own.
	Addresses []AddressKey `json:"addresses,omitempty"`
}

// Place is where SSH goes, as a topology says it.
type Place struct {
	Host string `json:"host"`
	Port int    `json:"port,omitempty"` // 0: the ssh config's
	Jump string `json:"proxy_jump,omitempty"`
}

// Plain is the place in the one form that compares with ==.
func (p Place) Plain() Place {
	p.Host = strings.ToLower(p.Host)
	if p.Port == 22 {
		p.Port = 0
	}
	if strings.EqualFold(p.Jump, "none") {
		p.Jump = ""
	}
	return p
}

// String is the place as a person reads it: web-3, 10.0.0.13:2222, web-3 via bastion.
func (p Place) String() string {
	text := p.Host
	if p.Plain().Port != 0 {
		text = net.JoinHostPort(strings.Trim(p.Host, "[]"), strconv.Itoa(p.Port))
	}
	if jump := p.Plain().Jump; jump != "" {
		text += " via " + jump
	}
	return text
}

// Equal reports whether two members are the same, word for word.
func (m Member) Equal(other Member) bool {
	return m.Name == other.Name && m.Role == other.Role && m.Place == other.Place && m.User == other.User &&
		m.Sudo == other.Sudo && m.HostKey == other.HostKey && slices.Equal(m.Addresses, other.Addresses)
}

// Compare orders members by name, then by where they are.
func (m Member) Compare(other Member) int {
	return cmp.Or(
		strings.Compare(m.Name, other.Name), strings.Compare(m.Host, other.Host), m.Port-other.Port,
		strings.Compare(m.Jump, other.Jump), strings.Compare(m.Role, other.Role),
	)
}

// Director is the role whose records name every other member.
const Director = "director"

// Keepers is how many nodes of a topology without a director have records that name
// every other member: one may be lost, and so may another.
const Keepers = 3

// Membership is what a record says of its topology's nodes.
type Membership struct {
	// Mark is that of the topology's records; "" where nobody knows of any.
	Mark string `json:"mark,omitempty"`
	// Adopted are the marks of records that this one takes over.
	Adopted []string `json:"-"`
	// Self is the record's own node.
	Self Member `json:"self,omitzero"`
	// Others are sorted, see the top of this file.
	Others []Member `json:"others,omitempty"`
}

// Equal reports whether two records say the same of their topology's nodes.
func (m Membership) Equal(other Membership) bool {
	return m.Mark == other.Mark && m.Self.Equal(other.Self) && slices.EqualFunc(m.Others, other.Others, Member.Equal)
}
