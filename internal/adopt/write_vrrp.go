package adopt

import (
	"slices"
	"time"

	"github.com/lvsctl/lvsctl/topology"
)

// The HCL of vrrp_instances and health checks.

// defaultCheck is what a service of keepalived without health_check has, if it is TCP.
var defaultCheck = topology.HealthCheck{Kind: "tcp", Interval: 5 * time.Second, Timeout: 3 * time.Second, Retries: 3}

// healthCheck adds the health_check block, unless the service has that check without it.
func healthCheck(b *block, v *topology.VirtualServer) {
	h := v.HealthCheck
	if h == nil {
		return
	}
	plain := *h
	plain.Range = defaultCheck.Range
	checkable := v.Protocol == topology.TCP && v.Port != 0 && v.FWMark == 0
	if plain == defaultCheck && checkable && v.VRRPInstance != nil {
		return
	}
	c := b.add("health_check", "")
	if h.Interval != defaultCheck.Interval {
		c.set("interval", seconds(h.Interval))
	}
	if h.Timeout != defaultCheck.Timeout {
		c.set("timeout", seconds(h.Timeout))
	}
	differing(c, "retries", h.Retries, defaultCheck.Retries)
	if h.Kind == "tcp" && checkable {
		return
	}
	k := c.add(h.Kind, "")
	switch h.Kind {
	case "http":
		differing(k, "path", h.Path, "/")
		differing(k, "status", h.Status, 200)
	case "misc":
		k.set("command", h.Command)
	}
}

// instance is the block of a vrrp_instance.
func (w *writer) instance(v *topology.VRRPInstance) *block {
	b := &block{kind: "vrrp_instance", label: v.Name, remarks: w.at[OfInstance(v)]}
	b.set("directors", nodeNames(v.Directors))
	b.set("interface", v.Interface)
	b.set("virtual_router_id", v.RouterID)
	if v.AdvertInt != time.Second {
		b.set("advert_int", seconds(v.AdvertInt))
	}
	differing(b, "preempt", v.Preempt, true)
	if v.AuthPass != "" {
		b.set("auth_pass", expr("var."+w.secrets[v.AuthPass]))
	}
	var usual []int
	for i := range v.Directors {
		usual = append(usual, 100-10*i)
	}
	if !slices.Equal(v.Priorities, usual) || len(usual) > 10 {
		var list []value
		for _, p := range v.Priorities {
			list = append(list, p)
		}
		b.set("priorities", list)
	}
	setIf(b, "unicast", v.Unicast)
	var list []value
	for _, a := range v.Addresses {
		text := a.Prefix.String()
		if a.Dev != "" {
			text += " dev " + a.Dev
		}
		list = append(list, text)
	}
	if len(list) > 0 {
		b.set("addresses", list)
	}
	setIf(b, "sync", v.Sync)
	return b
}
