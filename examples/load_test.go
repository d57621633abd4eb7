package examples_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestNothingLostUnderLoad takes running clusters through changes while a
// client sends requests without pause, several at once, and allows none to fail.
func TestNothingLostUnderLoad(t *testing.T) {
	t.Run("dr and tun", func(t *testing.T) {
		loadTest{
			common: `
director "director" {
  interface "eth0" { address = "10.9.0.2/24" }
  interface "eth1" { address = "10.9.0.3/24" }
}
real_server "rs" {
  for_each = { "1" = "10.9.0.11", "2" = "10.9.0.12", "3" = "10.9.0.13" }
  interface "eth0" { address = "${each.value}/24" }
}
client "client" {
  interface "eth0" { address = "10.9.0.10/24" }
}
`,
			everything: service("http", "80", "dr", `real_servers = ["rs"]`) + service("other", "8000", "dr", `real_servers = ["rs"]`),
			target:     "10.9.0.100:80",
			steps: []loadStep{
				{"two real servers", service("http", "80", "dr", `real_servers = ["rs-1", "rs-2"]`), ""},
				{"a real server added", service("http", "80", "dr", `real_servers = ["rs"]`), "+ server tcp 10.9.0.100:80 -> 10.9.0.13:80 dr weight 1"},
				{"drained and removed", service("http", "80", "dr", `real_servers = ["rs-1", "rs-2"]
  drain = "10s"`), "- server tcp 10.9.0.100:80 -> 10.9.0.13:80 dr weight 1"},
				{"weights changed", service("http", "80", "dr", `real_servers = { "rs-1" = 1, "rs-2" = 3 }`), "~ server tcp 10.9.0.100:80 -> 10.9.0.12:80 dr weight 1 -> dr weight 3"},
				{"scheduler changed", service("http", "80", "dr", `real_servers = { "rs-1" = 1, "rs-2" = 3 }
  scheduler = "wrr"`), "~ service tcp 10.9.0.100:80 wlc -> wrr"},
				{"persistence switched on", service("http", "80", "dr", `real_servers = ["rs-1", "rs-2"]
  persistence { timeout = 30 }`), "~ service tcp 10.9.0.100:80 wrr -> wlc persistent 30"},
				{"persistence switched off", service("http", "80", "dr", `real_servers = ["rs-1", "rs-2"]`), "~ service tcp 10.9.0.100:80 wlc persistent 30 -> wlc"},
				{"DR to TUN", service("http", "80", "tun", `real_servers = ["rs-1", "rs-2"]`), "~ server tcp 10.9.0.100:80 -> 10.9.0.11:80 dr weight 1 -> tun weight 1"},
				{"TUN to DR", service("http", "80", "dr", `real_servers = ["rs-1", "rs-2"]`), "~ server tcp 10.9.0.100:80 -> 10.9.0.11:80 tun weight 1 -> dr weight 1"},
				{"a second service added", service("http", "80", "dr", `real_servers = ["rs-1", "rs-2"]`) + service("other", "8000", "dr", `real_servers = ["rs-1", "rs-2"]`), "+ service tcp 10.9.0.100:8000 wlc"},
				{"the second service removed", service("http", "80", "dr", `real_servers = ["rs-1", "rs-2"]`), "- service tcp 10.9.0.100:8000 wlc"},
				{"the VIP moved to another device", service("http", "80", "dr", `real_servers = ["rs-1", "rs-2"]
  interface = "eth1"`), "+ address 10.9.0.100/32 dev eth1"},
			},
		}.run(t)
	})
	t.Run("nat", func(t *testing.T) {
		loadTest{
			common: `
director "director" {
  interface "eth0" { address = "10.8.0.1/24" }
  interface "eth1" { address = "10.9.0.1/24" }
}
real_server "rs" {
  for_each = { "1" = "10.8.0.11", "2" = "10.8.0.12" }
  interface "eth0" { address = "${each.value}/24" }
}
client "client" {
  interface "eth0" { address = "10.9.0.10/24" }
}
`,
			everything: natService("8080") + service("other", "8000", "nat", `real_server "rs-1" { port = 8081 }
  real_server "rs-2" { port = 8081 }`),
			target: "10.9.0.100:80",
			steps: []loadStep{
				{"port 8080", natService("8080"), ""},
				{"port 8081", natService("8081"), "- server tcp 10.9.0.100:80 -> 10.8.0.11:8080 nat weight 1"},
			},
		}.run(t)
	})
}

func service(name, port, mode, rest string) string {
	return `
virtual_server "` + name + `" {
  vip  = "10.9.0.100"
  port = ` + port + `
  mode = "` + mode + `"
  ` + rest + `
}
`
}

func natService(port string) string {
	return service("http", "80", "nat", `drain = "10s"
  real_server "rs-1" { port = `+port+` }
  real_server "rs-2" { port = `+port+` }`)
}

// loadTest is a cluster and what is done to it while it is asked.
type loadTest struct {
	common string
	// everything has a listener for whatever the steps use.
	everything string
	target     string
	steps      []loadStep
}

type loadStep struct {
	name, services string
	// want is a line of the step's plan, blanks squeezed; the first step brings the
	// cluster up and is not asked yet.
	want string
}

func (l loadTest) run(t *testing.T) {
	needLab(t)
	dir := filepath.Join(t.TempDir(), "load")
	file := filepath.Join(dir, "cluster.hcl")
	write := func(services string) {
		if err := os.WriteFile(file, []byte(l.common+services), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(l.everything)
	c := start(t, dir)
	write(l.steps[0].services)
	c.apply(0)
	for _, s := range l.steps[1:] {
		write(s.services)
		stop := c.load(l.target)
		out := c.apply(0)
		have := stop()
		found := false
		for line := range strings.Lines(out) {
			found = found || strings.HasPrefix(strings.Join(strings.Fields(line), " "), s.want)
		}
		if !found {
			t.Errorf("%s: the plan does not say %q:\n%s", s.name, s.want, out)
		}
		t.Logf("%s: %d requests, %d failed, %.0f a second, the slowest took %d ms, answers %v", s.name, have.Requests, have.Failures, have.rate, have.Slowest, have.Answers)
		if have.Failures > 0 || have.Requests == 0 {
			t.Errorf("%s: %d of %d requests failed: %v", s.name, have.Failures, have.Requests, have.Errors)
			for _, host := range []string{"client", "director"} {
				t.Logf("neighbours of %s:\n%s", host, c.sh(host, "ip neigh"))
			}
			t.Logf("connections without an end:\n%s", c.sh("director", "ipvsadm -Lnc | grep -e SYN -e ESTAB | head -20; ipvsadm -Ln"))
		}
		c.plan(0)
	}
}

type loadResult struct {
	Requests, Failures int
	Errors, Answers    map[string]int
	Slowest            int64 `json:"slowest_ms"`
	rate               float64
}

// load begins to ask from the client, once a first request was answered, and
// returns what ends it.
func (c *cluster) load(target string) (stop func() loadResult) {
	c.Helper()
	c.sh("client", "curl -sS -m 10 http://"+target+"/")
	cmd := exec.Command(program, "lab", "exec", c.topology, "client", "--", "/init", "lab", "load", target, "--rate", "70")
	cmd.Dir = c.dir
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	stdin, err := cmd.StdinPipe()
	if err != nil {
		c.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		c.Fatal(err)
	}
	begun := time.Now()
	return func() loadResult {
		c.Helper()
		if _, err := io.WriteString(stdin, "\n"); err != nil {
			c.Fatalf("the client ended early: %v\n%s", err, errOut.String())
		}
		_ = stdin.Close()
		if err := cmd.Wait(); err != nil {
			c.Fatalf("the client failed: %v\n%s", err, errOut.String())
		}
		var r loadResult
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			c.Fatalf("cannot read what the client counted: %v\n%s", err, out.String())
		}
		r.rate = float64(r.Requests) / time.Since(begun).Seconds()
		return r
	}
}
