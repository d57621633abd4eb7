package state

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// tunnelModules are the modules that bring a device which takes packets out of any tunnel
// to this node, by the device.
var tunnelModules = map[string]string{
	"tunl0": "ipip", "ip6tnl0": "ip6_tunnel", "gre0": "ip_gre", "ip6gre0": "ip6_gre",
}

// TunnelModule is the module that brings a tunnel's device, or "".
func TunnelModule(dev string) string { return tunnelModules[dev] }

// Wrapping is what a director puts between the two IP headers of a tunnel.
type Wrapping struct {
	Type     string // "gue" or "gre"; "" for nothing, which is ipip
	Port     uint16 // of gue
	Checksum string // "inner" or "remote"; "" for none
}

// checksumOptions are ipvsadm's for [Wrapping.Checksum], and as --tun-info lists them
// (print_service_entry, ipvsadm 1.31).
var checksumOptions = []struct{ checksum, option, listed string }{
	{"", "--tun-nocsum", "-c"}, {"inner", "--tun-csum", "+c"}, {"remote", "--tun-remcsum", "r+c"},
}

// String is the wrapping as ipvsadm -S prints it, which is [Server.Tunnel].
func (w Wrapping) String() string {
	if w.Type == "" {
		return ""
	}
	text := "--tun-type " + w.Type
	if w.Port != 0 {
		text += " --tun-port " + strconv.Itoa(int(w.Port))
	}
	for _, c := range checksumOptions {
		if c.checksum == w.Checksum {
			text += " " + c.option
		}
	}
	return text
}

// ParseWrapping reads ipvsadm's options in any order, and with = or a blank. ipvsadm prints
// them in one, but people do not write them so.
func ParseWrapping(options string) (Wrapping, error) {
	var w Wrapping
	words := strings.Fields(strings.ReplaceAll(options, "=", " "))
	for ; len(words) > 0; words = words[1:] {
		if i := slices.IndexFunc(checksumOptions, func(c struct{ checksum, option, listed string }) bool { return c.option == words[0] }); i >= 0 {
			w.Checksum = checksumOptions[i].checksum
			continue
		}
		if len(words) < 2 {
			return w, fmt.Errorf("unknown option %q", words[0])
		}
		switch words[0] {
		case "--tun-type":
			w.Type = words[1]
		case "--tun-port":
			port, err := strconv.ParseUint(words[1], 10, 16)
			if err != nil || port == 0 {
				return w, fmt.Errorf("bad tunnel port %q", words[1])
			}
			w.Port = uint16(port)
		default:
			return w, fmt.Errorf("unknown option %q", words[0])
		}
		words = words[1:]
	}
	return w.checked()
}

// listedWrapping reads a column of ipvsadm -L --tun-info: ipip, gue:6080:-c, gre:+c, n/a.
func listedWrapping(column string) (Wrapping, error) {
	parts := strings.Split(column, ":")
	w := Wrapping{Type: parts[0]}
	if w.Type == "n/a" {
		return Wrapping{}, nil
	}
	for _, part := range parts[1:] {
		if port, err := strconv.ParseUint(part, 10, 16); err == nil {
			w.Port = uint16(port)
			continue
		}
		i := slices.IndexFunc(checksumOptions, func(c struct{ checksum, option, listed string }) bool { return c.listed == part })
		if i < 0 {
			return w, fmt.Errorf("unknown tunnel %q", column)
		}
		w.Checksum = checksumOptions[i].checksum
	}
	return w.checked()
}

// checked refuses what ipvsadm does, and returns ipip as [Wrapping] has it.
func (w Wrapping) checked() (Wrapping, error) {
	switch {
	case w.Type == "ipip":
		w.Type = ""
	case w.Type == "" && (w.Port != 0 || w.Checksum != ""):
		return w, fmt.Errorf("tunnel options without --tun-type")
	case w.Type != "" && w.Type != "gue" && w.Type != "gre":
		return w, fmt.Errorf("unknown tunnel type %q", w.Type)
	}
	if (w.Type == "gue") != (w.Port != 0) {
		return w, fmt.Errorf("gue needs --tun-port, and no other tunnel has it")
	}
	return w, nil
}

// tunnelKernels are the first kernels whose ipvs has the parts of a wrapping: 84c0d5e96f3a
// (gue), 6f7b841bc939 (gre) and 29930e314da3 (checksums). An older one ignores the attribute
// and sends ipip.
var tunnelKernels = map[string][2]int{"gue": {5, 2}, "gre": {5, 3}, "checksum": {5, 3}}

// Lacks says what of the wrapping a kernel's ipvs lacks, and since when there is that, or
// returns "".
func (w Wrapping) Lacks(kernel string) string {
	var have [2]int
	if n, _ := fmt.Sscanf(kernel, "%d.%d", &have[0], &have[1]); n < 2 {
		return "" // nobody can tell
	}
	parts := []string{}
	if w.Type != "" {
		parts = append(parts, w.Type)
	}
	if w.Checksum != "" {
		parts = append(parts, "checksum")
	}
	for _, part := range parts {
		if first, ok := tunnelKernels[part]; ok && slices.Compare(have[:], first[:]) < 0 {
			if part == "checksum" {
				part = "a tunnel's checksum"
			}
			return fmt.Sprintf("%s, which came with Linux %d.%d", part, first[0], first[1])
		}
	}
	return ""
}
