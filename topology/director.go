package topology

import "github.com/lvsctl/lvsctl/internal/lang"

// longestTimeout is MAX_TIMEOUT of ipvsadm.c in seconds: 31 days.
const longestTimeout = 31 * 24 * 60 * 60

func (n *node) readTimeouts() {
	raw := n.raw.Timeouts
	if raw == nil {
		return
	}
	n.Timeouts = &Timeouts{Range: raw.Range}
	n.Timeouts.TCP, _ = n.Seconds(raw.TCP, 0, longestTimeout)
	n.Timeouts.TCPFin, _ = n.Seconds(raw.TCPFin, 0, longestTimeout)
	n.Timeouts.UDP, _ = n.Seconds(raw.UDP, 0, longestTimeout)
}

var syncRoles = []string{"master", "backup", "both"}

func (n *node) readSync() {
	raw := n.raw.Sync
	if raw == nil {
		return
	}
	n.Require(raw.Role, "role", raw.Range, "A sync daemon needs its role: "+lang.OrList(syncRoles)+".")
	n.Require(raw.Interface, "interface", raw.Range, "A sync daemon needs the interface that it sends on; the kernel's default is literally eth0.")
	n.Sync = &Sync{Range: raw.Range}
	n.Sync.Role, _ = n.Choice(raw.Role, syncRoles)
	n.Sync.ID = n.IntegerOr(raw.ID, 0, 255, 0)
	if dev, ok := n.deviceAttr(raw.Interface); ok && n.hasDevice(dev, raw.Interface) {
		n.Sync.Interface = dev
	}
}
