package apply_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/lvsctl/lvsctl/plan"
)

// drift changes a host by hand, changes the topology too, and looks at each way in which
// lvsctl drift says so.
func drift(p *program) {
	p.apply(0)
	const calm = "No drift on the node that was compared. Never applied: 1 node. Not applied yet: "
	if stdout, _ := p.run(0, "drift"); !strings.HasPrefix(stdout, calm) {
		p.Errorf("without drift it says:\n%s", stdout)
	}
	p.web.sh("ip addr del 10.0.0.100/32 dev lo; echo 0 >/proc/sys/net/ipv4/conf/all/arp_ignore")
	write(p, filepath.Join(p.dir, "main.hcl"), strings.Replace(drTopology, `persist = "none"`, `sysctl = { "net.ipv4.conf.eth0.proxy_arp" = "1" }`+"\n persist = \"none\"", 1))
	stdout, _ := p.run(0, "status")
	for _, want := range []string{"\ndirector lvs (lvs):  lacks 10.0.0.100; never applied; ", "\n  web  tcp 10.0.0.100:80 ", "\n    web  10.0.0.2:80 dr ", " gone\n", "\nreal_server web (web):  2 differences; 1 change not applied; applied "} {
		if !strings.Contains(stdout, want) {
			p.Errorf("status does not say %q:\n%s", want, stdout)
		}
	}
	want := `  # real_server web (web)
  ~ sysctl    net.ipv4.conf.all.arp_ignore  0 -> 1  (changed)
  + address   10.0.0.100/32 dev lo  (gone)

Drift: 1 gone, 1 changed, 0 added on 1 node. Never applied: 1 node. Not applied yet: `
	if stdout, _ := p.run(2, "drift"); !strings.HasPrefix(stdout, want) {
		p.Errorf("with drift it says:\n%s", stdout)
	}
	stdout, _ = p.run(2, "drift", "--github", "--junit", "drift.xml", "--prometheus", "drift.prom")
	if !strings.HasPrefix(stdout, want) || !strings.Contains(stdout, "\n::error file=main.hcl,line=") {
		p.Errorf("to GitHub it says:\n%s", stdout)
	}
	p.holds("drift.xml", `<testsuites name="lvsctl drift" tests="2" failures="1" skipped="1">`)
	p.holds("drift.prom", `lvsctl_drift_differences{topology="test",node="web",role="real_server"} 2`+"\n")
	p.apply(0)
	p.run(0, "drift")
	begin := time.Now().Add(-time.Hour)
	var doc plan.Document
	stdout, _ = p.run(0, "drift", "--json", "--only", "web")
	check(p, json.Unmarshal([]byte(stdout), &doc))
	if by := doc.Nodes[0].Applied; !strings.Contains(by.By, "@") || by.At.Before(begin) || by.At.After(time.Now()) {
		p.Errorf("it was applied by %v", by)
	}
	p.run(0, "destroy", "--auto-approve", "--only", "web")
	if stdout, _ := p.run(0, "drift"); !strings.HasPrefix(stdout, "Nothing to compare. Never applied: 2 nodes.") {
		p.Errorf("of what was destroyed it says:\n%s", stdout)
	}
}

// holds sees that a file of the topology's folder has some text.
func (p *program) holds(file, text string) {
	p.Helper()
	have, err := os.ReadFile(filepath.Join(p.dir, file))
	if err != nil || !strings.Contains(string(have), text) {
		p.Errorf("%s: %v, want %s in:\n%s", file, err, text, have)
	}
}

// A recipe is run as its machine does it, with lvsctl installed already. It is at home
// in a folder of its own, with the ssh config of the hosts and no keys yet.
type recipe struct {
	*program
	home string
	env  []string
}

func newRecipe(p *program) recipe {
	r := recipe{program: p, home: p.TempDir()}
	site := filepath.Join(p.dir, "clusters", "test")
	check(p, os.MkdirAll(site, 0o700))
	write(p, filepath.Join(site, "main.hcl"), drTopology)
	check(p, os.Mkdir(filepath.Join(r.home, ".ssh"), 0o700))
	var config strings.Builder
	for _, n := range []*node{p.lvs, p.web} {
		for line := range strings.Lines(n.stanza) {
			if !strings.Contains(line, "File") && !strings.Contains(line, "Identities") {
				config.WriteString(line)
			}
		}
	}
	write(p, filepath.Join(r.home, ".ssh", "config"), config.String()+elsewhere)
	r.env = append(os.Environ(), "HOME="+r.home, "PATH="+filepath.Dir(p.path)+":"+os.Getenv("PATH"))
	return r
}

// secrets are the key that both hosts let in, and their host keys.
func (r recipe) secrets() (key, knownHosts string) {
	r.Helper()
	read := func(n *node, name string) string {
		text, err := os.ReadFile(filepath.Join(n.dir, name))
		check(r, err)
		return string(text)
	}
	write(r, filepath.Join(r.lvs.dir, "authorized"), read(r.lvs, "authorized")+read(r.web, "authorized"))
	return read(r.web, "id"), read(r.lvs, "known_hosts") + read(r.web, "known_hosts")
}

// sh runs a recipe's script and returns its exit code and all that it printed.
func (r recipe) sh(script string, env ...string) (code int, said string) {
	r.Helper()
	cmd := exec.Command("bash", "-e", "-c", script)
	cmd.Dir, cmd.Env = r.dir, append(r.env, env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		r.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

const installs = "go install github.com/lvsctl/lvsctl/cmd/lvsctl@latest"

func (p *program) recipe(file string, into any) {
	p.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "recipes", file))
	check(p, err)
	check(p, yaml.NewDecoder(bytes.NewReader(text)).Decode(into))
}

// drifted has the real server's address gone.
func (p *program) drifted() {
	p.apply(0)
	p.web.sh("ip addr del 10.0.0.100/32 dev lo")
}

func gitHubRecipe(p *program) {
	p.drifted()
	r := newRecipe(p)
	var workflow struct {
		Jobs map[string]struct {
			Steps []struct {
				Name, Run, Uses string
				Env             map[string]string
			}
		}
	}
	p.recipe("github-actions.yml", &workflow)
	key, knownHosts := r.secrets()
	context := strings.NewReplacer("${{ secrets.LVSCTL_SSH_KEY }}", key, "${{ vars.LVSCTL_KNOWN_HOSTS }}", knownHosts)
	ran := 0
	for _, step := range workflow.Jobs["drift"].Steps {
		if step.Run == "" || step.Run == installs {
			continue
		}
		env := []string{"GITHUB_STEP_SUMMARY=" + filepath.Join(p.dir, "summary"), "GITHUB_WORKSPACE=" + p.dir}
		for name, value := range step.Env {
			env = append(env, name+"="+context.Replace(value))
		}
		ran++
		code, said := r.sh(step.Run, env...)
		switch {
		case step.Name != "Look for drift" && code != 0:
			p.Fatalf("%s: exit %d: %s", step.Name, code, said)
		case step.Name == "Look for drift" && (code != 2 || !strings.Contains(said, "::error file=clusters/test/main.hcl,line=12,title=lvsctl drift::web: + address   10.0.0.100/32 dev lo  (gone)\n")):
			p.Errorf("exit %d: %s", code, said)
		}
	}
	if ran != 2 {
		p.Errorf("%d steps ran", ran)
	}
	p.holds("summary", "**Drift: 1 gone, 0 changed, 0 added on 1 node. Never applied: 1 node. Not applied yet: ")
	p.holds("drift.xml", `failures="1"`)
}

func gitLabRecipe(p *program) {
	p.drifted()
	r := newRecipe(p)
	var pipeline struct {
		Drift struct {
			BeforeScript []string `yaml:"before_script"`
			Script       []string
			Artifacts    struct{ Reports struct{ JUnit string } }
		}
	}
	p.recipe("gitlab-ci.yml", &pipeline)
	key, knownHosts := r.secrets()
	write(p, filepath.Join(r.home, "key"), key)
	write(p, filepath.Join(r.home, "hosts"), knownHosts)
	var script []string
	for _, line := range append(pipeline.Drift.BeforeScript, pipeline.Drift.Script...) {
		if line != installs {
			script = append(script, line)
		}
	}
	code, said := r.sh(strings.Join(script, "\n"), "LVSCTL_SSH_KEY="+filepath.Join(r.home, "key"), "LVSCTL_KNOWN_HOSTS="+filepath.Join(r.home, "hosts"))
	if code != 2 || !strings.Contains(said, "+ address   10.0.0.100/32 dev lo  (gone)") {
		p.Errorf("exit %d: %s", code, said)
	}
	p.holds(pipeline.Drift.Artifacts.Reports.JUnit, `failures="1"`)
}

func systemdRecipe(p *program) {
	p.drifted()
	r := newRecipe(p)
	key, knownHosts := r.secrets()
	write(p, filepath.Join(r.home, ".ssh", "id_ed25519"), key)
	write(p, filepath.Join(r.home, ".ssh", "known_hosts"), knownHosts)
	unit, err := os.ReadFile("../docs/recipes/lvsctl-drift.service")
	check(p, err)
	start := regexp.MustCompile(`(?m)^ExecStart=/bin/sh -c '(.*)'$`).FindStringSubmatch(string(unit))
	codes := regexp.MustCompile(`(?m)^SuccessExitStatus=2 3$`).Match(unit)
	if start == nil || !codes {
		p.Fatalf("the unit is another one:\n%s", unit)
	}
	script := strings.NewReplacer("/var/lib/prometheus/node-exporter", p.dir, "/srv", p.dir).Replace(start[1])
	if code, said := r.sh(script); code != 2 {
		p.Errorf("exit %d: %s", code, said)
	}
	p.holds("lvsctl.prom", `lvsctl_drift_differences{topology="test",node="web",role="real_server"} 1`+"\n")
	rules, err := os.ReadFile("../docs/recipes/prometheus-rules.yml")
	check(p, err)
	for _, name := range regexp.MustCompile(`lvsctl_drift_\w+`).FindAllString(string(rules), -1) {
		p.holds("lvsctl.prom", "# TYPE "+name+" gauge\n")
	}
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		p.Log("nobody here verifies the units: " + err.Error())
		return
	}
	verify := exec.Command("systemd-analyze", "verify", "--man=no", "../docs/recipes/lvsctl-drift.service", "../docs/recipes/lvsctl-drift.timer")
	verify.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH=../docs/recipes:")
	if out, err := verify.CombinedOutput(); err != nil {
		p.Errorf("systemd-analyze verify: %v: %s", err, out)
	}
}
