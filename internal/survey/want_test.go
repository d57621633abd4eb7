package survey_test

import (
	"testing"

	"github.com/lvsctl/lvsctl/internal/survey"
	"github.com/lvsctl/lvsctl/roles/rolestest"
)

// TestExclusive has an exclusive director, with and without virtual servers. Services of
// others are removed, but not by a destroy.
func TestExclusive(t *testing.T) {
	const director = "lvsctl { name = \"web\" }\ndirector \"lvs\" {\n  exclusive = true\n  interface \"eth0\" { address = \"10.1.0.2/24\" }\n}\n"
	const service = `real_server "a" {
  interface "eth0" { address = "10.1.0.11/24" }
}
virtual_server "web" {
  vip          = "10.1.0.100"
  port         = 80
  mode         = "dr"
  real_servers = ["a"]
}
`
	for _, text := range []string{director, director + service} {
		for _, w := range rolestest.Wants(t, text) {
			mine := w.Node.Name == "lvs"
			if in := survey.Input(w); in.Exclusive != mine {
				t.Errorf("%s is exclusive: %t", in.Name, in.Exclusive)
			}
			if in := survey.Input(survey.Nothing(w)); in.Exclusive {
				t.Errorf("a destroy of %s takes away what is others'", in.Name)
			}
		}
	}
}
