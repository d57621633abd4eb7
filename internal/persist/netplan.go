package persist

// netplanUnit is how the paths of the files begin that netplan writes for networkd, one for
// each definition. The definition's name follows.
const netplanUnit = "/run/systemd/network/10-netplan-"

// netplan adds to the files that netplan writes for networkd, as [networkd] does to others.
// A file in /etc/netplan would be merged with those of others. If it contradicts one of
// them, now or after that was edited, netplan writes nothing at all and the node boots
// without a network (netplan generate 0.106: "Updated definition changes device type").
func netplan(j *job) {
	networkd(j)
	j.undoes = "netplan apply"
}
