package keepalived

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestRefuse(t *testing.T) {
	for name, c := range map[string]struct {
		change   func(*Config)
		versions string // that refuse it
		want     string
	}{
		"udp check":            {func(c *Config) { c.Services[0].Servers[0].Check.Kind = "udp" }, "1.2.13 1.3.5 2.0.10", "has no UDP_CHECK, which came with 2.1.0"},
		"half a second":        {func(c *Config) { c.Services[0].Servers[0].Check.Timeout = 500 * time.Millisecond }, "1.2.13 1.3.5 2.0.10", "fractions of a second in checks (timeout 500ms)"},
		"fractional interval":  {func(c *Config) { c.Services[0].Interval = 2500 * time.Millisecond }, "1.2.13 1.3.5 2.0.10", "fractions of a second in checks (interval 2.5s)"},
		"fractional advert":    {func(c *Config) { c.Instances[0].AdvertInt, c.Instances[0].AuthPass = 100*time.Millisecond, "" }, "1.2.13", "has no VRRP 3"},
		"password in VRRP 3":   {func(c *Config) { c.Instances[0].AdvertInt = 100 * time.Millisecond }, "1.2.13 1.3.5 2.0.10 2.1.5 2.2.7 2.3.3", "VRRP 3 knows no password"},
		"no address":           {func(c *Config) { c.Instances[0].Advertised = nil }, "1.2.13 1.3.5 2.0.10 2.1.5 2.2.7 2.3.3", "it has no address"},
		"both families":        {func(c *Config) { c.Instances[0].Excluded = []Address{{Prefix: prefix("2001:db8::1/128")}} }, "1.2.13 1.3.5 2.0.10", "both families in one instance"},
		"sctp":                 {func(c *Config) { c.Services[0].Protocol = "SCTP" }, "1.2.13", "has no SCTP"},
		"engine":               {func(c *Config) { c.Services[0].Engine = "sip" }, "1.2.13", "has no persistence engine"},
		"sh-port":              {func(c *Config) { c.Services[0].Flags = []string{"sh-port"} }, "1.2.13", "has no sh-port"},
		"mh-port":              {func(c *Config) { c.Services[0].Flags = []string{"mh-port"} }, "1.2.13 1.3.5", "has no mh-port"},
		"twos":                 {func(c *Config) { c.Services[0].Scheduler = "twos" }, "2.0.10 2.1.5", "has no scheduler twos"},
		"granularity":          {func(c *Config) { c.Services[0].Persistence, c.Services[0].Mask = 60, 24 }, "1.3.5", "refuses every IPv4 persistence netmask"},
		"a server's own mode":  {func(c *Config) { c.Services[0].Servers[1].Method = "TUN" }, "1.2.13 1.3.5", "mode of a single real server"},
		"gue":                  {func(c *Config) { c.Services[0].Method = "TUN type gue port 6080" }, "1.2.13 1.3.5 2.0.10", "has no tunnel but ipip, which came with 2.0.20; remove tunnel"},
		"a server's gre":       {func(c *Config) { c.Services[0].Servers[1].Method = "TUN type gre" }, "1.2.13 1.3.5 2.0.10", "has no tunnel but ipip"},
		"weight 0":             {func(c *Config) { c.Services[0].Servers[0].Weight = 0 }, "2.0.10 2.1.5", "has no weight 0"},
		"all weights 0":        {func(c *Config) { c.Services[0].Servers[0].Weight, c.Services[0].Servers[1].Weight = 0, 0 }, "1.2.13 1.3.5 2.0.10 2.1.5 2.2.7 2.3.3", "quorum underflow"},
		"sorry is a server":    {func(c *Config) { c.Services[0].Sorry = c.Services[0].Servers[0].Addr }, "1.2.13 1.3.5 2.0.10 2.1.5 2.2.7 2.3.3", "is one of its real servers"},
		"a command's quote":    {func(c *Config) { c.Services[0].Servers[0].Check = Check{Kind: "misc", Command: `/bin/x "y"`} }, "1.2.13 1.3.5 2.0.10 2.1.5 2.2.7 2.3.3", "put it into a script"},
		"a command's variable": {func(c *Config) { c.Services[0].Servers[0].Check = Check{Kind: "misc", Command: `/bin/x $HOME`} }, "1.2.13 1.3.5 2.0.10 2.1.5 2.2.7 2.3.3", "put it into a script"},
		"a command's line":     {func(c *Config) { c.Services[0].Servers[0].Check = Check{Kind: "misc", Command: "/bin/x\ny"} }, "1.2.13 1.3.5 2.0.10 2.1.5 2.2.7 2.3.3", "put it into a script"},
		"a check without port": {func(c *Config) {
			c.Services[0].Servers[0].Addr = netip.AddrPortFrom(c.Services[0].Servers[0].Addr.Addr(), 0)
		}, "1.2.13 1.3.5 2.0.10 2.1.5 2.2.7 2.3.3", "needs a port"},
		"nothing": {func(*Config) {}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range versions {
				config := tutorial()
				c.change(&config)
				have := strings.Join(config.Refuse(version(t, v)), "\n")
				refuses := strings.Contains(c.versions, v)
				if refuses != (have != "") || refuses && !strings.Contains(have, c.want) {
					t.Errorf("%s: want %v %q, have %q", v, refuses, c.want, have)
				}
			}
		})
	}
}
