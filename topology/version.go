package topology

import (
	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hcl/v2"

	"github.com/lvsctl/lvsctl/internal/lang"
)

// requireVersion refuses this program's version if required_version excludes it. What
// follows a dash or a plus is left out: 1.2.0-rc1 counts as 1.2.0.
func (s scope) requireVersion(a *hcl.Attribute, have string) {
	text, ok := s.Text(a)
	if !ok {
		return
	}
	want, err := version.NewConstraint(text)
	if err != nil {
		s.Refuse(a.Expr.Range(), "Not a version constraint", "%s is not like \">= 1.2\", \"~> 1.4\" or \">= 1.2, < 2\".", lang.Quote(text))
		return
	}
	mine, err := version.NewVersion(have)
	if err != nil {
		return // a build without a version is accepted: it is a developer's
	}
	if !want.Check(mine.Core()) {
		s.Refuse(a.Expr.Range(), "Wrong version of lvsctl", "This is lvsctl %s, and the topology asks for %s.", have, lang.Quote(text))
	}
}
