package plan_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/lvsctl/lvsctl/internal/ci"
	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/plan"
)

// outputs is everything that is printed or written of a plan and of the drift, by what it
// is.
func outputs(t *testing.T, inputs []plan.Input) map[string]string {
	t.Helper()
	p := plan.Build(topologyName, inputs)
	drift := plan.DriftDocument([]plan.DriftOf{{Path: ".", Name: topologyName, Nodes: plan.FindDrift(p, inputs)}})
	asIs := func(s string) string { return s }
	texts := map[string]string{}
	add := func(what string, text any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		texts[what] = fmt.Sprintf("%s", text)
	}
	digest, err := plan.Digest(topologyName, inputs)
	add("digest", digest, err)
	saved, err := p.Save(plan.Saved{Path: ".", Digest: digest})
	add("saved plan", saved, err)
	read, err := plan.ReadSaved(saved)
	if err != nil {
		t.Fatal(err)
	}
	for name, doc := range map[string]plan.Document{"plan": p.Document(), "drift": drift, "show": read.Document} {
		for i := range 8 {
			d := plan.Detail{Commands: i&1 > 0, Files: i&2 > 0, Each: i&4 > 0}
			add(fmt.Sprintf("%s %+v", name, d), fmt.Sprint(doc.Lines(d)), nil)
			add(fmt.Sprintf("%s, Markdown %+v", name, d), doc.Markdown(d, asIs), nil)
		}
		text, err := json.Marshal(doc)
		add(name+", JSON", text, err)
		text, err = ci.JUnit(doc, asIs)
		add(name+", JUnit", text, err)
		text, err = ci.Prometheus(doc)
		add(name+", Prometheus", text, err)
		add(name+", GitHub", fmt.Sprint(ci.GitHub(doc, asIs, asIs)), nil)
	}
	for i := range p.Nodes {
		n := &p.Nodes[i]
		if in := inputs[i]; in.Live != nil {
			text, err := json.Marshal(n.Settled.RecordAfterFiles(in.Live.State))
			add("record of "+n.Name, text, err)
		}
	}
	return texts
}

// TestPasswordsAreNotShown: neither the password that the directors have nor the one that
// they get is in anything that is printed or written: keepalived comes, its password
// changes, it goes, or its file is somebody else's.
func TestPasswordsAreNotShown(t *testing.T) {
	old, anew := pairOf(`auth_pass = "0ldsecrt"`, `real_servers = ["a", "b"]`), pairOf(`auth_pass = "hunter22"`, `real_servers = ["a", "b"]`)
	settled := func(by func(c *pairCluster)) *pairCluster {
		c := newPair()
		c.settle(t, old)
		if by != nil {
			by(c)
		}
		return c
	}
	for name, inputs := range map[string][]plan.Input{
		"comes":   newPair().inputs(t, anew, false),
		"changes": settled(nil).inputs(t, anew, false),
		"goes":    settled(nil).inputs(t, old, true),
		"somebody else's": settled(func(c *pairCluster) {
			c.files["d1"] = "vrrp_instance x {\n  authentication { auth_type PASS auth_pass 0ldsecrt }\n}\nhttp {\n  password \"hunter22\"\n}\n"
		}).inputs(t, anew, false),
	} {
		t.Run(name, func(t *testing.T) {
			texts := outputs(t, inputs)
			if !strings.Contains(texts["plan, JSON"], `"key":"/etc/keepalived/keepalived.conf"`) {
				t.Errorf("keepalived's file is not in the plan: %s", texts["plan, JSON"])
			}
			masked := false
			for what, text := range texts {
				for _, secret := range []string{"0ldsecrt", "hunter22"} {
					if i := strings.Index(text, secret); i >= 0 {
						t.Errorf("%s shows %s: ...%q", what, secret, text[max(0, i-80):min(len(text), i+40)])
					}
				}
				masked = masked || strings.Contains(text, keepalived.Sensitive)
			}
			// Where a password is all that differs, no line does.
			if !masked && (name == "comes" || name == "goes" || name == "somebody else's") {
				t.Error("the file of keepalived is shown nowhere")
			}
		})
	}
}
