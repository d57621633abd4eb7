package apply

import "strings"

// probeScript asks whether the default gateways the node has answer; a change
// may not turn an answer into silence. Without ping there is nothing to compare.
func probeScript(nonce string) string {
	return `printf '%s\n' '` + nonce + ` probes'
if command -v ping >/dev/null; then
  for g in $(ip -4 route show default | while read -r _ via g rest; do [ "$via" = via ] && printf '%s\n' "$g"; done); do
    if ping -c 1 -W 1 "$g" >/dev/null 2>&1; then printf '%s up\n' "$g"; else printf '%s down\n' "$g"; fi
  done
fi
`
}

// probeAgainScript asks the gateways that answered before.
func probeAgainScript(probes map[string]bool) string {
	var b strings.Builder
	for gateway, up := range probes {
		if up {
			b.WriteString("ping -c 1 -W 2 " + gateway + " >/dev/null 2>&1 || printf '%s\\n' " + gateway + "\n")
		}
	}
	return b.String()
}

func parseProbes(text string) map[string]bool {
	probes := map[string]bool{}
	for line := range strings.Lines(text) {
		if gateway, state, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			probes[gateway] = state == "up"
		}
	}
	return probes
}
