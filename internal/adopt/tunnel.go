package adopt

import (
	"strconv"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/topology"
)

// tunnelOf is the tunnel that a topology has for a wrapping. lost is a sentence that says
// what of it a topology cannot say, or "".
func tunnelOf(w state.Wrapping) (t topology.Tunnel, lost string) {
	t = topology.Tunnel{Type: topology.TunnelType(w.Type), Port: w.Port, Checksum: topology.Checksum(w.Checksum)}
	if t.Type == topology.GRE && t.Checksum != "" {
		t.Checksum, lost = "", "The checksum of its gre packets is left out: a gre0 drops packets with one."
	}
	return t, lost
}

// usualTunnel is the tunnel of most of a tun service's real servers; of as many, that of the
// first.
func usualTunnel(v *topology.VirtualServer) topology.Tunnel {
	var usual topology.Tunnel
	most := 0
	count := map[topology.Tunnel]int{}
	for _, s := range v.RealServers {
		if v.Mode != topology.TUN || s.Mode != topology.TUN {
			continue
		}
		if count[s.Tunnel]++; count[s.Tunnel] > most {
			usual, most = s.Tunnel, count[s.Tunnel]
		}
	}
	return usual
}

// tunnelBlock adds the block of a tunnel.
func tunnelBlock(b *block, t topology.Tunnel) {
	c := b.add("tunnel", "")
	c.set("type", tunnelType(t))
	setIf(c, "port", int(t.Port))
	setIf(c, "checksum", string(t.Checksum))
}

func tunnelType(t topology.Tunnel) string {
	if t.Type == "" {
		return "ipip"
	}
	return string(t.Type)
}

// tunnelText is a tunnel in words: gue 6080 inner.
func tunnelText(t topology.Tunnel) string {
	text := tunnelType(t)
	if t.Port != 0 {
		text += " " + strconv.Itoa(int(t.Port))
	}
	if t.Checksum != "" {
		text += " " + string(t.Checksum)
	}
	return text
}
