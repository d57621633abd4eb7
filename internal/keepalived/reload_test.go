package keepalived

import (
	"strings"
	"testing"
	"time"
)

func TestReload(t *testing.T) {
	all := strings.Join(versions, " ")
	for name, c := range map[string]struct {
		change         func(*Config)
		says           string // versions that say something
		cuts, together string // versions for which connections end, and those with two masters
	}{
		"nothing":        {func(*Config) {}, "", "", ""},
		"weight":         {func(c *Config) { c.Services[0].Servers[0].Weight = 5 }, "1.2.13", "1.2.13", ""},
		"scheduler":      {func(c *Config) { c.Services[0].Scheduler = "rr" }, "1.2.13 1.3.5 2.0.10", "1.2.13 1.3.5 2.0.10", ""},
		"persistence":    {func(c *Config) { c.Services[0].Persistence = 60 }, "1.2.13 1.3.5 2.0.10", "1.2.13 1.3.5 2.0.10", ""},
		"mode":           {func(c *Config) { c.Services[0].Method = "TUN" }, "1.2.13 1.3.5 2.0.10", "1.2.13 1.3.5 2.0.10", ""},
		"thresholds":     {func(c *Config) { c.Services[0].Servers[0].Upper = 5 }, "", "", ""},
		"a server":       {func(c *Config) { c.Services[0].Servers = c.Services[0].Servers[:1] }, "", "", ""},
		"priority":       {func(c *Config) { c.Instances[0].Priority = 80 }, all, "", ""},
		"password":       {func(c *Config) { c.Instances[0].AuthPass = "x" }, all, "", "2.0.10 2.1.5 2.2.7 2.3.3"},
		"advert_int":     {func(c *Config) { c.Instances[0].AdvertInt = 2 * time.Second }, all, "", "2.0.10 2.1.5 2.2.7 2.3.3"},
		"excluded":       {func(c *Config) { c.Instances[0].Excluded = c.Instances[0].Advertised }, "", "", ""},
		"advertised":     {func(c *Config) { c.Instances[0].Advertised[0].Prefix = prefix("192.168.179.9/32") }, "1.2.13 1.3.5 2.0.10 2.1.5 2.2.7", "", "2.0.10 2.1.5 2.2.7"},
		"router id":      {func(c *Config) { c.Instances[0].RouterID = 52 }, all, "1.3.5 2.0.10 2.1.5 2.2.7 2.3.3", all},
		"interface":      {func(c *Config) { c.Instances[0].Interface = "eth9" }, all, "1.3.5 2.0.10 2.1.5 2.2.7 2.3.3", all},
		"name":           {func(c *Config) { c.Instances[0].Name = "other" }, "1.2.13", "1.2.13", ""},
		"unicast":        {func(c *Config) { c.Instances[0].Source = addr("192.168.179.1") }, all, "2.1.5 2.2.7 2.3.3", all},
		"instance added": {func(c *Config) { c.Instances = append(c.Instances, rich().Instances[0]) }, "", "", ""},
		"instance gone":  {func(c *Config) { c.Instances = nil }, all, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range versions {
				to := tutorial()
				c.change(&to)
				var cuts, together bool
				list := Reload(tutorial(), to, version(t, v))
				for _, e := range list {
					cuts, together = cuts || e.Cuts, together || e.Together
				}
				if says := strings.Contains(c.says, v); says != (len(list) > 0) {
					t.Errorf("%s: want effects: %v, have %v", v, says, list)
				}
				if want := strings.Contains(c.cuts, v); want != cuts {
					t.Errorf("%s: want connections cut: %v, have %v", v, want, list)
				}
				if want := strings.Contains(c.together, v); want != together {
					t.Errorf("%s: want reloaded together: %v, have %v", v, want, list)
				}
			}
		})
	}
}

// TestReloadElects: another priority moves the addresses only where the directors preempt.
func TestReloadElects(t *testing.T) {
	for _, preempt := range []bool{true, false} {
		to := tutorial()
		to.Instances[0].Priority, to.Instances[0].Preempt = 80, preempt
		list := Reload(tutorial(), to, version(t, "2.2.7"))
		if len(list) != 1 || list[0].Elects != preempt || strings.Contains(list[0].What, "to whoever has the highest") != preempt {
			t.Errorf("preempt %v: %v", preempt, list)
		}
	}
}

func TestTakeover(t *testing.T) {
	slow := Instance{AdvertInt: time.Second, Priority: 90}
	quick := Instance{AdvertInt: 100 * time.Millisecond, Priority: 90}
	for _, c := range []struct {
		i    Instance
		v    Version
		want time.Duration
	}{
		{slow, Version{2, 2, 7}, 3700 * time.Millisecond},
		{slow, Version{1, 3, 5}, 4700 * time.Millisecond},
		{quick, Version{2, 2, 7}, 400 * time.Millisecond},
	} {
		if have := Takeover(c.i, c.v); have != c.want {
			t.Errorf("%v on %v: want %s, have %s", c.i, c.v, c.want, have)
		}
	}
}
