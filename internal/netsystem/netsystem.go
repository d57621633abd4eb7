// Package netsystem names what brings a node's addresses and routes back after a
// reboot. The language has these names for its attribute persist, and
// internal/persist writes the files of each.
package netsystem

// Name is a network system's name.
type Name string

// The network systems. Auto finds out which one a node has; None wants nothing to
// come back.
const (
	Auto           Name = "auto"
	NetworkScripts Name = "network-scripts"
	NetworkManager Name = "networkmanager"
	Ifupdown       Name = "ifupdown"
	Netplan        Name = "netplan"
	Networkd       Name = "networkd"
	None           Name = "none"
)

// Names returns every name, in the order in which they are listed to people.
func Names() []Name {
	return []Name{Auto, NetworkScripts, NetworkManager, Ifupdown, Netplan, Networkd, None}
}
