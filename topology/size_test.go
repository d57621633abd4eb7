package topology

import (
	"fmt"
	"strings"
	"testing"
)

// TestTooLarge: what names multiply in a few lines is refused before it is made, and
// said once.
func TestTooLarge(t *testing.T) {
	const text = `
router "r" {
  for_each = { for i in range(%d) : i => i }
  interface "eth0" { address = "10.4.${floor(each.value/250)}.${each.value%%250+1}/8" }
  hosts = true
}
director "lb" {
  for_each = { for i in range(%d) : i => i }
  interface "eth0" { address = "10.1.${floor(each.value/250)}.${each.value%%250+1}/8" }
  ip_forward = true
}
real_server "rs" {
  for_each = { for i in range(%d) : i => i }
  interface "eth0" { address = "10.2.${floor(each.value/250)}.${each.value%%250+1}/8" }
  gateway = "10.0.0.1"
}
virtual_server "v" {
  for_each     = { for i in range(%d) : i => i }
  vip          = "10.3.${floor(each.value/250)}.${each.value%%250+1}"
  port         = 80
  mode         = "dr"
  directors    = ["lb"]
  real_servers = ["rs"]
}
`
	for name, n := range map[string][4]int{
		"services and real servers":        {0, 1, 32, 32},
		"directors, too":                   {0, 10, 11, 10},
		"routers and services":             {32, 1, 1, 32},
		"every node in every other's file": {128, 0, 0, 0},
	} {
		src := fmt.Sprintf(text, n[0], n[1], n[2], n[3])
		if n[1] == 0 {
			src = src[:strings.Index(src, "director")]
		}
		have := summaries(load(t.Context(), write(t, map[string]string{"main.hcl": src}), Options{}, 1000).diags)
		if strings.Count(have, "Topology too large: With this the topology describes more than 1000 parts.") != 1 {
			t.Errorf("%s: want that it is too large, once, have %.1000s", name, have)
		}
	}
}
