package statetest

import (
	"errors"
	"strings"
)

const ipForward = "net/ipv4/ip_forward"

// confDefaults are the parameters of a device that the model has, with the kernel's
// defaults (net/ipv4/devinet.c).
func confDefaults() map[string]string {
	return map[string]string{
		"accept_redirects": "1", "arp_announce": "0", "arp_ignore": "0",
		"forwarding": "0", "rp_filter": "0", "send_redirects": "1",
	}
}

func vsDefaults() map[string]string {
	return map[string]string{"conntrack": "0", "conn_reuse_mode": "1", "expire_nodest_conn": "0", "expire_quiescent_template": "0", "drop_entry": "0", "sync_threshold": "3\t50"}
}

// write writes a kernel parameter. conf/all/forwarding and ip_forward are one
// variable (net/ipv4/devinet.c).
func (n *Node) write(key, value string) error {
	if _, ok := n.Sysctls[key]; !ok {
		return errors.New("No such file or directory")
	}
	if key == "net/ipv4/conf/all/forwarding" {
		key = ipForward
	}
	changed := n.Sysctls[key] != value
	n.Sysctls[key] = value
	switch key {
	case ipForward:
		n.Sysctls["net/ipv4/conf/all/forwarding"] = value
		if changed {
			n.forwardChange(value)
		}
	case "net/ipv6/conf/all/forwarding":
		if changed {
			n.setAll("net/ipv6/conf/", "forwarding", value)
		}
	case "net/ipv4/vs/sync_threshold":
		n.Sysctls[key] = strings.Join(strings.Fields(value), "\t")
	}
	rest, ok := strings.CutPrefix(key, "net/ipv4/conf/")
	dev, name, _ := strings.Cut(rest, "/")
	if !ok || dev == "all" {
		return nil
	}
	n.explicit[key] = true
	// The handler of a forwarding key does not copy conf/default to the devices.
	if dev == "default" && name != "forwarding" {
		n.copyDefault(name, value)
	}
	return nil
}

// forwardChange is inet_forward_change (net/ipv4/devinet.c).
func (n *Node) forwardChange(value string) {
	opposite := map[string]string{"0": "1"}[value]
	if opposite == "" {
		opposite = "0"
	}
	n.Sysctls["net/ipv4/conf/all/accept_redirects"] = opposite
	n.setAll("net/ipv4/conf/", "forwarding", value)
}

func (n *Node) setAll(prefix, name, value string) {
	for k := range n.Sysctls {
		if strings.HasPrefix(k, prefix) && strings.HasSuffix(k, "/"+name) {
			n.Sysctls[k] = value
		}
	}
}

// copyDefault is devinet_copy_dflt_conf: a device's parameter follows conf/default until
// it is set itself.
func (n *Node) copyDefault(name, value string) {
	for dev := range n.Links {
		key := "net/ipv4/conf/" + dev + "/" + name
		if !n.explicit[key] {
			n.Sysctls[key] = value
		}
	}
}

// addressed is ipv4_devconf_setall: the parameters of a device with an address no longer
// follow conf/default.
func (n *Node) addressed(dev string) {
	for name := range confDefaults() {
		n.explicit["net/ipv4/conf/"+dev+"/"+name] = true
	}
}
